"""Warnings that need no events: clauses that never or always hold, elements that may be missing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.events.expressions import nodes
from quarkline.events.expressions.check import Meaning
from quarkline.events.expressions.comparisons import Comparison, comparison_in
from quarkline.events.expressions.evaluate import constant
from quarkline.events.expressions.kinds import ResultKind
from quarkline.events.expressions.leaves import (
    ENTRY_NAMES,
    INSTANCE_NAMES,
    leaves_of,
    shared_operands,
)
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.places import place_in
from quarkline.events.expressions.sentinels import written_sentinels

NEVER = Rule(
    "QL-EXPR-007",
    "a clause can be true",
    "The comparisons of a clause exclude each other, such as `x >= 3 && x <= 1`, so that no event "
    "can pass it. Usually two bounds are swapped or `&&` stands for `||`.",
    Severity.WARNING,
)
CONSTANT = Rule(
    "QL-EXPR-008",
    "a clause depends on the event",
    "A condition is the same for every event: it compares constants, or its alternatives cover "
    "every value, such as `x != 1 || x != 2`. Usually `||` stands for `&&`, or a name was "
    "replaced by its value.",
    Severity.WARNING,
)
DROPS = Rule(
    "QL-EXPR-015",
    "an element that may be missing decides no other clause",
    "In ROOT, and here, an event without the element `x[2]` gives nothing for the whole "
    "expression, even where the other side of `||`, a `!` or the other value of `? :` would not "
    "need it. Ask for the element only where every event must have it, or write "
    "`Alt$(x[2], VALUE)` with the value such events should have.",
    Severity.WARNING,
)
CAST = Rule(
    "QL-EXPR-018",
    "a cast changes the value",
    "ROOT reads `(int)x` and ignores the cast: the value is that of `x`, with its fraction. The "
    "function `int(x)` cuts to a whole number, in ROOT too.",
    Severity.WARNING,
)

_OPPOSITE = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Bounds:
    """The values that comparisons with constants leave, as an interval without some points."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    without: frozenset[float] = frozenset()

    def and_(self, operator: str, value: float) -> Bounds:
        """The values left by one more comparison."""
        if operator == "!=":
            return replace(self, without=self.without | {value})
        after = self
        if operator in {">", ">=", "=="} and (value, operator == ">") > (self.low, self.low_open):
            after = replace(after, low=value, low_open=operator == ">")
        if operator in {"<", "<=", "=="} and (-value, operator == "<") > (
            -self.high,
            self.high_open,
        ):
            after = replace(after, high=value, high_open=operator == "<")
        return after

    def empty(self, *, whole: bool) -> bool:
        """Whether nothing is left; `whole` if the values are whole numbers."""
        if not whole:
            hole = self.low_open or self.high_open or self.low in self.without
            return self.low > self.high or (self.low == self.high and hole)
        low = math.ceil(self.low) if math.isfinite(self.low) else self.low
        high = math.floor(self.high) if math.isfinite(self.high) else self.high
        low += self.low_open and low == self.low
        high -= self.high_open and high == self.high
        return low > high or (high - low < len(self.without) and _covered(low, high, self.without))


def _covered(low: float, high: float, without: frozenset[float]) -> bool:
    return all(low + step in without for step in range(int(high - low) + 1))


def static_warnings(text: str, tree: Node, meaning: Meaning) -> list[Finding]:
    """What can be said about a checked tree without reading events."""
    return [
        *_contradictions(text, tree, meaning),
        *_constants(text, tree, meaning),
        *_dropped(text, tree, meaning),
        *_casts(text, tree),
        *written_sentinels(text, tree),
    ]


def contradictions_between(cuts: Sequence[Node], meaning: Meaning) -> list[Finding]:
    """What can be said about cuts that are applied together: each may be true, and never all.

    Args:
        cuts: Trees that were checked.
        meaning: What all of them mean.
    """
    clauses = [nodes.clauses(cut, "&&") for cut in cuts]
    possible = [own for own in clauses if not _exhausted(map(comparison_in, own), meaning)]
    joined = [(clause, comparison_in(clause)) for own in possible for clause in own]
    subject = _exhausted((comparison for _, comparison in joined), meaning)
    if subject is None:
        return []
    about = [str(clause) for clause, found in joined if found and found.subject == subject]
    message = f"`{' && '.join(about)}` can never be true: no `{subject}` satisfies it"
    hint = "check the bounds of these cuts, which an event has to pass together"
    return [NEVER.finding(message, place=Place(label="cuts"), suggestion=hint)]


def _contradictions(text: str, tree: Node, meaning: Meaning) -> Iterator[Finding]:
    for node in _groups(tree, "&&"):
        clauses = [comparison_in(clause) for clause in nodes.clauses(node, "&&")]
        if subject := _exhausted(clauses, meaning):
            message = f"`{node}` can never be true: no `{subject}` satisfies it"
            hint = "check the bounds, or whether `||` is meant"
            yield NEVER.finding(message, place=place_in(text, node.span), suggestion=hint)
    for node in _groups(tree, "||"):
        opposites = [_negated(comparison_in(clause)) for clause in nodes.clauses(node, "||")]
        if subject := _exhausted(opposites, meaning):
            message = f"`{node}` is always true: every `{subject}` satisfies it"
            hint = "check the bounds, or whether `&&` is meant"
            yield CONSTANT.finding(message, place=place_in(text, node.span), suggestion=hint)


