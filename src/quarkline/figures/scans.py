"""Significance against mass, against the cut, and for variations of the fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from quarkline.figures.pieces import (
    HALO,
    MASS,
    floats,
    log_axis,
    mark_masses,
    mark_window,
    percent,
    say_empty,
    set_labels,
    set_range,
)
from quarkline.figures.style import BLUE, GREY, Canvas, Label, canvas, looks, ordered_looks
from quarkline.figures.tables import Array, Column, Table, bins, points, values
from quarkline.statistics.significance import p_from_z

FPR = "False positive rate"
P_VALUE = "Background-only $p$-value"
_RING: Mapping[str, Any] = {"color": "black", "markersize": 13, "markerfacecolor": "none"}
_LINES: tuple[Any, ...] = ("-", "--", ":", "-.")


def plot_significance(
    edges: ArrayLike,
    z: ArrayLike,
    *,
    window: tuple[float, float] | None = None,
    masses: Mapping[str, float] | None = None,
    mass_label: str = MASS,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the local significance of each mass bin.

    Args:
        edges: Bin edges with shape (n + 1,).
        z: Signed local significance of each bin, with shape (n,).
        window: Signal window [low, high).
        masses: Known masses to mark, by name.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        cells, significance = floats(edges), floats(z)
        known = significance[np.isfinite(significance)]
        high = max(3.5, 1.35 * known.max(initial=0.0))
        low = min(-3.5, 1.15 * known.min(initial=0.0))
        for sigma in range(int(low), int(high) + 1):
            frame.main.axhline(
                sigma, color=GREY, linewidth=0.8, linestyle="-" if sigma == 0 else ":", zorder=0.5
            )
        if not known.size:
            say_empty(frame.main, "no significances")
        else:
            frame.main.stairs(
                np.nan_to_num(significance), cells, baseline=0.0, fill=True, color=BLUE, alpha=0.6
            )
            frame.main.stairs(np.nan_to_num(significance), cells, color=BLUE, linewidth=1)
        mark_window(frame.main, window)
        mark_masses(frame.main, masses)
        set_range(frame.main, cells)
        frame.main.set_ylim(low, high)
        set_labels(frame, mass_label, "Local significance $Z$ [$\\sigma$]")
        column = values("Local significance", significance)
        frame.tables.append(Table("Significance", (bins(mass_label, cells),), (column,)))
    return frame.figure


def plot_p_value_scan(
    fpr: ArrayLike,
    z: Mapping[str, ArrayLike],
    *,
    working_point: float | None = None,
    reweighted: Mapping[str, float] | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the background-only p-value of each method against the cut.

    Args:
        fpr: Fraction of sideband events each cut keeps, with shape (n,).
        z: Significances of each method, each with shape (n,); the first is the one to look at.
        working_point: The FPR declared before looking.
        reweighted: Significance of fits without a cut, drawn as horizontal lines.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    flat = dict(reweighted or {})
    with canvas(ax, label=label, style=style) as frame:
        cuts = floats(fpr)
        curves = {name: floats(curve) for name, curve in z.items()}
        for (name, curve), look in zip(curves.items(), looks(len(curves)), strict=True):
            first = name == next(iter(curves))
            frame.main.plot(
                cuts,
                p_from_z(curve),
                color="black" if first else look.color,
                linestyle=look.linestyle,
                marker=look.marker if first else "",
                label=name,
                zorder=3 if first else 2,
            )
            if first and working_point is not None:
                at = np.isclose(cuts, working_point, rtol=1e-6)
                frame.main.plot(cuts[at], p_from_z(curve[at]), "o", **_RING)
        for (name, value), line in zip(flat.items(), _LINES, strict=False):
            frame.main.axhline(
                float(p_from_z(value)),
                color=BLUE,
                linestyle=line,
                linewidth=1.6,
                label=f"{name}, $Z$ = {value:.1f}",
            )
        mark_working_point(frame.main, working_point)
        everything = np.concatenate([*curves.values(), floats(list(flat.values()))])
        _finish_p_values(frame, cuts, everything, legend_rows=len(curves) + len(flat))
        if curves or flat:
            frame.main.legend(loc="lower right")
        methods = [column for name, curve in curves.items() for column in _columns(name, curve)]
        frame.tables.append(Table("Scan of the cut", (points(FPR, cuts),), tuple(methods)))
        frame.tables.extend(
            Table(name, (points("Fit without a cut", [1]),), _columns(name, floats(value)))
            for name, value in flat.items()
        )
    return frame.figure


def plot_significance_variations(
    fpr: ArrayLike,
    z: Mapping[tuple[int, int], ArrayLike],
    *,
    window: tuple[float, float],
    working_point: float | None = None,
    envelope: tuple[float, float] | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the p-value against the cut for each degree (colour) and bin width (line style).

    Args:
        fpr: Fraction of sideband events each cut keeps, with shape (n,).
        z: Significances by (degree, number of bins in the window), each with shape (n,).
        window: Signal window [low, high) in GeV; gives the bin width.
        working_point: The FPR declared before looking.
        envelope: Smallest and largest significance at the working point, to mark.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    degrees = sorted({degree for degree, _ in z})
    numbers = sorted({number for _, number in z})
    colours = dict(zip(degrees, ordered_looks(len(degrees)), strict=True))
    lines = {number: _LINES[index % len(_LINES)] for index, number in enumerate(numbers)}
    with canvas(ax, label=label, style=style) as frame:
        cuts = floats(fpr)
        columns: list[Column] = []
        for (degree, number), curve in z.items():
            look = colours[degree]
            frame.main.plot(
                cuts,
                p_from_z(floats(curve)),
                color=look.color,
                linestyle=lines[number],
                linewidth=1.6,
            )
            name = f"degree {degree}, bin width {width_percent(window, number)}"
            columns.extend(_columns(name, floats(curve)))
        mark_working_point(frame.main, working_point)
        _mark_envelope(frame.main, working_point, envelope)
        everything = [floats(curve) for curve in z.values()]
        rows = max(len(degrees), len(numbers))
        _finish_p_values(frame, cuts, np.concatenate([*everything, np.empty(0)]), legend_rows=rows)
        handles = [
            *(Line2D([], [], color=colours[key].color, label=f"Degree {key}") for key in degrees),
            *(
                Line2D(
                    [],
                    [],
                    color="black",
                    linestyle=lines[key],
                    label=f"Bin width {width_percent(window, key)}",
                )
                for key in numbers
            ),
        ]
        if handles:
            frame.main.legend(handles=handles, loc="lower right", ncols=2)
        frame.tables.append(Table("Variations of the fit", (points(FPR, cuts),), tuple(columns)))
    return frame.figure


def width_percent(window: tuple[float, float], number: int) -> str:
    """Width of one of `number` bins in the window, relative to the window's centre."""
    low, high = window
    return f"{100 * (high - low) / number / ((low + high) / 2):.1f} %"


