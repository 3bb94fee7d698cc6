"""Columns that are replaced by expressions, as in a table of shifted values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.events.expressions import Batch, Expression, compile_expression
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.schema import Column, Schema

BAD_REPLACEMENT = Rule(
    "QL-FEATURES-010",
    "what replaces a column has its form",
    "A shifted column has one value wherever the column has one: as many an event, in the same "
    "order. The column exists in the table.",
)


def in_type(value: float, column: Column) -> float:
    """A value as a column of this type would hold it."""
    return float(np.float32(value)) if column.dtype == "float32" else value


def event_of(batch: Batch, row: int) -> str:
    """Which event, by its entry in the file, or its row in what was read if it has no entry."""
    return f"entry {batch.entries.entry(row)}" if batch.entries else f"row {row}"


@dataclass(frozen=True)
class Replacement:
    """One column and what stands for it.

    Attributes:
        column: The column as it is in the table.
        expression: What stands for it.
        missing: Its values that stand for none, which stay.
    """

    column: Column
    expression: Expression
    missing: tuple[float, ...] = ()

    @property
    def dtype(self) -> str:
        """Type of the new values: that of the column if it is a floating one."""
        return self.column.dtype if self.column.dtype.startswith("float") else "float64"

    def values(self, batch: Batch) -> NDArray[np.float64] | ak.Array:
        """The new values.

        Raises:
            InputError: If an event has another number of them; the message gives the entry.
        """
        own = batch.levels(self.column)
        scope = joint_scope(batch, [self.expression])
        counts = np.diff(own.offsets[0]) if own.offsets else np.ones(batch.rows, dtype=np.int64)
        if not np.array_equal(scope.frame.counts, counts):
            raise InputError(self._length_finding(batch, scope.frame.counts, counts))
        shifted = scope.values(self.expression.tree)
        kept = [in_type(value, self.column) for value in self.missing]
        stays = np.isin(own.content.astype(np.float64), kept)
        found = np.where(stays, own.content, shifted).astype(self.dtype)
        return ak.unflatten(found, counts) if own.offsets else found

    def _length_finding(
        self, batch: Batch, found: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> Finding:
        row = int(np.argmax(found != counts))
        return BAD_REPLACEMENT.finding(
            f"`{self.expression.text}` has {found[row]} values in {event_of(batch, row)}, and "
            f"`{self.column.name}`, which it replaces, has {counts[row]}",
            suggestion="shift each value by itself",
        )


@dataclass(frozen=True)
class Replacements:
    """Replaced columns of a table.

    Attributes:
        schema: The table's columns as they are after it.
        by_column: What stands for a column, by its name.
    """

    schema: Schema
    by_column: Mapping[str, Replacement]

    @classmethod
    def of(cls, schema: Schema, replaced: Mapping[str, str], findings: list[Finding]) -> Self:
        """Fit replacements to a table; what is wrong joins the findings."""
        bound = (_bind(name, text, schema, findings) for name, text in replaced.items())
        made = {item.column.name: item for item in bound if item is not None}
        changed = {name: replace(item.column, dtype=item.dtype) for name, item in made.items()}
        return cls(replace(schema, columns={**schema.columns, **changed}), made)

    def used(self, readers: Iterable[tuple[Expression, Iterable[float]]]) -> Replacements:
        """Those of columns that expressions read, each with its values that stand for none."""
        missing: dict[str, dict[float, None]] = {}
        for expression, values in readers:
            for name in expression.columns & self.by_column.keys():
                missing.setdefault(name, {}).update(dict.fromkeys(values))
        used = {
            name: replace(self.by_column[name], missing=tuple(values))
            for name, values in missing.items()
        }
        return Replacements(self.schema, used)

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the replacements read."""
        return frozenset(
            name for item in self.by_column.values() for name in item.expression.columns
        )

    def applied(self, batch: Batch) -> Batch:
        """The batch with its columns replaced."""
        if not self.by_column:
            return batch
        names = batch.columns.fields if isinstance(batch.columns, ak.Array) else batch.columns
        columns = {name: batch.columns[name] for name in names}
        shifted = {name: item.values(batch) for name, item in self.by_column.items()}
        return Batch({**columns, **shifted}, batch.entries, rows=batch.rows)


def _bind(name: str, text: str, schema: Schema, findings: list[Finding]) -> Replacement | None:
    place = Place(label=f"replacement of `{name}`")
    if name not in schema:
        findings.append(
            BAD_REPLACEMENT.finding(
                f"`{name}` cannot be replaced: there is no such column",
                suggestion=did_you_mean(name, schema.columns, what="columns"),
                place=place,
            )
        )
        return None
    try:
        expression = compile_expression(text, schema, label=place.label)
    except InputError as error:
        findings += error.findings
        return None
    column = schema[name]
    dimensions = column.depth + len(column.shape)
    if dimensions > 1 or expression.depth != dimensions:
        forms = f"{_form(expression.depth)} in place of {_form(dimensions)}"
        message = f"`{text}` cannot replace `{name}`: {forms}"
        findings.append(BAD_REPLACEMENT.finding(message, place=place))
    return Replacement(column, expression)


def _form(dimensions: int) -> str:
    return {0: "one value an event", 1: "several values an event"}.get(dimensions, "nested lists")
