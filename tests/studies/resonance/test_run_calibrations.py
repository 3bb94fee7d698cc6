"""What a referee asks of a finished analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.statistics import TrialsFactor
from quarkline.studies.resonance.calibrate.fit import envelope
from quarkline.studies.resonance.calibration_results import (
    ChainPower,
    Envelope,
    FitChecks,
    Injections,
    Reweighting,
    Spread,
)
from quarkline.studies.resonance.results import Scans, Variation, Variations, WorkingPoint
from quarkline.tools.run import RunOutcome, load_analysis, run
from quarkline.tools.simulate import simulate

from .conftest import write_config

pytestmark = pytest.mark.xdist_group("resonance-run")


def test_injections_are_made_without_a_cut_and_at_the_declared_one(finished: RunOutcome) -> None:
    results = finished.run.results()
    injections, point = results["injection"], results["working_point"]
    assert isinstance(injections, Injections)
    assert isinstance(point, WorkingPoint)
    assert injections.masses == pytest.approx((9.460, 10.023, 10.355), abs=1e-3)
    inclusive, declared = (item.test for item in injections.tests)
    assert [item.rate for item in injections.tests] == [1.0, 0.05]
    assert declared.background == pytest.approx(point.hunt.background.value)
    assert inclusive.slope.value == pytest.approx(1.0, abs=0.05)
    assert inclusive.covers
    assert [row.strength for row in inclusive.rows] == [0.0, 2.0, 5.0]
    assert inclusive.rows[1].injected == 2 * inclusive.spread


def test_the_envelope_holds_the_nominal_result(finished: RunOutcome) -> None:
    results = finished.run.results()
    found, point, variations = (
        results[name] for name in ("envelope", "working_point", "variations")
    )
    assert isinstance(found, Envelope)
    assert isinstance(point, WorkingPoint)
    assert isinstance(variations, Variations)
    for spread in (found.refitted, found.retrained):
        assert spread is not None
        assert spread.variations == 2
        assert spread.z.nominal == point.hunt.z_local
        assert spread.signal.nominal == pytest.approx(point.hunt.signal.value)
        assert spread.z.low <= spread.z.nominal <= spread.z.high
    z = [item.working_point.z_local for item in variations.variations if not item.retrained]
    assert (found.refitted.z.low, found.refitted.z.high) == (min(z), max(z))


def test_failed_variations_are_left_out_of_the_envelope(finished: RunOutcome) -> None:
    variations = finished.run.results()["variations"]
    assert isinstance(variations, Variations)
    assert all(isinstance(item, Variation) for item in variations.variations)
    refitted = [item for item in variations.variations if not item.retrained]
    spread = Spread.of([2.0, np.nan, 5.0])
    assert (spread.low, spread.high, spread.half_width) == (2.0, 5.0, 1.5)
    assert envelope(refitted).retrained is None
    assert envelope(refitted).refitted.failed == 0


def test_every_degree_is_judged_at_both_cuts(finished: RunOutcome) -> None:
    checks = finished.run.results()["fit_checks"]
    assert isinstance(checks, FitChecks)
    assert checks.degree == 5
    for check in checks.checks:
        degrees = [row.degree for row in check.spurious.rows]
        assert degrees == [row.degree for row in check.f_test.rows] == [2, 3, 4, 5, 6]
        assert check.f_test.chosen in degrees
        for row, error in zip(check.spurious.rows, check.template_errors, strict=True):
            assert error == pytest.approx(row.signal.up * np.sqrt(check.scale))
    inclusive = checks.checks[0]
    nominal = next(row for row in inclusive.spurious.rows if row.degree == 5)
    error = inclusive.template_errors[3]
    assert abs(nominal.signal.value) < 4 * error, "its masses follow that polynomial"


def test_the_reweighted_hunt_is_put_among_toys(finished: RunOutcome) -> None:
    results = finished.run.results()
    result, scans = results["reweighting"], results["scans"]
    assert isinstance(result, Reweighting)
    assert isinstance(scans, Scans)
    assert result.z_local == scans.reweighted.z_local
    assert result.toys + result.failed == 300
    assert result.z_cells == pytest.approx(result.z_local, abs=0.15)
    assert result.p_toys.value >= 1 / 301
    assert [row.z for row in result.rows] == [1.0, 2.0, 3.0]


def test_the_trials_factor_belongs_to_the_scan(finished: RunOutcome) -> None:
    trials = finished.run.results()["trials"]
    assert isinstance(trials, TrialsFactor)
    assert (trials.hunts, trials.n_toys) == (5, 40)
    assert all(row.p_global.value >= 0 for row in trials.rows)


def test_the_report_answers_each_question(finished: RunOutcome) -> None:
    assert finished.report is not None
    page = finished.report.read_text(encoding="utf-8")
    for words in (
        "Slopes of fitted against injected signal",
        "The systematic of degree and bins is an envelope",
        "fewer independent trials than there are",
        "The hunt in reweighted events went through 300",
        "Which degree the background asks for",
    ):
        assert words in page, words


@pytest.mark.slow
def test_power_of_the_whole_chain_rises_and_does_not_depend_on_the_workers(
    events: Path, tmp_path: Path
) -> None:
    simulate("upsilon", events / "signal.root", events=1500, signal=1500, seed=8)
    asked = f"{{files: {events / 'signal.root'}, strengths: [0, 120], experiments: 6}}"
    quick = ["background.seeds=1", "fit.variations.retrain=false"]
    found = []
    for workers in (1, 2):
        analysis = load_analysis(
            write_config(events),
            overrides=[
                f"roots.runs={tmp_path / str(workers)}",
                f"calibration.power={asked}",
                *quick,
            ],
            compute={"workers": workers},
        )
        outcome = run(analysis, until="power")
        found.append(outcome.run.results()["power"])
    assert found[0] == found[1]
    power = found[0]
    assert isinstance(power, ChainPower)
    nothing, something = power.chain
    assert [item.injected for item in power.inclusive] == [0.0, 120.0]
    assert something.z_mean.value > nothing.z_mean.value + 2 * something.z_mean.up
    assert nothing.discovery.value == 0.0
