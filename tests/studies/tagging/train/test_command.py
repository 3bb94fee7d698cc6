"""`quarkline train` from tables to a network, and on from there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.runs import read_run
from quarkline.studies.tagging.train.results import TaggingTraining
from quarkline.studies.tagging.watch.config import DrawConfig
from quarkline.studies.tagging.watch.stage import _epoch_items
from tests.studies.tagging.features.test_stage import table, write

SMALL = ["--hidden-layer-fraction", "0.02", "--nodes_constit_lstm", "2", "--frac-list", "1"]


def _train(*options: str) -> Path:
    """The folder of the run."""
    found = CliRunner().invoke(app, ["train", *options, *SMALL], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return Path(found.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("way", ["none", "upstream"])
def test_one_epoch_of_one_piece_and_one_more(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main = write(tmp_path / "main.parquet", table(1, 500, (0, 1, 2)))
    control = write(tmp_path / "control.parquet", table(2, 400, (0, 2)))
    given = ["--main_training_file", str(main), "--cr-training-file", f"file://{control}"]
    given += ["--compatibility", way, "--num-splits", "1", "--set", "watch.permutations=0"]
    first = read_run(_train(*given, "--epochs", "1"))
    record = first.record("train")
    training = record.results["training"]
    assert isinstance(training, TaggingTraining)
    assert (training.parent, training.compatibility) == ("", way)
    again = read_run(_train(*given, "--epochs", "1"))
    assert again.folder == first.folder
    with pytest.raises(InputError, match="--continue -2: there is no such run"):
        _train(*given, "--continue", "-2")
    more = read_run(_train(*given, "--epochs", "2", "--continue", "-1"))
    assert more.number == first.number + 1
    assert more.provenance()["parent"] == f"default/{first.number:05d}"
    longer = more.record("train").results["training"]
    assert isinstance(longer, TaggingTraining)
    assert longer.parent == f"default/{first.number:05d}"
    before = training.trainings[0].metrics["val_original_lossf"]
    after = longer.trainings[0].metrics["val_original_lossf"]
    assert (after[:1], len(after)) == (before, 3)
    assert json.loads((more.folder / "resolved.json").read_text())["train"]["start"]


@pytest.mark.slow
def test_going_on_keeps_the_test_jets_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    main = write(tmp_path / "main.parquet", table(1, 500, (0, 1, 2)))
    control = write(tmp_path / "control.parquet", table(2, 400, (0, 2)))
    given = ["--main_training_file", str(main), "--cr-training-file", f"file://{control}"]
    given += ["--set", "watch.permutations=0", "--epochs", "1"]
    _train(*given)
    more = [*given, "--continue", "1", "--set"]
    with pytest.raises(InputError, match=r"`test` is 0.3, and was 0.05"):
        _train(*more, "features.test=0.3")
    with pytest.raises(InputError, match="`seed` is 77, and was "):
        _train(*more, "seed=77")
    with pytest.raises(InputError, match=r"seeds: 2}`, but 0*1 has 1"):
        _train(*more, "train.seeds=2")
    later = read_run(_train(*more, "train.epoch_weights=all")).record("train").files["trainings"]
    items = _epoch_items(later / "000", 1, DrawConfig(epochs="all"), {})
    assert [item.inputs["record"].exists() for item in items] == [True]
