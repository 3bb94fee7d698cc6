"""Comparisons of something with a constant, which several warnings look at."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.events.expressions import nodes
from quarkline.events.expressions.grammar import COMPARISONS
from quarkline.events.expressions.nodes import Node

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}


@dataclass(frozen=True)
class Comparison:
    """`subject operator value`, from a comparison with a constant."""

    subject: Node
    operator: str
    value: float


def comparison_in(node: Node) -> Comparison | None:
    """The comparison that a node is, the constant on its right; None if it is none."""
    if not isinstance(node, nodes.Binary) or node.operator not in COMPARISONS:
        return None
    left, right = written_constant(node.left), written_constant(node.right)
    if left is None and right is not None:
        return Comparison(node.left, node.operator, right)
    if right is None and left is not None:
        return Comparison(node.right, _MIRRORED[node.operator], left)
    return None


def written_constant(node: Node) -> float | None:
    """The value of a number that is written out, with or without sign."""
    match node:
        case nodes.Number(value):
            return value
        case nodes.Unary("-", nodes.Number(value)):
            return -value
    return None
