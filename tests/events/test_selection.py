"""Selections: instances, events and cut-flows, against what can be counted by hand."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.events.expressions import compile_expression
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import cut_flow, select_events, select_instances

SCHEMA = Schema(
    {
        "a": Column("a", "float64"),
        "w": Column("w", "float64"),
        "pt": Column("pt", "float64", depth=1),
        "eta": Column("eta", "float64", depth=1),
    },
    5,
)
TABLE = ak.Array(
    {
        "a": [1.0, 2.0, 3.0, 4.0, 5.0],
        "w": [1.0, 0.5, 0.0, -1.0, 2.0],
        "pt": [[30.0, 5.0], [], [20.0], [40.0, 10.0, 8.0], [6.0]],
        "eta": [[0.5, -2.0], [], [1.5], [-0.1, 0.2, 3.0], [0.0]],
    }
)


def bound(*texts: str):
    return [compile_expression(text, SCHEMA) for text in texts]


def drawn(value: str, select: str | None = None, weight: str | None = None):
    value, *rest = bound(value, select or "1", weight or "1")
    found = select_instances(TABLE, value, select=rest[0], weight=rest[1])
    return found.values.tolist(), found.weights.tolist(), found.events.tolist()


def test_without_a_selection_every_instance_counts_one():
    assert drawn("a") == ([1, 2, 3, 4, 5], [1] * 5, [0, 1, 2, 3, 4])
    assert drawn("pt")[2] == [0, 0, 2, 3, 3, 3, 4]


def test_a_jagged_selection_keeps_elements():
    assert drawn("pt", "abs(eta) < 1") == ([30, 40, 10, 6], [1] * 4, [0, 3, 3, 4])


def test_a_single_value_is_drawn_once_for_every_element_that_passes():
    assert drawn("a", "pt > 7") == ([1, 3, 4, 4, 4], [1] * 5, [0, 2, 3, 3, 3])


def test_an_event_without_the_element_gives_nothing():
    assert drawn("pt[1]")[0] == [5, 10]
    assert drawn("a", "a > 0 || pt[1] > 0")[0] == [1, 4]
    assert drawn("a", None, "pt[1]")[1] == [5, 10]


def test_selection_and_weight_multiply_and_zero_is_left_out():
    assert drawn("a", "a > 1", "w") == ([2, 4, 5], [0.5, -1, 2], [1, 3, 4])
    assert drawn("a", "2 * (a > 1)", "w")[1] == [1, -2, 4]


def test_an_event_passes_if_one_instance_passes_all_cuts():
    high, central, both = bound("pt > 9", "abs(eta) < 0.3", "pt > 9 && abs(eta) < 0.3")
    assert select_events(TABLE, high).tolist() == [True, False, True, True, False]
    assert select_events(TABLE, central).tolist() == [False, False, False, True, True]
    assert select_events(TABLE, high, central).tolist() == [False, False, False, True, False]
    assert (select_events(TABLE, high, central) == select_events(TABLE, both)).all()
    assert select_events(TABLE).tolist() == [True] * 5


def flow(table=TABLE, weight: str | None = "w"):
    cuts = dict(
        zip(("high", "central", "late"), bound("pt > 9", "abs(eta) < 1", "a > 3"), strict=True)
    )
    return cut_flow(table, cuts, weight=weight and bound(weight)[0])


def test_a_cut_flow_counts_events_and_weights():
    found = flow()
    assert (found.events, found.sum_weights, found.sum_weights2) == (5, 2.5, 6.25)
    assert [(step.name, step.alone, step.events) for step in found.steps] == [
        ("high", 3, 3),
        ("central", 3, 2),
        ("late", 2, 1),
    ]
    assert [step.sum_weights for step in found.steps] == [0.0, 0.0, -1.0]
    assert [step.sum_weights2 for step in found.steps] == [2.0, 2.0, 1.0]
    assert [step.expression for step in found.steps] == ["pt > 9", "abs(eta) < 1", "a > 3"]


def test_a_cut_flow_only_falls_and_ends_with_the_joint_selection():
    found = flow(weight=None)
    counts = [found.events, *(step.events for step in found.steps)]
    assert counts == sorted(counts, reverse=True)
    (joint,) = bound("pt > 9 && abs(eta) < 1 && a > 3")
    assert counts[-1] == select_events(TABLE, joint).sum()
    assert all(step.sum_weights == step.events for step in found.steps)


@pytest.mark.parametrize("cut", range(6))
def test_flows_of_parts_add_up_to_the_whole(cut):
    assert flow(TABLE[:cut]) + flow(TABLE[cut:]) == flow()


def test_flows_of_other_cuts_do_not_add_up():
    with pytest.raises(ValueError, match="different cuts"):
        flow() + flow(weight=None)


def test_a_cut_flow_survives_json():
    assert result_from_json(flow().as_json()) == flow()


def test_nan_weights_are_counted_apart():
    table = {"a": np.array([1.0, 2.0]), "w": np.array([np.nan, 3.0])}
    (cut,) = bound("a > 0")
    found = cut_flow(table, {"all": cut}, weight=bound("w")[0])
    assert (found.nan_weights, found.sum_weights, found.steps[0].events) == (1, 3.0, 2)


def test_a_weight_with_several_values_an_event_is_refused():
    with pytest.raises(InputError, match=r"QL-EXPR-016.*`pt` has several values an event"):
        flow(weight="pt")
