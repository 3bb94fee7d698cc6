"""The parts of the calibrations, and mistakes in their config by message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import QuarklineError, WorkError
from quarkline.engine.core.results import Quantity, result_from_json
from quarkline.engine.core.rng import rng
from quarkline.events.table import write_table
from quarkline.statistics import PValueRow
from quarkline.studies.resonance.calibrate.fit import neighbouring
from quarkline.studies.resonance.calibrate.power import added_signal, drawn, write_pairs
from quarkline.studies.resonance.calibrate.reweighting import agrees, interval_edges, summarise
from quarkline.tools.run import load_analysis, run

from .conftest import write_config

FEATURES = ["dimu_pt", "mu0_ip3d", "mu1_ip3d"]


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
