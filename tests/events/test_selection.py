"""Selections: instances, events and cut-flows, against what can be counted by hand."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.events.expressions import compile_expression
from quarkline.events.expressions.evaluate import Scope
from quarkline.events.passing import select_events
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import cut_flow, select_instances

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


def test_every_cut_is_also_left_out():
    found = flow()
    assert [step.events_without for step in found.steps] == [2, 1, 2]
    assert [step.sum_weights_without for step in found.steps] == [1.0, -1.0, 0.0]
    assert [step.sum_weights2_without for step in found.steps] == [5.0, 1.0, 2.0]
    assert [step.error_without for step in found.steps] == [5.0**0.5, 1.0, 2.0**0.5]


def test_efficiencies_of_unit_weights_are_binomial():
    found = flow(weight=None)
    for shares, counts in (
        (found.efficiencies, [(3, 5), (2, 5), (1, 5)]),
        (found.step_efficiencies, [(3, 5), (2, 3), (1, 2)]),
        (found.last_efficiencies, [(1, 2), (1, 1), (1, 2)]),
    ):
        for share, (k, n) in zip(shares, counts, strict=True):
            assert share.value == pytest.approx(k / n)
            assert share.up == share.down == pytest.approx((k * (n - k) / n**3) ** 0.5)


def test_no_events_have_no_efficiency():
    assert [np.isnan(share.value) for share in flow(TABLE[:0]).efficiencies] == [True] * 3


CUTS = (
    "pt > 9",
    "abs(eta) < 1",
    "pt > 6 && eta > 0",
    "jet > 3",
    "jet[0] > 2",
    "pt[1] > 5",
    "a > 2",
    "a < 4 || pt[0] > 25",
    "Sum$(pt) > 20",
    "Alt$(pt[1], 0) < 7",
    "Alt$(jet, 9) > 4",
    "Iteration$ < 1",
    "Length$ > 1",
    "deep > 1",
    "deep[][0] > 1",
    "jet[n] > 1",
)
LISTS = st.lists(st.floats(-3, 30, width=32), max_size=3)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "a": st.floats(-5, 5),
            "w": st.sampled_from([1.0, -1.0, 0.5, 2.0]),
            "n": st.integers(0, 2),
            "leptons": st.lists(st.tuples(st.floats(0, 30), st.floats(-3, 3)), max_size=3),
            "jet": LISTS,
            "deep": st.lists(LISTS, max_size=2),
        }
    ),
    max_size=8,
)
WIDE = Schema(
    dict(SCHEMA.columns)
    | {
        "n": Column("n", "int64"),
        "jet": Column("jet", "float64", depth=1),
        "deep": Column("deep", "float64", depth=2),
    },
    0,
)


def table_of(events) -> dict[str, ak.Array]:
    """Events with two leptons' columns of one length, jets of another, and nested lists."""
    columns = {name: [event[name] for event in events] for name in ("a", "w", "n", "jet", "deep")}
    columns["pt"] = [[pt for pt, _ in event["leptons"]] for event in events]
    columns["eta"] = [[eta for _, eta in event["leptons"]] for event in events]
    types = {"a": "float64", "w": "float64", "n": "int64"} | dict.fromkeys(
        ("jet", "pt", "eta"), "var * float64"
    )
    types["deep"] = "var * var * float64"
    return {
        name: ak.enforce_type(ak.Array(values), kind) if events else ak.Array(values)
        for (name, kind) in types.items()
        for values in [columns[name]]
    }


def counted(table, cuts, weights) -> tuple[int, float, float]:
    """What passes cuts together, evaluated from the start."""
    passed = weights[select_events(table, *cuts)]
    return len(passed), float(np.sum(passed)), float(np.sum(passed * passed))


@settings(deadline=None, max_examples=60)
@given(
    events=EVENTS.filter(bool),
    texts=st.lists(st.sampled_from(CUTS), unique=True, min_size=1, max_size=5),
)
def test_every_combination_counts_what_it_counts_by_itself(events, texts):
    table = table_of(events)
    cuts = [compile_expression(text, WIDE) for text in texts]
    found = cut_flow(
        table, dict(zip(texts, cuts, strict=True)), weight=compile_expression("w", WIDE)
    )
    weights = ak.to_numpy(table["w"])
    for place, (cut, step) in enumerate(zip(cuts, found.steps, strict=True)):
        assert step.alone == counted(table, [cut], weights)[0]
        so_far = (step.events, step.sum_weights, step.sum_weights2)
        assert so_far == counted(table, cuts[: place + 1], weights)
        without = (step.events_without, step.sum_weights_without, step.sum_weights2_without)
        assert without == counted(table, cuts[:place] + cuts[place + 1 :], weights)


def test_a_cut_is_evaluated_once(monkeypatch):
    asked = []
    values = Scope.values
    monkeypatch.setattr(Scope, "values", lambda s, tree: asked.append(str(tree)) or values(s, tree))
    texts = ("a > 1", "pt > 9", "abs(eta) < 1", "w > 0", "Sum$(pt) > 8")
    cut_flow(TABLE, dict(zip(texts, bound(*texts), strict=True)))
    assert sorted(text for text in asked if text != "pt") == sorted(texts)


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
