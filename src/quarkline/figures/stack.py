"""Samples stacked on each other, with data and what they differ by below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from quarkline.figures.pieces import (
    DATA,
    centres,
    linear_y,
    log_y,
    per_bin,
    say_empty,
    set_labels,
)
from quarkline.figures.stacked import (
    data_error,
    draw_areas,
    draw_band,
    draw_ratio,
    hide,
    mark_outside,
)
from quarkline.figures.style import GREY, RED, Canvas, Label, canvas, single, with_lower
from quarkline.figures.tables import Array, Table, bins, values
from quarkline.statistics.evaluation import HistStack
from quarkline.statistics.significance import excess_significance

Lower = Literal["ratio", "pull"]
NAMES = {"ratio": "Data / exp.", "pull": "Pull"}


def plot_stack(
    result: HistStack,
    *,
    lower: Lower = "ratio",
    log: bool = True,
    colors: Mapping[str, str] | None = None,
    overlay: float | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw a stack with its statistical error, the signal's shape, and data.

    Args:
        result: The stack.
        lower: Below, data over expectation, or the significance of their difference, signed, for a
            Poisson number over an expectation with an error.
        log: Whether the y axis is logarithmic.
        colors: Colours of samples that replace the usual ones.
        overlay: Factor of the signal's line; None scales it to the whole stack.
        ax: Axes to draw on: one, or two for stack and lower panel.
        label: The line above the figure.
        style: Name of a style.
    """
    edges = np.asarray(result.edges, dtype=np.float64)
    total, error = _expected(result)
    layout = single if result.data is None else with_lower
    with canvas(ax, label=label, style=style, layout=layout, size=(7.2, 6.6)) as frame:
        areas = [(part.name, np.asarray(part.events)) for part in result.parts]
        tops = draw_areas(frame.main, edges, areas, colors=colors or {}, log=log)
        draw_band(frame.main, edges, total, error, log=log, name="Simulation error")
        signal = _signal(frame, result, overlay)
        drawn = [*tops, total + error, signal]
        if result.data is not None:
            counts = np.asarray(result.data)
            shown = np.where(counts > 0, counts, np.nan)
            frame.main.errorbar(
                centres(edges),
                shown,
                yerr=data_error(counts),
                label="Data",
                **DATA,
            )
            drawn.append(np.nan_to_num(counts))
        everything = np.concatenate(drawn)
        if not (everything > 0).any():
            say_empty(frame.main)
        rows = -(-len(frame.main.get_legend_handles_labels()[1]) // 3)
        headroom = min(0.12 + 0.062 * rows, 0.6)
        if log:
            log_y(
                frame.main,
                everything[everything > 1e-3 * everything.max(initial=0)],
                headroom=headroom,
            )
        else:
            linear_y(frame.main, everything, headroom=headroom)
        frame.main.set_xlim(edges[0], edges[-1])
        if np.array_equal(edges, np.arange(edges.size) + edges[0]) and edges[0] % 1 == 0.5:
            (frame.lower or frame.main).xaxis.set_major_locator(MaxNLocator(integer=True))
        _blind(frame, result)
        _below(frame, result, lower)
        set_labels(frame, result.variable, per_bin(edges, result.variable), NAMES[lower])
        frame.main.legend(loc="upper right", ncols=3, fontsize="xx-small")
        frame.tables.append(_table(result))
    return frame.figure


def _expected(result: HistStack) -> tuple[Array, Array]:
    """The sum of the samples and its error."""
    return np.asarray(result.total, np.float64), np.asarray(result.error, np.float64)


def _signal(frame: Canvas, result: HistStack, overlay: float | None) -> Array:
    """Draw the signal as a line; its heights."""
    parts = [np.asarray(part.events) for part in result.parts if part.name in result.signal]
    heights: Array = np.sum([np.zeros(len(result.edges) - 1), *parts], axis=0)
    if not heights.sum() > 0:
        return heights
    factor = overlay if overlay is not None else result.total.sum() / heights.sum()
    words = " + ".join(result.signal) + (f" × {factor:.3g}" if factor != 1 else "")
    frame.main.stairs(
        heights * factor, result.edges, color=RED, linewidth=2, linestyle="--", label=words
    )
    return np.asarray(heights * factor)


def _blind(frame: Canvas, result: HistStack) -> None:
    if result.blinded is None:
        return
    hide(frame.axes, *result.blinded)


def _below(frame: Canvas, result: HistStack, lower: Lower) -> None:
    if frame.lower is None:
        return
    edges, (middle, down, up) = np.asarray(result.edges), _compared(result, lower)
    if lower == "ratio":
        spread = np.stack([down, up])
        draw_ratio(frame.lower, edges, middle, spread, *_expected(result), (0.5, 1.5))
        return
    reach = max(3.0, min(float(np.nanmax(np.abs([*middle, 0.0]))) * 1.1, 8.0))
    frame.lower.axhline(0, color=GREY, linewidth=1)
    frame.lower.stairs(np.nan_to_num(middle), edges, fill=True, color=GREY, alpha=0.7)
    frame.lower.set_ylim(-reach, reach)
    mark_outside(frame.lower, centres(edges), middle)


def _compared(result: HistStack, lower: Lower) -> tuple[Array, Array, Array]:
    """Ratio or pull in each bin, with distances down and up; NaN where there is none."""
    total, error = result.total, result.error
    counts = np.full(total.shape, np.nan) if result.data is None else np.asarray(result.data)
    guard = np.where(total > 0, total, 1.0)
    if lower == "ratio":
        parts = (counts / guard, *data_error(counts) / guard)
        known = (total > 0) & (counts > 0)
    else:
        pull = np.asarray(excess_significance(np.nan_to_num(counts), guard, error))
        parts = (pull, np.ones_like(pull), np.ones_like(pull))
        known = (total > 0) & np.isfinite(counts)
    middle, below, above = (np.where(known, part, np.nan) for part in parts)
    return middle, below, above


def _table(result: HistStack) -> Table:
    columns = [
        values(
            "Events", part.events, error=np.sqrt(part.variance), qualifiers={"sample": part.name}
        )
        for part in result.parts
    ]
    columns.append(values("Events expected", result.total, error=result.error))
    if result.data is not None:
        counts = np.asarray(result.data)
        columns.append(values("Data", counts, error=data_error(counts)))
    return Table(result.variable, (bins(result.variable, result.edges),), tuple(columns))
