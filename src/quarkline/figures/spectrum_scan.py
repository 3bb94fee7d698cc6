"""A whole mass spectrum on logarithmic axes above the local p-value of every window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from quarkline.figures.pieces import HALO, MASS, floats, log_axis, log_y, say_empty, set_labels
from quarkline.figures.scans import p_value_axis
from quarkline.figures.style import BLUE, GREY, RED, Canvas, Label, canvas, grid_of
from quarkline.figures.tables import Array, Table, intervals, values
from quarkline.statistics.significance import p_from_z
from quarkline.statistics.spectrum_scan import BestWindow, SpectrumScanResult

SIZE = (11.0, 7.6)
HIGHEST = 8.0  # standard deviations the lower axis reaches; what lies beyond is an arrow
NAME_SPACING = 0.019  # of the width of the frame, between the names of neighbouring resonances
LEGEND_ROWS = 1.7  # of an ordinary figure that a line of the legend fills in the lower frame
HEADROOM = 0.27  # of the upper frame, for names


def plot_spectrum_scan(
    result: SpectrumScanResult,
    *,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw a whole-spectrum scan: events and local backgrounds, and the p-value of each window.

    Args:
        result: The scan.
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on: one for the spectrum, or two for spectrum and p-values.
        label: The line above the figure.
        style: Name of a style.
    """
    low, high, z = floats(result.low), floats(result.high), floats(result.z_local)
    inside = {
        name: mass
        for name, mass in (masses or {}).items()
        if result.mass_range[0] < mass < result.mass_range[1]
    }
    with canvas(ax, label=label, style=style, layout=_stacked, size=SIZE) as frame:
        for axes in frame.axes:
            log_axis(axes, "x", *result.mass_range)
            for mask in result.mask:
                axes.axvspan(*mask, color=GREY, alpha=0.16, linewidth=0, zorder=0)
            for mass in inside.values():
                axes.axvline(mass, color="black", linewidth=0.8, linestyle=":", zorder=0.5)
        _plain_masses(frame.axes[-1])
        _spectrum(frame, result)
        _names(frame.main, inside, result.mass_range)
        if frame.lower is not None:
            _p_values(frame.lower, result, np.sqrt(low * high), z)
        set_labels(frame, mass_label, _per_cell(result), "Local $p$-value")
        columns = (values("Local p-value", p_from_z(z)), values("Local significance", z))
        frame.tables.append(Table("Scan", (intervals(mass_label, low, high),), columns))
        edges = floats(result.edges)
        frame.tables.append(
            Table(
                "Spectrum",
                (intervals(mass_label, edges[:-1], edges[1:]),),
                (
                    values("Events", result.counts, error=result.error),
                    values("Expected background", result.expected),
                ),
            )
        )
    return frame.figure


def _stacked(figure: Figure) -> tuple[Axes, ...]:
    """The spectrum above the p-values, which need more room than a panel of pulls."""
    inner = grid_of(figure)[0, 0].subgridspec(2, 1, height_ratios=(1.25, 1), hspace=0.06)
    main = figure.add_subplot(inner[0, 0])
    lower = figure.add_subplot(inner[1, 0], sharex=main)
    main.tick_params(labelbottom=False)
    return main, lower


def _spectrum(frame: Canvas, result: SpectrumScanResult) -> None:
    edges, counts = floats(result.edges), floats(result.counts)
    if not (counts > 0.0).any():
        say_empty(frame.main)
    frame.main.stairs(counts, edges, color="black", linewidth=1.0, label="Data")
    expected = floats(result.expected)
    shown = np.where(expected > 0.0, expected, np.nan)
    frame.main.plot(
        np.sqrt(edges[:-1] * edges[1:]), shown, color=RED, linewidth=1.4, label="Local backgrounds"
    )
    log_y(frame.main, np.concatenate([counts, shown]), headroom=HEADROOM, footroom=2)
    frame.main.legend(loc="lower left")


def _p_values(ax: Axes, result: SpectrumScanResult, centre: Array, z: Array) -> None:
    reached = np.minimum(z, HIGHEST)
    ax.plot(centre, p_from_z(reached), color=BLUE, linewidth=1.2, zorder=2)
    beyond = [index for index in result.peaks(HIGHEST) if z[index] > HIGHEST]
    ax.plot(centre[beyond], p_from_z(reached[beyond]), "v", color=BLUE, markersize=7, clip_on=False)
    if not np.isfinite(z).any():
        say_empty(ax, "no windows")
    lines = []
    if result.candidate is not None:
        best = result.candidate
        ax.plot(
            centre[best.index],
            p_from_z(reached[best.index]),
            "o",
            color="black",
            markersize=11,
            markerfacecolor="none",
            linestyle="",
            label=_worth(result, best),
        )
        lines = _worth(result, best).splitlines()
    if beyond:
        ax.plot([], [], "v", color=BLUE, markersize=7, linestyle="", label="Beyond 8$\\sigma$")
    rows = round(LEGEND_ROWS * (len(lines) + bool(beyond)))
    p_value_axis(ax, np.append(reached, 4.0), legend_rows=rows)
    if lines or beyond:
        ax.legend(loc="lower left")


def _worth(result: SpectrumScanResult, best: BestWindow) -> str:
    """The best window in words, with its global significance."""
    low, high = result.low[best.index], result.high[best.index]
    where = " unmasked" if result.mask else ""
    lines = [f"Best{where} window {low:.4g} to {high:.4g}: $Z$ = {best.z_local:.1f} local"]
    if best.p_global is not None and best.z_global is not None and best.z_upcrossing is not None:
        sign = ">" if best.n_exceeding == 0 else "="
        lines.append(
            f"$Z$ {sign} {best.z_global:.1f} global by {best.n_toys - best.n_toys_failed:,} toys, "
            f"$Z$ = {best.z_upcrossing:.1f} by upcrossings"
        )
    return "\n".join(lines)


def _names(ax: Axes, masses: Mapping[str, float], mass_range: tuple[float, float]) -> None:
    """Names at the top of the frame, moved apart where they would overlap."""
    low, high = mass_range
    ordered = sorted(masses.items(), key=lambda item: item[1])
    wanted = [np.log(mass / low) / np.log(high / low) for _, mass in ordered]
    for (name, _), place in zip(ordered, _apart(wanted), strict=True):
        ax.annotate(
            name,
            (place, 0.97),
            xycoords="axes fraction",
            rotation=90,
            ha="right",
            va="top",
            fontsize="x-small",
            path_effects=HALO,
        )


def _apart(places: Sequence[float]) -> list[float]:
    """Ascending places moved as little as needed to be NAME_SPACING apart.

    Places that collide become a group around their mean; groups that collide merge.
    """
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _end(groups[-2]) + NAME_SPACING > _start(groups[-1]):
            last = groups.pop()
            groups[-1] = groups[-1] + last
    return [
        _start(group) + NAME_SPACING * number for group in groups for number in range(len(group))
    ]


def _start(group: Sequence[float]) -> float:
    return sum(group) / len(group) - NAME_SPACING * (len(group) - 1) / 2


def _end(group: Sequence[float]) -> float:
    return sum(group) / len(group) + NAME_SPACING * (len(group) - 1) / 2


def _per_cell(result: SpectrumScanResult) -> str:
    if len(result.edges) < 2:
        return "Events"
    return f"Events / {100 * (result.edges[1] / result.edges[0] - 1):.2g} %"


def _plain_masses(ax: Axes) -> None:
    """Masses at 1, 2 and 5 times powers of ten, written as plain numbers."""
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=30))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda mass, _: f"{mass:g}"))
