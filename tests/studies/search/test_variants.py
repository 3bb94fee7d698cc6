"""Other models, phases and samples than those of the smallest search."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from quarkline.events.table import read_table
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.folded import FoldedModel
from quarkline.statistics.evaluation import RocCurves
from quarkline.studies.search.results import Skim
from quarkline.tools.run import RunOutcome, load_analysis, run

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("search")]


def evaluated(events: Path, runs: Path, *overrides: str, until: str = "evaluate") -> RunOutcome:
    analysis = load_analysis(
        events / "tiny.yaml", overrides=[f"roots.runs={runs}", *overrides], compute={"workers": 1}
    )
    return run(analysis, until=until)


def roc_of(outcome: RunOutcome) -> RocCurves:
    roc = outcome.run.results()["roc"]
    assert isinstance(roc, RocCurves)
    return roc


def test_boosted_trees_of_three_classes(events: Path, tmp_path: Path) -> None:
    outcome = evaluated(
        events,
        tmp_path,
        "train.model={kind: bdt, trees: 10, min_leaf: 5}",
        "train.fit.weights=absolute",
        "train.classes=[signal, top, other]",
    )
    assert [curve.name for curve in roc_of(outcome).classes] == ["signal", "top", "other"]
    assert "gradients" not in outcome.run.results()


def test_a_second_phase_leaves_the_signal_and_the_rest(events: Path, tmp_path: Path) -> None:
    outcome = evaluated(
        events,
        tmp_path,
        "train.classes=[signal, top, other]",
        "train.fit.second_phase={epochs: 1, learning_rate: 0.001}",
        "train.members=2",
        "score.classes=all",
        "regions.SR.variable=pt",
        until="friends",
    )
    model = load_model(outcome.run.record("train").files["model"], FoldedModel)
    assert model.classes == ("signal", "rest")
    assert [len(members) for members in model.members] == [2, 2]
    assert [curve.name for curve in roc_of(outcome).classes] == ["signal", "rest"]
    friend = outcome.run.record("friends").files["friends"] / "data" / "15.root"
    table = read_friend(friend, ["score_signal", "score_rest"])
    assert np.allclose(table["score_signal"] + table["score_rest"], 1, atol=1e-6)


def read_friend(path: Path, names: list[str]) -> ak.Array:
    from quarkline.events.sources import open_source

    with open_source(path) as source:
        return source.read(names)


def test_events_beyond_the_region_are_trained_on_and_not_evaluated(
    events: Path, tmp_path: Path
) -> None:
    outcome = evaluated(
        events,
        tmp_path,
        "train.model={kind: ft-transformer, blocks: 1, width: 8, heads: 2}",
        "train.beyond={selection: pt > 8, fraction: 0.5}",
    )
    skim = outcome.run.results()["skim"]
    assert isinstance(skim, Skim)
    scores = outcome.run.record("evaluate").files["scores"] / "events"
    for sample in skim.samples:
        assert (sample.beyond > 0) == (sample.role != "data")
        assert len(read_table(scores / f"{sample.name}.parquet").array) == sample.selected


def test_a_search_without_data_compares_with_none(events: Path, tmp_path: Path) -> None:
    outcome = evaluated(events, tmp_path, "samples.data.blind=true")
    assert "agreement" not in outcome.run.results()
    skim = outcome.run.results()["skim"]
    assert isinstance(skim, Skim)
    assert "data" not in {sample.name for sample in skim.samples}
