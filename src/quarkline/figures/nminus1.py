"""N-1 figure: the variable of one cut after all the others, by sample, with the cut's edges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.events.nminus1 import NMinusOne
from quarkline.figures.pieces import (
    floats,
    linear_y,
    log_y,
    per_bin,
    plain_text,
    say_empty,
    set_range,
)
from quarkline.figures.style import Canvas, Label, Look, canvas, looks
from quarkline.figures.tables import Array, Table, bins, values

ARROW = 26
"""Length of the arrows at an edge, in points."""


def plot_n_minus_one(
    distributions: Mapping[str, NMinusOne],
    *,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the distribution of a cut's variable for events that pass all other cuts.

    The edges of the cut are drawn with arrows to the side that is kept. Several samples are drawn
    as lines on a logarithmic axis, a single one filled on a linear axis.

    Args:
        distributions: Distributions of one cut in equal bins, by sample.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.

    Raises:
        ValueError: If the samples' bins or cuts differ.
    """
    if len({(drawn.expression, drawn.edges) for drawn in distributions.values()}) > 1:
        msg = "distributions of different cuts or bins do not go into one figure"
        raise ValueError(msg)
    one = next(iter(distributions.values()), None)
    edges = floats(one.edges) if one else np.array([0.0, 1.0])
    name = _axis(one) if one else "Variable"
    with canvas(ax, label=label, style=style) as frame:
        tops = [_draw(frame, edges, name, *item) for item in _with_looks(distributions)]
        heights = np.concatenate([*tops, np.empty(0)])
        if not np.any(heights != 0):
            say_empty(frame.main)
        (log_y if len(distributions) > 1 else linear_y)(frame.main, heights)
        set_range(frame.main, edges)
        if one:
            _mark_edges(frame.main, one, edges)
        frame.main.set_xlabel(plain_text(name))
        what = "Sum of weights" if one and one.weight else "Events"
        frame.main.set_ylabel(plain_text(per_bin(edges, name, what)))
        if distributions:
            title = f"{plain_text(one.cut)}, all other cuts passed" if one else None
            frame.main.legend(loc="upper right", title=title)
    return frame.figure


def _axis(drawn: NMinusOne) -> str:
    return f"{drawn.variable} [{drawn.unit}]" if drawn.unit else drawn.variable


def _with_looks(distributions: Mapping[str, NMinusOne]) -> list[tuple[str, NMinusOne, Look, bool]]:
    single = len(distributions) == 1
    found = zip(distributions.items(), looks(len(distributions)), strict=True)
    return [(name, drawn, look, single) for (name, drawn), look in found]


def _draw(
    frame: Canvas, edges: Array, axis: str, name: str, drawn: NMinusOne, look: Look, single: bool
) -> Array:
    """Draw one sample; returns the heights, errors included."""
    contents, error = floats(drawn.contents), np.sqrt(floats(drawn.sumw2))
    outside = f" ({_outside(drawn)})" if drawn.underflow or drawn.overflow else ""
    frame.main.stairs(
        contents,
        edges,
        fill=single,
        color=look.color,
        alpha=0.45 if single else 1.0,
        linestyle=look.linestyle,
        label=plain_text(name) + outside,
    )
    middle = (edges[1:] + edges[:-1]) / 2
    filled = (contents != 0) | (error > 0)
    frame.main.errorbar(
        middle[filled], contents[filled], error[filled], fmt="none", color=look.color, linewidth=1.2
    )
    what = "Sum of weights" if drawn.weight else "Events"
    qualifiers: dict[str, str | float] = {
        "sample": name,
        "cut": drawn.expression,
        "underflow": drawn.underflow,
        "overflow": drawn.overflow,
    }
    table = Table(
        f"N-1 of {drawn.cut}, {name}",
        (bins(axis, edges),),
        (
            values(
                what,
                contents,
                error=error,
                qualifiers=qualifiers,
            ),
        ),
    )
    frame.tables.append(table)
    return contents + error


def _outside(drawn: NMinusOne) -> str:
    """What lies outside the axis, in words."""
    parts = {"below": drawn.underflow, "above": drawn.overflow}
    return ", ".join(f"{weight:.4g} {side}" for side, weight in parts.items() if weight)


def _mark_edges(ax: Axes, drawn: NMinusOne, edges: Array) -> None:
    """A line at each edge of the cut inside the axis, with an arrow to the side that is kept."""
    for bound, kept in zip(drawn.bounds, drawn.kept, strict=True):
        if not edges[0] <= bound <= edges[-1]:
            continue
        ax.axvline(bound, color="black", linewidth=1.4, linestyle="--", zorder=3)
        for sign in {">": (1,), "<": (-1,), "=": (), "!": ()}[kept[0]]:
            ax.annotate(
                "",
                (bound, 0.62),
                (sign * ARROW, 0),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                arrowprops={"arrowstyle": "<|-", "color": "black", "shrinkA": 0, "shrinkB": 0},
            )
