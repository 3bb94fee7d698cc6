"""Runs of the tagging study: compared, inspected, exported and scored by name, run and epoch."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow import study as studies
from quarkline.engine.workflow.runs import find_run
from quarkline.studies.tagging.upstream import examples
from quarkline.tools.compare import compare
from quarkline.tools.export import export
from quarkline.tools.inspect_model import inspect_model, is_model_address
from quarkline.tools.run import RunOutcome, load_analysis, run
from quarkline.tools.taggers import is_tagger, load_tagger
from tests.studies.tagging.toy_study import ToyTagging

CONFIG = "schema: 1\nstudy: tagging\nname: toy\n"


@pytest.fixture(autouse=True)
def _study(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(studies._REGISTERED, "tagging", ToyTagging())


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[RunOutcome]:
    """A finished run with two trainings, and one that has only trained once."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy.yaml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(studies._REGISTERED, "tagging", ToyTagging())
        first, second = (
            load_analysis(folder / "toy.yaml", overrides=[f"roots.runs={folder / 'runs'}", *more])
            for more in ((), ("trainings=1", "hidden=16"))
        )
        return [run(first), run(second, until="train")]


@pytest.fixture
def root(outcomes: list[RunOutcome], monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = outcomes[0].run.folder.parents[1]
    monkeypatch.chdir(folder.parent)
    return folder


@pytest.mark.slow
def test_the_report_of_a_run_has_all_its_sections(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(CONFIG + "draw: true\n")
    analysis = load_analysis(tmp_path / "toy.yaml", overrides=[f"roots.runs={tmp_path / 'runs'}"])
    outcome = run(analysis)
    assert outcome.report is not None
    html = outcome.report.read_text()
    titles = ("Choice of the epoch", "Performance on test jets", "Data and simulation")
    for title in (*titles, "Training", "Jets", "Exports"):
        assert f"<h2>{title}</h2>" in html
    assert outcome.headline is not None
    assert outcome.headline in html
    names = {path.stem for path in outcome.figures}
    assert {"choice", "sig_predictions", "main_nn_loss", "ks_qcd"} <= names
    assert any(name.endswith("_main_sig_predictions_linear") for name in names)


def test_an_epoch_is_named_by_run_training_and_number(root: Path) -> None:
    jets = examples()
    found = load_tagger("toy/1:1/2", root)
    assert found.place == "toy/1:1/2"
    again = load_tagger("toy/-2:1/2", root)
    assert again.key == found.key
    np.testing.assert_array_equal(again.model.probabilities(jets), found.model.probabilities(jets))
    other = load_tagger("toy/1:0/2", root)
    assert other.key != found.key
    assert not np.allclose(other.model.probabilities(jets), found.model.probabilities(jets))
    assert load_tagger("toy/2/0", root).place == "toy/2:0/0"


def test_a_run_is_its_chosen_epoch(root: Path) -> None:
    chosen = find_run("toy/1", root).results()["choice"].chosen  # type: ignore[attr-defined]
    named = load_tagger(f"toy/1:{chosen.training}/{chosen.epoch}", root).model
    found = load_tagger("toy/1", root)
    assert found.place == "toy/1, its chosen epoch"
    np.testing.assert_array_equal(
        found.model.probabilities(examples()), named.probabilities(examples())
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("toy/1/2", "run toy/1 has 2 trainings"),
        ("toy/1:7/2", "and none is number 7"),
        ("toy/1:1/9", "the weights of epoch 9 were not kept"),
        ("toi/1/2", "there is no run `toi/1/2`"),
        ("toy/9", "there is no run `toy/9`"),
    ],
)
def test_what_is_not_there_is_told(root: Path, text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        load_tagger(text, root)


def test_other_addresses_are_left_to_others(root: Path) -> None:
    for text in ("toy/9", "nothing", "toy/1:train/0", str(root)):
        assert not is_tagger(text, root)
    assert is_model_address("toy/1:1/2", root)
    assert not is_model_address("toi/1/2", root)


def test_layers_of_an_epoch_are_shown(root: Path) -> None:
    found = inspect_model("toy/1:1/2", root=root)
    assert found.trained == sum(layer.trained for layer in found.layers) > 0
    done = CliRunner().invoke(app, ["inspect", "toy/1"])
    assert done.exit_code == 0, done.output
    assert "toy/1, its chosen epoch: lstm-streams" in done.output


def test_an_epoch_is_exported(root: Path, tmp_path: Path) -> None:
    done = export("toy/1:1/2", "frugally-deep", tmp_path / "out", root=root)
    assert "the network of toy/1:1/2 for frugally-deep" in done.headline
    assert len(done.files) == 2
    done = export("toy/1", "cpp", tmp_path / "cpp", root=root)
    assert "the network of toy/1, its chosen epoch as a C++ header" in done.headline


def test_runs_are_compared_whatever_stages_they_have(root: Path, tmp_path: Path) -> None:
    words = ["compare", "toy/1", "toy/-1", "-o", str(tmp_path / "c.md"), "--json"]
    done = CliRunner().invoke(app, [*words, "--set", "analyze.ks_limit=0.01"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert "no epoch has a worst K-S below 0.01" in told["headline"]
    text = (tmp_path / "c.md").read_text()
    assert "| setting | toy/1 | toy/2 |" in text
    assert "| hidden | 8 | 16 |" in text
    assert "toy/1:0/" in text
    assert "toy/1:1/" in text
    assert "| toy/2/" in text
    assert text.count("![") == 3


def test_runs_that_cannot_be_compared_are_refused(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out" / "c.md"
    with pytest.raises(InputError, match="run toy/2 is named twice"):
        compare(["toy/-1", "toy/2"], output=out, root=root)
    with pytest.raises(InputError, match="did you mean `ks_limit`"):
        compare(["toy/1"], output=out, settings=["analyze.ks_limt=1"], root=root)
    copied = root / "other"
    shutil.copytree(root / "toy", copied)
    content = json.loads((copied / "00001" / "run.json").read_text())
    (copied / "00001" / "run.json").write_text(json.dumps(content | {"study": "search"}))
    with pytest.raises(InputError, match="run other/1 is of the study `search`"):
        compare(["other/1"], output=out, root=root)
    shutil.rmtree(copied)
    assert not out.parent.exists()
