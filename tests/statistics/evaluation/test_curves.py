"""ROC curves of several classes, against scikit-learn and sums over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from quarkline.statistics.evaluation import Bootstrap, roc_curves, scored_events


def test_areas_are_scikit_learns(made):
    events = made()
    found = roc_curves(events, bootstrap=Bootstrap(0))
    for number, curve in enumerate(found.classes):
        of_class = events.label == number
        score = events.score[:, number]
        theirs = roc_auc_score(of_class, score, sample_weight=events.weight)
        assert curve.auc.value == pytest.approx(theirs, abs=1e-12)
        assert curve.auc_unweighted == pytest.approx(roc_auc_score(of_class, score), abs=1e-12)
    for number, curve in enumerate(found.pairs, start=1):
        both = np.isin(events.label, [0, number])
        theirs = roc_auc_score(
            events.label[both] == 0, events.score[both, 0], sample_weight=events.weight[both]
        )
        assert curve.auc.value == pytest.approx(theirs, abs=1e-12)
    assert found.mean_auc.value == pytest.approx(
        np.mean([curve.auc.value for curve in found.classes])
    )
    assert found.of_signal.name == "lq"


def test_signed_areas_are_signed_sums_over_pairs(made):
    events = made(80, signed=True)
    curve = roc_curves(events, bootstrap=Bootstrap(0)).of_signal
    signal = events.is_signal
    total = area = 0.0
    for first, w in zip(events.signal_score[signal], events.weight[signal], strict=True):
        for second, v in zip(events.signal_score[~signal], events.weight[~signal], strict=True):
            total += w * v
            area += w * v * ((first > second) + 0.5 * (first == second))
    assert curve.auc.value == pytest.approx(area / total)
    negative = events.weight < 0
    assert curve.negative == (int(negative[signal].sum()), int(negative[~signal].sum()))
    assert min(curve.negative) > 0


def test_a_signed_curve_is_neither_sorted_nor_clipped(made):
    events = made(300, signed=True)
    curve = roc_curves(events, bootstrap=Bootstrap(0)).of_signal
    signal = events.is_signal
    for cut, kept, lost in list(
        zip(curve.thresholds, curve.efficiency, curve.mistaken, strict=True)
    )[::17]:
        above = events.signal_score >= cut
        for share, side in ((kept, signal), (lost, ~signal)):
            expected = events.weight[above & side].sum() / events.weight[side].sum()
            assert share == pytest.approx(expected, abs=1e-12)
    assert (np.diff(curve.efficiency) < 0).any()
    assert (np.diff(curve.thresholds) < 0).all()
    assert curve.efficiency[-1] == pytest.approx(1.0)


def test_order_and_divided_weights_change_nothing(made, divided):
    events = made(signed=True, per_group=3)
    before, after = (roc_curves(each, bootstrap=Bootstrap(8)) for each in (events, divided(events)))
    for one, other in zip(before.classes, after.classes, strict=True):
        assert other.auc.value == pytest.approx(one.auc.value, abs=1e-12)
        assert other.auc.up == pytest.approx(one.auc.up, rel=0.02)  # of 1024 bins


def test_no_events_and_no_weight_are_told():
    events = scored_events(
        [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3]],
        [0, 1, 1],
        classes=("lq", "ttH", "tW"),
        weight=[1.0, 1.0, -2.0],
    )
    found = roc_curves(events, bootstrap=Bootstrap(4))
    assert found.classes[2].status == "no events of tW"
    assert found.classes[1].status == "the weights of ttH add up to -1"
    assert np.isnan(found.classes[1].auc.value)
    assert found.classes[1].thresholds == ()
    nothing = scored_events(np.empty((0, 2)), [], classes=("a", "b"))
    assert roc_curves(nothing).of_signal.status == "no events of a"


@pytest.mark.parametrize("per_group", [1, 4])
def test_the_error_is_that_of_repeated_experiments(made, per_group):
    options = {"count": 400, "per_group": per_group}
    areas = [
        roc_curves(made(seed=seed, **options), bootstrap=Bootstrap(0)).of_signal.auc.value
        for seed in range(150)
    ]
    errors = [
        roc_curves(made(seed=seed, **options), bootstrap=Bootstrap(60)).of_signal.auc.up
        for seed in range(12)
    ]
    assert np.mean(errors) == pytest.approx(np.std(areas), rel=0.2)


@pytest.mark.slow
def test_the_error_covers_in_68_percent_of_experiments(made):
    truth = roc_curves(made(400_000, seed=99), bootstrap=Bootstrap(0)).of_signal.auc.value
    found = [
        roc_curves(made(500, seed=seed, per_group=2), bootstrap=Bootstrap(100)).of_signal.auc
        for seed in range(400)
    ]
    covered = np.mean([abs(area.value - truth) < area.up for area in found])
    assert covered == pytest.approx(0.683, abs=0.07)


def test_events_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"scores \(2, 2\).*do not belong to 3 classes"):
        scored_events(np.zeros((2, 2)), [0, 1], classes=("a", "b", "c"))
    with pytest.raises(ValueError, match="labels 0 to 2 do not number 2 classes"):
        scored_events(np.zeros((2, 2)), [0, 2], classes=("a", "b"))
    with pytest.raises(ValueError, match="signal 'c' is none of the classes a, b"):
        scored_events(np.zeros((2, 2)), [0, 1], classes=("a", "b"), signal="c")
    with pytest.raises(ValueError, match="1 weights are not finite"):
        scored_events(np.zeros((2, 2)), [0, 1], classes=("a", "b"), weight=[1, np.inf])
