"""The whole analysis at its smallest: reproducible, resumable, complete."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.workflow.runs import RESULTS
from quarkline.studies.resonance.calibration_results import Calibration
from quarkline.studies.resonance.results import (
    BackgroundModel,
    FlowCheck,
    Scans,
    Variations,
    WorkingPoint,
)
from quarkline.tools.run import RunOutcome, load_analysis, run

from .conftest import write_config

pytestmark = pytest.mark.xdist_group("resonance-run")


def test_every_stage_finishes_with_a_headline_and_a_report(finished: RunOutcome) -> None:
    assert finished.run.complete
    assert finished.headline is not None
    assert "σ local at the declared FPR of 0.05" in finished.headline
    assert finished.report is not None
    assert finished.report.exists()


def test_more_workers_train_the_same_models(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    """Of all that a run draws, hunts and calibrates, the law below is the same and slow."""
    again = run(
        load_analysis(
            write_config(events), overrides=[f"roots.runs={tmp_path}"], compute={"workers": 2}
        ),
        until="classify",
    )
    for stage in ("select", "background", "generate", "classify"):
        assert bytes_of(again, stage) == bytes_of(finished, stage)
    first, second = finished.run.results(), again.run.results()
    assert {name: second[name].as_json() for name in second} == {
        name: first[name].as_json() for name in second
    }


def bytes_of(outcome: RunOutcome, stage: str) -> dict[tuple[str, str], bytes]:
    """Every file of a stage's outputs."""
    found = {}
    for name, place in outcome.run.record(stage).files.items():
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if path.is_file():
                found[name, path.relative_to(place).as_posix()] = path.read_bytes()
    assert found
    return found


@pytest.mark.slow
def test_equal_seeds_give_equal_bytes_whatever_the_workers(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    analysis = load_analysis(
        write_config(events), overrides=[f"roots.runs={tmp_path}"], compute={"workers": 2}
    )
    again = run(analysis)
    first, second = (outcome.run.folder / RESULTS for outcome in (finished, again))
    assert first.read_bytes() == second.read_bytes()
    assert len(again.figures) > 10
    for path in again.figures:
        assert path.read_bytes().startswith(b"%PDF")
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_second_run_does_nothing(finished: RunOutcome, events: Path) -> None:
    analysis = load_analysis(
        write_config(events), overrides=[f"roots.runs={finished.run.folder.parents[1]}"]
    )
    again = run(analysis)
    assert again.run.folder == finished.run.folder
    assert again.run.provenance()["attempts"][-1]["ran"] == []


def test_results_say_what_was_done(finished: RunOutcome) -> None:
    results = finished.run.results()
    point, scans = results["working_point"], results["scans"]
    assert isinstance(point, WorkingPoint)
    assert isinstance(scans, Scans)
    assert [scan.method for scan in scans.scans] == [
        "classifier",
        "dimu_pt",
        "mu0_ip3d",
        "mu1_ip3d",
        "random",
    ]
    inclusive = {scan.points[0].z_local for scan in scans.scans}
    assert len(inclusive) == 1, "without a cut all methods are the same hunt"
    training = results["training"]
    assert isinstance(training, BackgroundModel)
    assert len(training.flows) == 2
    variations = results["variations"]
    assert isinstance(variations, Variations)
    chosen = {(item.degree, item.bins, item.retrained) for item in variations.variations}
    assert chosen == {(d, 11, again) for d in (3, 5) for again in (False, True)}
    check = results["flow_check"]
    assert isinstance(check, FlowCheck)
    assert 0.4 < check.auc.value < 0.6


def test_the_cut_lets_the_declared_fraction_of_the_sidebands_pass(finished: RunOutcome) -> None:
    point = finished.run.results()["working_point"]
    assert isinstance(point, WorkingPoint)
    outside = point.events - point.hunt.n_window
    total = finished.run.results()["selection"].regions  # type: ignore[attr-defined]
    assert outside / (total[0] + total[2]) == pytest.approx(0.05, abs=0.002)


def test_toys_are_calibrated_without_a_cut(finished: RunOutcome) -> None:
    calibration = finished.run.results()["calibration"]
    assert isinstance(calibration, Calibration)
    assert calibration.zero_fraction[0] == pytest.approx(0.5, abs=5 * np.sqrt(0.25 / 40))
    assert calibration.best.n_toys == 40


def test_every_figure_is_written_in_every_form(finished: RunOutcome) -> None:
    folder = finished.run.record("figures").files["figures"]
    stems = {path.stem for path in folder.iterdir()}
    promised = {
        "mass_spectrum",
        "background_fit",
        "anomaly_score_distribution",
        "score_vs_mass",
        "feature_distributions",
        "significance_variations",
        "roc_curve",
        "training_losses",
        "p_value_scan",
        "spectra",
        "injection",
        "injection_power",
        "spurious_signal",
        "trials_factor",
        "reweighted_calibration",
    }
    assert promised <= stems
    for stem in stems:
        assert {path.suffix for path in folder.glob(f"{stem}.*")} == {
            ".pdf",
            ".png",
            ".svg",
            ".json",
        }
        json.loads((folder / f"{stem}.json").read_text())


def test_one_more_flow_trains_one_flow(finished: RunOutcome, events: Path) -> None:
    root = finished.run.folder.parents[1]
    items = root / "tiny" / "items"
    before = {path.name for path in items.glob("background-*")}
    analysis = load_analysis(
        write_config(events), overrides=[f"roots.runs={root}", "background.seeds=3"]
    )
    outcome = run(analysis, until="background")
    assert outcome.run.number > finished.run.number
    assert len({path.name for path in items.glob("background-*")} - before) == 1


def test_a_fresh_process_lists_the_run_with_its_result(finished: RunOutcome) -> None:
    root = finished.run.folder.parents[1]
    command = [sys.executable, "-m", "quarkline", "list", str(root), "--json"]
    listed = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert finished.headline in {row["headline"] for row in listed}
