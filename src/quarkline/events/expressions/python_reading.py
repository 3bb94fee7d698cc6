"""Whether Python would read an expression in another way than ROOT does."""

from __future__ import annotations

from typing import Any

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.events.expressions import nodes
from quarkline.events.expressions.grammar import PYTHON
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.parser import parse_with
from quarkline.events.expressions.places import place_in

READS_DIFFERENTLY = Rule(
    "QL-EXPR-009",
    "ROOT and Python read the expression alike",
    "ROOT's order of operators is used always. It differs from Python's for `&` and `|` next to "
    "comparisons (`a == 2 & b > 0`), for `not a == b`, for `%` next to `*` and `/` "
    "(`7 % 4 * 3` is `7 % 12` in ROOT, unlike in C too), for powers of powers, and for shifts "
    "next to sums. Brackets make both agree.",
    Severity.WARNING,
)


def python_reading(text: str, tree: Node) -> Finding | None:
    """A warning if Python's precedence gives another value than ROOT's."""
    other = parse_with(text, PYTHON)
    if _normal(other) == _normal(tree):
        return None
    ours, theirs = _smallest_difference(tree, other)
    return READS_DIFFERENTLY.finding(
        f"ROOT reads `{ours}`, Python would read `{theirs}`",
        place=place_in(text, ours.span),
        suggestion="write the brackets of the reading you mean",
    )


def _smallest_difference(ours: Node, theirs: Node) -> tuple[Node, Node]:
    """The only parts in which two readings differ, or the whole."""
    while _own(ours) == _own(theirs) and len(ours.children) == len(theirs.children):
        pairs = zip(ours.children, theirs.children, strict=True)
        different = [pair for pair in pairs if _normal(pair[0]) != _normal(pair[1])]
        if len(different) != 1:
            break
        ours, theirs = different[0]
    return ours, theirs


Normal = tuple[Any, ...]


def _normal(node: Node) -> Normal:
    """A form in which readings that differ only in rounding are equal."""
    match node:
        case nodes.Chain("+", _) | nodes.Binary("-", _, _):
            return ("sum", *_terms(node, 1))
        case nodes.Chain("*", _) | nodes.Binary("/", _, _) | nodes.Unary("-", _):
            factors = _factors(node, 1)
            signs = sum(factor == _MINUS for factor in factors)
            rest = [factor for factor in factors if factor != _MINUS]
            return ("product", signs % 2, *rest)
    return (*_own(node), *(_normal(child) for child in node.children))


def _own(node: Node) -> Normal:
    """What a node is, apart from its children."""
    values = (value for value in vars(node).values() if isinstance(value, str | float | bool))
    return (type(node).__name__, *values)


_MINUS = ("minus",)


def _terms(node: Node, sign: int) -> list[Normal]:
    match node:
        case nodes.Chain("+", operands):
            return [term for operand in operands for term in _terms(operand, sign)]
        case nodes.Binary("-", left, right):
            return [*_terms(left, sign), *_terms(right, -sign)]
    return [(sign, _normal(node))]


def _factors(node: Node, exponent: int) -> list[Normal]:
    match node:
        case nodes.Chain("*", operands):
            return [factor for operand in operands for factor in _factors(operand, exponent)]
        case nodes.Binary("/", left, right):
            return [*_factors(left, exponent), *_factors(right, -exponent)]
        case nodes.Unary("-", operand):
            return [_MINUS, *_factors(operand, exponent)]
    return [(exponent, _normal(node))]
