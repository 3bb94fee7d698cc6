"""Stages, their contexts, and what a study's author may get wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bench import Bench
from pydantic import BaseModel
from toy_items import square

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.findings import WorkError
from quarkline.engine.core.results import Result
from quarkline.engine.core.rng import rng
from quarkline.engine.workflow.stage import (
    SHOWN_FAILURES,
    Conditions,
    Context,
    Files,
    Stage,
    check_stages,
    merge_results,
)


class Style(StrEnum):
    BOLD = "bold"


class Good(BaseModel):
    seed: int = 1
    names: frozenset[str] = frozenset({"b", "a", "c"})
    style: Style = Style.BOLD
    pair: tuple[float, float] = (1.0, 2.0)


class WithPath(BaseModel):
    deep: dict[str, list[Path]] = {"files": [Path("a.root")]}


class WithNumber(BaseModel):
    scale: float


@dataclass(frozen=True)
class Count(Result, kind="test-count"):
    count: int


def nothing(_: Context) -> Mapping[str, Any]:
    return {}


def make(
    name: str = "one",
    config: BaseModel | None = None,
    inputs: Mapping[str, Any] | None = None,
    outputs: tuple[str, ...] = ("out",),
) -> Stage:
    return Stage(name, 1, config or Good(), inputs or {}, outputs, nothing)


def test_a_stage_config_becomes_json_values_in_a_fixed_order() -> None:
    assert make().values == {
        "seed": 1,
        "names": ["a", "b", "c"],
        "style": "bold",
        "pair": [1.0, 2.0],
    }


def test_a_stage_config_holds_no_path() -> None:
    with pytest.raises(ValueError, match=r"config of stage `one`: `deep\.files\[0\]` = a\.root"):
        make(config=WithPath())


@pytest.mark.parametrize("scale", [np.nan, np.inf, -np.inf])
def test_a_stage_config_holds_no_number_that_is_not_finite(scale: float) -> None:
    with pytest.raises(ValueError, match=r"config of stage `one`: `scale` = .* cannot be part of"):
        make(config=WithNumber(scale=scale))


@pytest.mark.parametrize(
    "stages",
    [
        [make("one"), make("one")],
        [make("one", inputs={"x": "two.out"}), make("two")],
        [make("one"), make("two", inputs={"x": "one.other"})],
        [make("one", inputs={"x": "one.out"})],
        [make("One")],
        [make("a.b")],
        [make("a/b")],
        [make("")],
        [make("x" * 81)],
        [make("one", outputs=("a.b",))],
    ],
)
def test_stages_that_do_not_fit_together_are_refused(stages: list[Stage]) -> None:
    with pytest.raises(ValueError, match="repeats, is misnamed or reads what no stage puts out"):
        check_stages(stages)


def test_stages_that_fit_together() -> None:
    one = make("one", inputs={"files": Files((Path("a"),))}, outputs=("a", "b"))
    two = make("two", inputs={"x": "one.a", "y": "one.b"})
    check_stages([one, two])
    assert two.parents == ["one"]


def test_results_of_two_stages_have_different_names() -> None:
    assert merge_results([{"a": Count(1)}, {"b": Count(2)}]) == {"a": Count(1), "b": Count(2)}
    with pytest.raises(ValueError, match="two stages name a result alike"):
        merge_results([{"a": Count(1)}, {"a": Count(1)}])


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "out").mkdir()
    inputs = {"count": Count(3), "file": tmp_path / "a.txt"}
    (tmp_path / "a.txt").write_text("1")
    return Context(
        stage="squares",
        version=1,
        config=Good(seed=7),
        inputs=inputs,
        out=tmp_path / "out",
        items=tmp_path / "items",
        conditions=Conditions(workers=1),
    )


def test_inputs_of_a_context(context: Context, tmp_path: Path) -> None:
    assert context.path("file") == tmp_path / "a.txt"
    assert context.files("file") == {"file": tmp_path / "a.txt"}
    assert context.result("count", Count) == Count(3)
    with pytest.raises(TypeError, match=r"input `file` of stage `squares` is .*, not .*Count"):
        context.result("file", Count)


def test_random_numbers_depend_on_seed_stage_and_names(context: Context) -> None:
    assert context.rng("a", 1).random() == rng(7, "squares", "a", 1).random()
    assert context.rng("a", 1).random() != context.rng("a", 2).random()


def folders(context: Context, *items: Item, step: str = "step") -> list[str]:
    return [folder.name for _, folder in context._with_folders(step, items)]


def test_the_key_of_an_item_is_made_of_the_item_alone(context: Context, tmp_path: Path) -> None:
    item = Item("a", {"x": 1, "y": [2.0]}, {"in": tmp_path / "a.txt"})
    (base,) = folders(context, item)
    assert base.startswith("squares-")
    assert folders(context, Item("other", {"z": 1}), item)[1] == base  # not of its neighbours
    assert folders(context, Item("renamed", {"y": (2.0,), "x": 1}, item.inputs)) == [base]
    (tmp_path / "b.txt").write_text("1")
    assert folders(context, Item("a", item.args, {"in": tmp_path / "b.txt"})) == [base]
    (tmp_path / "b.txt").write_text("2")
    others = [
        folders(context, Item("a", item.args, {"in": tmp_path / "b.txt"})),
        folders(context, Item("a", item.args, {"file": tmp_path / "a.txt"})),
        folders(context, Item("a", {"x": 2, "y": [2.0]}, item.inputs)),
        folders(context, Item("a", {"x": 1, "y": [2]}, item.inputs)),
        folders(context, item, step="other"),
    ]
    assert all(other != [base] for other in others)


def test_a_folder_as_the_input_of_an_item_counts_by_all_its_files(
    context: Context, tmp_path: Path
) -> None:
    def key(folder: Path) -> list[str]:
        return folders(context, Item("a", {}, {"model": folder}))

    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        (folder / "deep").mkdir(parents=True)
        (folder / "deep" / "weights").write_text("w")
    assert key(one) == key(other)
    (other / "deep" / "weights").write_text("v")
    assert key(one) != key(other)
    (other / "deep" / "weights").write_text("w")
    (other / "more").touch()
    assert key(one) != key(other)


def test_arguments_of_an_item_hold_no_path(context: Context) -> None:
    with pytest.raises(ValueError, match=r"`args\.file` = a cannot be part of a content key"):
        folders(context, Item("a", {"file": Path("a")}))


def test_a_task_gets_json_values(context: Context) -> None:
    ((item, _),) = context._with_folders(
        "step", [Item("a", {"x": (1, np.float64(2)), "s": Style.BOLD})]
    )
    assert item.args == {"x": [1, 2.0], "s": "bold"}


def test_mapped_items_keep_their_order_and_report_progress(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(context.progress, "update", lambda *args: seen.append(args))
    items = [Item(f"n{number}", {"number": number, "power": 2}) for number in (3, 1, 2)]
    assert [done.value["square"] for done in context.map("square", square, items)] == [9, 1, 4]
    assert seen == [(1, 3, "n3"), (2, 3, "n1"), (3, 3, "n2")]


def test_many_failures_are_counted_not_listed(context: Context, caplog: Any) -> None:
    items = [Item(f"n{number}", {"number": "x", "power": number}) for number in range(8)]
    with pytest.raises(WorkError) as error:
        context.map("square", square, items)
    messages = [finding.message for finding in error.value.findings]
    assert len(messages) == SHOWN_FAILURES + 1
    assert messages[0].startswith("squares: n0: ValueError: could not convert string to float")
    assert messages[-1] == "squares: 8 of 8 items failed; the log has all"
    assert caplog.text.count("Traceback") == 8


class TestPlace:
    """Files of items in the stage's folder."""

    def test_a_file_is_linked(self, context: Context, tmp_path: Path) -> None:
        target = context.place(tmp_path / "a.txt", context.out / "deep" / "b.txt")
        assert target.samefile(tmp_path / "a.txt")

    def test_a_folder_is_linked_file_by_file(self, context: Context, tmp_path: Path) -> None:
        (tmp_path / "model" / "deep").mkdir(parents=True)
        (tmp_path / "model" / "deep" / "w").write_text("1")
        target = context.place(tmp_path / "model", context.out / "model")
        assert (target / "deep" / "w").samefile(tmp_path / "model" / "deep" / "w")

    def test_without_links_a_file_is_copied(
        self, context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "link", refuse)
        target = context.place(tmp_path / "a.txt", context.out / "b.txt")
        assert not target.samefile(tmp_path / "a.txt")
        assert target.read_text() == "1"

    def test_a_file_is_never_written_over(self, context: Context, tmp_path: Path) -> None:
        (tmp_path / "b.txt").write_text("2")
        context.place(tmp_path / "a.txt", context.out / "c.txt")
        with pytest.raises(FileExistsError):
            context.place(tmp_path / "b.txt", context.out / "c.txt")
        assert (tmp_path / "a.txt").read_text() == "1"


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, r"it puts out \[\] but declares \['numbers'\]"),
        ({"numbers": Path("numbers.json"), "more": Count(1)}, r"it puts out \['more', 'numbers'\]"),
        ({"numbers": Path("not-there")}, "declared an output it did not write: not-there"),
        ({"numbers": Path("/etc/hostname")}, "is not in the subpath of"),
    ],
)
def test_a_stage_that_does_not_put_out_what_it_declares_fails(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, outputs: Mapping[str, Any], message: str
) -> None:
    from toy import Toy, ToyConfig

    stages = Toy.stages

    def run(context: Context) -> Mapping[str, Any]:
        (context.out / "numbers.json").write_text("[]")
        return {
            name: context.out / output if isinstance(output, Path) else output
            for name, output in outputs.items()
        }

    def changed(study: Toy, config: ToyConfig) -> list[Stage]:
        first, *others = stages(study, config)
        return [Stage(**(vars(first) | {"run": run})), *others]

    monkeypatch.setattr(Toy, "stages", changed)
    with pytest.raises(WorkError, match=f"stage `numbers` failed: ValueError: .*{message}"):
        bench.run()
    assert list(bench.runs.glob("stages/*")) == []
