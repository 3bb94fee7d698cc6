"""Permutation importance, of scores whose dependence on the features is known."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.scoring.permutation import permutation_importance
from quarkline.statistics.evaluation import scored_events
from quarkline.statistics.evaluation.shifts import signal_auc

SPEC = FeatureSpec(
    (Feature("good", "x"), Feature("copy", "x"), Feature("noise", "y")),
    (Feature("kind", "k"),),
    (ObjectGroup("jets", 3, (Feature("jet_pt", "p"), Feature("jet_eta", "e"))),),
)
COUNT = 500


def arrays(seed=1):
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, COUNT)
    good = np.where(label == 0, 1.0, 0.0) + random.normal(0, 0.7, COUNT)
    numbers = np.stack([good, good, random.normal(size=COUNT)], axis=1).astype(np.float32)
    kind = np.where(random.uniform(size=COUNT) < 0.1, MISSING, label + random.integers(0, 2, COUNT))
    present = np.arange(3) < random.integers(0, 4, COUNT)[:, None]
    jets = random.exponential(size=(COUNT, 3, 2)) + (label == 0)[:, None, None]
    values = np.where(present[:, :, None], jets, np.nan).astype(np.float32)
    return FeatureArrays(numbers, kind[:, None], {"jets": Objects(values, present)}), label


def scores(value):
    probability = 1 / (1 + np.exp(-value))
    return np.stack([probability, 1 - probability], axis=1)


def importance(score, row=None, order=slice(None), **options):
    features, label = arrays()
    events = scored_events(score(features), label, classes=("s", "b"))
    numbers = np.arange(COUNT) if row is None else row
    found = permutation_importance(
        score, features[order], SPEC, events[order], row=numbers[order], **options
    )
    return {row.name: row for row in found.features}, found


def by_good(features):
    return scores(features.continuous[:, 0].astype(float))


def by_both(features):
    return scores(features.continuous[:, :2].sum(axis=1).astype(float))


def by_jets(features):
    return scores(np.nansum(features.objects["jets"].values[:, :, 0], axis=1).astype(float))


def test_what_the_score_does_not_use_costs_nothing():
    rows, _ = importance(by_good)
    assert rows["good"].auc_drop.value > 0.2
    assert rows["good"].significance_drop.value > 1.0
    for name in ("copy", "noise", "kind", "jets", "jet_pt"):
        assert (rows[name].auc_drop.value, rows[name].significance_drop.value) == (0.0, 0.0)


def test_what_is_permuted_separates_no_more():
    rows, found = importance(by_good, repetitions=20)
    assert found.auc - rows["good"].auc_drop.value == pytest.approx(0.5, abs=0.02)
    assert found.features[0].name == "good"
    assert 0 < rows["good"].auc_drop.up < 0.02


def test_features_that_say_the_same_are_permuted_together():
    rows, found = importance(by_both, together={"both": ["good", "copy"]})
    assert rows["both"].auc_drop.value > 1.5 * rows["good"].auc_drop.value
    assert found.auc - rows["both"].auc_drop.value == pytest.approx(0.5, abs=0.04)
    with pytest.raises(ValueError, match="'pair' holds god, which are no features"):
        importance(by_both, together={"pair": ["god"]})


def test_objects_keep_their_number_unless_they_go_as_a_whole():
    seen = []

    def score(features):
        seen.append(features.objects["jets"])
        return by_jets(features)

    before = arrays()[0].objects["jets"]
    rows, _ = importance(score, repetitions=1)
    names = ["good", "copy", "noise", "kind", "jet_pt", "jet_eta", "jets"]
    after = dict(zip(names, seen[1:], strict=True))
    moved = after["jet_pt"]
    np.testing.assert_array_equal(moved.present, before.present)
    np.testing.assert_array_equal(np.isnan(moved.values), np.isnan(before.values))
    np.testing.assert_array_equal(moved.values[:, :, 1], before.values[:, :, 1])
    for place in range(3):
        column = [jets.values[jets.present[:, place], place, 0] for jets in (moved, before)]
        assert (column[0] != column[1]).any()
        np.testing.assert_array_equal(*map(np.sort, column))
    whole = after["jets"]
    assert (whole.present != before.present).any()
    np.testing.assert_array_equal(~np.isnan(whole.values[:, :, 0]), whole.present)
    assert min(rows["jets"].auc_drop.value, rows["jet_pt"].auc_drop.value) > 0.02


def test_the_order_of_the_rows_changes_nothing():
    order = np.random.default_rng(3).permutation(COUNT)
    row = np.random.default_rng(4).permutation(10 * COUNT)[:COUNT]
    first, _ = importance(by_both, row=row, repetitions=2)
    second, _ = importance(by_both, row=row, order=order, repetitions=2)
    for name, drop in first.items():
        assert second[name].auc_drop.value == pytest.approx(drop.auc_drop.value, abs=1e-12)


def test_the_whole_area_is_that_of_the_events():
    _, found = importance(by_jets, repetitions=1)
    features, label = arrays()
    events = scored_events(by_jets(features), label, classes=("s", "b"))
    assert found.auc == signal_auc(events)
    assert found.events == COUNT
