"""Figures with a row for each parameter: names at the left, numbers at the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from quarkline.figures.fits.words import letters
from quarkline.figures.pieces import say_empty
from quarkline.figures.ranking import LETTER, ROW
from quarkline.figures.style import BOTTOM, Canvas, Label, Layout, canvas, grid_of, with_margins
from quarkline.figures.tables import Array

INNER, OUTER = "#8fd18a", "#f7e6a0"
"""Bands of one and of two standard deviations; they differ in brightness as well."""
TOP = 0.45  # inches
NAME, NUMBER = 11, 11
"""Sizes of names and of numbers."""


@contextmanager
def row_canvas(
    ax: Axes | Sequence[Axes] | None,
    label: Label | None,
    style: str,
    names: Sequence[str],
    told: Sequence[str] = (),
    *,
    nothing: str = "no parameters",
    head: float = 0,
    foot: float = 0,
    row: float = ROW,
    width: float = 4.8,
    second: float = 0,
    number: float = NUMBER,
) -> Iterator[Canvas]:
    """Axes with a row each, names at the left and numbers at the right.

    Args:
        ax: Axes of the caller, or None for a new figure.
        label: The line above the figure.
        style: Name of a style.
        names: Names of the rows; the first is the highest.
        told: What stands at the right of each row.
        nothing: What is said without rows.
        head: Free rows above, for a legend.
        foot: Free rows below.
        row: Inches for a row.
        width: Inches of the panel beside the names.
        second: Inches of another panel at its right with the same rows.
        number: Size of the numbers.
    """
    left = 0.45 + LETTER * letters(names)
    right = 0.4 + 0.0078 * number * letters(told)
    count = max(len(names) + head + foot, 4)
    size = (left + width + second + right, TOP + BOTTOM + row * count)
    layout = _layout(left, right, width, second)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        main = frame.main
        main.set_yticks(range(len(names)), names, fontsize=NAME)
        main.tick_params(axis="y", which="both", length=0)
        main.yaxis.set_minor_locator(NullLocator())
        spare = max(4 - head - foot - len(names), 0) / 2
        main.set_ylim(max(len(names), 1) + spare + foot - 0.4, -head - spare - 0.6)
        for place, text in enumerate(told):
            write_right(frame.axes[-1], place, text, number)
        if not names:
            say_empty(main, nothing)
        yield frame


def _layout(left: float, right: float, width: float, second: float) -> Layout:
    """One panel, or two with the same rows."""
    if not second:
        return with_margins(left=left, right=right)

    def layout(figure: Figure) -> tuple[Axes, ...]:
        cell = grid_of(figure, left=left, right=right)[0, 0]
        inner = cell.subgridspec(1, 2, width_ratios=(width, second), wspace=0.04)
        main = figure.add_subplot(inner[0, 0])
        other = figure.add_subplot(inner[0, 1], sharey=main)
        other.tick_params(labelleft=False)
        return main, other

    return layout


def write_right(ax: Axes, row: float, text: str, size: float) -> None:
    """Write the number of a row at the right of the frame."""
    ax.annotate(
        text,
        (1, row),
        (6, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=size,
        annotation_clip=False,
    )


def span(
    middles: Array, downs: Array, ups: Array, *, least: float, around: float
) -> tuple[float, float]:
    """Range of an axis that holds all intervals, and `around` by at least `least` on each side."""
    ends = np.concatenate([middles - np.nan_to_num(downs), middles + np.nan_to_num(ups)])
    ends = ends[np.isfinite(ends)]
    low = min(ends.min(initial=around), around - least)
    high = max(ends.max(initial=around), around + least)
    room = 0.06 * (high - low)
    return low - room, high + room


def pages(names: Sequence[str], rows: int = 50) -> list[tuple[str, ...]]:
    """Names spread over as few pages of about as many rows each as there have to be."""
    count = -(-len(names) // rows)
    if not count:
        return []
    return [tuple(part.tolist()) for part in np.array_split(np.array(names, dtype=object), count)]


def legend_in_head(ax: Axes, columns: int) -> None:
    """Draw the legend in the free rows above the first."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(
            loc="upper center",
            ncols=columns,
            fontsize="xx-small",
            framealpha=0,
            borderaxespad=0.3,
        )
