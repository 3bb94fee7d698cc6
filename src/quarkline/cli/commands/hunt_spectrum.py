"""A whole-spectrum scan on the terminal: what stands out, known resonances, what it is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from quarkline.cli.commands.hunt import short

if TYPE_CHECKING:
    from quarkline.statistics import BestWindow, SpectrumScanResult
    from quarkline.tools.hunt_spectrum import SpectrumHuntReport

MOST_ROWS = 30


def show_spectrum(report: SpectrumHuntReport, *, plot: Path | None, as_json: bool) -> None:
    """Write a scan as text or JSON, and as a figure if asked for."""
    from quarkline.engine.core.results import pretty_json

    if plot is not None:
        from quarkline.figures import plot_spectrum_scan, save
        from quarkline.studies.resonance.particles import typeset

        name = report.mass + (f" [{report.unit}]" if report.unit else "")
        masses = {typeset(state): mass for state, mass in report.known.items()}
        save(plot_spectrum_scan(report.scan, masses=masses, mass_label=name), plot)
    if as_json:
        typer.echo(pretty_json(report), nl=False)
        return
    for line in spectrum_lines(report):
        typer.echo(line)


def spectrum_lines(report: SpectrumHuntReport) -> Iterator[str]:
    """The report as lines of text."""
    scan = report.scan
    files = f"{report.files} file" + "s" * (report.files != 1)
    yield f"{report.mass}{f' [{report.unit}]' if report.unit else ''}"
    for name, text in (("selection", report.select), ("weight", report.weight)):
        if text:
            yield f"{name}: {text}"
    yield f"{report.n_in_range:,} entries in the range, from {report.events:,} events of {files}"
    yield ""
    low, high = scan.mass_range
    yield (
        f"{scan.searched:,} of {len(scan.low):,} windows of {100 * _width(scan):.2g} % from "
        f"{low:g} to {high:g}; backgrounds of degree {scan.degree} in ln m"
    )
    if scan.mask:
        yield "masked: " + ", ".join(f"{low:g} to {high:g}" for low, high in scan.mask)
    yield from _table(report)
    yield ""
    yield from _worth(scan)
    for warning in report.warnings:
        hint = [f"   {warning['suggestion']}"] if warning["suggestion"] else []
        yield from ["", f"{warning['code']}  {warning['message']}", *hint]


def _table(report: SpectrumHuntReport) -> Iterator[str]:
    """Known resonances, and whatever else stands out."""
    scan = report.scan
    named: dict[int, list[str]] = {}
    for name, mass in report.known.items():
        if (index := scan.window_at(mass)) is not None:
            named.setdefault(index, []).append(name)
    rows = {index: "" for index in scan.peaks() if not scan.known[index]}
    strongest = sorted(rows, key=lambda index: -scan.z_local[index])[:MOST_ROWS]
    shown = {index: rows[index] for index in strongest}
    shown |= {index: ", ".join(names) for index, names in named.items()}
    if scan.candidate is not None:
        shown.setdefault(scan.candidate.index, "")
    yield ""
    yield f"{'window':>12}{'seen':>20}{'background':>12}{'signal':>10}{'local Z':>9}{'p':>10}"
    for index in sorted(shown):
        best = scan.candidate is not None and index == scan.candidate.index
        yield (
            f"{scan.low[index]:>9.4g} - {scan.high[index]:<8.4g}{'*' if best else ' '}"
            f"{short(scan.n_window[index]):>10}{short(scan.background[index]):>12}"
            f"{short(scan.signal[index]):>10}{_significance(scan, index)}  {shown[index]}"
        ).rstrip()


def _significance(scan: SpectrumScanResult, index: int) -> str:
    """Z and p of a window, or why it has none."""
    z, p = scan.z_local[index], scan.p_local[index]
    if math.isnan(z):
        return f"{scan.status[index]:>19}"
    return f"{z:>9.2f}{'< 1e-300' if p == 0.0 else f'{p:.2g}':>10}"


def _worth(scan: SpectrumScanResult) -> Iterator[str]:
    """What the best window is worth; of those outside the mask where there is one."""
    best = scan.candidate
    if best is None:
        yield "No window outside the mask could be searched."
        return
    where = " outside the mask" if scan.mask else ""
    low, high = scan.low[best.index], scan.high[best.index]
    yield (
        f"best of {best.windows:,} windows{where} *: {low:.4g} to {high:.4g}, "
        f"local Z {best.z_local:.2f}, p {best.p_local:.2g}"
    )
    yield from _global(best)


def _global(best: BestWindow) -> Iterator[str]:
    if best.p_global is None or best.z_global is None or best.p_upcrossing is None:
        return
    failed = f", {best.n_toys_failed:,} failed" if best.n_toys_failed else ""
    yield (
        f"  global Z {best.z_global:.2f}, p {best.p_global.value:.3g} by {best.n_toys:,} toys "
        f"({best.n_exceeding:,} reach it{failed})"
    )
    yield f"  global Z {best.z_upcrossing:.2f}, p {best.p_upcrossing:.3g} by upcrossings"


def _width(scan: SpectrumScanResult) -> float:
    return scan.high[0] / scan.low[0] - 1.0
