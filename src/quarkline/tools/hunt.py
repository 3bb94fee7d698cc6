"""Hunt for a bump in the mass spectrum of any files of events."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.engine.core.results import Quantity, Result, jsonable
from quarkline.events.expressions import Expression, compile_expression
from quarkline.events.files import expand_files
from quarkline.events.schema import Schema
from quarkline.events.selection import Instances, select_instances
from quarkline.events.sources import open_source
from quarkline.events.sources.base import Source
from quarkline.statistics import (
    NAN_MASS,
    BumpHuntResult,
    HuntBinning,
    MassScanResult,
    Spectrum,
    SpectrumFit,
    bump_hunt,
    hunt_model,
    scan_windows,
    spectrum_fit,
    with_scan,
)

EMPTY_SELECTION = Rule(
    "QL-STAT-030",
    "a hunt has events to hunt in",
    "The selection keeps no event with a mass inside the range, so there is no spectrum. Check the "
    "selection and the range; `quarkline draw FILE MASS` shows where the masses are.",
)
EMPTY_SIDEBAND = Rule(
    "QL-STAT-031",
    "the sidebands hold events",
    "The background in the window is predicted from the bins beside it. Without any event there "
    "nothing is predicted; with events on one side alone the prediction is an extrapolation.",
)
NEGATIVE_WEIGHTS = Rule(
    "QL-STAT-032",
    "negative weights are counted",
    "Negative weights are allowed as long as every bin with entries keeps a positive sum; their "
    "number is shown because the scaled Poisson likelihood describes such sums only roughly.",
    Severity.NOTE,
)

SCAN_TOYS = 1000
OPTIONAL = ("p_toys", "z_toys", "p_global", "z_global")

Floats = NDArray[np.float64]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class HuntReport(Result, kind="hunt"):
    """A hunt in files of events.

    Attributes:
        mass: The mass expression.
        select: The selection, "" for none.
        weight: The weight, "" for none.
        unit: Unit of the mass, "" if none is known.
        files: Number of files read.
        events: Number of events read.
        n_selected: Instances selected.
        n_in_range: How many of them have a mass inside the range.
        hunt: The hunt in the declared window.
        spectrum: The spectrum with the sideband fit, for a table or a figure.
        scan: The window slid over the range, if asked for.
        warnings: Findings worth knowing.
    """

    mass: str
    select: str
    weight: str
    unit: str
    files: int
    events: int
    n_selected: int
    n_in_range: int
    hunt: BumpHuntResult
    spectrum: SpectrumFit
    scan: MassScanResult | None = None
    warnings: tuple[Mapping[str, Any], ...] = ()

    def summary(self) -> dict[str, Any]:
        """The report as one flat JSON object: numbers of the hunt with their errors beside them.

        The keys `p_toys`, `z_toys`, `p_global` and `z_global` are there if they were asked for.
        """
        asked = [key for key in OPTIONAL if getattr(self.hunt, key) is not None]
        numbers = {
            key: value
            for key, value in jsonable(self.hunt).items()
            if key not in OPTIONAL or key in asked
        }
        for name in ("signal", "background", "p_toys"):
            quantity = getattr(self.hunt, name)
            numbers |= _plain(name, quantity) if quantity is not None else {}
        rest = {key: value for key, value in self.as_json().items() if key != "hunt"}
        return numbers | rest


def hunt(
    files: Sequence[str | Path],
    mass: str,
    *,
    mass_range: tuple[float, float],
    window: tuple[float, float],
    degree: int = 5,
    bins: int = 11,
    select: str | None = None,
    weight: str | None = None,
    tree: str | None = None,
    toys: int = 0,
    seed: int = 1,
    scan: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> HuntReport:
    """Count events in a mass window and compare with what the sidebands predict.

    Args:
        files: Paths or globs, read as one table in this order.
        mass: Expression of the mass; several entries an event if it loops over an array.
        mass_range: Lowest and highest mass.
        window: Lower and upper edge of the counting window.
        degree: Degree of the background polynomial.
        bins: Number of bins across the window; sideband bins have the same width.
        select: Which instances to keep; a number counts as weight.
        weight: Weight of each instance.
        tree: The tree, where a file has several.
        toys: Number of background-only toys for a p-value; 0 draws none.
        seed: Seed of the toys.
        scan: Whether to slide the window over the range as well.
        workers: Number of threads for toys; the numbers do not depend on it.
        progress: Called with the fraction of the files that has been read.

    Raises:
        InputError: If a file is missing or not readable, an expression does not fit, or there are
            no events to hunt in.
        WorkError: If a file turns out damaged, or a fit fails that toys are drawn from.
    """
    binning = HuntBinning(mass_range, window, bins)
    hunt_model(binning, degree)  # refuses a degree too high before any file is read
    paths = expand_files([str(file) for file in files], base=Path())
    read = _read(paths, tree, (mass, select, weight), binning.range, progress)
    _check(read, mass)
    masses, weights = read.masses, _weights(read, weight)
    spectrum = binning.count(masses, weights)
    warnings = [*read.warnings.values(), *_sideband_findings(spectrum), *_weight_findings(weights)]
    found = bump_hunt(spectrum, degree, n_toys=toys, seed=seed, workers=workers)
    scanned = None
    if scan:
        scanned = scan_windows(
            binning,
            masses,
            degree,
            weight=weights,
            n_toys=toys or SCAN_TOYS,
            seed=seed,
            workers=workers,
        )
        found = with_scan(found, scanned)
    return HuntReport(
        mass=mass,
        select=select or "",
        weight=weight or "",
        unit=read.unit,
        files=len(paths),
        events=read.events,
        n_selected=read.n,
        n_in_range=masses.size,
        hunt=found,
        spectrum=spectrum_fit(binning, masses, degree, weight=weights),
        scan=scanned,
        warnings=tuple(finding.as_json() for finding in warnings),
    )


class _Selected:
    """What the selection keeps: masses and weights inside the range, the rest as numbers."""

    def __init__(self, mass_range: tuple[float, float]) -> None:
        self.range = mass_range
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
    def weights(self) -> Floats:
        """Their weights, with shape (N,)."""
        return np.concatenate([np.empty(0), *self._weights])


def _read(
    paths: Sequence[Path],
    tree: str | None,
    texts: tuple[str, str | None, str | None],
    mass_range: tuple[float, float],
    progress: Progress | None,
) -> _Selected:
    selected = _Selected(mass_range)
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


def _weights(read: _Selected, weight: str | None) -> Floats | None:
    """The weights, or None where no weight is asked for and the selection is a condition."""
    weights = read.weights
    return weights if weight is not None or (weights != 1.0).any() else None


def _plain(name: str, quantity: Quantity) -> dict[str, float | None]:
    """A quantity as plain numbers: the value, and its error or errors."""
    value, up, down = (jsonable(item) for item in (quantity.value, quantity.up, quantity.down))
    if up == down:
        return {name: value, f"{name}_error": up}
    return {name: value, f"{name}_error_up": up, f"{name}_error_down": down}


def _check(read: _Selected, mass: str) -> None:
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


def _sideband_findings(spectrum: Spectrum) -> list[Finding]:
    """Refuses sidebands without events, and warns of a side without any."""
    below = len(spectrum.binning.low_edges) - 1
    sides = {"below": spectrum.sidebands[:below], "above": spectrum.sidebands[below:]}
    empty = [name for name, contents in sides.items() if not contents.any()]
    if len(empty) == 2:
        raise InputError(
            EMPTY_SIDEBAND.finding(
                "there is no event beside the window",
                suggestion="widen the range or loosen the selection",
            )
        )
    return [
        EMPTY_SIDEBAND.finding(
            f"there is no event {name} the window: the background is extrapolated",
            suggestion="widen the range or loosen the selection",
            severity=Severity.WARNING,
        )
        for name in empty
    ]


def _weight_findings(weights: Floats | None) -> list[Finding]:
    if weights is None or not (negative := int((weights < 0.0).sum())):
        return []
    return [
        NEGATIVE_WEIGHTS.finding(
            f"{negative:,} of {weights.size:,} weights are negative",
            place=Place(label="weight"),
        )
    ]
