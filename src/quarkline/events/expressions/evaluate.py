"""From trees and a batch of events to values, as `TTreeFormula` has them.

Everything is computed in float64, integers and 64-bit integers included; comparisons and logic
give 0 or 1. A comparison with NaN is false, except `!=`; NaN counts as true, being not 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.events.expressions import nodes
from quarkline.events.expressions.arithmetic import Values
from quarkline.events.expressions.batch import Batch, Integers
from quarkline.events.expressions.frame import Frame
from quarkline.events.expressions.functions import CONSTANTS, FUNCTIONS
from quarkline.events.expressions.leaves import (
    ALTERNATIVE,
    ENTRY_NAMES,
    Leaf,
    Leaves,
    counts_instances,
    depth_of,
    looped_leaves,
)
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.operators import (
    FROM_RIGHT,
    apply_binary,
    apply_chain,
    apply_unary,
    real,
)
from quarkline.events.expressions.reduce import REDUCERS

_NOTHING = Batch({})


def constant(tree: Node) -> float:
    """The value of a tree without columns, counters and loops."""
    return float(_Values(Scope(_NOTHING, [], {}), tree).of(tree))


class Scope:
    """Trees that are evaluated together, and the instances they share.

    Attributes:
        frame: The instances.
    """

    def __init__(self, batch: Batch, trees: Sequence[Node], leaves: Leaves) -> None:
        self.leaves = leaves
        self.frame = Frame(batch)
        found = (leaf for tree in trees for leaf in looped_leaves(tree, leaves))
        self._resolve(list(dict.fromkeys(found)))

    def values(self, tree: Node, *, loops: bool = False) -> NDArray[np.float64]:
        """The values of one of the trees by instance, with shape (n,).

        Args:
            tree: The tree.
            loops: Whether it is part of an expression that loops, which it may not do itself.
        """
        with np.errstate(all="ignore"):
            found = real(_Values(self, tree, loops).of(tree))
        return np.broadcast_to(found, (len(self.frame),))

    def _resolve(self, leaves: list[Leaf]) -> None:
        """Go through the dimensions of all leaves: elements by index, and loops in parallel."""
        for leaf in leaves:
            self.frame.enter(leaf)
        for looped in range(max((leaf.free for leaf in leaves), default=0)):
            looping = [leaf for leaf in leaves if leaf.free > looped]
            for leaf in looping:
                self._pick(leaf)
            self.frame.loop(looping)
        # What is indexed by the number of the instance comes when all else is settled.
        last = [leaf for leaf in leaves if any(map(counts_instances, leaf.computed))]
        for leaf in (*(leaf for leaf in leaves if leaf not in last), *last):
            self._pick(leaf)

    def _pick(self, leaf: Leaf) -> None:
        """Take the elements that a leaf asks for before its next loop."""
        while (step := self.frame.next_step(leaf)) is not None:
            if isinstance(step, Node):
                for inner in looped_leaves(step, self.leaves):
                    self._pick(inner)
                self.frame.pick(leaf, _whole(self.values(step)))
            else:
                self.frame.pick(leaf, step)


class _Values:
    """The values of one tree in a scope."""

    def __init__(self, scope: Scope, tree: Node, loops: bool = False) -> None:
        self.leaves, self.frame = scope.leaves, scope.frame
        self.loops = loops or depth_of(tree, scope.leaves) > 0 or counts_instances(tree)

    def of(self, node: Node) -> Any:
        match node:
            case nodes.Number(value) | nodes.Boolean(value):
                return np.float64(value)
            case nodes.Text(value):
                return value
            case nodes.Unary(sign, operand):
                return apply_unary(sign, self.of(operand))
            case nodes.Binary(sign, left, right):
                return apply_binary(sign, self.of(left), self.of(right))
            case nodes.Chain(sign, operands):
                ordered = reversed(operands) if sign in FROM_RIGHT else operands
                return apply_chain(sign, map(self.of, ordered))
            case nodes.Conditional(condition, yes, no):
                chosen = np.not_equal(self.of(condition), 0)
                return np.where(chosen, real(self.of(yes)), real(self.of(no)))
            case nodes.Cast(_, operand):
                return self.of(operand)
            case nodes.Call(name, arguments) if name in REDUCERS:
                return self._by_event(name, arguments, node)[self.frame.events]
            case nodes.Call(name, (primary, default)) if name == ALTERNATIVE:
                return self._alternative(primary, default)
            case nodes.Call(name, arguments):
                return FUNCTIONS[name].compute(*(real(self.of(item)) for item in arguments))
        if leaf := self.leaves.get(node):
            return self.frame.values(leaf)
        return self._named(str(node))

    def _named(self, name: str) -> Any:
        if name in ENTRY_NAMES:
            return self.frame.batch.counted(name)[self.frame.events]
        if name == "Iteration$":
            return real(self.frame.numbers)
        if name == "Length$":
            return real(self.frame.counts[self.frame.events])
        return np.float64(CONSTANTS[name])

    def _by_event(self, name: str, arguments: Sequence[Node], node: Node) -> Values:
        """What a reducing function gives for every event of the batch."""
        known = self.frame.batch.by_event
        if node not in known:
            own = Scope(self.frame.batch, arguments, self.leaves)
            known[node] = REDUCERS[name].compute(own.frame, *map(own.values, arguments))
        return known[node]

    def _alternative(self, primary: Node, default: Node) -> Values:
        """The instance of `primary` that has the same number, or the default if it has fewer."""
        own = Scope(self.frame.batch, [primary], self.leaves)
        number: Integers | int = self.frame.numbers if self.loops else 0
        events = self.frame.events
        exists = number < own.frame.counts[events]
        found = np.array(np.broadcast_to(real(self.of(default)), len(events)))
        at = (own.frame.starts[events] + number)[exists]
        found[exists] = own.values(primary)[at]
        return found


def _whole(values: NDArray[np.float64]) -> Integers:
    """Indices as C++ takes them, cut to whole numbers; -1 for what can be no index."""
    usable = (values > -1) & (values < 2.0**62)
    return np.where(usable, values, -1.0).astype(np.int64)
