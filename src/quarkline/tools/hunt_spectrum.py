"""Search the whole mass spectrum of any files of events in logarithmic windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.engine.core.results import Result
from quarkline.events.files import expand_files
from quarkline.statistics import SpectrumGrid, SpectrumScanResult, WindowStatus, scan_spectrum
from quarkline.statistics.spectrum_scan import check_degree
from quarkline.studies.resonance.masks import masks
from quarkline.tools.masses import Progress, read_masses, weight_findings

MISFIT = Rule(
    "QL-STAT-041",
    "the background of a window describes its sidebands",
    "Where a threshold, an edge of the spectrum or a strong peak lies beside a window, its "
    "background predicts nothing and the window is not searched. A masked interval serves no "
    "window as sideband, which brings back a known peak and its neighbours.",
    Severity.WARNING,
)
NOTHING_SEARCHED = Rule(
    "QL-STAT-042",
    "a whole-spectrum scan has windows to search",
    "A window needs sideband cells on both sides that are not masked, with at least ten events.",
)


@dataclass(frozen=True)
class SpectrumHuntReport(Result, kind="spectrum-hunt"):
    """A whole-spectrum scan of files of events.

    Attributes:
        mass: The mass expression.
        select: The selection, "" for none.
        weight: The weight, "" for none.
        unit: Unit of the mass, "" if none is known.
        files: Number of files read.
        events: Number of events read.
        n_selected: Instances selected.
        n_in_range: How many of them have a mass inside the range.
        known: Masses of the resonances that were masked by name.
        scan: The scan.
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
    known: dict[str, float]
    scan: SpectrumScanResult
    warnings: tuple[Mapping[str, Any], ...] = ()


def hunt_spectrum(
    files: Sequence[str | Path],
    mass: str,
    *,
    mass_range: tuple[float, float],
    resolution: float = 0.01,
    degree: int = 3,
    mask: Sequence[str | tuple[float, float]] = (),
    select: str | None = None,
    weight: str | None = None,
    tree: str | None = None,
    toys: int = 1000,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
) -> SpectrumHuntReport:
    """Search a whole mass spectrum for narrow peaks.

    Args:
        files: Paths or globs, read as one table in this order.
        mass: Expression of the mass; several entries an event if it loops over an array.
        mass_range: Lowest and highest mass.
        resolution: Standard deviation of a narrow peak over its mass.
        degree: Degree of the local background polynomials in ln m.
        mask: Intervals that serve no window as sideband: `known`, names of dimuon resonances, or
            pairs of masses.
        select: Which instances to keep; a number counts as weight.
        weight: Weight of each instance.
        tree: The tree, where a file has several.
        toys: Number of background-only toys; 0 gives local significances only.
        seed: Seed of the toys.
        workers: Number of threads for toys; the numbers do not depend on it.
        progress: Called with the fraction of the files that has been read.

    Raises:
        InputError: If a file is missing or not readable, an expression does not fit, a mask is
            unknown, or no window can be searched.
        WorkError: If a file turns out damaged.
    """
    masked = masks(mask, mass_range)
    grid = SpectrumGrid(mass_range, resolution, masked.intervals)
    check_degree(degree)
    paths = expand_files([str(file) for file in files], base=Path())
    read = read_masses(paths, tree, (mass, select, weight), grid.range, progress)
    masses, weights = read.masses, read.weights
    scan = scan_spectrum(
        grid, masses, weight=weights, degree=degree, n_toys=toys, seed=seed, workers=workers
    )
    _check_searched(scan, masses.size)
    findings = [*read.warnings.values(), *weight_findings(weights), *misfit_findings(scan)]
    return SpectrumHuntReport(
        mass=mass,
        select=select or "",
        weight=weight or "",
        unit=read.unit,
        files=len(paths),
        events=read.events,
        n_selected=read.n,
        n_in_range=masses.size,
        known=masked.masses,
        scan=scan,
        warnings=tuple(finding.as_json() for finding in findings),
    )


def misfit_findings(scan: SpectrumScanResult) -> list[Finding]:
    """A warning of windows that were not searched because of what lies beside them."""
    places = scan.misfits()
    if not places:
        return []
    windows = scan.status.count(WindowStatus.MISFIT)
    stretches = ", ".join(f"{low:.4g} to {high:.4g}" for low, high in places)
    return [
        MISFIT.finding(
            f"no background describes the sidebands of {windows:,} windows, in {stretches}",
            suggestion="mask the peak in them by `--mask LO,HI` or its name, or end `--range` "
            "before an edge",
            evidence={"windows": windows, "stretches": places},
        )
    ]


def _check_searched(scan: SpectrumScanResult, events: int) -> None:
    if scan.searched:
        return
    counted = {status: scan.status.count(status) for status in dict.fromkeys(scan.status)}
    why = ", ".join(f"{number:,} {status}" for status, number in counted.items())
    raise InputError(
        NOTHING_SEARCHED.finding(
            f"none of {len(scan.status):,} windows can be searched in {events:,} events: {why}",
            suggestion="widen the range, mask less, or give a coarser resolution",
            evidence={str(status): number for status, number in counted.items()},
        )
    )
