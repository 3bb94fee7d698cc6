"""What an expression means on a given table: its columns, result kind, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field

from quarkline.engine.core.findings import Finding, InputError, Rule, did_you_mean
from quarkline.events.expressions import nodes
from quarkline.events.expressions.columns import INDEX, ColumnReader
from quarkline.events.expressions.functions import CONSTANTS, FUNCTIONS
from quarkline.events.expressions.grammar import COMPARISONS
from quarkline.events.expressions.kinds import ResultKind
from quarkline.events.expressions.leaves import (
    ALTERNATIVE,
    ENTRY_NAMES,
    INSTANCE_NAMES,
    Leaf,
    counts_instances,
    looped_leaves,
)
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.places import place_in
from quarkline.events.expressions.reduce import REDUCERS
from quarkline.events.schema import Schema

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
UNDEFINED = Rule(
    "QL-EXPR-012",
    "the expression uses what ROOT gives a value",
    "Some texts that look like expressions have no value in ROOT: a cast of something computed, a "
    "method other than `@x.size()`, an `Alt$` whose second value may be missing itself. They are "
    "refused with what to write instead.",
)
NO_ENTRY = Rule(
    "QL-EXPR-020",
    "entry numbers are used where events have one",
    "`Entry$` and its like count the entries of the files that are read. Events that were selected "
    "or combined before have no entry any more, and a selection by entry number would not mean "
    "the same on a skim.",
)

LOGICAL = frozenset({"&&", "||"})
BITWISE = frozenset({"&", "|"})
SHIFTS = frozenset({"<<", ">>"})


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


def check(text: str, tree: Node, schema: Schema, *, numbered: bool = False) -> Meaning:
    """Find the columns of a tree and the kind of every node.

    Args:
        text: The text of the tree.
        tree: The tree.
        schema: The table's columns.
        numbered: Whether the events will have entry numbers, for `Entry$` and its like.

    Raises:
        InputError: With all findings, if a name is unknown, an arity or index is wrong, text is
            computed with, or something has no value in ROOT.
    """
    checker = _Checker(text, schema, numbered)
    if checker.kind(tree) is ResultKind.TEXT:
        checker.refuse(TEXT, tree, f"`{tree}` is text, not a number", 'compare it: `x == "value"`')
    if checker.meaning.findings:
        raise InputError(*checker.meaning.findings)
    return checker.meaning


class _Checker:
    """Walks down a tree once; collects what it means and what is wrong."""

    def __init__(self, text: str, schema: Schema, numbered: bool) -> None:
        self.text, self.schema, self.numbered = text, schema, numbered
        self.meaning = Meaning()
        self.columns = ColumnReader(schema, self.refuse, self.looping)

    def refuse(self, rule: Rule, node: Node, message: str, suggestion: str | None = None) -> None:
        place = place_in(self.text, node.span)
        finding = rule.finding(message, place=place, suggestion=suggestion)
        if finding not in self.meaning.findings:
            self.meaning.findings.append(finding)

    def looping(self, node: Node) -> bool:
        """Whether a checked node may have several values an event."""
        leaves = looped_leaves(node, self.meaning.leaves)
        return counts_instances(node) or any(leaf.free for leaf in leaves)

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
            case nodes.Name(name) if name not in self.schema and name in CONSTANTS:
                return ResultKind.REAL
            case nodes.Name(name) if name in INSTANCE_NAMES:
                return ResultKind.INTEGER
            case nodes.Name(name) if name in ENTRY_NAMES:
                return self._entry(node)
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
                return self._cast(node)
            case nodes.Method() | nodes.Container():
                return self._method(node)
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
        if operator in {"==", "!="}:
            kinds = (self.kind(node.left), self.kind(node.right))
            if kinds.count(ResultKind.TEXT) == 1:
                shown = f"`{node}` compares text with a number"
                self.refuse(TEXT, node, shown, 'quote the text: `x == "value"`')
            return ResultKind.BOOLEAN
        if operator == ">>" and self._histogram(node):
            return ResultKind.INTEGER
        joint = _joint(self._number(node.left), self._number(node.right))
        if operator in COMPARISONS:
            return ResultKind.BOOLEAN
        if operator in SHIFTS or operator == "%":
            return ResultKind.INTEGER
        return ResultKind.REAL if operator in {"/", "^"} else _joint(joint, ResultKind.INTEGER)

    def _histogram(self, node: nodes.Binary) -> bool:
        """Whether `x>>h` or `x>>h(N,LO,HI)` names a histogram of ROOT; it is refused then."""
        match node.right:
            case nodes.Name(name) if name not in self.schema and name not in INSTANCE_NAMES:
                named = True
            case nodes.Call(name, _):
                named = name not in FUNCTIONS and name not in REDUCERS and name != ALTERNATIVE
            case _:
                named = False
        if named:
            shown = f"`>>` shifts bits here, and `{node.right}` is no number"
            hint = "ROOT's `x>>h(N,LO,HI)` is `--bins N,LO,HI`"
            self.refuse(UNDEFINED, node, shown, hint)
        return named

    def _call(self, node: nodes.Call) -> ResultKind:
        name, arguments = node.function, node.arguments
        kinds = [self._number(argument) for argument in arguments]
        function, reducer = FUNCTIONS.get(name), REDUCERS.get(name)
        if function is not None:
            if self._takes(node, function.arity, function.arity + function.optional):
                return function.result or _joint(*kinds, ResultKind.INTEGER)
        elif reducer is not None:
            if self._takes(node, reducer.arity, reducer.arity) and not reducer.counts:
                return _joint(kinds[0], ResultKind.INTEGER)
            return ResultKind.INTEGER
        elif name == ALTERNATIVE:
            if self._takes(node, 2, 2):
                self._default(node, arguments[1])
                return _joint(*kinds)
        else:
            self._unknown_function(node)
        return ResultKind.REAL

    def _takes(self, node: nodes.Call, least: int, most: int) -> bool:
        given = len(node.arguments)
        if least <= given <= most:
            return True
        number = _counted(least, "argument") if least == most else f"{least} to {most} arguments"
        hint = _arity_hint(node.function, given)
        self.refuse(ARITY, node, f"`{node.function}` takes {number}, not {given}", hint)
        return False

    def _default(self, node: nodes.Call, default: Node) -> None:
        """Refuse an `Alt$` whose second value is not there for every event."""
        lacking = any(leaf.may_lack for leaf in looped_leaves(default, self.meaning.leaves))
        if lacking or self.looping(default):
            shown = f"`{node}`: the second value is not one number for every event"
            hint = f"give it one in turn: `Alt$({node.arguments[0]}, Alt$({default}, 0))`"
            self.refuse(UNDEFINED, node, shown, hint)

    def _unknown_function(self, node: nodes.Call) -> None:
        name = node.function
        known = [*FUNCTIONS, *REDUCERS, ALTERNATIVE]
        hint = did_you_mean(name.removeprefix("std::"), known, what="functions")
        if name in self.schema:
            hint = f"`{name}` is a column: an element of it is `{name}[0]`"
        self.refuse(UNKNOWN_FUNCTION, node, f"there is no function `{name}`", hint)

    def _entry(self, node: nodes.Name) -> ResultKind:
        if not self.numbered:
            message = f"`{node}` has no meaning here: these events have no entry number"
            hint = "select by a column that identifies events, such as the event number"
            self.refuse(NO_ENTRY, node, message, hint)
        return ResultKind.INTEGER

    def _cast(self, node: nodes.Cast) -> ResultKind:
        kind = self._number(node.operand)
        if isinstance(node.operand, nodes.Name | nodes.Index | nodes.Member):
            return kind
        shown = f"`{node}`: ROOT takes a cast of a column only, and ignores it"
        self.refuse(UNDEFINED, node, shown, f"`int({node.operand})` cuts to a whole number")
        return kind

    def _method(self, node: Node) -> ResultKind:
        match node:
            case nodes.Method(nodes.Container(nodes.Name(name)), "size", ()):
                if leaf := self.columns.collection(node, name):
                    self.meaning.leaves[node] = leaf
            case nodes.Container(base) | nodes.Method(nodes.Container(base), "size", ()):
                hint = f"its length is `Length$({base})`"
                if isinstance(base, nodes.Name):
                    hint = f"its length is `@{base}.size()`"
                self.refuse(UNDEFINED, node, f"`{node}` is no number", hint)
            case nodes.Method(base, "size", ()):
                shown = f"`{node}` is not known for single elements, in ROOT neither"
                self.refuse(
                    UNDEFINED, node, shown, f"the length of a collection is `@{base}.size()`"
                )
            case _:
                hint = "of methods there is `@x.size()`, the length of a collection"
                self.refuse(UNDEFINED, node, f"`{node}`: methods cannot be called", hint)
        return ResultKind.INTEGER

    def _column(self, node: Node) -> ResultKind:
        name, indices = path_of(node)
        if name is None:
            self.refuse(INDEX, node, f"`{node}`: only columns have elements and members")
            return ResultKind.REAL
        for index in indices:
            if index is not None:
                self._number(index)
        leaf = self.columns.leaf(node, name, indices)
        if leaf is None:
            return ResultKind.REAL
        self.meaning.leaves[node] = leaf
        return _kind_of(leaf.column.dtype)


def path_of(node: Node) -> tuple[str | None, tuple[Node | None, ...]]:
    """Column name and indices of `x`, `x[0]`, `jets.fPt[0]` or `jets[0].fPt`."""
    match node:
        case nodes.Name(name):
            return name, ()
        case nodes.Index(base, indices):
            owner, before = path_of(base)
            return owner, before + indices
        case nodes.Member(base, member):
            owner, before = path_of(base)
            return owner and f"{owner}.{member}", before
    return None, ()


def _kind_of(dtype: str) -> ResultKind:
    if dtype == "string":
        return ResultKind.TEXT
    if dtype == "bool":
        return ResultKind.BOOLEAN
    return ResultKind.INTEGER if "int" in dtype else ResultKind.REAL


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
    if name in {"Min$", "Max$"} and given == 2:
        return f"with a condition it is `{name.removesuffix('$')}If$(x, condition)`"
    return None
