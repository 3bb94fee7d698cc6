"""From trainings to a choice, its network, exports, figures and the report's sections."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import WorkError
from quarkline.engine.core.results import result_from_json
from quarkline.engine.workflow.stage import Context
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.event_model import EventModel
from quarkline.report import Figures, Table
from quarkline.studies.tagging.analyze import stage as analyze
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.results import Judged
from quarkline.studies.tagging.analyze.stage import AnalyzeStageConfig, scores_of
from quarkline.studies.tagging.export import stage as export
from quarkline.studies.tagging.export.config import ExportConfig, Format
from quarkline.studies.tagging.export.results import Exports
from quarkline.studies.tagging.features.choice import Split
from quarkline.studies.tagging.features.folder import ScaledJets
from quarkline.studies.tagging.sections.chosen import choice_section, performance_section
from quarkline.studies.tagging.sections.region import agreement_section
from quarkline.studies.tagging.sections.taken import exports_section
from quarkline.studies.tagging.watch.config import WatchConfig
from tests.learning.models.conftest import event_model
from tests.studies.tagging.toy_training import Toy, toy


@dataclass(frozen=True)
class Analysed:
    toy: Toy
    out: dict[str, Any]
    summary: str


def run(folder: Path, made: Toy, **settings: Any) -> Analysed:
    inputs = {"main": made.main, "control": made.control, "trainings": made.trainings}
    config = AnalyzeStageConfig(
        **{"watch": WatchConfig(permutations=20), "seed": 1, "ks_limit": 0.5} | settings
    )
    context = Context("analyze", 1, config, inputs, folder / "out", folder / "items")
    context.out.mkdir(parents=True)
    return Analysed(made, analyze.run(context), context.summaries[0])


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Analysed:
    folder = tmp_path_factory.mktemp("analysed")
    return run(folder, toy(folder / "toy"))


def test_the_chosen_network_is_the_model_and_gives_the_scores_that_were_judged(
    analysed: Analysed,
) -> None:
    choice, judged = analysed.out["choice"], analysed.out["judged"]
    assert isinstance(choice, Choice)
    assert isinstance(judged, Judged)
    assert (judged.chosen.training, judged.chosen.epoch) == (
        choice.chosen.training,
        choice.chosen.epoch,
    )
    assert judged.chosen.reasons[0] == "chosen"
    model = load_model(analysed.out["model"], EventModel)
    held = ScaledJets.load(analysed.toy.main)
    rows = held.rows(Split.TEST)
    scores = scores_of(model, held, rows)
    np.testing.assert_allclose(scores, model.probabilities(held.jets.arrays(rows)), atol=1e-6)
    label = held.jets.label[rows]
    tagged = scores.argmax(axis=1) == 1
    assert judged.chosen.shares.background[1].share.value == pytest.approx(
        tagged[label == 0].mean()
    )
    assert judged.jets == {"QCD": 60, "signal": 60, "BIB": 60}
    assert judged.control == {"simulation": 120, "data": 60}


def test_every_training_has_its_own_choice_and_every_epoch_a_reason(analysed: Analysed) -> None:
    judged = analysed.out["judged"]
    own = [one.training for one in judged.epochs if analyze.OWN in one.reasons]
    assert sorted(own) == ["0", "1"]
    assert all(one.reasons for one in judged.epochs)
    names = [one.name for one in judged.epochs]
    assert len(set(names)) == len(names)
    assert f"epoch {judged.chosen.name}: {analysed.out['choice'].why}" == analysed.summary


def test_results_are_the_same_after_they_were_written(analysed: Analysed) -> None:
    for name in ("choice", "judged", "tagger"):
        told = json.loads(json.dumps(analysed.out[name].as_json()))
        assert result_from_json(told).as_json() == told


def test_only_epochs_with_weights_are_looked_at(tmp_path: Path) -> None:
    found = run(tmp_path, toy(tmp_path / "toy", kept=(1,)))
    assert {one.epoch for one in found.out["judged"].epochs} == {1}
    assert found.out["choice"].left_out == 4
    with pytest.raises(WorkError, match="none of 0 epochs"):
        run(tmp_path / "none", toy(tmp_path / "none" / "toy", kept=()))


@pytest.mark.parametrize(
    ("formats", "files"),
    [
        (("frugally-deep", "cpp"), ["model_keras2.json", "model_keras3.json", "model.h"]),
        pytest.param(("onnx",), ["export.json"], marks=pytest.mark.slow),
    ],
)
def test_exports_say_what_was_written(
    analysed: Analysed, tmp_path: Path, formats: tuple[Format, ...], files: list[str]
) -> None:
    config, inputs = ExportConfig(formats=formats), {"model": analysed.out["model"]}
    out = export.run(Context("export", 1, config, inputs, tmp_path, tmp_path))
    told = out["exported"]
    assert isinstance(told, Exports)
    assert [one.format for one in told.formats] == list(formats)
    written = [file for one in told.formats for file in one.files]
    assert all((out["exports"] / file).is_file() for file in written)
    assert set(files) <= {Path(file).name for file in written}
    table = exports_section({"exported": told}).blocks[1]
    assert isinstance(table, Table)
    assert [row[3] for row in table.rows] == [""] * len(formats)


def test_a_format_that_cannot_hold_a_network_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    found = export.exported(event_model("resnet"), "key", "cpp", tmp_path / "cpp")
    assert found.files == ()
    assert "for which the C++ header has no code" in found.reason
    assert not (tmp_path / "cpp").exists()


def test_sections_show_the_choice_its_worth_and_the_agreement(
    analysed: Analysed, tmp_path: Path
) -> None:
    draw = Figures(tmp_path)
    sections = [choice_section(analysed.out, draw), performance_section(analysed.out, draw)]
    sections += agreement_section(analysed.out, draw)
    tables = {
        block.name: block
        for section in sections
        for block in section.blocks
        if isinstance(block, Table)
    }
    assert tables.keys() == {
        *("front", "looked-at", "efficiencies", "false-positives", "performance"),
        *("trainings", "merit", "ks"),
    }
    assert len(tables["efficiencies"].rows) == 2
    assert [row[0] for row in tables["ks"].rows][::4] == ["qcd", "sig", "bib"]
    mean = tables["trainings"].rows[-1][1]
    areas = [float(row[1].value) for row in tables["trainings"].rows[:2]]  # type: ignore[union-attr]
    assert mean.value == pytest.approx(np.mean(areas))  # type: ignore[union-attr]
    error = np.std(areas, ddof=1) / np.sqrt(2)
    assert f"± {error:.2g}"[:4] in mean.text or error < 1e-3  # type: ignore[union-attr]
