"""Where an expression meets a table: its columns, what is looped over, and what loops by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quarkline.events.expressions import nodes
from quarkline.events.expressions.nodes import Node
from quarkline.events.schema import Column

ENTRY_NAMES = frozenset({"Entry$", "LocalEntry$", "Entries$", "LocalEntries$"})
INSTANCE_NAMES = frozenset({"Iteration$", "Length$"})
ALTERNATIVE = "Alt$"

Step = int | Node | None


@dataclass(frozen=True)
class Leaf:
    """A column where it stands in an expression.

    Attributes:
        column: The column.
        steps: What is taken in each of its dimensions: an element by number, an element whose
            number is computed, or None, which loops over all.
        whole: Whether the collection itself is meant, `@x.size()`: the value is its length.
    """

    column: Column
    steps: tuple[Step, ...] = ()
    whole: bool = False

    @property
    def free(self) -> int:
        """Number of dimensions that are looped over."""
        return self.steps.count(None)

    @property
    def computed(self) -> tuple[Node, ...]:
        """The indices that are expressions."""
        return tuple(step for step in self.steps if isinstance(step, Node))

    @property
    def may_lack(self) -> bool:
        """Whether an event can be without the element."""
        numbered = any(isinstance(step, int) for step in self.steps[: self.column.depth])
        return numbered or bool(self.computed)


Leaves = Mapping[Node, Leaf]


def leaves_of(tree: Node, leaves: Leaves) -> Iterator[Node]:
    """All nodes of a tree that stand for columns; the `x` in `x[0]` does not."""
    pending = [tree]
    while pending:
        node = pending.pop()
        leaf = leaves.get(node)
        pending.extend(leaf.computed if leaf else node.children)
        if leaf:
            yield node


def loop_of(tree: Node) -> Iterator[Node]:
    """All nodes of a tree that share its loop: not those inside `Sum$(x)`, which loops itself."""
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(shared_operands(node))


def shared_operands(node: Node) -> tuple[Node, ...]:
    """The operands of a node that are evaluated for the same instances as the node."""
    if not isinstance(node, nodes.Call) or not node.function.endswith("$"):
        return node.children
    return node.arguments[1:] if node.function == ALTERNATIVE else ()


def looped_leaves(tree: Node, leaves: Leaves) -> Iterator[Leaf]:
    """The leaves that decide which instances a tree has."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if leaf := leaves.get(node):
            yield leaf
            pending.extend(leaf.computed)
        else:
            pending.extend(shared_operands(node))


def depth_of(tree: Node, leaves: Leaves) -> int:
    """Array dimensions that a tree loops over."""
    return max((leaf.free for leaf in looped_leaves(tree, leaves)), default=0)


def counts_instances(tree: Node) -> bool:
    """Whether a tree asks for the number of its instance or of all of them."""
    return any(
        isinstance(node, nodes.Name) and node.name in INSTANCE_NAMES for node in loop_of(tree)
    )
