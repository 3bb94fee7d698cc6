"""Cuts with names and a weight: how they are written, and how they fit a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from quarkline.engine.core.findings import Finding, InputError, Rule
from quarkline.events.expressions import Expression, compile_expression, nodes, parse
from quarkline.events.expressions.batch import EventTable
from quarkline.events.schema import Schema
from quarkline.events.selection import CutFlow, cut_flow

TWO_CUTS = Rule(
    "QL-CHECK-014",
    "every cut has a name of its own",
    "Cuts are listed by name. A cut without a name is called what it says, so it is given once.",
)
NAMED = re.compile(r"\s*([A-Za-z_][\w .+-]*):(?!:)\s*(.+)", re.DOTALL)


def named_cuts(texts: Sequence[str]) -> dict[str, str]:
    """Cuts by name, from texts such as `pt: Muon_pt[0] > 20` and `nMuon > 1 && MET_pt > 30`.

    A text without a name is taken apart into the conditions that `&&` joins, each of which is
    called what it says.

    Raises:
        InputError: If a text is no expression, or two cuts have one name.
    """
    found: dict[str, str] = {}
    for text in texts:
        named = NAMED.fullmatch(text)
        for name, cut in [named.groups()] if named else [(part, part) for part in _clauses(text)]:
            if name in found:
                message = f"there are two cuts `{name}`"
                hint = f"name one of them: `another name: {cut}`"
                raise InputError(TWO_CUTS.finding(message, suggestion=hint))
            found[name] = cut
    return found


def _clauses(text: str) -> list[str]:
    return [text[slice(*node.span)] for node in nodes.clauses(parse(text), "&&")]


@dataclass(frozen=True)
class Cuts:
    """Cuts and a weight as they fit a table.

    Attributes:
        by_name: The cuts, in order.
        weight: Weight of an event; None is 1.
    """

    by_name: Mapping[str, Expression]
    weight: Expression | None = None

    @classmethod
    def of(cls, schema: Schema, cuts: Mapping[str, str], weight: str | None) -> Self:
        """Fit cuts to a table that is read in batches with entry numbers.

        Raises:
            InputError: With all that is wrong with any of them.
        """
        texts = {f"cut `{name}`": text for name, text in cuts.items()}
        bound: dict[str, Expression] = {}
        findings: list[Finding] = []
        for label, text in (texts | ({"weight": weight} if weight else {})).items():
            try:
                bound[label] = compile_expression(text, schema, label=label, numbered=True)
            except InputError as error:
                findings += error.findings
        if findings:
            raise InputError(*findings)
        chosen = {name: bound[label] for name, label in zip(cuts, texts, strict=True)}
        return cls(chosen, bound.get("weight"))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The cuts, and the weight if there is one."""
        return (*self.by_name.values(), *([self.weight] if self.weight else []))

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
        return tuple(finding for item in self.expressions for finding in item.warnings)

    def flow(self, table: EventTable) -> CutFlow:
        """The cut-flow of some events."""
        return cut_flow(table, self.by_name, weight=self.weight)
