"""Hunt for a bump in the mass spectrum of any files of events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.engine.core.results import Quantity, Result, jsonable
from quarkline.events.files import expand_files
from quarkline.statistics import (
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
from quarkline.tools.masses import Progress, read_masses, weight_findings

EMPTY_SIDEBAND = Rule(
    "QL-STAT-031",
    "the sidebands hold events",
    "The background in the window is predicted from the bins beside it. Without any event there "
    "nothing is predicted; with events on one side alone the prediction is an extrapolation.",
)
SCAN_TOYS = 1000
OPTIONAL = ("p_toys", "z_toys", "p_global", "z_global")


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
    read = read_masses(paths, tree, (mass, select, weight), binning.range, progress)
    masses, weights = read.masses, read.weights
    spectrum = binning.count(masses, weights)
    warnings = [*read.warnings.values(), *_sideband_findings(spectrum), *weight_findings(weights)]
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


def _plain(name: str, quantity: Quantity) -> dict[str, float | None]:
    """A quantity as plain numbers: the value, and its error or errors."""
    value, up, down = (jsonable(item) for item in (quantity.value, quantity.up, quantity.down))
    if up == down:
        return {name: value, f"{name}_error": up}
    return {name: value, f"{name}_error_up": up, f"{name}_error_down": down}


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
