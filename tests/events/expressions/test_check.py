"""What an expression means on a table, and what does not fit one."""

from __future__ import annotations

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import compile_expression

MEANT = {
    "a > 1": ("boolean", 0, {"a"}),
    "n + 1": ("integer", 0, {"n"}),
    "flag + flag": ("integer", 0, {"flag"}),
    "flag & (n > 1)": ("boolean", 0, {"flag", "n"}),
    "n & 3": ("integer", 0, {"n"}),
    "n / 2": ("real", 0, {"n"}),
    "n % 2": ("integer", 0, {"n"}),
    "n * 0.5": ("real", 0, {"n"}),
    "-flag": ("integer", 0, {"flag"}),
    "abs(n)": ("integer", 0, {"n"}),
    "floor(a)": ("integer", 0, {"a"}),
    "sqrt(n)": ("real", 0, {"n"}),
    "flag ? n : a": ("real", 0, {"flag", "n", "a"}),
    "Jet_pt": ("real", 1, {"Jet_pt"}),
    "Jet_pt[0]": ("real", 0, {"Jet_pt"}),
    "Jet_pt[0][0]": ("real", 0, {"Jet_pt"}),
    "n[0]": ("integer", 0, {"n"}),
    "v[2]": ("real", 0, {"v"}),
    "hits": ("integer", 2, {"hits"}),
    "hits[1]": ("integer", 1, {"hits"}),
    "hits[1][0]": ("integer", 0, {"hits"}),
    "Jet_pt * a > v": ("boolean", 1, {"Jet_pt", "a", "v"}),
    "jets.fPt > AuxDyn.pt[1]": ("boolean", 1, {"jets.fPt", "AuxDyn.pt"}),
    "jets[1].fPt": ("real", 0, {"jets.fPt"}),
    "Type == 'GG'": ("boolean", 0, {"Type"}),
    "pi * a": ("real", 0, {"a"}),
    "1 + 1": ("integer", 0, set()),
    "n << 2": ("integer", 0, {"n"}),
    "Jet_id >> n": ("integer", 1, {"Jet_id", "n"}),
    "(int)a": ("real", 0, {"a"}),
    "Sum$(Jet_pt)": ("real", 0, {"Jet_pt"}),
    "Sum$(Jet_pt > 1)": ("integer", 0, {"Jet_pt"}),
    "Max$(Jet_id) * Jet_pt": ("real", 1, {"Jet_id", "Jet_pt"}),
    "MinIf$(Jet_id, Jet_pt > 1)": ("integer", 0, {"Jet_id", "Jet_pt"}),
    "Length$(Jet_pt)": ("integer", 0, {"Jet_pt"}),
    "Length$ + 0 * hits": ("integer", 2, {"hits"}),
    "Iteration$": ("integer", 0, set()),
    "Alt$(Jet_pt, a)": ("real", 0, {"Jet_pt", "a"}),
    "Alt$(Jet_id[0], -1)": ("integer", 0, {"Jet_id"}),
    "@Jet_pt.size() > 2": ("boolean", 0, {"Jet_pt"}),
    "jets@.size()": ("integer", 0, {"jets.fPt"}),
    "@jets->size()": ("integer", 0, {"jets.fPt"}),
    "jets->fPt": ("real", 1, {"jets.fPt"}),
    "Jet_pt[n]": ("real", 0, {"Jet_pt", "n"}),
    "Jet_pt[Jet_id]": ("real", 1, {"Jet_pt", "Jet_id"}),
    "Jet_pt[0 + 1]": ("real", 0, {"Jet_pt"}),
    "hits[n]": ("integer", 1, {"hits", "n"}),
    "hits[][0]": ("integer", 1, {"hits"}),
    "hits[Jet_id][0]": ("integer", 1, {"hits", "Jet_id"}),
    "hits[][]": ("integer", 2, {"hits"}),
    "Jet_pt[]": ("real", 1, {"Jet_pt"}),
    "v[n]": ("real", 0, {"v", "n"}),
    "TMath::Odd(n)": ("boolean", 0, {"n"}),
}

