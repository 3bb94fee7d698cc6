"""Values by arrays against values by plain loops, and laws of evaluation."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import (
    Batch,
    Entries,
    Expression,
    compile_expression,
    nodes,
    parse,
)
from quarkline.events.passing import select_events
from quarkline.events.schema import Column, Schema
from quarkline.events.selection import select_instances
from tests.events.expressions import loops
from tests.events.expressions.strategies import near_expressions

SCHEMA = Schema(
    {
        column.name: column
        for column in (
            Column("s", "float64"),
            Column("k", "int32"),
            Column("flag", "bool"),
            Column("x", "float64", depth=1),
            Column("y", "int32", depth=1),
            Column("v", "int32", shape=(2,)),
            Column("z", "float64", depth=2),
        )
    },
    0,
)

whole = st.integers(-4, 4)
halves = whole.map(lambda number: number / 2)
events = st.fixed_dictionaries(
    {
        "s": halves,
        "k": whole,
        "flag": st.booleans(),
        "x": st.lists(halves, max_size=4),
        "y": st.lists(whole, max_size=4),
        "v": st.lists(whole, min_size=2, max_size=2),
        "z": st.lists(st.lists(halves, max_size=3), max_size=3),
    }
)

COLUMNS = [
    *("s", "k", "flag", "x", "x[0]", "x[2]", "y", "y[1]", "v", "v[1]", "s[0]"),
    *("z", "z[1]", "z[0][1]", "x[]", "z[][0]", "z[][]", "z[1][]"),
    *("x[k]", "x[y]", "x[s]", "y[y]", "v[k]", "v[y]", "z[k]", "z[][k]", "z[k][1]", "z[y][0]"),
    *("z[0][y]", "x[y[k]]", "x[y[y]]", "x[Max$(y)]", "x[Length$(x) - 1]", "x[k + 1]"),
    *("x[Alt$(y[1], 0)]", "x[y > 0]", "z[@x.size()][0]", "x[Iteration$]"),
]
columns = st.sampled_from([parse(text) for text in COLUMNS])
COUNTERS = ["@x.size()", "z@.size()", "Iteration$", "Length$", "Entry$", "(int)x", "(int)s"]
counters = st.sampled_from([parse(text) for text in COUNTERS])
numbers = st.sampled_from([0.0, 1.0, 2.0, 0.5]).map(nodes.Number)


OPERATORS = st.sampled_from(["-", "/", "%", "<", ">=", "==", "!="])
REDUCERS = st.sampled_from(["Sum$", "Min$", "Max$", "Length$"])


def _larger(smaller: st.SearchStrategy) -> st.SearchStrategy:
    several = st.lists(smaller, min_size=2, max_size=3).map(tuple)
    default = st.sampled_from(["-1", "s", "Sum$(x)", "Alt$(x[1], k)", "Entry$"]).map(parse)
    return st.one_of(
        st.builds(nodes.Unary, st.sampled_from("-!"), smaller),
        st.builds(nodes.Binary, OPERATORS, smaller, smaller),
        st.builds(nodes.Binary, st.just("<<"), smaller, numbers),
        st.builds(nodes.Chain, st.sampled_from(["+", "*", "&&", "||"]), several),
        st.builds(nodes.Chain, st.sampled_from(["&", "|"]), st.tuples(smaller, smaller)),
        st.builds(nodes.Conditional, smaller, smaller, smaller),
        st.builds(nodes.Call, st.sampled_from(["abs", "sqrt"]), smaller.map(lambda tree: (tree,))),
        st.builds(nodes.Call, st.just("min"), st.tuples(smaller, smaller)),
        st.builds(nodes.Call, REDUCERS, smaller.map(lambda tree: (tree,))),
        st.builds(nodes.Call, st.sampled_from(["MinIf$", "MaxIf$"]), st.tuples(smaller, smaller)),
        st.builds(nodes.Call, st.just("Alt$"), st.tuples(smaller, default)),
    )


expressions = st.recursive(columns | columns | counters | numbers, _larger, max_leaves=6).map(str)


def table(rows: list[dict]) -> dict[str, object]:
    return {name: column([row[name] for row in rows], name) for name in SCHEMA.columns}


def batch(rows: list[dict]) -> Batch:
    return Batch(table(rows), Entries(0, len(rows)))


def numbered(rows: list[dict]) -> list[dict]:
    return [row | {"Entry$": number} for number, row in enumerate(rows)]


def compiled(text: str) -> Expression:
    return compile_expression(text, SCHEMA, numbered=True)


def column(values: list, name: str) -> object:
    """An array from a list per event."""
    known = SCHEMA[name]
    if known.depth == 0:
        return np.array(values, known.dtype)
    content = [item for value in values for item in value]
    lower = column(content, "x") if known.depth == 2 else np.array(content, known.dtype)
    return ak.unflatten(lower, np.array([len(value) for value in values], np.int64))


@given(st.lists(events, min_size=1, max_size=6), expressions, expressions, expressions)
@settings(max_examples=150, deadline=None)
def test_instances_are_those_of_plain_loops(rows, value, cut, weight):
    bound = [compiled(text) for text in (value, cut, weight)]
    drawn = select_instances(batch(rows), bound[0], select=bound[1], weight=bound[2])
    expected = [
        (number, numbers[0], numbers[1] * numbers[2])
        for number, row in enumerate(numbered(rows))
        for numbers in loops.instances([item.tree for item in bound], row)
        if numbers[1] * numbers[2] != 0
    ]
    found = np.transpose([drawn.events, drawn.values, drawn.weights])
    np.testing.assert_allclose(found, np.reshape(expected, (-1, 3)), rtol=1e-14)


def flat(values: object) -> list[float]:
    """The numbers in nested lists."""
    if not isinstance(values, list):
        return [values]
    return [number for item in values for number in flat(item)]


@given(st.lists(events, min_size=1, max_size=6), expressions)
@settings(max_examples=100, deadline=None)
def test_values_by_event_are_nested_like_their_columns(rows, text):
    expression = compiled(text)
    found = expression.evaluate(batch(rows))
    by_event = [
        [got[0] for got in loops.instances([expression.tree], row)] for row in numbered(rows)
    ]
    assert len(found) == len(rows)
    for ours, expected in zip(found.tolist(), by_event, strict=True):
        if expression.depth == 0 and not expected:
            assert ours == 0 if expression.kind == "boolean" else np.isnan(ours)
        else:
            assert flat(ours) == pytest.approx(expected, rel=1e-14, nan_ok=True)


@given(st.lists(events, min_size=1, max_size=8), expressions, st.integers(0, 8))
@settings(max_examples=100, deadline=None)
def test_values_do_not_depend_on_how_events_are_cut_up(rows, text, cut):
    expression = compiled(text)
    parts = [
        expression.evaluate(Batch(table(part), Entries(start, len(rows))))
        for part, start in ((rows[:cut], 0), (rows[cut:], cut))
        if part
    ]
    joined = [values for part in parts for values in part.tolist()]
    np.testing.assert_equal(joined, expression.evaluate(batch(rows)).tolist())


@given(near_expressions)
@settings(max_examples=300, deadline=None)
def test_a_text_gives_values_or_findings_and_nothing_else(text):
    schema = Schema(
        {
            "a": Column("a", "float64"),
            "b": Column("b", "float64"),
            "n": Column("n", "int64"),
            "nJet": Column("nJet", "uint32"),
            "flag": Column("flag", "bool"),
            "Type": Column("Type", "string"),
            "Jet_pt": Column("Jet_pt", "float64", depth=1),
            "v": Column("v", "float64", shape=(3,)),
            "hits": Column("hits", "int64", depth=2),
        },
        2,
    )
    columns = {
        "a": np.array([1.5, np.nan]),
        "b": np.array([0.0, -np.inf]),
        "n": np.array([-(2**63), 3]),
        "nJet": np.array([0, 2**32 - 1], np.uint32),
        "flag": np.array([True, False]),
        "Type": ak.Array(["GG", ""]),
        "Jet_pt": ak.Array([[], [1.0, 2.0]]),
        "v": np.ones((2, 3)),
        "hits": ak.Array([[[1], []], []]),
    }
    try:
        expression = compile_expression(text, schema)
    except InputError:
        return
    assert len(expression.evaluate(columns)) == 2
    select_events(columns, expression)


def test_spellings_of_c_and_python_give_equal_values():
    rows = [{"s": 1.5, "k": -3, "flag": True, "x": [1.0], "y": [2], "v": [1, 2], "z": []}] * 2
    pairs = {
        "flag && !(k > 0) || s ^ 2 > 2": "flag and not (k > 0) or s ** 2 > 2",
        "true + flag": "True + flag",
    }
    for c_style, python_style in pairs.items():
        first, second = (compile_expression(text, SCHEMA) for text in (c_style, python_style))
        assert first.tree == second.tree
        np.testing.assert_array_equal(first.evaluate(table(rows)), second.evaluate(table(rows)))


def test_text_is_compared_element_by_element():
    schema = Schema(
        {
            "Type": Column("Type", "string"),
            "names": Column("names", "string", depth=1),
            "x": Column("x", "float64", depth=1),
        },
        3,
    )
    columns = {
        "Type": ak.Array(["GG", "GT", "µ"]),
        "names": ak.Array([["GG", "a"], [], ["µ"]]),
        "x": ak.Array([[1.0, 2.0, 3.0], [4.0], []]),
    }
    asked = {
        'Type == "GG"': [1, 0, 0],
        "Type != 'GG'": [0, 1, 1],
        'Type == "µ"': [0, 0, 1],
        'names[0] == "GG"': [1, 0, 0],
    }
    for text, expected in asked.items():
        values = compile_expression(text, schema).evaluate(columns)
        np.testing.assert_array_equal(values, expected)
    jagged = {
        "names == Type": [[1, 0], [], [1]],
        "x * (names != Type)": [[0, 2], [], []],
    }
    for text, expected in jagged.items():
        assert compile_expression(text, schema).evaluate(columns).to_list() == expected


def test_where_cpp_leaves_the_value_open_ours_is_nan():
    schema = Schema({"a": Column("a", "float64")}, 4)
    columns = {"a": np.array([np.nan, np.inf, 1e19, -1e300])}
    for text in ("a % 2", "2 % a", "int(a)", "a & 1"):
        values = compile_expression(text, schema).evaluate(columns)
        high = 0 if text == "a & 1" else np.nan  # 1e19 is an unsigned 64-bit number
        np.testing.assert_array_equal(values, [np.nan, np.nan, high, np.nan])


def test_remainder_by_zero_is_zero_where_root_ends_the_process():
    schema = Schema({"n": Column("n", "int64")}, 3)
    values = compile_expression("n % 0 + n % -1", schema).evaluate(
        {"n": np.array([7, 0, -(2**63)])}
    )
    np.testing.assert_array_equal(values, 0)


def test_a_constant_has_a_value_for_every_event():
    values = compile_expression("1 + 1", SCHEMA).evaluate({"s": np.zeros(3)})
    np.testing.assert_array_equal(values, [2, 2, 2])


def test_no_events_give_no_values():
    schema = Schema({"a": Column("a", "float32"), "x": Column("x", "float32", depth=1)}, 0)
    columns = {"a": np.zeros(0, np.float32), "x": ak.Array([[1.0]])[:0]}
    for text in ("a + 1", "x", "x[0]", "a * x", "1"):
        assert len(compile_expression(text, schema).evaluate(columns)) == 0


DEEP = 100


@pytest.mark.parametrize("text", ["Sum$({})", "Alt$({}, 0)", "Alt$(k, {})", "x[{}]", "abs({})"])
def test_what_is_nested_deeply_is_evaluated(text):
    nested = "k"
    for _ in range(DEEP):
        nested = text.replace("{}", nested)
    rows = [{"s": 0.0, "k": 0, "flag": True, "x": [0.0], "y": [], "v": [1, 2], "z": []}] * 2
    np.testing.assert_array_equal(compiled(nested).evaluate(batch(rows)), [0, 0])
