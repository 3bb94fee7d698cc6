"""Confusion matrices and correlations: squares of numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from quarkline.figures.pieces import plain_text, say_empty
from quarkline.figures.style import GREY, Canvas, Label, canvas, with_margins
from quarkline.figures.tables import Array, Table, values, words
from quarkline.statistics.evaluation import ConfusionMatrix, FeatureCorrelation

RIGHT, TOP = 1.25, 0.45
"""Margins in inches."""
LETTER = 0.092  # inches
FLAT = 5  # most columns whose names lie flat
WRITTEN = 12  # most rows whose correlations are written out


def plot_confusion_matrix(
    result: ConfusionMatrix,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw which class events of each class are taken for, in percent of the true class.

    Args:
        result: The matrix.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    names, shares = result.classes, np.asarray(100 * result.by_truth, dtype=np.float64)
    with square(ax, label, style, names, cell=0.62) as frame:
        cells(frame, shares, ("viridis", 0.0, 100.0), "Share of the true class [%]")
        name_cells(frame.main, [*map(plain_text, names)], [*map(plain_text, names)])
        digits = 3 if len(names) <= WRITTEN else 2
        for (row, column), share in np.ndenumerate(shares):
            if np.isfinite(share):
                dark = bool(share < 55)
                write_cell(
                    frame.main,
                    row,
                    column,
                    f"{share:.{digits}g}" if share < 99.5 else f"{share:.4g}",
                    dark,
                )
        accuracy = result.accuracy
        error = "" if accuracy.up is None else f" $\\pm$ {100 * accuracy.up:.1f}"
        told = f"Taken for ({plain_text(result.rule)}; right: {100 * accuracy.value:.1f}{error} %)"
        frame.main.set_xlabel(told, fontsize="x-small")
        frame.main.set_ylabel("True class")
        weights, errors = np.asarray(result.weighted), np.asarray(result.error)
        across = pairs(names, names)
        columns = (
            values("Share of the true class [%]", shares),
            values("Sum of weights", weights, error=errors.ravel()),
        )
        table = (words("True class", across[0]), words("Taken for", across[1]))
        frame.tables.append(Table("Confusion matrix", table, columns))
    return frame.figure


def plot_correlation(
    result: FeatureCorrelation,
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the correlations of features with each other, and in the last row with the score.

    Args:
        result: Correlations.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    names = (*result.names, "score") if result.names else ()
    inner = np.asarray(result.matrix).reshape(len(result.names), len(result.names))
    shares = np.vstack([inner, result.with_score]) if result.names else np.empty((0, 0))
    with square(ax, label, style, names, cell=0.25) as frame:
        cells(frame, shares, ("RdBu_r", -1.0, 1.0), "Correlation")
        name_cells(frame.main, [*map(plain_text, names)], [*map(plain_text, result.names)])
        if result.names:
            frame.main.axhline(len(result.names) - 0.5, color="black", linewidth=1)
        told = f"{plain_text(result.sample)}: {result.events:,} events"
        frame.main.set_xlabel(told, fontsize="x-small")
        frame.main.set_ylabel("Feature")
        if len(names) <= WRITTEN:
            for (row, column), share in np.ndenumerate(shares):
                if np.isfinite(share):
                    write_cell(frame.main, row, column, f"{share:.2f}", bool(abs(share) > 0.6))
        across = pairs(names, result.names)
        axes = (words("Feature", across[0]), words("With", across[1]))
        frame.tables.append(
            Table(f"Correlation in {result.sample}", axes, (values("Correlation", shares),))
        )
    return frame.figure


@contextmanager
def square(
    ax: Axes | None,
    label: Label | None,
    style: str,
    names: Sequence[str],
    *,
    cell: float,
    width: int | None = None,
) -> Iterator[Canvas]:
    """Axes whose cells have a size in inches, with room for names.

    `width` is the number of letters of the longest name, if formulas are wider spelled than drawn.
    """
    side = max(4.6, cell * len(names))
    longest = LETTER * (max(map(len, names), default=0) if width is None else width)
    upright = len(names) > FLAT or longest * len(names) > 1.1 * side
    left, bottom = 0.75 + longest, 0.75 + (longest if upright else 0.0)
    layout = with_margins(left=left, right=RIGHT, bottom=bottom)
    size = (left + RIGHT + side, bottom + TOP + side)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        frame.y_label = left - 0.35
        frame.main.tick_params(axis="x", rotation=90 if upright else 0)
        yield frame


def cells(frame: Canvas, shares: Array, colours: tuple[str, float, float], name: str) -> None:
    """Draw numbers as colours, given by a map's name with its ends, and a bar beside them."""
    if not np.isfinite(shares).any():
        say_empty(frame.main, "no numbers")
        return
    colour, low, high = colours
    frame.main.set_facecolor((*to_rgb(GREY), 0.35))
    mesh = frame.main.imshow(
        np.ma.masked_invalid(shares), cmap=colour, vmin=low, vmax=high, aspect="auto"
    )
    width, _ = frame.figure.get_size_inches() * frame.main.get_position().width
    inset = frame.main.inset_axes((1 + 0.12 / width, 0, 0.18 / width, 1))
    frame.figure.colorbar(mesh, cax=inset).set_label(name, fontsize="small")
    inset.tick_params(labelsize="xx-small")


def name_cells(ax: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Write words, as matplotlib takes them, at rows and columns."""
    size = "x-small"
    ax.set_yticks(range(len(rows)), rows, fontsize=size)
    ax.set_xticks(
        range(len(columns)),
        columns,
        fontsize=size,
    )
    ax.tick_params(which="both", length=0)
    ax.minorticks_off()


def write_cell(
    ax: Axes, row: int, column: int, text: str, light: bool, *, size: float = 10
) -> None:
    """Write into a cell, in white on a dark one."""
    colour = "white" if light else "black"
    ax.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def pairs(rows: Sequence[str], columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of row and column of each cell, row by row."""
    return (
        [row for row in rows for _ in columns],
        [column for _ in rows for column in columns],
    )