REFUSED = {
    "Jet_ptt > 1": ("QL-EXPR-001", "tree `Events` has no column `Jet_ptt`", "`Jet_pt`"),
    "jet_pt": ("QL-EXPR-001", "no column `jet_pt`", "`Jet_pt`"),
    "Jet.pt": ("QL-EXPR-001", "no column `Jet.pt`", "`Jet_pt`"),
    "links > 1": ("QL-EXPR-001", "cannot be read: values of type ElementLink", None),
    "cosh > 1": ("QL-EXPR-001", "no column `cosh`", "is a function: write `cosh(...)`"),
    "absolut(a)": ("QL-EXPR-006", "no function `absolut`", "`abs`"),
    "std::abs(a)": ("QL-EXPR-006", "no function `std::abs`", "`abs`"),
    "Jet_pt(0)": ("QL-EXPR-006", "no function `Jet_pt`", "`Jet_pt[0]`"),
    "abs(a, b)": ("QL-EXPR-005", "`abs` takes 1 argument, not 2", None),
    "atan2(a)": ("QL-EXPR-005", "`atan2` takes 2 arguments, not 1", None),
    "min(a, b, n)": ("QL-EXPR-005", "`min` takes 2 arguments, not 3", "`min(a, min(b, c))`"),
    "max(Jet_pt)": ("QL-EXPR-005", "`max` takes 2 arguments, not 1", "`Max$(x)`"),
    "Type": ("QL-EXPR-010", "`Type` is text", '`x == "value"`'),
    "Type == 2": ("QL-EXPR-010", "compares text with a number", "quote"),
    "a == 'GG'": ("QL-EXPR-010", "compares text with a number", "quote"),
    "Type > 'GG'": ("QL-EXPR-010", "`Type` is text", None),
    "abs(Type)": ("QL-EXPR-010", "`Type` is text", None),
    "flag && Type": ("QL-EXPR-010", "`Type` is text", None),
    "Jet_pt[-1]": ("QL-EXPR-011", "`-1` is no index", None),
    "Jet_pt[0.5]": ("QL-EXPR-011", "`0.5` is no index", None),
    "v[3]": ("QL-EXPR-011", "`v` has 3 elements", None),
    "n[1]": ("QL-EXPR-011", "`n` has 1 element", None),
    "(a + b)[0]": ("QL-EXPR-011", "only columns have elements", None),
    "n[n]": ("QL-EXPR-011", "`n` has 1 element", None),
    "n[]": ("QL-EXPR-011", "`n` has 1 element", None),
    "Jet_pt[Type]": ("QL-EXPR-010", "`Type` is text", None),
    "Jet_pt[m]": ("QL-EXPR-001", "no column `m`", None),
    "hits[Jet_id]": ("QL-EXPR-011", "loops over its index and over `hits`", "give all 2 indices"),
    "hits[][Jet_id]": ("QL-EXPR-011", "loops over its index and over `hits`", "give all 2"),
    "hits[Iteration$]": ("QL-EXPR-011", "loops over its index", "give all 2 indices"),
    "Sum$()": ("QL-EXPR-005", "`Sum$` takes 1 argument, not 0", None),
    "Max$(a, n)": ("QL-EXPR-005", "`Max$` takes 1 argument", "`MaxIf$(x, condition)`"),
    "Alt$(Jet_pt[1])": ("QL-EXPR-005", "`Alt$` takes 2 arguments, not 1", None),
    "TMath::Gaus()": ("QL-EXPR-005", "takes 1 to 4 arguments, not 0", None),
    "Sum(Jet_pt)": ("QL-EXPR-006", "no function `Sum`", "`Sum$`"),
    "Sum$(Type)": ("QL-EXPR-010", "`Type` is text", None),
    "Alt$(Jet_pt[1], Jet_pt)": ("QL-EXPR-012", "not one number for every event", "Alt$(Jet_pt, 0)"),
    "Alt$(Jet_pt[1], Jet_pt[0])": ("QL-EXPR-012", "second value", "Alt$(Jet_pt[0], 0))`"),
    "length$ > 2": ("QL-EXPR-001", "no column `length$`", "`Length$`"),
    "Entry$ % 2": ("QL-EXPR-020", "these events have no entry number", "identifies events"),
    "Sum$(Jet_pt * (LocalEntry$ > 2))": ("QL-EXPR-020", "`LocalEntry$` has no meaning", None),
    "@Jet_pt": ("QL-EXPR-012", "`@Jet_pt` is no number", "`@Jet_pt.size()`"),
    "@Jet_pt.empty()": ("QL-EXPR-012", "methods cannot be called", "`@x.size()`"),
    "@hits[0].size()": ("QL-EXPR-012", "not known for single elements", None),
    "hits[0]@.size()": ("QL-EXPR-012", "is no number", "`Length$(hits[0])`"),
    "Jet_pt.size()": ("QL-EXPR-012", "not known for single elements", "`@Jet_pt.size()`"),
    "@a.size()": ("QL-EXPR-011", "no collection of varying length", "`Length$(a)`"),
    "@v.size()": ("QL-EXPR-011", "no collection of varying length", "`Length$(v)`"),
    "@Jets.size()": ("QL-EXPR-001", "no column `Jets`", None),
    "(int)(a / 2)": ("QL-EXPR-012", "a cast of a column only, and ignores it", "`int(a / 2)`"),
    "(int)2.5": ("QL-EXPR-012", "a cast of a column only", "`int(2.5)`"),
    "(int)Type": ("QL-EXPR-010", "`Type` is text", None),
    "a >> h": ("QL-EXPR-012", "`>>` shifts bits here", "`--bins N,LO,HI`"),
    "a >> h(100, 0, 1)": ("QL-EXPR-012", "`h(100, 0, 1)` is no number", "`--bins N,LO,HI`"),
}


