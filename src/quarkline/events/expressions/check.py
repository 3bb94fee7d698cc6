"""What an expression means on a given table: its columns, result kind, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from quarkline.engine.core.findings import Finding, InputError, Rule, did_you_mean, nearest
from quarkline.events.expressions import nodes
from quarkline.events.expressions.functions import CONSTANTS, FUNCTIONS, ResultKind
from quarkline.events.expressions.grammar import COMPARISONS
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.places import place_in
from quarkline.events.schema import Column, Schema

UNKNOWN_COLUMN = Rule(
    "QL-EXPR-001",
    "the columns of an expression exist in the table",
    "Names are those `quarkline inspect FILE` lists; upper and lower case differ. Members of "
    "objects are spelt with dots, as in `jets.fPt`.",
)
ARITY = Rule(
    "QL-EXPR-005",
    "a function gets as many arguments as it takes",
    "Functions take a fixed number of arguments, listed in the reference of expressions.",
)
UNKNOWN_FUNCTION = Rule(
    "QL-EXPR-006",
    "the functions of an expression exist",
    "The reference of expressions lists the functions: those of ROOT's selections and the common "
    "ones of `TMath::`.",
)
TEXT = Rule(
    "QL-EXPR-010",
    "text is only compared with text",
    "A column of strings, or a quoted text, can stand on either side of `==` and `!=` with another "
    'text: `Type == "GG"`. It has no number to compute with.',
)
INDEX = Rule(
    "QL-EXPR-011",
    "an index is a whole number from 0 on",
    "`x[0]` is the first element of an array column. ROOT reads memory outside the array for a "
    "negative index, and cuts a fractional one; both are refused here.",
)
NOT_YET = Rule(
    "QL-EXPR-012",
    "the expression uses what can be evaluated",
    "The text is understood and means the same as in ROOT, but this construct cannot be evaluated "
    "yet.",
)

SPECIAL_NAMES = frozenset(
    {"Entry$", "Entries$", "LocalEntry$", "LocalEntries$", "Iteration$", "Length$"}
)
SPECIAL_FUNCTIONS = frozenset({"Sum$", "Min$", "Max$", "MinIf$", "MaxIf$", "Length$", "Alt$"})
LOGICAL = frozenset({"&&", "||"})
BITWISE = frozenset({"&", "|"})
SHIFTS = frozenset({"<<", ">>"})


@dataclass(frozen=True)
class Leaf:
    """A column where it stands in an expression.

    Attributes:
        column: The column.
        indices: Fixed indices of its first dimensions.
        free: Number of dimensions that are looped over.
    """

    column: Column
    indices: tuple[int, ...] = ()
    free: int = 0

    @property
    def may_lack(self) -> bool:
        """Whether an event can be without the element."""
        return bool(self.indices[: self.column.depth])


@dataclass
class Meaning:
    """What the checks have found out.

    Attributes:
        leaves: Leaf by the node that stands for it.
        kinds: Result kind by node.
        findings: What is wrong.
    """

    leaves: dict[Node, Leaf] = field(default_factory=dict)
    kinds: dict[Node, ResultKind] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def check(text: str, tree: Node, schema: Schema) -> Meaning:
    """Find the columns of a tree and the kind of every node.

    Raises:
        InputError: With all findings, if a name is unknown, an arity or index is wrong, text is
            computed with, or a construct cannot be evaluated yet.
    """
    checker = _Checker(text, schema)
    if checker.kind(tree) is ResultKind.TEXT:
        checker.refuse(TEXT, tree, f"`{tree}` is text, not a number", 'compare it: `x == "value"`')
    if checker.meaning.findings:
        raise InputError(*checker.meaning.findings)
    return checker.meaning


class _Checker:
    def __init__(self, text: str, schema: Schema) -> None:
        self.text, self.schema = text, schema
        self.meaning = Meaning()

    def refuse(self, rule: Rule, node: Node, message: str, suggestion: str | None = None) -> None:
        place = place_in(self.text, node.span)
        finding = rule.finding(message, place=place, suggestion=suggestion)
        if finding not in self.meaning.findings:
            self.meaning.findings.append(finding)

    def not_yet(self, node: Node, what: str, suggestion: str | None = None) -> ResultKind:
        self.refuse(NOT_YET, node, f"`{node}`: {what} not supported yet", suggestion)
        return ResultKind.REAL

    def kind(self, node: Node) -> ResultKind:
        found = self._kind(node)
        self.meaning.kinds[node] = found
        return found

    def _kind(self, node: Node) -> ResultKind:
        match node:
            case nodes.Number(value):
                return ResultKind.INTEGER if value.is_integer() else ResultKind.REAL
            case nodes.Boolean():
                return ResultKind.BOOLEAN
            case nodes.Text():
                return ResultKind.TEXT
            case nodes.Name() | nodes.Index() | nodes.Member():
                return self._column(node)
            case nodes.Call():
                return self._call(node)
            case nodes.Unary(operator, operand):
                kind = self._number(operand)
                return ResultKind.BOOLEAN if operator == "!" else _joint(kind, ResultKind.INTEGER)
            case nodes.Binary():
                return self._binary(node)
            case nodes.Chain(operator, operands):
                kinds = [self._number(operand) for operand in operands]
                return _chained(operator, kinds)
            case nodes.Conditional(condition, yes, no):
                self._number(condition)
                return _joint(self._number(yes), self._number(no))
            case nodes.Cast():
                return self.not_yet(node, "casts are", "use `int(x)` to cut to a whole number")
            case nodes.Method() | nodes.Container():
                return self.not_yet(node, "methods and whole collections are")
        raise TypeError(node)

    def _number(self, node: Node) -> ResultKind:
        """The kind of an operand that has to be a number."""
        kind = self.kind(node)
        if kind is not ResultKind.TEXT:
            return kind
        self.refuse(TEXT, node, f"`{node}` is text; nothing can be computed with it")
        return ResultKind.REAL

    def _binary(self, node: nodes.Binary) -> ResultKind:
        operator = node.operator
        if operator in SHIFTS:
            hint = "ROOT's `x>>h(N,LO,HI)` is `--bins N,LO,HI`" if operator == ">>" else None
            return self.not_yet(node, "shifts are", hint)
        if operator in {"==", "!="}:
            kinds = (self.kind(node.left), self.kind(node.right))
            if kinds.count(ResultKind.TEXT) == 1:
                shown = f"`{node}` compares text with a number"
                self.refuse(TEXT, node, shown, 'quote the text: `x == "value"`')
            return ResultKind.BOOLEAN
        joint = _joint(self._number(node.left), self._number(node.right))
        if operator in COMPARISONS:
            return ResultKind.BOOLEAN
        if operator == "%":
            return ResultKind.INTEGER
        return ResultKind.REAL if operator in {"/", "^"} else _joint(joint, ResultKind.INTEGER)

    def _call(self, node: nodes.Call) -> ResultKind:
        name, arguments = node.function, node.arguments
        kinds = [self._number(argument) for argument in arguments]
        if name in SPECIAL_FUNCTIONS:
            return self.not_yet(node, f"`{name}` is")
        function = FUNCTIONS.get(name)
        if function is None:
            self._unknown_function(node)
            return ResultKind.REAL
        if len(arguments) != function.arity:
            takes = f"takes {_counted(function.arity, 'argument')}, not {len(arguments)}"
            self.refuse(ARITY, node, f"`{name}` {takes}", _arity_hint(name, len(arguments)))
            return ResultKind.REAL
        return function.result or _joint(*kinds, ResultKind.INTEGER)

    def _unknown_function(self, node: nodes.Call) -> None:
        name = node.function
        hint = did_you_mean(name.removeprefix("std::"), FUNCTIONS, what="functions")
        if name in self.schema:
            hint = f"`{name}` is a column: an element of it is `{name}[0]`"
        self.refuse(UNKNOWN_FUNCTION, node, f"there is no function `{name}`", hint)

    def _column(self, node: Node) -> ResultKind:
        name, indices = _path(node)
        if name is None:
            self.refuse(INDEX, node, f"`{node}`: only columns have elements and members")
            return ResultKind.REAL
        if not indices and name in CONSTANTS and name not in self.schema:
            return ResultKind.REAL
        if name in SPECIAL_NAMES:
            return self.not_yet(node, f"`{name}` is")
        if name not in self.schema:
            self._unknown(node, name)
            return ResultKind.REAL
        column = self.schema[name]
        fixed = self._fixed(node, column, indices)
        if fixed is not None:
            free = column.depth + len(column.shape) - len(fixed)
            self.meaning.leaves[node] = Leaf(column, fixed, free)
        return _kind_of(column)

    def _fixed(
        self, node: Node, column: Column, indices: tuple[Node | None, ...]
    ) -> tuple[int, ...] | None:
        """The indices as numbers; None if one of them is refused."""
        values = [self._index(node, index) for index in indices]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return None
        sizes: list[float] = [math.inf] * column.depth + list(column.shape)
        # As in ROOT, a single value is also its own element 0.
        ones = [1.0] * (len(known) - len(sizes))
        for value, size in zip(known, sizes + ones, strict=False):
            if value >= size:
                held = f"`{column.name}` has {_counted(int(size), 'element')} there"
                self.refuse(INDEX, node, f"`{node}` asks for element {value}; {held}")
                return None
        return tuple(known[: len(sizes)])

    def _index(self, node: Node, index: Node | None) -> int | None:
        if index is None:
            self.not_yet(node, "empty brackets are", "leave them out to loop over the elements")
        elif isinstance(index, nodes.Number) and index.value.is_integer():
            return int(index.value)
        elif isinstance(index, nodes.Number) or (
            isinstance(index, nodes.Unary) and isinstance(index.operand, nodes.Number)
        ):
            shown = f"`{index}` is no index: elements count 0, 1, 2, ..."
            self.refuse(INDEX, index, shown)
        else:
            self.not_yet(node, "an index that is computed is")
        return None

    def _unknown(self, node: Node, name: str) -> None:
        unreadable = self.schema.metadata.get("unreadable", {})
        if isinstance(unreadable, Mapping) and name in unreadable:
            message = f"column `{name}` cannot be read: {unreadable[name]}"
            self.refuse(UNKNOWN_COLUMN, node, message)
            return
        where = f"tree `{self.schema.tree}`" if self.schema.tree else "the table"
        hint = did_you_mean(name, self.schema.columns, what="columns")
        if name in FUNCTIONS and not nearest(name, self.schema.columns):
            hint = f"`{name}` is a function: write `{name}(...)`"
        self.refuse(UNKNOWN_COLUMN, node, f"{where} has no column `{name}`", hint)


def _path(node: Node) -> tuple[str | None, tuple[Node | None, ...]]:
    """Column name and indices of `x`, `x[0]`, `jets.fPt[0]` or `jets[0].fPt`."""
    match node:
        case nodes.Name(name):
            return name, ()
        case nodes.Index(base, indices):
            owner, before = _path(base)
            return owner, before + indices
        case nodes.Member(base, member):
            owner, before = _path(base)
            return owner and f"{owner}.{member}", before
    return None, ()


def _kind_of(column: Column) -> ResultKind:
    if column.dtype == "string":
        return ResultKind.TEXT
    if column.dtype == "bool":
        return ResultKind.BOOLEAN
    return ResultKind.INTEGER if "int" in column.dtype else ResultKind.REAL


_ORDER = (ResultKind.BOOLEAN, ResultKind.INTEGER, ResultKind.REAL)


def _joint(*kinds: ResultKind) -> ResultKind:
    """The narrowest kind that holds all of them."""
    return max(kinds, key=_ORDER.index)


def _chained(operator: str, kinds: list[ResultKind]) -> ResultKind:
    if operator in LOGICAL:
        return ResultKind.BOOLEAN
    if operator in BITWISE:
        both = all(kind is ResultKind.BOOLEAN for kind in kinds)
        return ResultKind.BOOLEAN if both else ResultKind.INTEGER
    return _joint(*kinds, ResultKind.INTEGER)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" + "s" * (number != 1)


def _arity_hint(name: str, given: int) -> str | None:
    if name in {"min", "max"} and given == 1:
        return f"the {name}imum over the elements of one column is `{name.capitalize()}$(x)`"
    if name in {"min", "max"}:
        return f"nest it: `{name}(a, {name}(b, c))`"
    return None