def sigma_lines(ax: Axes, z_max: float) -> None:
    """Draw a line at the p-value of every whole sigma and name it at the right.

    Beyond eight sigma only every second, fifth or tenth is drawn.
    """
    step = next(step for step in (1, 2, 5, 10, 1000) if z_max / step <= 9)
    for sigma in range(step, int(z_max) + 1, step):
        p = float(p_from_z(sigma))
        ax.axhline(p, color=GREY, linewidth=0.8, linestyle=":", zorder=0.5)
        ax.annotate(
            f"{sigma}$\\sigma$",
            (1, p),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize="x-small",
            annotation_clip=False,
        )


def p_value_axis(ax: Axes, z: ArrayLike, *, legend_rows: int) -> float:
    """A logarithmic axis of p-values around significances, with room for a legend below.

    Args:
        ax: The axes.
        z: Everything drawn.
        legend_rows: Lines of the legend at the foot of the frame.

    Returns:
        The fraction of the axis left free for the legend.
    """
    known = floats(z)
    known = known[np.isfinite(known)]
    z_max = min(max(3.0, float(known.max(initial=0.0))), 30.0)
    free = 0.07 + 0.053 * legend_rows
    log_axis(ax, "y", max(float(p_from_z(z_max)) ** (1 / (1 - free)), 1e-300), 1.0)
    sigma_lines(ax, z_max)
    return free


def mark_working_point(ax: Axes, fpr: float | None) -> None:
    """Draw a line at the declared working point and name it at the foot of the frame."""
    if fpr is None:
        return
    ax.axvline(fpr, color="black", linewidth=1.2, linestyle=(0, (6, 3)), zorder=1)
    ax.annotate(
        f"declared: {percent(fpr)}",
        (fpr, 0.02),
        (-3, 0),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        rotation=90,
        ha="right",
        va="bottom",
        fontsize="xx-small",
    )


def _mark_envelope(ax: Axes, fpr: float | None, envelope: tuple[float, float] | None) -> None:
    """A bar from the smallest to the largest significance at the working point."""
    if fpr is None or envelope is None or not np.isfinite(envelope).all():
        return
    ax.plot([fpr, fpr], p_from_z(envelope), color="black", linewidth=3.5, marker="_", markersize=14)
    ax.annotate(
        f"{envelope[0]:.1f} to {envelope[1]:.1f}$\\sigma$",
        (fpr, float(p_from_z(envelope[0]))),
        (6, 4),
        textcoords="offset points",
        fontsize="x-small",
        path_effects=HALO,
    )


def _columns(name: str, z: Array) -> tuple[Column, ...]:
    tag = {"method": name}
    return (
        values("Background-only p-value", p_from_z(z), qualifiers=tag),
        values("Significance", z, qualifiers=tag),
    )


def _finish_p_values(frame: Canvas, cuts: Array, z: Array, *, legend_rows: int) -> None:
    if not np.isfinite(z).any():
        say_empty(frame.main, "no significances")
    positive = cuts[np.isfinite(cuts) & (cuts > 0)]
    low = min(2e-4, positive.min() / 2) if positive.size else 2e-4
    log_axis(frame.main, "x", low, 1.0)
    p_value_axis(frame.main, z, legend_rows=legend_rows)
    set_labels(frame, FPR, P_VALUE)
