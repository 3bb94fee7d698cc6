"""What a referee asks: calibrations of a finished analysis, and their mistakes by message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import QuarklineError, WorkError
from quarkline.engine.core.results import Quantity, result_from_json
from quarkline.engine.core.rng import rng
from quarkline.events.table import write_table
from quarkline.statistics import PValueRow, TrialsFactor
from quarkline.studies.resonance.calibrate.fit import envelope, neighbouring
from quarkline.studies.resonance.calibrate.power import added_signal, drawn, write_pairs
from quarkline.studies.resonance.calibrate.reweighting import agrees, interval_edges, summarise
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

FEATURES = ["dimu_pt", "mu0_ip3d", "mu1_ip3d"]


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


def test_the_toys_decide_which_p_value_is_quoted() -> None:
    normal = np.maximum(rng(1, "normal toys").normal(size=20_000), 0.0)
    good = summarise(normal, 2.5, 2.5, 60)
    assert good.agrees
    assert good.z_quoted == 2.5
    assert good.z_toys == pytest.approx(2.5, abs=0.15)
    bad = summarise(1.5 * normal, 2.5, 2.5, 60)
    assert not bad.agrees
    assert bad.z_quoted == bad.z_toys == pytest.approx(2.5 / 1.5, abs=0.05)
    far = summarise(1.5 * normal, 20.0, 20.0, 60)
    assert not far.resolved
    assert far.p_toys.value == 1 / 20_001
    assert result_from_json(far.as_json()) == far


def test_agreement_is_within_two_binomial_errors() -> None:
    assert agrees(PValueRow(1.0, 0.1587, Quantity(0.165)), 4000)
    assert not agrees(PValueRow(1.0, 0.1587, Quantity(0.175)), 4000)


def test_score_intervals_share_the_events_and_refine_the_highest() -> None:
    score = rng(2, "scores").random(50_000)
    edges = interval_edges(score)
    shares = np.bincount(np.searchsorted(edges, score, side="right")) / len(score)
    assert len(shares) == 60
    assert shares[:39] == pytest.approx(1 / 40, abs=1e-3)
    assert shares[-1] == pytest.approx(20 / 50_000, rel=0.1)
    assert (shares > 0).all()
    assert interval_edges(np.repeat([0.2, 0.8], 500)).tolist() == [0.8]


def test_neighbours_of_the_degrees_are_judged_too() -> None:
    assert neighbouring([5, 3, 5, 7], 64) == [2, 3, 4, 5, 6, 7, 8]
    assert neighbouring([0, 4], 4) == [0, 1, 3, 4]


@pytest.fixture
def samples(tmp_path: Path) -> dict[str, Path]:
    """A pool of 4,000 background pairs, and 300 signal pairs of which 240 lie in the window."""
    generator = rng(3, "samples")
    pool = tmp_path / "pool.parquet"
    columns = {name: generator.random(4000) for name in FEATURES}
    write_table(pool, {"dimu_mass": generator.uniform(5, 16, 4000)} | columns)
    signal = tmp_path / "signal.parquet"
    mass = np.concatenate([generator.uniform(9.1, 10.5, 240), generator.uniform(6, 8, 60)])
    write_pairs(signal, (mass, generator.random((300, 3)) + 5), FEATURES)
    return {"pool": pool, "signal-1": signal}


def arguments(**changed: float) -> dict[str, object]:
    given = {"features": FEATURES, "window": [9.0, 10.6], "events": 1000, "strength": 40.0}
    return given | changed


def test_a_pseudo_experiment_has_each_pair_once(samples: dict[str, Path]) -> None:
    mass, features = drawn(arguments(), samples, rng(1, "one"))
    assert len(np.unique(mass)) == len(mass) == len(features)
    assert (features[:, 0] > 5).sum() == pytest.approx(50, abs=5 * np.sqrt(50))
    assert len(mass) == pytest.approx(1050, abs=5 * np.sqrt(1050))


def test_strengths_are_mean_signal_events_in_the_window(samples: dict[str, Path]) -> None:
    inside = [
        added_signal(arguments(), samples, rng(1, "mean", number)).in_window.sum()
        for number in range(100)
    ]
    assert np.mean(inside) == pytest.approx(40.0, abs=4 * np.sqrt(40 / 100))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"events": 9000}, r"QL-RES-031.*needs more than the 4,000 generated ones"),
        ({"strength": 900.0}, r"QL-RES-030.*900 events in the window take .* and 300 are selected"),
        ({"window": [8.2, 8.9]}, r"QL-RES-030.*none of 300 selected signal pairs lies in 8\.2 to"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    samples: dict[str, Path], changed: dict[str, float], message: str
) -> None:
    with pytest.raises(WorkError, match=message):
        drawn(arguments(**changed), samples, rng(1, "bad"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("calibration.injection.strengths=[0, 2, 1]", "strengths rise from one to the next"),
        ("calibration.injection.strengths=[1]", "at least 2 items"),
        ("calibration.injection.strengths=[-1, 2]", "greater than or equal to 0"),
        ("calibration.signal.resolution=0", "greater than 0"),
        ("calibration.injektion={toys: 5}", "did you mean `injection`"),
        ("calibration.power={strengths: [1, 2]}", "files"),
        ("calibration.power={files: no.root, strengths: [10]}", "no.root"),
    ],
)
def test_mistakes_are_told_before_anything_runs(
    events: Path, tmp_path: Path, override: str, message: str
) -> None:
    overrides = [f"roots.runs={tmp_path}", override]
    with pytest.raises(QuarklineError) as caught:
        run(load_analysis(write_config(events), overrides=overrides))
    assert message in str(caught.value)
    assert not list(tmp_path.glob("tiny"))


@pytest.mark.slow
def test_power_of_the_whole_chain_rises_and_does_not_depend_on_the_workers(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    simulate("upsilon", events / "signal.root", events=1500, signal=1500, seed=8)
    asked = f"{{files: {events / 'signal.root'}, strengths: [0, 120], experiments: 6}}"
    found = []
    for workers in (1, 2):
        analysis = load_analysis(
            write_config(events),
            overrides=[f"roots.runs={tmp_path / str(workers)}", f"calibration.power={asked}"],
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
