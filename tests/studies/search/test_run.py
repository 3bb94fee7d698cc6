"""The whole search at its smallest: reproducible, out of fold, complete."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.compute.config import ComputeConfig
from quarkline.events.friends import with_friends
from quarkline.events.identity import fold_of
from quarkline.events.sources import open_source
from quarkline.events.table import read_table
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.folded import FoldedModel
from quarkline.statistics.evaluation import ScoreShifts
from quarkline.studies.search.features import read_arrays
from quarkline.studies.search.results import Features, Training
from quarkline.tools.cutflow import cut_flows
from quarkline.tools.export import export
from quarkline.tools.run import RunOutcome, load_analysis, plan, run
from quarkline.tools.score import score

pytestmark = pytest.mark.xdist_group("search")


def files_below(outcome: RunOutcome, stage: str, name: str) -> dict[str, bytes]:
    folder = outcome.run.record(stage).files[name]
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def scores_of(outcome: RunOutcome, sample: str) -> ak.Array:
    return read_table(
        outcome.run.record("evaluate").files["scores"] / "events" / f"{sample}.parquet"
    ).array


@pytest.mark.slow
def test_a_whole_run_has_figures_a_headline_and_a_report(
    finished: RunOutcome, events: Path
) -> None:
    runs = finished.run.folder.parents[1]
    whole = run(load_analysis(events / "tiny.yaml", overrides=[f"roots.runs={runs}"]))
    assert whole.run.complete
    assert whole.run.provenance()["attempts"][-1]["ran"] == ["figures"]
    assert whole.headline is not None
    assert whole.headline.startswith("AUC(signal) = ")
    assert whole.report is not None
    assert "Significance" in whole.report.read_text()
    folder = whole.run.record("figures").files["figures"]
    stems = {path.stem for path in folder.iterdir()}
    assert {"score", "roc_curves", "significance_scan", "overtraining", "input_jets_pt"} <= stems
    assert {"importance", "attribution", "systematics", "training", "cut_flow"} <= stems
    for stem in stems:
        forms = {path.suffix for path in folder.glob(f"{stem}.*")}
        assert forms == {".pdf", ".png", ".svg", ".json"}


def test_more_workers_train_the_same_models(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    """How the skim and the scores of workers are the same: see `test_skim` and the law below."""
    analysis = load_analysis(
        events / "tiny.yaml", overrides=[f"roots.runs={tmp_path}"], compute={"workers": 2}
    )
    again = run(analysis, until="train")
    for stage, name in (("skim", "events"), ("features", "arrays"), ("train", "model")):
        assert files_below(again, stage, name) == files_below(finished, stage, name)


@pytest.mark.slow
def test_equal_seeds_give_equal_bytes_whatever_the_workers(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    analysis = load_analysis(
        events / "tiny.yaml", overrides=[f"roots.runs={tmp_path}"], compute={"workers": 2}
    )
    again = run(analysis, until="evaluate")
    for stage, name in (("train", "model"), ("evaluate", "scores")):
        assert files_below(again, stage, name) == files_below(finished, stage, name)
    first, second = finished.run.results(), again.run.results()
    assert {name: second[name].as_json() for name in second} == {
        name: first[name].as_json() for name in second
    }


@pytest.mark.parametrize(
    ("sample", "file", "last"), [("top", "mc/2", "generated"), ("data", "data/15", "event")]
)
def test_every_event_is_scored_by_one_model_that_has_not_seen_its_group(
    finished: RunOutcome, toys: dict[str, dict[str, np.ndarray]], sample: str, file: str, last: str
) -> None:
    model = load_model(finished.run.record("train").files["model"], FoldedModel)
    arrays = read_arrays(finished.run.record("features").files["arrays"] / f"{sample}.npz")
    found, columns = scores_of(finished, sample), toys[file]
    rows = ak.to_numpy(found["_entry"])
    key = {name: columns[name][rows] for name in ("channel", last)}
    fold = fold_of(key, seed=3, folds=2)
    for number in (0, 1):
        expected = model.members[number][0].probabilities(arrays)[:, 0]
        chosen = fold == number
        assert chosen.any()
        score = ak.to_numpy(found["score_signal"])[chosen]
        assert np.abs(score - expected[chosen]).max() < 1e-6


@pytest.mark.parametrize(("sample", "file"), [("other", "mc/3"), ("data", "data/15")])
def test_friends_hold_the_scores_of_the_evaluation_entry_by_entry(
    finished: RunOutcome, events: Path, sample: str, file: str
) -> None:
    friends = finished.run.record("friends").files["friends"]
    host = events / "ntuples" / f"{file}.root"
    with open_source(host, tree="nominal") as source:
        joined = with_friends(source, [friends / f"{file}.root"])
        table = joined.read(["score", "event"])
        assert "score_scale_up" in joined.schema or sample == "data"
    found = scores_of(finished, sample)
    rows = ak.to_numpy(found["_entry"]).astype(int)
    score = ak.to_numpy(table["score"])
    assert score.dtype == np.float32
    assert np.isfinite(score).all()
    assert np.abs(score[rows] - ak.to_numpy(found["score_signal"])).max() < 1e-6


def test_friends_of_shifted_columns_are_scores_of_shifted_features(
    finished: RunOutcome, events: Path
) -> None:
    friends = finished.run.record("friends").files["friends"]
    table = read_table(
        finished.run.record("evaluate").files["scores"] / "shifted" / "scale_up" / "top.parquet"
    ).array
    with open_source(friends / "mc" / "2.root") as source:
        shifted = ak.to_numpy(source.read(["score_scale_up"])["score_scale_up"])
    rows = ak.to_numpy(table["_entry"]).astype(int)
    assert np.abs(shifted[rows] - ak.to_numpy(table["score_signal"])).max() < 1e-6


def test_no_group_is_in_two_folds_and_every_class_is_in_both(finished: RunOutcome) -> None:
    features = finished.run.results()["features"]
    assert isinstance(features, Features)
    assert features.classes == ("signal", "background")
    assert all(events > 0 for row in features.events for events in row)
    table = scores_of(finished, "signal")
    group, fold = (ak.to_numpy(table[name]) for name in ("_group", "_fold"))
    assert len(np.unique(np.stack([group, fold]), axis=1).T) == len(np.unique(group))


def test_results_say_how_it_was_trained_and_what_moves_it(finished: RunOutcome) -> None:
    results = finished.run.results()
    training, shifts = results["training"], results["systematics"]
    assert isinstance(training, Training)
    assert [(fold.fold, fold.member) for fold in training.folds] == [(0, 0), (1, 0)]
    assert all(len(fold.metrics["validation_loss"]) <= 3 for fold in training.folds)
    assert isinstance(shifts, ScoreShifts)
    assert {(shift.name, shift.side) for shift in shifts.shifts} == {
        (name, side) for name in ("scale", "pileup") for side in ("up", "down")
    }
    weights = [shift for shift in shifts.shifts if shift.name == "pileup"]
    assert all(shift.mean.value == 0 and shift.unmatched == 0 for shift in weights)


def test_the_cut_flow_of_the_samples_is_that_of_the_skim(
    finished: RunOutcome, events: Path
) -> None:
    analysis = load_analysis(events / "tiny.yaml")
    report = cut_flows(analysis.study.samples(analysis.config))
    skim = finished.run.results()["skim"]
    told = {sample.name: sample.flow for sample in skim.samples}  # type: ignore[attr-defined]
    for sample in report.samples:
        last, expected = sample.flow.steps[-1], told[sample.name].steps[-1]
        assert last.events == expected.events
        assert last.sum_weights == pytest.approx(expected.sum_weights)


@pytest.mark.parametrize(
    ("override", "first"),
    [
        ("train.fit.epochs=4", "train"),
        ("train.model.width=9", "train"),
        ("train.features.missing=[-98]", "skim"),
        ("evaluate.replicas=21", "evaluate"),
        ("friends.systematics=false", "friends"),
        ("labels.experiment=X", "figures"),
        ("regions.SR.selection='pt > 16'", "skim"),
        ("seed=4", "skim"),
        ("compute.workers=2", "figures"),
        ("tracking=[{kind: tensorboard}]", "figures"),
    ],
)
def test_what_changes_is_run_again(
    finished: RunOutcome, events: Path, override: str, first: str | None
) -> None:
    runs = finished.run.folder.parents[1]
    analysis = load_analysis(events / "tiny.yaml", overrides=[f"roots.runs={runs}", override])
    planned, _ = plan(analysis)
    waiting = [item.stage.name for item in planned.stages if item.record is None]
    assert (waiting or ["figures"])[0] == first  # another test may have drawn them


def test_the_numpy_set_holds_the_events_that_are_trained_on(
    finished: RunOutcome, tmp_path: Path
) -> None:
    export("tiny", "numpy", tmp_path / "set", root=finished.run.folder.parents[1])
    found = {
        name: np.load(tmp_path / "set" / f"{name}.npy")
        for name in ("x_continuous", "x_categorical", "y", "w", "selected", "event_numbers")
    }
    skim = finished.run.results()["skim"]
    sizes = {sample.name: sample.selected for sample in skim.samples}  # type: ignore[attr-defined]
    assert np.bincount(found["y"]).tolist() == [sizes["signal"], sizes["other"] + sizes["top"]]
    assert found["x_continuous"].shape == (len(found["y"]), 3 + 2)
    assert found["selected"].all()
    assert len(set(found["event_numbers"].tolist())) == len(found["y"])


def test_quarkline_score_gives_the_friends_of_the_run(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    ntuples = events / "ntuples"
    scored = score(
        "tiny",
        [str(ntuples / "mc" / "2.root"), str(ntuples / "data" / "15.root")],
        tmp_path / "friends",
        column="score",
        identity=["channel", "event"],
        base=ntuples,
        root=finished.run.folder.parents[1],
        compute=ComputeConfig(workers=1),
    )
    assert not scored.failures
    own = finished.run.record("friends").files["friends"]
    for friend in scored.friends:
        place = friend.friend.relative_to(tmp_path / "friends")
        found, expected = (
            open_source(path).read(["score"])["score"] for path in (friend.friend, own / place)
        )
        assert found.tolist() == expected.tolist()