def _groups(tree: Node, operator: str) -> Iterator[Node]:
    """Chains of an operator, and comparisons that are not in one."""
    inside: set[int] = set()
    for node in nodes.walk(tree):
        chain = isinstance(node, nodes.Chain) and node.operator == operator
        if chain:
            inside.update(id(operand) for operand in node.children)
        if id(node) not in inside and (chain or comparison_in(node)):
            yield node


def _negated(comparison: Comparison | None) -> Comparison | None:
    return comparison and replace(comparison, operator=_OPPOSITE[comparison.operator])


def _exhausted(comparisons: Iterable[Comparison | None], meaning: Meaning) -> Node | None:
    """A subject for which no value satisfies all of its comparisons."""
    left: dict[Node, Bounds] = {}
    for comparison in comparisons:
        if comparison is None:
            continue
        subject = comparison.subject
        bounds = left.get(subject) or _possible(subject, meaning)
        left[subject] = bounds.and_(comparison.operator, comparison.value)
    for subject, bounds in left.items():
        if bounds.empty(whole=meaning.kinds[subject] is not ResultKind.REAL):
            return subject
    return None


def _possible(subject: Node, meaning: Meaning) -> Bounds:
    """The values a subject can have, from its type."""
    if meaning.kinds[subject] is ResultKind.BOOLEAN:
        return Bounds(0, 1)
    leaf = meaning.leaves.get(subject)
    natural = leaf and (leaf.whole or leaf.column.dtype.startswith("uint"))
    return Bounds(low=0) if natural else Bounds()


def _constants(text: str, tree: Node, meaning: Meaning) -> Iterator[Finding]:
    """Conditions without columns."""
    for node in _conditions(tree, meaning):
        if _varies(node, meaning):
            continue
        truth = "true" if constant(node) else "false"
        yield CONSTANT.finding(
            f"`{node}` is always {truth}: it has no column in it",
            place=place_in(text, node.span),
            suggestion="leave the clause out",
        )


def _conditions(tree: Node, meaning: Meaning) -> Iterator[Node]:
    """Where a truth value is used; of nested constant ones, the outermost only."""
    if meaning.kinds[tree] is ResultKind.BOOLEAN:
        yield tree
    for node in nodes.walk(tree):
        if not _varies(node, meaning):
            continue
        match node:
            case nodes.Chain("&&" | "||", operands):
                yield from operands
            case nodes.Unary("!", operand):
                yield operand
            case nodes.Conditional(condition, _, _):
                yield condition


def _varies(tree: Node, meaning: Meaning) -> bool:
    """Whether a tree has columns, counters or functions that loop."""
    if next(leaves_of(tree, meaning.leaves), None):
        return True
    return any(
        (isinstance(node, nodes.Name) and node.name in ENTRY_NAMES | INSTANCE_NAMES)
        or (isinstance(node, nodes.Call) and node.function.endswith("$"))
        for node in nodes.walk(tree)
    )


def _dropped(text: str, tree: Node, meaning: Meaning) -> Iterator[Finding]:
    """Elements that may be missing, where the expression does not need them for every event."""
    needed: dict[Node, bool] = {}
    pending = [(tree, True)]
    while pending:
        node, always = pending.pop()
        if (leaf := meaning.leaves.get(node)) and leaf.may_lack:
            needed[node] = needed.get(node, False) or always
        optional = {id(operand) for operand in _optional(node)}
        below = leaf.computed if leaf else shared_operands(node)
        pending.extend((child, always and id(child) not in optional) for child in below)
    for node, always in needed.items():
        if not always:
            yield DROPS.finding(
                f"an event without `{node}` gives nothing, whatever the rest of the expression is",
                place=place_in(text, node.span),
                suggestion=f"this is ROOT's rule; `Alt$({node}, VALUE)` gives them a value",
            )


def _optional(node: Node) -> tuple[Node, ...]:
    """The operands whose value may not matter, or matters by being false."""
    match node:
        case nodes.Chain("||", operands):
            return operands
        case nodes.Unary("!", operand):
            return (operand,)
        case nodes.Conditional(_, yes, no):
            return (yes, no)
    return ()


def _casts(text: str, tree: Node) -> Iterator[Finding]:
    """Casts, which change nothing."""
    for node in nodes.walk(tree):
        if isinstance(node, nodes.Cast):
            yield CAST.finding(
                f"`{node}` is `{node.operand}`: ROOT ignores casts",
                place=place_in(text, node.span),
                suggestion=f"`int({node.operand})` cuts to a whole number",
            )
