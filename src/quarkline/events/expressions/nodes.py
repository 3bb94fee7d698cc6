"""The expression tree: small frozen values, one class a construct of the language.

The classes cover all of ROOT's selection language. What cannot be evaluated yet is refused by
`check`, so that a new construct is an entry in a table and not a new tree. Equality ignores where
in the text a node stood; `str(node)` is the canonical text, fully bracketed, which parses back to
an equal tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

Span = tuple[int, int]


@dataclass(frozen=True)
class Node:
    """Base of all nodes; `span` is the half-open range of characters read."""

    span: Span = field(default=(0, 0), compare=False, repr=False, kw_only=True)

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes directly below, in the order of the text."""
        values = [item if isinstance(item, tuple) else (item,) for item in vars(self).values()]
        return tuple(value for item in values for value in item if isinstance(value, Node))


@dataclass(frozen=True)
class Number(Node):
    """A numeric constant, never negative: a sign is a `Unary`."""

    value: float

    def __str__(self) -> str:
        return repr(self.value).removesuffix(".0")


@dataclass(frozen=True)
class Boolean(Node):
    """`true` or `false`, in either spelling."""

    value: bool

    def __str__(self) -> str:
        return "true" if self.value else "false"


@dataclass(frozen=True)
class Text(Node):
    """A string constant."""

    value: str

    def __str__(self) -> str:
        quote = "'" if '"' in self.value else '"'
        return f"{quote}{self.value}{quote}"


@dataclass(frozen=True)
class Name(Node):
    """A column, a named constant such as `pi`, or a special name such as `Entry$`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Index(Node):
    """Elements of an array: `x[0]`, `x[i][j]`; None stands for the empty `[]`."""

    base: Node
    indices: tuple[Node | None, ...]

    def __str__(self) -> str:
        brackets = "".join(f"[{'' if index is None else index}]" for index in self.indices)
        base = f"({self.base})" if isinstance(self.base, Index) else _bracketed(self.base)
        return f"{base}{brackets}"


@dataclass(frozen=True)
class Member(Node):
    """A data member of what stands before the dot: `jets[0].fPt`."""

    base: Node
    name: str

    def __str__(self) -> str:
        bare = isinstance(self.base, Index | Member | Method | Call)
        return f"{self.base if bare else f'({self.base})'}.{self.name}"


@dataclass(frozen=True)
class Method(Node):
    """A method call on what stands before the dot: `@jets.size()`."""

    base: Node
    name: str
    arguments: tuple[Node, ...]

    def __str__(self) -> str:
        bare = isinstance(self.base, Name | Container | Index | Member | Method | Call)
        return f"{self.base if bare else f'({self.base})'}.{self.name}({_listed(self.arguments)})"


@dataclass(frozen=True)
class Container(Node):
    """A collection as a whole instead of its elements: `@jets`."""

    base: Node

    def __str__(self) -> str:
        return f"@{self.base}" if isinstance(self.base, Name) else f"{self.base}@"


@dataclass(frozen=True)
class Call(Node):
    """A function call: `abs(x)`, `TMath::Max(a, b)`, `Sum$(x)`."""

    function: str
    arguments: tuple[Node, ...]

    def __str__(self) -> str:
        return f"{self.function}({_listed(self.arguments)})"


@dataclass(frozen=True)
class Cast(Node):
    """A C cast: `(int)x`."""

    type: str
    operand: Node

    def __str__(self) -> str:
        return f"({self.type}){_bracketed(self.operand)}"


@dataclass(frozen=True)
class Unary(Node):
    """`-x`, `+x` or `!x`."""

    operator: str
    operand: Node

    def __str__(self) -> str:
        return f"{self.operator}{_bracketed(self.operand)}"


@dataclass(frozen=True)
class Binary(Node):
    """Two operands: a comparison, `-`, `/`, `%`, `^`, or a shift."""

    operator: str
    left: Node
    right: Node

    def __str__(self) -> str:
        return f"{_bracketed(self.left)} {self.operator} {_bracketed(self.right)}"


@dataclass(frozen=True)
class Chain(Node):
    """Two or more operands joined by one operator without brackets: `+ * && || & |`."""

    operator: str
    operands: tuple[Node, ...]

    def __str__(self) -> str:
        return f" {self.operator} ".join(_bracketed(operand) for operand in self.operands)


@dataclass(frozen=True)
class Conditional(Node):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node

    def __str__(self) -> str:
        return f"{_bracketed(self.condition)} ? {_bracketed(self.yes)} : {_bracketed(self.no)}"


COMPOUND = (Unary, Cast, Binary, Chain, Conditional)


def _bracketed(node: Node) -> str:
    return f"({node})" if isinstance(node, COMPOUND) else str(node)


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(str(node) for node in nodes)


def walk(tree: Node) -> Iterator[Node]:
    """All nodes of a tree, each before what lies below it, without recursion."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children))


def depth(tree: Node) -> int:
    """Number of levels of a tree, without recursion; a single leaf has one."""
    level, nodes = 0, [tree]
    while nodes:
        level, nodes = level + 1, [child for node in nodes for child in node.children]
    return level


def clauses(node: Node, operator: str) -> list[Node]:
    """What an operator such as `&&` joins, through brackets; the node itself if it does not."""
    if not isinstance(node, Chain) or node.operator != operator:
        return [node]
    return [clause for operand in node.operands for clause in clauses(operand, operator)]
