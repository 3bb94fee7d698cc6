"""The anomaly score: its distribution, its relation to the mass, and what it separates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity
from quarkline.figures.pieces import (
    HALO,
    MASS,
    auc_words,
    centres,
    filled,
    finite,
    floats,
    log_y,
    poisson_error,
    say_empty,
    set_labels,
)
from quarkline.figures.style import BLUE, GREY, RED, Label, canvas, looks, with_colour_bar
from quarkline.figures.tables import Array, Table, bins, intervals, points, values

SCORE = "Anomaly score"


def plot_anomaly_score_distribution(
    scores: Mapping[str, ArrayLike],
    *,
    cut: float | None = None,
    bin_count: int = 50,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the score in each region, normalised to one.

    Args:
        scores: Scores of the events of each region, each with shape (N,).
        cut: The score above which events are kept at the working point.
        bin_count: Number of bins between the smallest and the largest score.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        arrays = {name: finite(frame, array) for name, array in scores.items()}
        edges = _edges(np.concatenate([*arrays.values(), np.empty(0)]), bin_count)
        heights = []
        for (name, array), look in zip(arrays.items(), looks(len(arrays)), strict=True):
            counts = filled(array, edges)
            scale = 1 / max(counts.sum(), 1.0)
            error = poisson_error(counts) * scale
            frame.main.stairs(counts * scale, edges, color=look.color, linewidth=1.2)
            frame.main.errorbar(
                centres(edges),
                np.where(counts > 0, counts * scale, np.nan),
                yerr=error,
                color=look.color,
                fmt=look.marker,
                markersize=3.5,
                linewidth=1,
                label=f"{name} ({array.size:,})",
            )
            heights.append(counts * scale)
            column = values(
                "Fraction of events", counts * scale, error=error, qualifiers={"region": name}
            )
            frame.tables.append(Table(f"Score, {name}", (bins(SCORE, edges),), (column,)))
        if not any(array.size for array in arrays.values()):
            say_empty(frame.main)
        if cut is not None:
            frame.main.axvline(
                cut,
                color="black",
                linewidth=1.2,
                linestyle=(0, (6, 3)),
                label="Cut at the working point",
            )
        drawn_heights = np.concatenate([*heights, np.empty(0)])
        frame.main.set_xlim(edges[0], edges[-1])
        log_y(frame.main, drawn_heights, headroom=0.3)
        set_labels(frame, SCORE, "Fraction of events / bin")
        if frame.main.get_legend_handles_labels()[0]:
            frame.main.legend(loc="upper right")
    return frame.figure


def plot_score_vs_mass(
    mass: ArrayLike,
    score: ArrayLike,
    *,
    mass_edges: ArrayLike,
    window: tuple[float, float] | None = None,
    cut: float | None = None,
    bin_count: int = 50,
    mass_label: str = MASS,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the number of events in bins of mass and score.

    Args:
        mass: Masses of the events, with shape (N,).
        score: Scores of the events, with shape (N,).
        mass_edges: Bin edges in mass, with shape (n + 1,).
        window: Signal window [low, high).
        cut: The score above which events are kept at the working point.
        bin_count: Number of bins between the smallest and the largest score.
        mass_label: Name and unit of the x axis.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style, layout=with_colour_bar) as frame:
        x, y = floats(mass), floats(score)
        good = np.isfinite(x) & np.isfinite(y)
        frame.not_finite += int(x.size - good.sum())
        columns, rows = floats(mass_edges), _edges(y[good], bin_count)
        counts = np.histogram2d(x[good], y[good], bins=(columns, rows))[0]
        if counts.any():
            mesh = frame.main.pcolormesh(
                columns,
                rows,
                np.ma.masked_less_equal(counts.T, 0),
                norm=_norm(counts.max()),
                cmap="viridis",
                rasterized=True,
            )
            inset = frame.main.inset_axes((1.02, 0, 0.035, 1))
            frame.figure.colorbar(mesh, cax=inset).set_label("Events / bin")
            inset.yaxis.set_minor_formatter(NullFormatter())
        else:
            say_empty(frame.main)
        for edge in window or ():
            frame.main.axvline(edge, color="black", linewidth=1.2, linestyle="--")
        if cut is not None:
            frame.main.axhline(cut, color=RED, linewidth=1.4, linestyle=(0, (6, 3)))
            frame.main.annotate(
                "Cut at the working point",
                (1, cut),
                (-5, -11 if cut > rows[-1] - 0.1 * (rows[-1] - rows[0]) else 4),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                color=RED,
                fontsize="x-small",
                path_effects=HALO,
            )
        frame.main.set(xlim=(columns[0], columns[-1]), ylim=(rows[0], rows[-1]))
        set_labels(frame, mass_label, SCORE)
        frame.tables.append(_grid_table(mass_label, columns, rows, counts))
    return frame.figure


def plot_roc_curve(
    runs: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    auc: Quantity | None = None,
    what: tuple[str, str] = ("Samples", "data"),
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the receiver operating characteristic of a classifier, one curve a run.

    For the check of a background model the two classes are samples and data; an area of 0.5 says
    that the classifier cannot tell them apart.

    Args:
        runs: False and true positive rates of each run, each with shape (n,).
        auc: Mean area under the curve with its error, for the legend.
        what: The class kept by mistake, and the class kept on purpose.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    wrong, right = (f"{name[0].upper()}{name[1:]} efficiency" for name in what)
    with canvas(ax, label=label, style=style) as frame:
        frame.main.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="No separation (0.5)")
        curves = [(floats(false), floats(true)) for false, true in runs]
        for number, (false, true) in enumerate(curves):
            frame.main.plot(
                false,
                true,
                color=BLUE,
                linewidth=1.4,
                alpha=0.8,
                label=_words(len(curves), auc) if number == 0 else None,
            )
            tag = {"run": number + 1}
            column = values(f"{right}", true, qualifiers=tag)
            frame.tables.append(Table(f"Run {number + 1}", (points(wrong, false),), (column,)))
        if not any(false.size for false, _ in curves):
            say_empty(frame.main, "no curves")
        frame.main.set(xlim=(0, 1), ylim=(0, 1))
        set_labels(frame, wrong, right)
        frame.main.legend(loc="lower right")
    return frame.figure


def _norm(most: float) -> Normalize:
    """Logarithmic colours where the counts span decades, else linear ones."""
    return LogNorm(1, most) if most >= 30 else Normalize(0, most)


def _words(runs: int, auc: Quantity | None) -> str:
    count = f"{runs} runs" if runs != 1 else "1 run"
    return f"{count}, {auc_words(auc)}" if auc is not None else count


def _edges(scores: Array, count: int) -> Array:
    """Equal bins that hold every score, of any number and value."""
    if scores.size == 0:
        return np.linspace(0.0, 1.0, count + 1)
    low, high = scores.min(), scores.max()
    if high - low <= 1e-12 * max(1.0, abs(high)):
        return np.linspace(low - 0.5, low + 0.5, count + 1)
    return np.linspace(low, high, count + 1)


def _grid_table(mass_label: str, columns: Array, rows: Array, counts: Array) -> Table:
    across = [np.repeat(ends, rows.size - 1) for ends in (columns[:-1], columns[1:])]
    along = [np.tile(ends, columns.size - 1) for ends in (rows[:-1], rows[1:])]
    return Table(
        "Score against mass",
        (intervals(mass_label, *across), intervals(SCORE, *along)),
        (values("Events", counts),),
    )
