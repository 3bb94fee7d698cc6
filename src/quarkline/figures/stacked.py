"""Pieces of stacks: areas on each other, bands of errors, ratios, hidden ranges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from quarkline.figures.pieces import DATA, centres, poisson_error
from quarkline.figures.style import GREY, Fill, fills
from quarkline.figures.tables import Array

FLOOR = 1e-9  # of areas on a logarithmic axis


def draw_areas(
    ax: Axes,
    edges: Array,
    parts: Sequence[tuple[str, Array]],
    *,
    colors: Mapping[str, str],
    lines: Mapping[str, str] | None = None,
    usual: Mapping[str, Fill] | None = None,
    log: bool,
) -> list[Array]:
    """Draw areas on each other.

    Args:
        ax: The axes.
        edges: Edges of n bins.
        parts: Name and heights of each area, the lowest first.
        colors: Colours that replace the usual ones, by name; they come without hatches.
        lines: Colours of outlines, by name; else white, or black around a colour that was given.
        usual: The usual fills by name; by default those of the areas' places.
        log: Whether the y axis is logarithmic.

    Returns:
        The upper edge of each area, with shape (n,).
    """
    base = np.zeros(edges.size - 1)
    tops: list[Array] = []
    for (name, heights), place in zip(parts, fills(len(parts)), strict=True):
        top, fill = base + heights, (usual or {}).get(name, place)
        ax.stairs(
            top,
            edges,
            baseline=np.maximum(base, FLOOR) if log else base,
            fill=True,
            facecolor=colors.get(name, fill.color),
            edgecolor=(lines or {}).get(name, "black" if name in colors else "white"),
            hatch="" if name in colors else fill.hatch,
            linewidth=0.8 if name in colors else 0.4,
            label=name,
        )
        tops.append(top)
        base = top
    return tops


def draw_band(ax: Axes, edges: Array, middle: Array, error: Array, *, log: bool, name: str) -> None:
    """Draw a hatched band of one error around a histogram."""
    ax.stairs(
        middle + error,
        edges,
        baseline=np.maximum(middle - error, FLOOR if log else -np.inf),
        fill=True,
        facecolor="none",
        edgecolor="black",
        hatch="////",
        linewidth=0,
        label=name,
    )


def data_error(counts: Array, *, poisson: bool = True) -> Array:
    """Distances down and up, (2, n), to the Poisson interval or by the root of the count.

    They are NaN where data are hidden.
    """
    known = np.nan_to_num(counts)
    error = poisson_error(known) if poisson else np.stack([np.sqrt(np.abs(known))] * 2)
    return np.where(np.isnan(counts), np.nan, error)


def draw_ratio(
    ax: Axes,
    edges: Array,
    ratio: Array,
    ratio_error: Array,
    total: Array,
    error: Array,
    limits: tuple[float, float],
    *,
    x_error: Array | None = None,
    places: Array | None = None,
) -> None:
    """Draw data over expectation with the expectation's error as a band around one.

    Args:
        ax: The lower axes.
        edges: Edges of n bins.
        ratio: Data over expectation; NaN where there is none.
        ratio_error: Its distances down and up, with shape (2, n).
        total: The expectation.
        error: Its error.
        limits: Range of the axis; points outside become triangles at the edge.
        x_error: Half the length of horizontal bars; None without them.
        places: Where the points stand; None for the middles of the bins.
    """
    where = centres(edges) if places is None else places
    share = np.divide(error, total, out=np.zeros_like(total), where=total > 0)
    ax.axhline(1, color=GREY, linewidth=1)
    draw_band(ax, edges, np.ones_like(total), share, log=False, name="")
    ax.errorbar(where, ratio, yerr=ratio_error, xerr=x_error, **DATA)
    ax.set_ylim(*limits)
    mark_outside(ax, where, ratio)


def mark_outside(ax: Axes, places: Array, heights: Array) -> None:
    """Draw triangles at the edge of the axes in bins whose points lie outside."""
    low, high = ax.get_ylim()
    room = (high - low) / 20
    for outside, edge, marker in (
        (heights > high, high - room, "^"),
        (heights < low, low + room, "v"),
    ):
        ax.plot(places[outside], np.full(outside.sum(), edge), marker, color="black")


def hide(axes: Iterable[Axes], low: float, high: float) -> None:
    """Shade a range whose data are not shown."""
    for ax in axes:
        ax.axvspan(low, high, color=GREY, alpha=0.25, linewidth=0, zorder=0)
