"""The CalRatio trainer's keys, flags and runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.runs import Run, write_run
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.seed_keys import SeedKeys, given_overrides, rows, translate
from quarkline.tools.train import find_parent, load_training, name_parent

FILES = {"main_training_file": "main.parquet", "cr_training_file": "file:///data/cr.parquet"}


def test_every_key_of_the_trainer_becomes_something_or_is_told_why_not() -> None:
    found = translate(SeedKeys.model_validate(FILES), upstream=False)
    told = rows(found.keys)
    assert [row[0] for row in told] == list(SeedKeys.model_fields)
    assert all(became != "no effect" or why for _, _, became, why in told)


@pytest.mark.parametrize("upstream", [False, True])
def test_a_config_of_the_trainer_is_one_of_ours(upstream: bool, tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(
        "model_name: mine\nlr_values: 0.0005\nnodes_track_lstm: 7\nlayers_list: 2\n"
        "hidden_layer_fraction: 0.5\nadversary_weight: 3\nnum_splits: 9\nbatch_size: 128\n"
        "main_training_file: main.parquet\ncr_training_file: file:///data/cr.parquet\n"
    )
    keys = {"epochs": 4, "include_low_mass": True}
    training = load_training(path, keys=keys, upstream=upstream)
    config = training.analysis.config
    assert config.name == "mine"
    assert config.files.main == [tmp_path / "main.parquet"]
    assert config.files.control == [Path("/data/cr.parquet")]
    assert (config.features.masses, config.features.fraction) == ("low", 0.5)
    train = config.train
    assert [(one.nodes, one.layers) for one in train.model.streams] == [(10, 2), (7, 2), (5, 2)]
    assert (train.model.hidden, train.fit.epochs) == ((256, 32), 4)
    assert (train.fit.learning_rate, train.adversary.weight) == (5e-4, 3.0)
    if upstream:
        assert (train.num_splits, train.fit.optimiser) == (9, "keras-nadam")
        assert train.adversary.bound is None
    else:
        assert (train.fit.batch_size, train.num_splits) == (128, None)
    again = load_training(_written(tmp_path, training.settings), keys={})
    assert again.analysis.config == config


def _written(folder: Path, text: str) -> Path:
    path = folder / "again.yaml"
    path.write_text(text)
    return path


def test_options_go_over_a_config_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "ours.yaml"
    text = {"schema": 1, "study": "tagging", "name": "a", "simulate": {}, "train": {"penalty": 0.5}}
    path.write_text(json.dumps(text))
    given = {"epochs": 3, "adversary_weight": 2.0, "frac_list": 0.25}
    config = load_training(path, keys=given).analysis.config
    assert (config.train.fit.epochs, config.train.adversary.weight) == (3, 2.0)
    assert (config.features.fraction, config.train.penalty) == (0.25, 0.5)
    assert config.train.fit.batch_size == 512
    with pytest.raises(InputError, match="nodes_track_lstm"):
        load_training(path, keys={"nodes_track_lstm": 3})
    with pytest.raises(InputError, match=r"num_splits.*compatibility"):
        load_training(path, keys={"num_splits": 3})


def test_no_adversary_is_no_adversary() -> None:
    texts = given_overrides(SeedKeys.model_validate({"adversary_weight": 0}), "mmd")
    assert texts == ['train.adversary={"kind": "none"}']


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("epoch: 3\nlr_values: 0.1\n", "epoch"),
        ("lr_values: fast\n", "lr_values"),
        ("epochs: 3\n", "main_training_file"),
        ("include_low_mass: false\ninclude_high_mass: false\n", "no signal is left"),
        ("something: 3\n", "no study"),
    ],
)
def test_mistakes_are_told(text: str, match: str, tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=match):
        load_training(path, keys={})


def test_upstreams_training_is_one_word() -> None:
    config = TrainConfig.model_validate({"compatibility": "upstream", "fit": {"epochs": 2}})
    assert (config.num_splits, config.penalty, config.epoch_weights) == (50, 1e-11, "all")
    assert (config.fit.epochs, config.fit.optimiser, config.fit.clip) == (2, "keras-nadam", None)
    assert sum(stream.nodes for stream in config.model.streams) == 25


def _runs(folder: Path, count: int) -> list[Run]:
    """Numbered runs without stages, among things that are none."""
    for stray in ("notes", "00007x"):
        (folder / stray).mkdir(parents=True)
    (folder / "readme.txt").write_text("")
    made = []
    for number in range(1, count + 1):
        run = folder / f"{number:05d}"
        run.mkdir()
        made.append(write_run(run, study="tagging", identity="a", stages={}, complete=False))
    return made


def test_a_run_to_go_on_from_is_found_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "calratio"
    with pytest.raises(InputError, match="there is no such run"):
        find_parent(folder, -1)
    made = _runs(folder, 3)
    with pytest.raises(InputError, match="its training is not finished"):
        find_parent(folder, -1)
    monkeypatch.setattr("quarkline.tools.train.STAGE", "none")
    for run in made:
        told = json.loads((run.folder / "run.json").read_text())
        (run.folder / "run.json").write_text(json.dumps(told | {"stages": [["none", "x"]]}))
    monkeypatch.setattr("quarkline.tools.train.parent_states", lambda _: {})
    assert [find_parent(folder, at).number for at in (-1, -2, 1, 3)] == [3, 2, 1, 3]
    for absent in (0, 4, -4):
        with pytest.raises(InputError, match=f"--continue {absent}: there is no such run"):
            find_parent(folder, absent)
    name_parent(made[2], made[0])
    assert made[2].provenance()["parent"] == "calratio/00001"
