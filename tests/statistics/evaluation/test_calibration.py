"""Calibration, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import calibration as theirs
from sklearn import metrics

from quarkline.statistics.evaluation import Bootstrap, calibration, scored_events


def test_curves_are_scikit_learns(made):
    events = made()
    unit = scored_events(events.score, events.label, classes=events.classes)
    for number, row in enumerate(calibration(unit, bootstrap=Bootstrap(0)).classes):
        observed, predicted = theirs.calibration_curve(
            events.label == number, events.score[:, number], n_bins=10
        )
        known = np.isfinite(row.observed)
        np.testing.assert_allclose(np.array(row.observed)[known], observed)
        np.testing.assert_allclose(np.array(row.predicted)[known], predicted)
        weight = np.array(row.weight)[known] / len(events)
        assert row.ece.value == pytest.approx(weight @ np.abs(observed - predicted))


def test_brier_and_log_loss_are_scikit_learns(made):
    events = made()
    found = calibration(events, bootstrap=Bootstrap(0))
    weighted = {"sample_weight": events.weight}
    loss = metrics.log_loss(events.label, events.score, **weighted)
    assert found.log_loss.value == pytest.approx(loss)
    brier = sum(
        metrics.brier_score_loss(events.label == number, events.score[:, number], **weighted)
        for number in range(3)
    )
    assert found.brier.value == pytest.approx(brier)


def test_errors_are_those_of_repeated_experiments(made):
    def share(seed):
        row = calibration(made(2400, seed=seed, per_group=2), bins=3, bootstrap=Bootstrap(0))
        return row.classes[1].observed, row.classes[1].error

    observed, errors = (np.array(part) for part in zip(*map(share, range(200)), strict=True))
    np.testing.assert_allclose(errors.mean(axis=0), observed.std(axis=0), rtol=0.2)


def test_true_probabilities_are_calibrated():
    random = np.random.default_rng(4)
    score = random.dirichlet([1, 1, 1], 20_000)
    label = (random.uniform(size=20_000)[:, None] > score.cumsum(axis=1)).sum(axis=1)
    found = calibration(scored_events(score, label, classes=("a", "b", "c")))
    for row in found.classes:
        pulls = (np.array(row.observed) - row.predicted) / row.error
        assert np.sqrt(np.mean(pulls**2)) < 1.7


def test_order_and_divided_weights_change_nothing(made, divided):
    events = made(signed=True, per_group=3)
    one, other = (calibration(each, bootstrap=Bootstrap(6)) for each in (events, divided(events)))
    assert other.brier.up == pytest.approx(one.brier.up)
    for first, second in zip(one.classes, other.classes, strict=True):
        for name in ("observed", "error", "weight"):
            np.testing.assert_allclose(getattr(second, name), getattr(first, name))
