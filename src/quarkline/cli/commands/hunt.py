"""`quarkline hunt`: a bump hunt in files of events, as numbers, a sentence and a spectrum."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.engine.core.results import Quantity
    from quarkline.statistics import BumpHuntResult, MassScanResult, SpectrumFit
    from quarkline.tools.hunt import HuntReport

ROWS = 24
BAR_WIDTH = 40


def command(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files or globs, read as one table.")
    ],
    mass: Annotated[
        str, typer.Option(metavar="EXPR", help="Mass, such as dimu_mass or 'Jet_mass[0]'.")
    ],
    mass_range: Annotated[
        tuple[float, float],
        typer.Option("--range", metavar="LO HI", help="Lowest and highest mass."),
    ],
    window: Annotated[
        tuple[float, float], typer.Option(metavar="LO HI", help="Where to look for a bump.")
    ],
    degree: Annotated[
        int, typer.Option(min=0, metavar="D", help="Degree of the background polynomial.")
    ] = 5,
    bins: Annotated[
        int, typer.Option(min=1, metavar="N", help="Bins across the window, as wide beside it.")
    ] = 11,
    select: Annotated[
        str | None, typer.Option(metavar="CUT", help="What to keep, such as 'score > 0.9'.")
    ] = None,
    weight: Annotated[
        str | None, typer.Option(metavar="W", help="Weight of each entry; multiplies CUT.")
    ] = None,
    tree: Annotated[
        str | None, typer.Option(metavar="TREE", help="The tree, if a file has several.")
    ] = None,
    toys: Annotated[
        int, typer.Option(min=0, metavar="N", help="Background-only toys for a p-value.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the toys.")] = 1,
    scan: Annotated[
        bool, typer.Option("--scan", help="Slide the window over the range, too.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="STEM", help="Write STEM.pdf, STEM.png and STEM.json.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Threads for toys.")] = 1,
    as_json: options.Json = False,
) -> None:
    """Hunt for a bump in the mass spectrum of FILE.

    Counts events in the window and compares with what a polynomial fitted to the bins on both sides
    predicts.
    """
    from rich.console import Console
    from rich.progress import Progress

    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.hunt import hunt

    console = Console(stderr=True)
    hidden = as_json or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bars:
        bar = bars.add_task("reading", total=1.0)
        report = hunt(
            files,
            mass,
            mass_range=mass_range,
            window=window,
            degree=degree,
            bins=bins,
            select=select,
            weight=weight,
            tree=tree,
            toys=toys,
            seed=seed,
            scan=scan,
            workers=workers,
            progress=lambda read: bars.update(bar, completed=read),
        )
    if plot is not None:
        _plot(report, plot)
    if as_json:
        typer.echo(pretty_json(report.summary()), nl=False)
        return
    _show(report)


def _plot(report: HuntReport, stem: Path) -> None:
    from quarkline.figures import save
    from quarkline.figures.hunt import plot_hunt, plot_scan

    name = report.mass + (f" [{report.unit}]" if report.unit else "")
    save(plot_hunt(report.hunt, report.spectrum, mass_label=name), stem)
    if report.scan:
        save(plot_scan(report.scan, mass_label=name), stem.with_name(f"{stem.name}_scan"))


def _show(report: HuntReport) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    unicode = console.encoding.lower().startswith("utf")
    for line in lines(report, bar="█" if unicode else "#"):
        console.print(line, soft_wrap=True)


def lines(report: HuntReport, *, bar: str) -> Iterator[str]:
    """The report as lines of text: what was read, spectrum, numbers, sentence, warnings."""
    files = f"{report.files} file" + "s" * (report.files != 1)
    yield f"{report.mass}{f' [{report.unit}]' if report.unit else ''}"
    for name, text in (("selection", report.select), ("weight", report.weight)):
        if text:
            yield f"{name}: {text}"
    yield f"{report.n_in_range:,} entries in the range, from {report.events:,} events of {files}"
    yield ""
    yield from spectrum_lines(report.spectrum, bar)
    yield ""
    yield from _numbers(report.hunt)
    if report.scan:
        yield from _scan_lines(report.scan)
    yield ""
    yield sentence(report.hunt)
    for warning in report.warnings:
        hint = [f"   {warning['suggestion']}"] if warning["suggestion"] else []
        yield from ["", f"{warning['code']}  {warning['message']}", *hint]


def spectrum_lines(spectrum: SpectrumFit, bar: str) -> Iterator[str]:
    """A row for every few bins: edges, contents as a bar, contents and fit as numbers."""
    merge = math.ceil(len(spectrum.counts) / ROWS)
    rows = [
        (start, min(start + merge, stop))
        for first, stop in _regions(spectrum)
        for start in range(first, stop, merge)
    ]
    seen = [sum(spectrum.counts[start:stop]) for start, stop in rows]
    fitted = [sum(spectrum.expected[start:stop]) for start, stop in rows]
    top = max(*seen, 0.0) or 1.0
    yield f"{'mass':>10}{'':{BAR_WIDTH + 13}}{'seen':>8}{'fit':>8}"
    for (start, stop), content, expected in zip(rows, seen, fitted, strict=True):
        low, high = spectrum.edges[start], spectrum.edges[stop]
        inside = spectrum.window[0] <= (low + high) / 2 <= spectrum.window[1]
        filled = bar * round(BAR_WIDTH * max(content, 0.0) / top)
        yield (
            f"{low:>8.4g} - {high:<7.4g} {'>' if inside else ' '} {filled:{BAR_WIDTH}}"
            f"{_short(content):>10}{_short(expected):>8}"
        )


def _regions(spectrum: SpectrumFit) -> list[tuple[int, int]]:
    """First and last bin of the low sideband, the window, and the high sideband."""
    first, last = (spectrum.edges.index(edge) for edge in spectrum.window)
    return [(0, first), (first, last), (last, len(spectrum.counts))]


def _numbers(hunt: BumpHuntResult) -> Iterator[str]:
    low, high = hunt.mass_window
    yield (
        f"window {low:g} to {high:g} in {hunt.bins} bins, polynomial of degree {hunt.degree}, "
        f"fit {hunt.status}"
    )
    background, signal = _pair(hunt.background), _pair(hunt.signal)
    yield f"seen {_short(hunt.n_window)}   background {background}   signal {signal}"
    yield f"q0 {hunt.q0:.5g}   local Z {hunt.z_local:.3f}   p {hunt.p_local:.3g}"
    if hunt.p_toys is not None and hunt.z_toys is not None:
        failed = f", {hunt.n_toys_failed:,} failed" if hunt.n_toys_failed else ""
        yield (
            f"{hunt.n_toys:,} toys   local Z {hunt.z_toys:.3f}   p {hunt.p_toys.value:.3g} "
            f"({hunt.n_toys_exceeding:,} reach it{failed})"
        )


def _scan_lines(scan: MassScanResult) -> Iterator[str]:
    yield ""
    yield f"{'window':>10}{'seen':>20}{'background':>12}{'signal':>9}{'local Z':>9}{'p':>10}"
    for index, (low, high) in enumerate(zip(scan.low, scan.high, strict=True)):
        yield (
            f"{low:>8.4g} - {high:<7.4g} {'*' if index == scan.best else ' '} "
            f"{_short(scan.n_window[index]):>10}{_short(scan.background[index]):>12}"
            f"{_short(scan.signal[index]):>9}{scan.z_local[index]:>9.2f}"
            f"{scan.p_local[index]:>10.2g}"
        )
    if scan.p_global is None or scan.z_global is None or scan.p_upcrossing is None:
        return
    yield (
        f"best window *: global Z {scan.z_global:.2f}, p {scan.p_global.value:.3g} by "
        f"{scan.n_toys:,} toys ({scan.n_exceeding:,} reach it)"
    )
    yield f"{'':15}global Z {scan.z_upcrossing:.2f}, p {scan.p_upcrossing:.3g} by upcrossings"


def sentence(hunt: BumpHuntResult) -> str:
    """What was found, in words."""
    low, high = hunt.mass_window
    if math.isnan(hunt.q0):
        return "The fit did not converge: there is no significance to quote."
    kind = "excess" if hunt.signal.value >= 0.0 else "deficit"
    found = (
        f"{_short(hunt.n_window)} events between {low:g} and {high:g} where "
        f"{_pair(hunt.background)} are expected: {'an' if kind == 'excess' else 'a'} {kind}"
    )
    if kind == "deficit":
        return f"{found}, no signal."
    local = f"{found} of {hunt.z_local:.1f} sigma local (p = {hunt.p_local:.2g})"
    if hunt.z_global is None:
        return f"{local}."
    return (
        f"{local}; the best window of the scan has {hunt.z_global:.1f} sigma global "
        f"(p = {hunt.p_global:.2g})."
    )


def _pair(quantity: Quantity) -> str:
    error = "" if quantity.up is None else f" ± {_short(quantity.up)}"
    return f"{_short(quantity.value)}{error}"


def _short(value: float) -> str:
    if math.isnan(value):
        return "-"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"
