"""The law of keys: what a stage reads is in its key, and nothing else is."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from bench import Bench
from toy import NumbersConfig, SquaresConfig, TotalConfig, Toy, ToyConfig

from quarkline.engine.core.config import Config
from quarkline.engine.store.keys import stage_key
from quarkline.engine.workflow.stage import Stage

NUMBERS, SQUARES, TOTAL = "numbers", "squares", "total"


def keys(bench: Bench, *overrides: str) -> dict[str, str]:
    return {name: item.key for name, item in bench.plan(*overrides).items()}


def changed(bench: Bench, before: dict[str, str], *overrides: str) -> list[str]:
    after = keys(bench, *overrides)
    return [name for name in after if after[name] != before[name]]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("seed=6", [NUMBERS, SQUARES, TOTAL]),
        ("scale=2", [NUMBERS, SQUARES, TOTAL]),
        ("scale=1.0000000000000002", [NUMBERS, SQUARES, TOTAL]),
        ("power=3", [SQUARES, TOTAL]),
        ("labels=[a]", [TOTAL]),
        ("inputs=[a.txt]", [NUMBERS, SQUARES, TOTAL]),
        ("inputs=[b.txt, a.txt]", [NUMBERS, SQUARES, TOTAL]),
    ],
)
def test_what_a_stage_reads_is_in_its_key_and_in_those_after_it(
    bench: Bench, override: str, expected: list[str]
) -> None:
    assert changed(bench, keys(bench), override) == expected


@pytest.mark.parametrize(
    "override",
    [
        "comment=hello",
        "name=other",
        "compute.workers=7",
        "compute.device=cpu",
        "roots.runs=elsewhere",
        "roots={data: /data}",
        "scale=1",
        "scale=1.0e0",
        "labels=[]",
    ],
)
def test_what_no_stage_reads_is_in_no_key(bench: Bench, override: str) -> None:
    assert changed(bench, keys(bench), override) == []


def test_the_way_a_config_is_written_is_in_no_key(bench: Bench) -> None:
    before = keys(bench)
    bench.file.write_text(
        "# a comment\nseed: 0x5   # hexadecimal\ninputs:\n  - a.txt\n  - ./b.txt\nname: bench\n"
        "study: toy\nschema: 1\nlabels: []\n"
    )
    assert keys(bench) == before


def test_a_parent_config_with_the_same_values_gives_the_same_keys(bench: Bench) -> None:
    before = keys(bench)
    shutil.move(bench.file, bench.folder / "parent.yaml")
    bench.file.write_text("extends: parent.yaml\n")
    assert keys(bench) == before


def test_where_an_input_is_and_what_it_is_called_is_in_no_key(bench: Bench) -> None:
    before = keys(bench)
    moved = bench.folder / "deep" / "renamed.dat"
    moved.parent.mkdir()
    shutil.move(bench.folder / "a.txt", moved)
    assert changed(bench, before, "inputs=[deep/renamed.dat, b.txt]") == []


def test_the_content_of_an_input_is_in_the_key(bench: Bench) -> None:
    before = keys(bench)
    (bench.folder / "a.txt").write_text("1 2 \n")
    assert changed(bench, before) == [NUMBERS, SQUARES, TOTAL]
    (bench.folder / "a.txt").write_text("1 2\n")
    assert changed(bench, before) == []


def test_the_version_of_a_stage_is_in_its_key(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = keys(bench)
    stages = Toy.stages

    def newer(study: Toy, config: ToyConfig) -> list[Stage]:
        first, second, third = stages(study, config)
        return [first, Stage(**(vars(second) | {"version": 2})), third]

    monkeypatch.setattr(Toy, "stages", newer)
    assert changed(bench, before) == [SQUARES, TOTAL]


OTHER: dict[type, Any] = {int: 17, float: 0.75, tuple: ("x",)}
STAGE_CONFIGS: list[Config] = [
    NumbersConfig(seed=1, scale=2.0),
    SquaresConfig(power=2),
    TotalConfig(seed=1, labels=()),
]


@pytest.mark.parametrize(
    ("config", "field"),
    [(config, field) for config in STAGE_CONFIGS for field in type(config).model_fields],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_every_field_of_a_stage_config_is_in_the_key(config: Config, field: str) -> None:
    def key(config: Config) -> str:
        return stage_key("stage", 1, config.model_dump(), {})

    other = config.model_copy(update={field: OTHER[type(getattr(config, field))]})
    assert key(config) != key(other)
    assert key(config) == key(config.model_copy())


def test_equal_keys_are_equal_bytes(ran: Bench, tmp_path: Path) -> None:
    """Two independent runs with one key, in other folders, agree in every file of a stage."""
    one = ran.contents()
    shutil.rmtree(ran.runs)
    ran.run("comment=other", "roots.runs=elsewhere/runs")
    shutil.move(ran.folder / "elsewhere" / "runs", ran.folder / "runs")
    for name, data in ran.contents().items():
        if name.startswith(("stages/", "items/")) or name.endswith("results.json"):
            assert one[name] == data
