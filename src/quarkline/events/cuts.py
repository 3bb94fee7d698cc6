"""Cuts with names, and weights: how they are written, and how they fit a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.events.expressions import Expression, compile_expression, nodes, parse
from quarkline.events.expressions.batch import EventTable
from quarkline.events.expressions.check import Meaning
from quarkline.events.expressions.static import contradictions_between
from quarkline.events.schema import Schema
from quarkline.events.selection import CutFlow, cut_flow

TWO_CUTS = Rule(
    "QL-CHECK-014",
    "every cut has a name of its own",
    "Cuts are listed by name. A cut without a name is called what it says, so it is given once.",
)
NAMED = re.compile(r"\s*([A-Za-z_][\w .+-]*):(?!:)\s*(.+)", re.DOTALL)


def named_cuts(written: Iterable[str | Mapping[str, str]]) -> dict[str, str]:
    """Cuts by name, from texts such as `pt: Muon_pt[0] > 20` and `nMuon > 1 && MET_pt > 30`.

    A text without a name is taken apart into the conditions that `&&` joins, each of which is
    called what it says. A text that is no expression is one cut, which no table fits.

    Args:
        written: Texts, or expressions by name; in order.

    Raises:
        InputError: If two cuts have one name.
    """
    found: dict[str, str] = {}
    for item in written:
        for name, cut in _pairs(item):
            if name in found:
                message = f"there are two cuts `{name}`"
                hint = f"name one of them: `another name: {cut}`"
                raise InputError(TWO_CUTS.finding(message, suggestion=hint))
            found[name] = cut
    return found


def _pairs(written: str | Mapping[str, str]) -> Iterable[tuple[str, str]]:
    if isinstance(written, Mapping):
        return written.items()
    if named := NAMED.fullmatch(written):
        return [(named[1].strip(), named[2].strip())]
    return [(part, part) for part in _clauses(written)]


def _clauses(text: str) -> list[str]:
    try:
        tree = parse(text)
    except InputError:
        return [text.strip()]  # said with its place where the cut meets a table
    return [text[slice(*node.span)] for node in nodes.clauses(tree, "&&")]


@dataclass(frozen=True)
class Cuts:
    """Cuts and weights as they fit a table.

    Attributes:
        by_name: The cuts, in order.
        weight: Weight of an event; None is 1.
        sums: Further weights by name.
        together: What is suspicious about the cuts together.
    """

    by_name: Mapping[str, Expression]
    weight: Expression | None = None
    sums: Mapping[str, Expression] = field(default_factory=dict)
    together: tuple[Finding, ...] = ()

    @classmethod
    def of(
        cls,
        schema: Schema,
        cuts: Mapping[str, str],
        weight: str | None,
        sums: Mapping[str, str] | None = None,
    ) -> Self:
        """Fit cuts to a table that is read in batches with entry numbers.

        Args:
            schema: The table's columns.
            cuts: Cuts by name, in order.
            weight: Weight of an event, None for 1.
            sums: Further weights by name.

        Raises:
            InputError: With all that is wrong with any of them.
        """
        findings: list[Finding] = []

        def bound(texts: Mapping[str, str], label: str) -> dict[str, Expression]:
            found = {}
            for name, text in texts.items():
                try:
                    labelled = label.format(name)
                    found[name] = compile_expression(text, schema, label=labelled, numbered=True)
                except InputError as error:
                    findings.extend(error.findings)
            return found

        by_name = bound(cuts, "cut `{}`")
        weights = bound({} if weight is None else {"weight": weight}, "{}")
        named = bound(sums or {}, "sum `{}`")
        if findings:
            raise InputError(*findings)
        return cls(by_name, weights.get("weight"), named, tuple(_together(by_name.values())))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The cuts, and the weights if there are any."""
        weight = [self.weight] if self.weight else []
        return (*self.by_name.values(), *weight, *self.sums.values())

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns to read."""
        return frozenset(name for item in self.expressions for name in item.columns)

    @property
    def names(self) -> frozenset[str]:
        """Names in the expressions, of columns and others."""
        return frozenset(name for item in self.expressions for name in item.names)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What is suspicious about the expressions."""
        alone = (finding for item in self.expressions for finding in item.warnings)
        return (*alone, *self.together)

    def flow(self, table: EventTable) -> CutFlow:
        """The cut-flow of some events."""
        return cut_flow(table, self.by_name, weight=self.weight)


def _together(cuts: Iterable[Expression]) -> list[Finding]:
    meaning, trees = Meaning(), []
    for cut in cuts:
        meaning.leaves |= cut.leaves
        meaning.kinds |= cut.kinds
        trees.append(cut.tree)
    return contradictions_between(trees, meaning)
