"""From texts to trees: precedence, spellings, and what is refused with which words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import nodes, parse
from tests.events.expressions.strategies import near_expressions, trees

READ = {
    "1 + 2 * 3": "1 + (2 * 3)",
    "a - b + c - d": "(a - b) + (c - d)",
    "a * b / c * d": "a * (b / c) * d",
    "2 ^ 3 ^ 2": "(2 ^ 3) ^ 2",
    "-2 ^ 2": "-(2 ^ 2)",
    "2 ^ -1": "2 ^ (-1)",
    "7 % 4 * 3": "7 % (4 * 3)",
    "7 % 4 % 3": "7 % (4 % 3)",
    "a % b + c": "(a % b) + c",
    "-a % b": "-(a % b)",
    "1 + 1 << 4": "1 + (1 << 4)",
    "!x == y": "(!x) == y",
    "!a && b": "(!a) && b",
    "!-a": "!(-a)",
    "a || b && c": "a || (b && c)",
    "a | b & c": "a | (b & c)",
    "a == 2 & b > 0": "(a == 2) & (b > 0)",
    "a & 3 == 1": "a & (3 == 1)",
    "a + 1 > b * 2": "(a + 1) > (b * 2)",
    "a > 0 ? 1 : b > 0 ? 2 : 3": "(a > 0) ? 1 : ((b > 0) ? 2 : 3)",
    "a ? b ? 1 : 2 : 3": "a ? (b ? 1 : 2) : 3",
    "a ? b : c || d": "a ? b : (c || d)",
    "x[1].fPt * 2": "x[1].fPt * 2",
    "@jets.size() > 2": "@jets.size() > 2",
    "x@.size()": "@x.size()",
    "jets.fTracks.Pt(1)[2]": "jets.fTracks.Pt(1)[2]",
    "x[y[0]][]": "x[y[0]][]",
    "(int)x / 2": "((int)x) / 2",
    "TMath::Max(a, Sum$(b * 2))": "TMath::Max(a, Sum$(b * 2))",
    "AuxDyn.pt[0] / 1e3": "AuxDyn.pt[0] / 1000",
    "1.5e-3 + .5 + 5. + 0x10": "0.0015 + 0.5 + 5 + 16",
    "+a": "a",
    "a\n  && b": "a && b",
    "'GG' == Type": '"GG" == Type',
}

ALIKE = {
    "a && b || !c": "a and b or not c",
    "a ^ 2": "a ** 2",
    "true && a || false": "True and a or False",
    "!(a == 1) && b": "not (a == 1) and b",
    "((a))": "a",
}

REFUSED = {
    "": ("QL-EXPR-014", "empty", None),
    " \n ": ("QL-EXPR-014", "empty", None),
    "a +": ("QL-EXPR-002", "the expression ends where a value", None),
    "a b": ("QL-EXPR-002", "`b` stands after the end", None),
    "(a": ("QL-EXPR-002", "`(` is never closed", "`)`"),
    "x[1": ("QL-EXPR-002", "`[` is never closed", "`]`"),
    "f(a, b": ("QL-EXPR-002", "`(` is never closed", "`)`"),
    "a)": ("QL-EXPR-002", "`)` stands after the end", None),
    "f(a,)": ("QL-EXPR-002", "`)` stands where a value", None),
    "(a]": ("QL-EXPR-002", "`]` stands where `)` should stand", None),
    "a ? b": ("QL-EXPR-002", "the expression ends where `:` should stand", None),
    "y:x": ("QL-EXPR-002", "`:` stands after the end", "one expression is drawn at a time"),
    "2x": ("QL-EXPR-002", "`2x` is neither a number nor a name", "a product needs `*`"),
    "1.2.3": ("QL-EXPR-002", "`1.2.3` is neither", None),
    "1e999": ("QL-EXPR-002", "larger than any double", None),
    "a // b": ("QL-EXPR-002", "`/` stands", "int(a / b)"),
    "a if b else c": ("QL-EXPR-002", "`if` stands", "condition ? yes : no"),
    "x in y": ("QL-EXPR-002", "`in` stands", "x == 1 || x == 2"),
    "~a": ("QL-EXPR-002", "`~` has no meaning", "`!x`"),
    '"GG == a': ("QL-EXPR-002", "no meaning", "no closing quote"),
    "@3": ("QL-EXPR-002", "after `@`", None),
    "a = 2": ("QL-EXPR-004", "`=` is not an operator", "did you mean `==`?"),
    "a => 2": ("QL-EXPR-004", "`=>` is not an operator", "did you mean `>=`?"),
    "a += 2": ("QL-EXPR-004", "`+=` is not an operator", None),
    "1 < a < 3": ("QL-EXPR-003", "compares twice", "`1 < a && a < 3`"),
    "a < b == c": ("QL-EXPR-003", "compares twice", "`(a < b) == c`"),
    "x > 1 && 3 < y <= 4": ("QL-EXPR-003", "`3 < y <= 4`", "`3 < y && y <= 4`"),
    "(" * 5000 + "a" + ")" * 5000: ("QL-EXPR-013", "more than 120 levels", None),
    "!" * 5000 + "a": ("QL-EXPR-013", "more than 120 levels", None),
    "a-" * 5000 + "a": ("QL-EXPR-013", "more than 120 levels", None),
    "a?" * 5000 + "a": ("QL-EXPR-013", "more than 120 levels", None),
    "a+" * 30_000 + "a": ("QL-EXPR-013", "60001 characters", None),
}


@pytest.mark.parametrize("text", READ)
def test_operators_bind_as_in_root(text):
    assert str(parse(text)) == READ[text]
    assert parse(READ[text]) == parse(text)


@pytest.mark.parametrize("text", ALIKE)
def test_spellings_of_c_and_python_give_one_tree(text):
    assert parse(ALIKE[text]) == parse(text)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_what_is_no_expression_is_refused_in_words(text):
    code, message, suggestion = REFUSED[text]
    with pytest.raises(InputError) as refused:
        parse(text)
    (finding,) = refused.value.findings
    assert finding.code == code
    assert message in finding.message
    assert (suggestion or "") in (finding.suggestion or "")


def test_a_finding_marks_the_characters():
    with pytest.raises(InputError) as refused:
        parse("abs(a) > 2 && 1 < b < 3")
    excerpt = str(refused.value).splitlines()
    column = excerpt[1].index("1 < b < 3")
    assert excerpt[2].index("^") == column
    assert excerpt[2].count("^") == len("1 < b < 3")


def test_a_long_text_is_cut_around_the_marker():
    text = " || ".join(f"channel == {number}" for number in range(300)) + " || 1 < b < 3"
    with pytest.raises(InputError) as refused:
        parse(text)
    excerpt = str(refused.value).splitlines()
    column = excerpt[1].index("1 < b < 3")
    assert excerpt[2].index("^") == column
    assert max(map(len, excerpt[1:3])) < 110


def test_spans_of_members_end_with_their_name():
    tree = parse("jets[0].fP.fX")
    members = [node for node in nodes.walk(tree) if isinstance(node, nodes.Member)]
    assert [node.span for node in members] == [(0, 13), (0, 10)]


def test_a_chain_may_be_long():
    text = " || ".join(f"channel == {number}" for number in range(2000))
    tree = parse(text)
    assert isinstance(tree, nodes.Chain)
    assert len(tree.operands) == 2000
    assert parse(str(tree)) == tree


@given(trees)
@settings(max_examples=200, deadline=None)
def test_the_canonical_text_gives_the_same_tree(tree):
    assert parse(str(tree)) == tree


@given(trees, st.data())
@settings(max_examples=100, deadline=None)
def test_spans_name_the_text_of_their_node(tree, data):
    text = str(tree)
    node = data.draw(st.sampled_from(list(nodes.walk(parse(text)))))
    assert parse(text[slice(*node.span)]) == node


@given(near_expressions | st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_a_text_is_read_or_refused_and_nothing_else(text):
    try:
        tree = parse(text)
    except InputError:
        return
    assert parse(str(tree)) == tree
