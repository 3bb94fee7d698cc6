"""Cuts with names: how they are written, what they compare, and their N-1 distributions."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.events.cuts import Cuts, named_cuts
from quarkline.events.expressions import Batch, compile_expression
from quarkline.events.nminus1 import CentralRange, NMinusOne, cut_variable, passing_others
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import select_instances

SCHEMA = Schema(
    {
        "a": Column("a", "float64", unit="GeV"),
        "w": Column("w", "float64"),
        "pt": Column("pt", "float64", depth=1),
        "eta": Column("eta", "float64", depth=1),
        "name": Column("name", "string"),
    },
    5,
)
TABLE = ak.Array(
    {
        "a": [1.0, 2.0, 3.0, 4.0, 5.0],
        "w": [1.0, 0.5, 3.0, -1.0, 2.0],
        "pt": [[30.0, 5.0], [], [20.0], [40.0, 10.0, 8.0], [6.0]],
        "eta": [[0.5, -2.0], [], [1.5], [-0.1, 0.2, 3.0], [0.0]],
    }
)


@pytest.mark.parametrize(
    ("texts", "cuts"),
    [
        (["pt: a > 2 && b"], {"pt": "a > 2 && b"}),
        (["a > 2 && (b || c) && TMath::Abs(d) < 1"], ["a > 2", "(b || c)", "TMath::Abs(d) < 1"]),
        (["a ? b : c"], ["a ? b : c"]),
        (["TMath::Abs(x) > 1"], ["TMath::Abs(x) > 1"]),
        (["two leptons: n == 2", "x"], {"two leptons": "n == 2", "x": "x"}),
        ([{"pt": "a > 2 && b"}, "c && d"], {"pt": "a > 2 && b", "c": "c", "d": "d"}),
        ([" hard :  a > 2 "], {"hard": "a > 2"}),
        ([" a > && b"], ["a > && b"]),
        ([], []),
    ],
)
def test_cuts_are_named_by_themselves_or_by_their_name(texts, cuts):
    expected = cuts if isinstance(cuts, dict) else {text: text for text in cuts}
    assert list(named_cuts(texts).items()) == list(expected.items())


def test_a_name_is_given_once():
    with pytest.raises(InputError, match=r"QL-CHECK-014.*two cuts `a > 2`\n.*another name: a > 2"):
        named_cuts(["a > 2 && b", "a > 2"])


@pytest.mark.parametrize(
    ("cuts", "subject"),
    [
        ({"low": "a >= 364283", "high": "a <= 363360"}, "a"),
        ({"low": "w > 0 && a > 3", "mid": "pt > 5", "high": "2 > a"}, "a"),
        ({"hard": "pt > 20", "soft": "pt < 10"}, "pt"),  # no element is both
        ({"one": "pt[0] > 20", "other": "pt[1] < 10"}, None),
        ({"sum": "Sum$(pt) > 20", "each": "pt < 10"}, None),
        ({"low": "a >= 3", "high": "a <= 3"}, None),
    ],
)
def test_cuts_that_exclude_each_other_are_told(cuts, subject):
    warnings = Cuts.of(SCHEMA, cuts, None).warnings
    told = [(finding.code, finding.message.partition(": no ")[2]) for finding in warnings]
    assert told == ([] if subject is None else [("QL-EXPR-007", f"`{subject}` satisfies it")])


def test_a_cut_that_excludes_itself_is_told_once():
    cuts = {"never": "a > 3 && a < 1", "low": "a > 4", "high": "a < 9"}
    (finding,) = Cuts.of(SCHEMA, cuts, None).warnings
    assert finding.place.label == "cut `never`"


def test_everything_wrong_with_the_cuts_is_said_at_once():
    with pytest.raises(InputError) as caught:
        Cuts.of(SCHEMA, {"one": "aa > 1", "two": "ptt > 2"}, "ww")
    labels = [finding.place.label for finding in caught.value.findings]
    assert labels == ["cut `one`", "cut `two`", "weight"]


@pytest.mark.parametrize(
    ("cut", "variable", "bounds", "kept"),
    [
        ("a > 2", "a", (2.0,), (">",)),
        ("-3 <= a", "a", (-3.0,), (">=",)),
        ("abs(eta) < 2.4", "abs(eta)", (2.4,), ("<",)),
        ("a > 1 && a < 4", "a", (1.0, 4.0), (">", "<")),
        ("Sum$(pt > 7) >= 2", "Sum$(pt > 7)", (2.0,), (">=",)),
    ],
)
def test_the_variable_of_a_cut_is_what_it_compares(cut, variable, bounds, kept):
    found = cut_variable(compile_expression(cut, SCHEMA))
    assert (str(found.expression.tree), found.bounds, found.kept) == (variable, bounds, kept)


@pytest.mark.parametrize("cut", ["a", "a > w", "a > 1 && w < 2", "a > 1 || a < 0", 'name == "x"'])
def test_other_cuts_have_no_variable(cut):
    assert cut_variable(compile_expression(cut, SCHEMA)) is None


def bound(weight: str | None = "w", **cuts: str) -> Cuts:
    return Cuts.of(SCHEMA, cuts, weight)


def test_a_flat_variable_counts_each_event_that_passes_the_others_once():
    found = dict(passing_others(Batch(TABLE), bound(early="a < 4.5", late="a > 1", high="pt > 7")))
    assert found["early"].values.tolist() == [3, 4]
    assert found["early"].weights.tolist() == [3, -1]
    assert found["late"].values.tolist() == [1, 3, 4]


@pytest.mark.parametrize(
    ("cuts", "name", "others"),
    [
        ({"high": "pt > 7", "late": "a > 1", "central": "abs(eta) < 1"}, "high", (1, 2)),
        ({"high": "pt > 7", "late": "a > 1", "central": "abs(eta) < 1"}, "central", (0, 1)),
        ({"high": "pt > 7", "two": "Length$ > 1"}, "high", (1,)),
    ],
)
def test_a_looping_variable_is_drawn_as_ttree_draw_draws_it(cuts, name, others):
    found = dict(passing_others(Batch(TABLE), bound(**cuts)))[name]
    texts = list(cuts.values())
    drawn = select_instances(
        TABLE,
        cut_variable(compile_expression(cuts[name], SCHEMA)).expression,
        select=compile_expression(" && ".join(texts[place] for place in others), SCHEMA),
        weight=compile_expression("w", SCHEMA),
    )
    assert len(drawn.values)
    for mine, theirs in zip(vars(found).values(), vars(drawn).values(), strict=True):
        assert mine.tolist() == theirs.tolist()


def test_a_range_holds_nearly_everything_and_the_edges_of_the_cut():
    rng = np.random.default_rng(3)
    values = rng.exponential(30.0, 10_000)
    central = CentralRange()
    for part in np.array_split(np.append(values, [1e8, -999.0, np.inf, np.nan]), 7):
        central.add(part)
    low, high = central.around([20.0])
    assert 0 <= low < 1
    assert np.quantile(values, 0.995) <= high <= 1.1 * np.quantile(values, 0.995)
    assert central.around([250.0])[1] == 250
    assert central.around([-999.0]) == (low, high)


def test_a_range_of_nothing_is_none():
    assert np.isnan(CentralRange().around([3.0])).all()


def test_distributions_add_up_and_survive_json():
    edges = (0.0, 1.0, 2.0)
    one = NMinusOne("c", "a > 1", "a", (1.0,), (">",), "", edges, (1.0, 2.0), (1.0, 4.0), 0, 5.0, 1)
    assert (one + one).contents == (2.0, 4.0)
    assert ((one + one).overflow, (one + one).nan) == (10.0, 2)
    assert result_from_json(one.as_json()) == one
    with pytest.raises(ValueError, match="do not add up"):
        one + NMinusOne(**vars(one) | {"edges": (0.0, 1.0, 3.0)})
