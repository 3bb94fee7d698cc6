"""What is suspicious about an expression before any event is read."""

from __future__ import annotations

import pytest

from quarkline.events.expressions import compile_expression

WARNED = {
    # ranges that exclude each other
    "n >= 364283 && n <= 363360": ("QL-EXPR-007", "can never be true: no `n` satisfies it"),
    "a > 3 && flag && a < 1": ("QL-EXPR-007", "no `a`"),
    "(a > 3 && flag) && a <= 3": ("QL-EXPR-007", "no `a`"),
    "a == 1 && a == 2": ("QL-EXPR-007", "no `a`"),
    "a == 1 && a != 1": ("QL-EXPR-007", "no `a`"),
    "3 < a && 1 > a": ("QL-EXPR-007", "no `a`"),
    "a > -1 && a < -2": ("QL-EXPR-007", "no `a`"),
    "abs(a) > 2.5 && abs(a) < 2.4": ("QL-EXPR-007", "no `abs(a)`"),
    "n > 3 && n < 4": ("QL-EXPR-007", "no `n`"),
    "n >= 1 && n <= 2 && n != 1 && n != 2": ("QL-EXPR-007", "no `n`"),
    "nJet < 0": ("QL-EXPR-007", "no `nJet`"),
    "flag == 2 || a > 1": ("QL-EXPR-007", "`flag == 2` can never be true"),
    "b || (a > 3 && a < 1)": ("QL-EXPR-007", "`(a > 3) && (a < 1)` can never be true"),
    "Jet_pt[0] > 9 && Jet_pt[0] < 8": ("QL-EXPR-007", "no `Jet_pt[0]`"),
    # always the same
    "a != 1 || a != 2": ("QL-EXPR-008", "is always true: every `a` satisfies it"),
    "a < 5 || a >= 5": ("QL-EXPR-008", "is always true"),
    "n <= 3 || n >= 4": ("QL-EXPR-008", "every `n`"),
    "nJet >= 0 && a > 1": ("QL-EXPR-008", "`nJet >= 0` is always true"),
    "1 < 2": ("QL-EXPR-008", "`1 < 2` is always true: it has no column"),
    "a > 1 && 3 == 2": ("QL-EXPR-008", "`3 == 2` is always false"),
    "a > 1 || 1": ("QL-EXPR-008", "`1` is always true"),
    "1 > 2 ? a : b": ("QL-EXPR-008", "`1 > 2` is always false"),
    # Python's other reading
    "a == 2 & b > 0": ("QL-EXPR-009", "Python would read `(a == (2 & b)) && ((2 & b) > 0)`"),
    "a | b == 1": ("QL-EXPR-009", "ROOT reads `a | (b == 1)`"),
    "not a == b": ("QL-EXPR-009", "ROOT reads `(!a) == b`, Python would read `!(a == b)`"),
    "7 % n * 3 + 1": ("QL-EXPR-009", "ROOT reads `7 % (n * 3)`, Python would read `(7 % n) * 3`"),
    "2 ** n ** 2": ("QL-EXPR-009", "ROOT reads `(2 ^ n) ^ 2`"),
    # elements that decide more than they should
    "n < 2 || Jet_pt[1] > 3": ("QL-EXPR-015", "an event without `Jet_pt[1]` gives nothing"),
    "!(Jet_pt[1] > 3)": ("QL-EXPR-015", "without `Jet_pt[1]`"),
    "n > 1 ? Jet_pt[1] : 0": ("QL-EXPR-015", "without `Jet_pt[1]`"),
    "a || Jet_pt[n] > 3": ("QL-EXPR-015", "an event without `Jet_pt[n]` gives nothing"),
    # casts
    "(int)a > 1": ("QL-EXPR-018", "`(int)a` is `a`: ROOT ignores casts"),
    # values that stand for a missing one
    "a > -999": ("QL-EXPR-019", "`a > (-999)` takes -999 for a measurement"),
    "b && -99 <= a": ("QL-EXPR-019", "takes -99 for a measurement"),
    "a < 1e10": ("QL-EXPR-019", "takes 10000000000 for a measurement"),
    "a * -999": ("QL-EXPR-019", "takes -999 for a measurement"),
    # what loops by itself is judged like anything else
    "Sum$(Jet_pt) > 3 && Sum$(Jet_pt) < 2": ("QL-EXPR-007", "no `Sum$(Jet_pt)`"),
    "@Jet_pt.size() < 0": ("QL-EXPR-007", "no `@Jet_pt.size()`"),
    "Sum$(Jet_id == 1 && Jet_id == 2)": ("QL-EXPR-007", "no `Jet_id`"),
}

QUIET = [
    "n >= 363360 && n <= 364283",
    "a >= 1 && a <= 1",
    "a > 1 && b < 1",
    "a > 3 || a < 1",
    "(a > 3 || b) && a < 1",
    "a != 1 && a != 2",
    "a == 1 || a == 2",
    "a > 3 && a < 4",
    "nJet == 0",
    "flag == 1",
    "!a == b",
    "-a ^ 2",
    "a * b / 2 * n",
    "a - b + n - 2",
    "-a * b",
    "not a and b",
    "2 ** -1 * a",
    "1",
    "2.5 * pi",
    "n > 1 && Jet_pt[1] > 3",
    "Jet_pt[1] > 3 && (flag || Jet_pt[1] > 5)",
    "v[1] > 3 || a",
    "Jet_pt > 3 || a",
    "Type == 'GG' && Type != 'GT'",
    "a != -999 && a < 5",
    "a == -99 || b",
    "a > -98",
    "a ? b : -999",
    "n || Alt$(Jet_pt[1], 0) > 3",
    "n || Sum$(Jet_pt[1]) > 3",
    "Length$ > 2 || a",
    "Iteration$ == 0",
    "Sum$(1) > 2 || a",
    "n < 2 || @Jet_pt.size() > 2",
    "int(a) > 1",
]


@pytest.mark.parametrize("text", WARNED)
def test_a_suspicious_expression_is_named(text, schema):
    code, message = WARNED[text]
    (warning,) = compile_expression(text, schema).warnings
    assert warning.code == code
    assert warning.severity == "warning"
    assert message in warning.message
    assert warning.place.text == text
    assert warning.suggestion


@pytest.mark.parametrize("text", QUIET)
def test_an_ordinary_expression_is_not(text, schema):
    assert compile_expression(text, schema).warnings == ()


def test_a_warning_points_at_its_clause(schema):
    text = "b > 0 && (flag || (a > 3 && a < 1))"
    (warning,) = compile_expression(text, schema, label="selection").warnings
    start = warning.place.column - 1
    assert text[start : start + warning.place.length] == "(a > 3 && a < 1)"
    assert warning.place.label == "selection"
