"""`quarkline hunt`: a bump hunt in files of events, as numbers, a sentence and a spectrum."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from quarkline.cli import options

if TYPE_CHECKING:
    from quarkline.engine.core.results import Quantity
    from quarkline.statistics import BumpHuntResult, MassScanResult, SpectrumFit
    from quarkline.tools.hunt import HuntReport

R = TypeVar("R")

ROWS = 24
BAR_WIDTH = 40


def command(
    files: options.Files,
    mass: Annotated[
        str, typer.Option(metavar="EXPR", help="Mass, such as dimu_mass or 'Jet_mass[0]'.")
    ],
    mass_range: Annotated[
        tuple[float, float],
        typer.Option("--range", metavar="LO HI", help="Lowest and highest mass."),
    ],
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LO HI", help="Where to look for a bump; not with --log."),
    ] = None,
    degree: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="D", help="Degree of the background; default: 5, with --log 3."
        ),
    ] = None,
    bins: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Bins across the window, as wide beside it; default: 11."
        ),
    ] = None,
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
        int | None,
        typer.Option(
            min=0, metavar="N", help="Toys for a p-value; default: none, for a scan 1000."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Seed of the toys.")] = 1,
    scan: Annotated[
        bool, typer.Option("--scan", help="Slide the window over the range, too.")
    ] = False,
    log: Annotated[
        bool,
        typer.Option("--log", help="With --scan: search the whole range in logarithmic windows."),
    ] = False,
    resolution: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="With --log: width of a narrow peak over its mass; default: 0.01."
        ),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|LO,HI",
            help="With --log: keep out of sidebands a dimuon resonance, all that are 'known', or "
            "an interval; may be repeated.",
        ),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="STEM", help="Write STEM.pdf, STEM.png and STEM.json.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Threads for toys.")] = 1,
    files_from: options.FilesFrom = None,
    copy: options.Copy = False,
    as_json: options.Json = False,
) -> None:
    """Hunt for a bump in the mass spectrum of FILE.

    Counts events in the window and compares with what a polynomial fitted to the bins on both sides
    predicts. With --scan --log the whole range is searched instead, in windows as wide as a narrow
    peak, each with a polynomial of its own.
    """
    _check_options(window, bins, resolution, mask, scan=scan, log=log)
    from quarkline.tools.input_files import input_files

    chosen = input_files(files, files_from=files_from, copy=copy)
    common: dict[str, Any] = {
        "mass_range": mass_range,
        "select": select,
        "weight": weight,
        "tree": tree,
        "seed": seed,
        "workers": workers,
    }
    if log:
        from quarkline.cli.commands.hunt_spectrum import show_spectrum
        from quarkline.tools.hunt_spectrum import hunt_spectrum

        found = _with_bar(
            partial(
                hunt_spectrum,
                chosen,
                mass,
                resolution=0.01 if resolution is None else resolution,
                degree=3 if degree is None else degree,
                mask=mask or (),
                toys=1000 if toys is None else toys,
                **common,
            ),
            hidden=as_json,
        )
        show_spectrum(found, plot=plot, as_json=as_json)
        return
    from quarkline.engine.core.results import pretty_json
    from quarkline.tools.hunt import hunt

    report = _with_bar(
        partial(
            hunt,
            chosen,
            mass,
            degree=5 if degree is None else degree,
            bins=bins or 11,
            toys=toys or 0,
            scan=scan,
            **common | {"window": window},
        ),
        hidden=as_json,
    )
    if plot is not None:
        _plot(report, plot)
    if as_json:
        typer.echo(pretty_json(report.summary()), nl=False)
        return
    _show(report)


def _check_options(
    window: tuple[float, float] | None,
    bins: int | None,
    resolution: float | None,
    mask: list[str] | None,
    *,
    scan: bool,
    log: bool,
) -> None:
    """Refuse options that do not belong together.

    Raises:
        typer.BadParameter: With what to do instead.
    """
    if log:
        if not scan:
            raise typer.BadParameter("--log is a way to scan: add --scan")
        options.refuse_both("--log", log, "--window", window)
        options.refuse_both("--log", log, "--bins", bins)
        return
    if window is None:
        raise typer.BadParameter("where to look is missing: give --window LO HI, or --scan --log")
    if resolution is not None or mask:
        raise typer.BadParameter("--resolution and --mask belong to --scan --log")


def _with_bar(work: Callable[..., R], *, hidden: bool) -> R:
    """Do some work that reads files, with a bar that says how far it is."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    hidden = hidden or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bars:
        bar = bars.add_task("reading", total=1.0)
        return work(progress=lambda read: bars.update(bar, completed=read))


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
            f"{short(content):>10}{short(expected):>8}"
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
    background, signal = pair(hunt.background), pair(hunt.signal)
    yield f"seen {short(hunt.n_window)}   background {background}   signal {signal}"
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
            f"{short(scan.n_window[index]):>10}{short(scan.background[index]):>12}"
            f"{short(scan.signal[index]):>9}{scan.z_local[index]:>9.2f}"
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
        f"{short(hunt.n_window)} events between {low:g} and {high:g} where "
        f"{pair(hunt.background)} are expected: {'an' if kind == 'excess' else 'a'} {kind}"
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


def pair(quantity: Quantity) -> str:
    """A number with its error, if it has one."""
    error = "" if quantity.up is None else f" ± {short(quantity.up)}"
    return f"{short(quantity.value)}{error}"


def short(value: float) -> str:
    """A number with as many digits as say something."""
    if math.isnan(value):
        return "-"
    if abs(value) >= 100 or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.3g}"
