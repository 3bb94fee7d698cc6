"""A history of epochs: its smallest values, sums of its metrics, and its lines."""

from __future__ import annotations

import math

from quarkline.learning.training.history import History


def _history(**columns: list[float]) -> History:
    rows = zip(*columns.values(), strict=True)
    return History(epochs=[dict(zip(columns, row, strict=True)) for row in rows])


def test_the_smallest_come_first():
    history = _history(loss=[20.0, 30.0, 10.0])
    assert history.find_smallest("loss", 2) == [2, 0]
    assert history.find_smallest("loss", 7) == [2, 0, 1]
    assert _history(loss=[math.nan, 2.0, 1.0, 1.0]).find_smallest("loss", 4) == [2, 3, 1, 0]


def test_a_sum_of_metrics_is_a_metric():
    history = _history(a=[1.0, 2.0], b=[10.0, 20.0])
    summed = history.make_sum("both", ["a", "b"])
    assert summed.column("both") == [11.0, 22.0]
    assert "both" not in history.epochs[0]


def test_values_of_an_epoch_are_a_copy():
    history = _history(a=[1.0, 2.0], b=[3.0, 4.0])
    values = history.values_for(1)
    assert values == {"a": 2.0, "b": 4.0}
    values["a"] = 7.0
    assert history.values_for(-1)["a"] == 2.0


def test_lines_are_read_as_they_were_written():
    history = _history(a=[0.1, 1e-300, math.inf], b=[1 / 3, -2.0, 5.0])
    assert History.from_csv(history.as_csv()) == history
    assert History.from_csv("") == History()
