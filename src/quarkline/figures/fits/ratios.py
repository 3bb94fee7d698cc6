"""The panel below a stack: data over expectation, or how visible the signal is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes

from quarkline.catalog.drawing import Drawing, Range, RatioOf, SampleDrawing
from quarkline.figures.fits.contents import Stacked
from quarkline.figures.stacked import data_error, draw_ratio
from quarkline.figures.style import RED
from quarkline.figures.tables import Array

USUAL = (0.5, 1.5)
"""Range of data over expectation."""
TITLES: Mapping[RatioOf, str] = {
    "data/total": "Data / pred.",
    "data/background": "Data / bkg.",
    "s/b": "S / B",
    "s/sqrt(b)": "S / $\\sqrt{B}$",
    "s/sqrt(s+b)": "S / $\\sqrt{S+B}$",
}
VISIBLE: Mapping[RatioOf, Callable[[Array, Array], Array]] = {
    "s/b": lambda _, background: background,
    "s/sqrt(b)": lambda _, background: np.sqrt(background),
    "s/sqrt(s+b)": lambda signal, background: np.sqrt(signal + background),
}
"""What a signal is divided by, by the kind of panel."""


def ratio_of(drawing: Drawing) -> RatioOf | None:
    """What the lower panel shows: without signals in the stack, data over background."""
    if drawing.ratio == "data/total" and not drawing.signal_in_stack:
        return "data/background"
    return drawing.ratio


def draw_lower(
    ax: Axes,
    stack: Stacked,
    scale: Array,
    limits: Range,
    drawing: Drawing,
    samples: Mapping[str, SampleDrawing],
) -> None:
    """Draw the lower panel.

    Args:
        ax: The lower axes.
        stack: The stack, scaled to the width of bins if it is.
        scale: What counts of data are multiplied with to stand for bins of one width.
        limits: Range of the axis; None for the usual one.
        drawing: How figures look.
        samples: Colours of signals by name.
    """
    kind = ratio_of(drawing)
    if kind in VISIBLE:
        _draw_signals(ax, stack, scale, VISIBLE[kind], samples)
        _limit(ax, limits)
    elif stack.data is not None:
        of = stack.without_signal() if kind == "data/background" else stack
        _draw_data(ax, of, stack.data, scale, limits, drawing)


def _draw_signals(
    ax: Axes,
    stack: Stacked,
    scale: Array,
    divisor: Callable[[Array, Array], Array],
    samples: Mapping[str, SampleDrawing],
) -> None:
    """Draw how visible each signal is in every bin, of events as they are counted."""
    for area in (area for area in stack.areas if area.signal):
        below = divisor(area.contents / scale, np.maximum(stack.background, 0) / scale)
        known = below > 0
        height = np.where(known, area.contents / scale / np.where(known, below, 1), np.nan)
        look = samples.get(area.name, SampleDrawing())
        ax.stairs(height, stack.edges, color=look.fill or look.line or RED, linewidth=1.8)


def _limit(ax: Axes, limits: Range) -> None:
    low, high = limits
    ax.set_ylim(low or 0.0, high)


def _draw_data(
    ax: Axes, stack: Stacked, data: Array, scale: Array, limits: Range, drawing: Drawing
) -> None:
    counts = data * scale
    errors = data_error(data, poisson=drawing.poisson_errors) * scale
    known = (stack.total > 0) & (counts > 0)
    guard = np.where(known, stack.total, 1.0)
    low, high = (usual if edge is None else edge for edge, usual in zip(limits, USUAL, strict=True))
    draw_ratio(
        ax,
        stack.edges,
        np.where(known, counts / guard, np.nan),
        np.where(known, errors / guard, np.nan),
        np.nan_to_num(stack.total),
        np.nan_to_num(stack.error),
        (low, high),
        x_error=half_widths(stack.edges) if drawing.x_errors else None,
    )


def half_widths(edges: Array) -> Array:
    """Half the width of each bin."""
    return np.asarray(np.diff(edges) / 2)
