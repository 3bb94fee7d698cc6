"""Epochs in the plane of two qualities, the ones that no other beats, and the one that is taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from quarkline.figures.legends import legend_below, room_below
from quarkline.figures.pieces import floats, log_axis, plain_text, say_empty, set_labels
from quarkline.figures.style import BOTTOM, GREY, SIZE, Label, canvas, looks, with_margins
from quarkline.figures.tables import Array, Table, points, values

DECADE = 20.0
"""Ratio of the largest to the smallest value from which on an axis is logarithmic."""


def plot_choice(
    epochs: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    front: Sequence[tuple[float, float]],
    chosen: tuple[float, float],
    limit: float,
    x_label: str,
    y_label: str,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw all epochs of some trainings, the Pareto front, the limit and the choice.

    Args:
        epochs: By training, the abscissas and ordinates of its epochs, each with shape (n,).
        front: Points of the front, in the order in which they are joined.
        chosen: The point that is taken.
        limit: Abscissa below which the best ordinate is taken.
        x_label: Name of the abscissa.
        y_label: Name of the ordinate.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    taken = f"Chosen ({chosen[0]:.3g}, {chosen[1]:.4g})"
    entries = [*epochs, "Pareto front", taken, f"Limit {limit:g}"]
    room = room_below(entries)
    layout, size = with_margins(bottom=BOTTOM + room), (SIZE[0], SIZE[1] + room)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        everything = []
        for (name, (x, y)), look in zip(epochs.items(), looks(len(epochs)), strict=True):
            known = np.stack([floats(x), floats(y)])
            known = known[:, np.isfinite(known).all(axis=0)]
            everything.append(known)
            frame.main.plot(
                *known,
                linestyle="",
                marker=look.marker,
                color=look.color,
                alpha=0.6,
                label=plain_text(name),
            )
            found = (values(y_label, known[1]),)
            frame.tables.append(Table(f"Epochs, {name}", (points(x_label, known[0]),), found))
        edge = np.array(front, dtype=np.float64).reshape(-1, 2).T
        frame.main.plot(*edge, "-", color="black", linewidth=1, label="Pareto front")
        frame.tables.append(
            Table("Pareto front", (points(x_label, edge[0]),), (values(y_label, edge[1]),))
        )
        frame.main.plot(*chosen, "*", color="black", markersize=15, label=taken)
        frame.main.axvline(limit, color=GREY, linestyle=":", label=f"Limit {limit:g}")
        both = np.concatenate([*everything, edge], axis=1)
        if not both.size:
            say_empty(frame.main, "no epochs")
        _scale(frame.main, "x", np.append(both[0], limit))
        _scale(frame.main, "y", both[1])
        set_labels(frame, x_label, y_label)
        legend_below(frame)
    return frame.figure


def _scale(ax: Axes, which: Literal["x", "y"], known: Array) -> None:
    """A logarithmic axis where values span more than a decade."""
    if known.size and known.min() > 0 and known.max() > DECADE * known.min():
        log_axis(ax, which, known.min() / 1.3, known.max() * 1.3)
