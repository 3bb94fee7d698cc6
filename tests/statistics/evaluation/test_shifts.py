"""Shifts of the score by systematics that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quarkline.statistics.evaluation import Bootstrap, VariedEvents, score_shifts


def varied(events, side="up", name="syst", row=None, **changes):
    rows = np.arange(len(events), dtype=np.uint64) if row is None else row
    return VariedEvents(name, side, replace(events, **changes), rows)


def test_nothing_changed_is_zero(made):
    events = made()
    found = score_shifts(events, np.arange(len(events)), [varied(events)])
    (shift,) = found.shifts
    assert (shift.mean.value, shift.rms, shift.largest, shift.auc, shift.significance) == (0,) * 5
    assert (*shift.yields, shift.unmatched) == (0,) * 4


def test_a_weight_is_a_yield(made):
    events = made()
    heavier = varied(events, weight=events.weight * np.where(events.label == 1, 1.1, 1.0))
    (shift,) = score_shifts(events, np.arange(len(events)), [heavier]).shifts
    assert shift.yields == pytest.approx((0.0, 0.1, 0.0))
    assert shift.mean.value == 0.0
    assert 0 < shift.largest < 0.1


def test_a_moved_score_is_measured(made):
    events = made(per_group=2)
    score = events.score.copy()
    score[:, 0] += 0.01
    (shift,) = score_shifts(events, np.arange(len(events)), [varied(events, score=score)]).shifts
    assert shift.mean.value == pytest.approx(0.01)
    assert shift.rms == pytest.approx(0.01)
    assert shift.auc == pytest.approx(0.0, abs=1e-12)
    low, high = shift.largest_bin
    sums = [
        events.weight[~events.is_signal & (values >= low) & (values < high)].sum()
        for values in (score[:, 0], events.signal_score)
    ]
    assert shift.largest == pytest.approx(sums[0] / sums[1] - 1)


def test_rows_are_matched_by_number_and_the_rest_is_counted(made):
    events = made(400)
    row = np.arange(400, dtype=np.uint64)
    order = np.random.default_rng(1).permutation(400)[:390]
    score = np.clip(events.score + 0.02, 0, 1)
    moved = VariedEvents("a", "up", replace(events, score=score)[order], row[order])
    (shift,) = score_shifts(events, row, [moved], bootstrap=Bootstrap(5)).shifts
    assert shift.unmatched == 10
    clipped = events.weight[order] @ (score - events.score)[order, 0] / events.weight[order].sum()
    assert shift.mean.value == pytest.approx(clipped)


def test_the_largest_is_first(made):
    events = made()
    sides = [
        varied(events, name=name, weight=events.weight * factor)
        for name, factor in (("small", 1.01), ("large", 0.7), ("middle", 1.1))
    ]
    found = score_shifts(events, np.arange(len(events)), sides)
    assert [shift.name for shift in found.shifts] == ["large", "middle", "small"]