@pytest.mark.parametrize("text", MEANT)
def test_kind_depth_and_columns(text, schema):
    expression = compile_expression(text, schema)
    assert (expression.kind, expression.depth, set(expression.columns)) == MEANT[text]


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_refused_in_words(text, schema):
    code, message, suggestion = REFUSED[text]
    with pytest.raises(InputError) as refused:
        compile_expression(text, schema)
    finding = refused.value.findings[0]
    assert finding.code == code
    assert message in finding.message
    assert (suggestion or "") in (finding.suggestion or "")


def test_everything_wrong_is_said_at_once(schema):
    with pytest.raises(InputError) as refused:
        compile_expression("Jet_ptt > 1 && abs(a, b) && v[7] && Jet_ptt > 2", schema, label="cut")
    assert [finding.code for finding in refused.value.findings] == [
        "QL-EXPR-001",
        "QL-EXPR-005",
        "QL-EXPR-011",
        "QL-EXPR-001",
    ]
    assert {finding.place.label for finding in refused.value.findings} == {"cut"}


def test_entry_numbers_are_allowed_where_events_have_one(schema):
    expression = compile_expression("Entry$ + LocalEntry$ > Entries$ / 2", schema, numbered=True)
    assert (expression.kind, expression.columns) == ("boolean", set())


def test_a_column_goes_before_a_constant(schema):
    with_pi = type(schema)({"pi": schema["n"]}, 1)
    assert compile_expression("pi + 1", with_pi).kind == "integer"


def test_clauses_are_what_and_joins(schema):
    cut = compile_expression("(a > 1 && Jet_pt[0] > 2) and (flag || n) && Jet_pt > 3", schema)
    assert [clause.text for clause in cut.clauses] == [
        "a > 1",
        "Jet_pt[0] > 2",
        "(flag || n)",
        "Jet_pt > 3",
    ]
    assert [clause.depth for clause in cut.clauses] == [0, 0, 0, 1]
    assert [set(clause.columns) for clause in cut.clauses] == [
        {"a"},
        {"Jet_pt"},
        {"flag", "n"},
        {"Jet_pt"},
    ]
