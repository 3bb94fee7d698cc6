"""Values that stand for a missing one, such as -999: where they are written and held."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterator

import numpy as np

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.events.expressions import nodes
from quarkline.events.expressions.batch import Batch
from quarkline.events.expressions.comparisons import Comparison, comparison_in, written_constant
from quarkline.events.expressions.leaves import Leaves
from quarkline.events.expressions.nodes import Node
from quarkline.events.expressions.operators import apply_binary
from quarkline.events.expressions.places import place_in

SENTINEL = Rule(
    "QL-EXPR-019",
    "a value that stands for a missing one is only compared with == and !=",
    "Ntuples write -99, -999, -9999 or 1e10 where there is no value. Such a number is no "
    "measurement: an ordering such as `x > -999` is easily off by the one value that counts, "
    "arithmetic with it means nothing, and a cut such as `x < 5` passes the events without a "
    "value. Ask for the value first: `x != -999 && x < 5`. `quarkline explain` counts the values "
    "in the files that a comparison passes in this way.",
    Severity.WARNING,
)
SENTINELS = (-99.0, -999.0, -9999.0, 1e10)


def written_sentinels(text: str, tree: Node) -> Iterator[Finding]:
    """Where an ordering or arithmetic has such a number in it."""
    for node in nodes.walk(tree):
        if not isinstance(node, nodes.Binary | nodes.Chain) or node.operator in {"==", "!="}:
            continue
        for operand in node.children:
            if written_constant(operand) in SENTINELS:
                others = [child for child in node.children if child is not operand]
                yield SENTINEL.finding(
                    f"`{node}` takes {operand} for a measurement; it usually stands for none",
                    place=place_in(text, node.span),
                    suggestion=f"`{others[0]} != {operand}` leaves out what has no value",
                )


class SentinelCount:
    """Counts, batch by batch, the missing values for which orderings of a tree hold.

    Args:
        tree: A checked tree.
        leaves: Its columns.
    """

    def __init__(self, tree: Node, leaves: Leaves) -> None:
        self._orderings = dict(_orderings(tree, leaves))
        self._counts: Counter[tuple[Node, float]] = Counter()

    def add(self, batch: Batch, leaves: Leaves) -> None:
        """Count the elements of one more batch, whose file has these columns."""
        for node, compared in self._orderings.items():
            content = batch.levels(leaves[compared.subject].column).content
            for value in filter(functools.partial(_holds, compared), SENTINELS):
                self._counts[node, value] += int(np.count_nonzero(content == value))

    def findings(self, text: str) -> Iterator[Finding]:
        """A warning for each ordering that holds for missing values."""
        for (node, value), count in self._counts.items():
            if count:
                subject = self._orderings[node].subject
                yield SENTINEL.finding(
                    f"`{node}` holds for {value:g}; `{subject}` has it in the files: {count:,}",
                    place=place_in(text, node.span),
                    suggestion=f"add `{subject} != {value:g}` if it stands for no value",
                    evidence={"value": value, "count": count},
                )


def _orderings(tree: Node, leaves: Leaves) -> Iterator[tuple[Node, Comparison]]:
    """Orderings of a column, or of an element of one."""
    for node in nodes.walk(tree):
        compared = comparison_in(node)
        if compared is None or compared.operator in {"==", "!="}:
            continue
        leaf = leaves.get(compared.subject)
        if leaf and not leaf.whole:
            yield node, compared


def _holds(compared: Comparison, value: float) -> bool:
    return bool(apply_binary(compared.operator, value, compared.value))
