"""The masses that a selection keeps, from any files of events, and what may be wrong with them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.events.expressions import Expression, compile_expression
from quarkline.events.schema import Schema
from quarkline.events.selection import Instances, select_instances
from quarkline.events.sources import open_source
from quarkline.events.sources.base import Source
from quarkline.statistics import NAN_MASS

EMPTY_SELECTION = Rule(
    "QL-STAT-030",
    "a hunt has events to hunt in",
    "The selection keeps no event with a mass inside the range, so there is no spectrum. Check the "
    "selection and the range; `quarkline draw FILE MASS` shows where the masses are.",
)
NEGATIVE_WEIGHTS = Rule(
    "QL-STAT-032",
    "negative weights are counted",
    "Negative weights are allowed as long as every bin with entries keeps a positive sum; their "
    "number is shown because the scaled Poisson likelihood describes such sums only roughly.",
    Severity.NOTE,
)

Floats = NDArray[np.float64]
Progress = Callable[[float], None]


class Selected:
    """What the selection keeps: masses and weights inside the range, the rest as numbers."""

    def __init__(self, mass_range: tuple[float, float], *, weighted: bool) -> None:
        self.range = mass_range
        self._weighted = weighted
        self.events = self.n = self.nan = 0
        self.lowest, self.highest = math.inf, -math.inf
        self.unit = ""
        self.warnings: dict[str, Finding] = {}
        self._masses: list[Floats] = []
        self._weights: list[Floats] = []

    def add(self, part: Instances) -> None:
        """Add the instances of a chunk."""
        values = part.values
        inside = (values >= self.range[0]) & (values <= self.range[1])
        self._masses.append(values[inside])
        self._weights.append(part.weights[inside])
        self.n += values.size
        self.nan += int(np.isnan(values).sum())
        self.lowest = float(np.fmin.reduce(values, initial=self.lowest))
        self.highest = float(np.fmax.reduce(values, initial=self.highest))

    @property
    def masses(self) -> Floats:
        """Masses inside the range, with shape (N,)."""
        return np.concatenate([np.empty(0), *self._masses])

    @property
    def weights(self) -> Floats | None:
        """Their weights; None where none is asked for and the selection is a condition."""
        weights = np.concatenate([np.empty(0), *self._weights])
        return weights if self._weighted or (weights != 1.0).any() else None


def read_masses(
    paths: Sequence[Path],
    tree: str | None,
    texts: tuple[str, str | None, str | None],
    mass_range: tuple[float, float],
    progress: Progress | None,
) -> Selected:
    """Read what the selection keeps.

    Args:
        paths: The files, read as one table in this order.
        tree: The tree, where a file has several.
        texts: Expressions of mass, selection and weight.
        mass_range: Lowest and highest mass.
        progress: Called with the fraction of the files that has been read.

    Raises:
        InputError: If an expression does not fit, a mass is NaN, or none is in the range.
    """
    selected = Selected(mass_range, weighted=texts[2] is not None)
    for number, path in enumerate(paths):
        with open_source(path, tree=tree) as source:
            bound = _bind(texts, source.schema)
            selected.unit = selected.unit or _unit(bound[0])
            for expression in filter(None, bound):
                selected.warnings |= {str(item): item for item in expression.warnings}
            for part, read in _chunks(source, bound):
                selected.add(part)
                if progress:
                    progress((number + read) / len(paths))
            selected.events += source.schema.entries
    _check(selected, texts[0])
    return selected


Bound = tuple[Expression, Expression | None, Expression | None]


def _chunks(source: Source, bound: Bound) -> Iterator[tuple[Instances, float]]:
    """Instances of each chunk, with the fraction of the file read by then."""
    value, select, weight = bound
    columns = {name for item in bound if item for name in item.columns}
    for chunk in source.chunks(sorted(columns)):
        read = (chunk.start + len(chunk.array)) / max(1, source.schema.entries)
        yield select_instances(chunk.array, value, select=select, weight=weight), read


def _bind(texts: tuple[str, str | None, str | None], schema: Schema) -> Bound:
    """Fit the expressions to a table; all that is wrong with any of them is said at once."""
    bound: list[Expression | None] = []
    findings: list[Finding] = []
    for label, text in zip(("mass", "selection", "weight"), texts, strict=True):
        try:
            bound.append(None if text is None else compile_expression(text, schema, label=label))
        except InputError as error:
            findings += error.findings
    if findings or bound[0] is None:
        raise InputError(*findings)
    return bound[0], bound[1], bound[2]


def _unit(value: Expression) -> str:
    """The unit of a column that is the mass as it is."""
    leaf = value.leaves.get(value.tree)
    return leaf.column.unit if leaf else ""


def _check(read: Selected, mass: str) -> None:
    """Refuses NaN masses, and a selection without any in the range."""
    low, high = read.range
    evidence = {"events": read.events, "selected": read.n, "nan": read.nan}
    if read.nan:
        raise InputError(
            NAN_MASS.finding(
                f"the mass of {read.nan:,} of {read.n:,} entries is not a number",
                place=Place(text=mass, label="mass"),
                suggestion=f"leave them out with a selection such as `({mass}) > {low:g}`",
                evidence=evidence,
            )
        )
    if read.masses.size:
        return
    seen = f"the selection keeps none of {read.events:,} events"
    if read.n:
        ends = f"{read.lowest:g} to {read.highest:g}"
        seen = f"none of {read.n:,} masses, from {ends}, is in the range {low:g} to {high:g}"
    raise InputError(
        EMPTY_SELECTION.finding(
            seen,
            suggestion="check the selection and the range; "
            "`quarkline draw` shows where the masses are",
            evidence=evidence,
        )
    )


def weight_findings(weights: Floats | None) -> list[Finding]:
    """A note on negative weights."""
    if weights is None or not (negative := int((weights < 0.0).sum())):
        return []
    return [
        NEGATIVE_WEIGHTS.finding(
            f"{negative:,} of {weights.size:,} weights are negative",
            place=Place(label="weight"),
        )
    ]
