"""Confusion matrices, against scikit-learn and a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from quarkline.statistics.evaluation import Bootstrap, confusion_matrix


def test_matrix_accuracy_and_f1_are_scikit_learns(made):
    events = made()
    found = confusion_matrix(events, bootstrap=Bootstrap(0))
    taken = events.score.argmax(axis=1)
    weighted = {"sample_weight": events.weight}
    theirs = metrics.confusion_matrix(events.label, taken, **weighted)
    np.testing.assert_allclose(found.weighted, theirs)
    np.testing.assert_array_equal(found.counts, metrics.confusion_matrix(events.label, taken))
    accuracy = metrics.accuracy_score(events.label, taken, **weighted)
    assert found.accuracy.value == pytest.approx(accuracy)
    assert found.accuracy_unweighted == pytest.approx((events.label == taken).mean())
    scores = metrics.f1_score(events.label, taken, average=None, **weighted)
    assert [score.value for score in found.f1] == pytest.approx(scores)
    np.testing.assert_allclose(found.by_truth.sum(axis=1), 1.0)


def test_a_threshold_takes_the_best_other_class_below(made):
    events = made(200, signed=True, per_group=2)
    found = confusion_matrix(events, threshold=0.4, bootstrap=Bootstrap(5))
    table, squares = np.zeros((3, 3)), np.zeros((3, 3))
    sums: dict[tuple[int, int, int], float] = {}
    for scores, label, weight, group in zip(
        events.score, events.label, events.weight, events.group, strict=True
    ):
        taken = 0 if scores[0] >= 0.4 else 1 + int(np.argmax(scores[1:]))
        table[label, taken] += weight
        cell = (int(label), taken, int(group))
        sums[cell] = sums.get(cell, 0.0) + weight
    for (label, taken, _), weight in sums.items():
        squares[label, taken] += weight**2
    np.testing.assert_allclose(found.weighted, table)
    np.testing.assert_allclose(found.error, np.sqrt(squares))
    assert found.rule == "lq from a score of 0.4"
    binary = confusion_matrix(events, threshold=0.4, binary=True, bootstrap=Bootstrap(5))
    assert binary.classes == ("lq", "background")
    merged = [[table[0, 0], table[0, 1:].sum()], [table[1:, 0].sum(), table[1:, 1:].sum()]]
    np.testing.assert_allclose(binary.weighted, merged)


def test_order_and_divided_weights_change_nothing(made, divided):
    events = made(signed=True, per_group=3)
    one, other = (
        confusion_matrix(each, bootstrap=Bootstrap(6)) for each in (events, divided(events))
    )
    np.testing.assert_allclose(other.weighted, one.weighted)
    np.testing.assert_allclose(other.error, one.error)
    assert other.accuracy.up == pytest.approx(one.accuracy.up)
