"""N-1 distributions: what a cut is made on, for the events that pass all the other cuts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.results import Result
from quarkline.events.cuts import Cuts
from quarkline.events.expressions import Batch, Expression, ResultKind, nodes
from quarkline.events.expressions.comparisons import comparison_in
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.expressions.sentinels import SENTINELS
from quarkline.events.passing import loops, passing
from quarkline.events.selection import Instances, event_weights

SHARE = 0.005
"""How much may lie below and above the range that a distribution is shown in."""
PER_DECADE = 32
_POSITIVE = 10.0 ** (np.arange(-6 * PER_DECADE, 12 * PER_DECADE + 1) / PER_DECADE)
_CELLS = np.concatenate([-_POSITIVE[::-1], _POSITIVE])


@dataclass(frozen=True)
class CutVariable:
    """What a cut compares with constants.

    Attributes:
        expression: The variable.
        bounds: The constants, in the order of the text.
        kept: Where the cut keeps events: by bound `<`, `>`, `<=`, `>=`, `==` or `!=`.
    """

    expression: Expression
    bounds: tuple[float, ...]
    kept: tuple[str, ...]


@dataclass(frozen=True)
class NMinusOne(Result, kind="n-minus-one"):
    """The distribution of a cut's variable after all other cuts; those of more events add up.

    Attributes:
        cut: Name of the cut.
        expression: The cut.
        variable: What it compares.
        bounds: With which constants.
        kept: By bound the comparison, such as `>`.
        unit: Unit of the variable, "" if none is known.
        edges: Edges of the bins, one more than bins; a value on an edge is in the bin above it.
        contents: Sum of weights by bin.
        sumw2: Sum of squares of weights by bin.
        underflow: Sum of weights below the first edge.
        overflow: Sum of weights at or above the last edge.
        nan: Entries whose value or weight is NaN; they are nowhere else.
        weight: The weight's text, "" if every event counts 1.
    """

    cut: str
    expression: str
    variable: str
    bounds: tuple[float, ...]
    kept: tuple[str, ...]
    unit: str
    edges: tuple[float, ...]
    contents: tuple[float, ...]
    sumw2: tuple[float, ...]
    underflow: float
    overflow: float
    nan: int
    weight: str = ""

    def __add__(self, other: NMinusOne) -> NMinusOne:
        own, others = ((one.expression, one.edges, one.weight) for one in (self, other))
        if own != others:
            msg = f"distributions of `{self.expression}` and `{other.expression}` do not add up"
            raise ValueError(msg)
        sums = zip(self.contents, other.contents, strict=True)
        squares = zip(self.sumw2, other.sumw2, strict=True)
        return replace(
            self,
            contents=tuple(one + more for one, more in sums),
            sumw2=tuple(one + more for one, more in squares),
            underflow=self.underflow + other.underflow,
            overflow=self.overflow + other.overflow,
            nan=self.nan + other.nan,
        )


def cut_variable(cut: Expression) -> CutVariable | None:
    """What a cut compares with constants; None if it is no comparison, or of several things."""
    compared = [comparison_in(node) for node in nodes.clauses(cut.tree, "&&")]
    known = [comparison for comparison in compared if comparison]
    if len({comparison and comparison.subject for comparison in compared}) != 1 or not known:
        return None
    subject = cut.part(known[0].subject)
    if subject.kind is ResultKind.TEXT:
        return None
    bounds = tuple(comparison.value for comparison in known)
    return CutVariable(subject, bounds, tuple(comparison.operator for comparison in known))


def passing_others(batch: Batch, cuts: Cuts) -> Iterator[tuple[str, Instances]]:
    """For each cut that has a variable, the variable where all the other cuts pass.

    A variable with one value an event gives an entry for every event that passes the others. One
    that loops gives an entry for every instance that passes them together with it.

    Args:
        batch: Some events.
        cuts: The cuts and their weight.

    Yields:
        Name of the cut, and values with weights.
    """
    named = cuts.by_name
    passed = passing(batch, list(named.values()))
    weights = event_weights(batch, cuts.weight) if cuts.weight else np.ones(batch.rows)
    flat = np.ones(batch.rows, np.bool_)
    for cut, alone in zip(named.values(), passed.alone, strict=True):
        flat = flat if loops(cut) else flat & alone
    for place, (name, cut) in enumerate(named.items()):
        variable = cut_variable(cut)
        if variable is None:
            continue
        beside, kept = [], passed.without[place]
        if loops(cut):
            beside = [other for other in named.values() if loops(other) and other is not cut]
            kept = flat
        scope = joint_scope(batch, [variable.expression, *beside])
        events = scope.frame.events
        chosen: NDArray[np.bool_] = kept[events]
        for other in beside:
            chosen &= scope.values(other.tree) != 0
        values = scope.values(variable.expression.tree)[chosen]
        yield name, Instances(values, weights[events][chosen], events[chosen])


class CentralRange:
    """Where nearly all values lie, found without keeping them: counted in cells of 7 %."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(_CELLS) + 1, np.int64)
        self._low, self._high = np.inf, -np.inf

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in values; infinities, NaN and values that stand for a missing one do not count."""
        usual = values[np.isfinite(values) & ~np.isin(values, SENTINELS)]
        if len(usual):
            cells = np.searchsorted(_CELLS, usual, side="right")
            self._counts += np.bincount(cells, minlength=len(self._counts))
            self._low = min(self._low, float(usual.min()))
            self._high = max(self._high, float(usual.max()))

    def around(self, bounds: Sequence[float]) -> tuple[float, float]:
        """The range without the outermost values, with the bounds that are not far from it.

        Returns:
            Lower and upper end; NaN if there are no values.
        """
        total = int(self._counts.sum())
        if not total:
            return float("nan"), float("nan")
        summed = np.cumsum(self._counts)
        first = int(np.searchsorted(summed, SHARE * total, side="right"))
        last = int(np.searchsorted(summed, (1 - SHARE) * total, side="left"))
        low = max(self._low, _CELLS[first - 1] if first else -np.inf)
        high = min(self._high, _CELLS[last] if last < len(_CELLS) else np.inf)
        reach = 2 * (high - low)
        near = [bound for bound in bounds if low - reach <= bound <= high + reach]
        return float(min(low, *near, high)), float(max(low, *near, high))
