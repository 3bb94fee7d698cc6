"""Our rules where ROOT reads memory outside an array, or refuses what has a clear meaning."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from quarkline.events.expressions import Batch, Entries, compile_expression
from quarkline.events.selection import compile_query
from quarkline.events.sources import open_source
from tests.events.expressions import record_root

NESTED = Path(__file__).with_name(record_root.NESTED)
X, Y, Z, I = record_root.X, record_root.Y, record_root.Z, record_root.I  # noqa: E741
EVENTS = range(8)
NAN = math.nan


def taken(values: list, place: int) -> list:
    """The element as a list, empty if there is none."""
    return values[place : place + 1] if place >= 0 else []


def shortest(first: list, second: list) -> list:
    return [a * b for a, b in zip(first, second, strict=False)]


# By expression, the values of each event.
RULES = {
    "x[i]": [taken(X[e], I[e]) for e in EVENTS],
    "x[n-1]": [X[e][-1:] for e in EVENTS],
    "x[y-1]": [[X[e][y - 1] for y in Y[e] if y > 0] for e in EVENTS],
    "x[x>0]": [[v for at in X[e] for v in taken(X[e], int(at > 0))] for e in EVENTS],
    "x[s]": [taken(X[e], int(record_root.S[e])) for e in EVENTS],
    "x[Iteration$]": [X[e][:1] for e in EVENTS],
    "Alt$(x[i],-1)": [taken(X[e], I[e]) or [-1] for e in EVENTS],
    "Alt$(z[0][1],-1)": [(taken(Z[e][0], 1) if Z[e] else []) or [-1] for e in EVENTS],
    "z[0][1]": [taken(Z[e][0], 1) if Z[e] else [] for e in EVENTS],
    "z[i]": [[v for row in taken(Z[e], I[e]) for v in row] for e in EVENTS],
    "z[y][0]": [[v for y in Y[e] for v in Z[e][y][:1]] for e in EVENTS],
    "z[][i%2]": [[v for row in Z[e] for v in taken(row, int(math.fmod(I[e], 2)))] for e in EVENTS],
    "z[0][y]": [[v for y in Y[e] for v in taken(Z[e][0], y)] for e in EVENTS],
    "z[0]*x": [shortest(Z[e][0], X[e]) if Z[e] else [] for e in EVENTS],
    "z[][0]*z": [[row[0] * v for row in Z[e] for v in row] for e in EVENTS],
    "fix[1][y]": [[10 * e + 3 + y for y in Y[e] if y < 3] for e in EVENTS],
    "x[y]*z": [
        [X[e][y] * v for y, row in zip(Y[e], Z[e], strict=True) for v in row] for e in EVENTS
    ],
    "Sum$(fix[1][y])": [[sum(10 * e + 3 + y for y in Y[e] if y < 3)] for e in EVENTS],
    "i>0?(i>1?2:1):0": [[2 if i > 1 else 1 if i > 0 else 0] for i in I],
    "@arr.size()": [[len(X[e])] for e in EVENTS],
    "1<<i": [[2.0**i if i >= 0 else NAN] for i in I],
    "1<<(64+i)": [[NAN if i >= 0 else 2.0**63] for i in I],
    "(8>>i)+0": [[8 >> i if i >= 0 else NAN] for i in I],
}


@pytest.mark.parametrize("text", RULES)
def test_what_root_leaves_open_has_a_rule(text):
    with open_source(NESTED, tree="N") as source:
        query = compile_query(source.schema, text)
        found = query.instances(Batch(source.read(query.columns)))
    expected = [value for event in RULES[text] for value in event]
    events = [event for event in EVENTS for _ in RULES[text][event]]
    np.testing.assert_array_equal(found.values, expected)
    np.testing.assert_array_equal(found.events, events)


def test_no_rule_is_about_a_value_that_root_has():
    recorded = json.loads(record_root.TABLE.read_text(encoding="utf-8"))["cases"]
    assert not RULES.keys() & {case["expression"] for case in recorded if not case["select"]}


def test_entries_are_counted_in_the_file_and_in_all():
    with open_source(NESTED, tree="N") as source:
        names = ("Entry$", "LocalEntry$", "Entries$", "LocalEntries$")
        bound = [compile_expression(name, source.schema, numbered=True) for name in names]
        columns = {"i": source.read(["i"])["i"][5:]}
    batch = Batch(columns, Entries(start=5, in_file=8, before=100, in_all=120))
    found = [expression.evaluate(batch).tolist() for expression in bound]
    assert found == [[105, 106, 107], [5, 6, 7], [120] * 3, [8] * 3]


def test_what_needs_an_entry_says_so_without_one():
    with open_source(NESTED, tree="N") as source:
        bound = compile_expression("Entry$ + i", source.schema, numbered=True)
        table = source.read(["i"])
    with pytest.raises(ValueError, match="`Entry\\$` was allowed for events without an entry"):
        bound.evaluate(table)
