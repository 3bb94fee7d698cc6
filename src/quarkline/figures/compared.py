"""Distributions of columns in several files or classes, on top of each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.pieces import log_y, plain_text, say_empty
from quarkline.figures.style import Label, canvas, looks, panels, panels_size
from quarkline.figures.tables import Array, Table, bins, values

SPAN = 1e4
"""Ratio of the largest to the smallest density from which on the axis is logarithmic."""


@dataclass(frozen=True, eq=False)
class ComparedColumn:
    """One column as normalised histograms.

    Attributes:
        label: Name of the column, with its unit in brackets.
        edges: Edges of n bins, with shape (n + 1,).
        densities: By name of the sample, densities with an integral of one over all its entries,
            with shape (n,).
    """

    label: str
    edges: Array
    densities: Mapping[str, Array]


def plot_compared(
    columns: Sequence[ComparedColumn],
    *,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw every column as steps, a panel a column, and what is what in a panel of its own.

    Args:
        columns: The columns.
        ax: Axes to draw on, one a column and one for the legend.
        label: The line above the figure.
        style: Name of a style.
    """
    names = list(dict.fromkeys(name for column in columns for name in column.densities))
    look = dict(zip(names, looks(len(names)), strict=True))
    count = len(columns) + 1
    layout, size = panels(count), panels_size(count)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        frame.y_label = 0.7
        for axes, column in zip(frame.axes, columns, strict=False):
            known = [item[np.isfinite(item)] for item in column.densities.values()]
            everything = np.concatenate([*known, np.empty(0)])
            if not everything.any():
                say_empty(axes, "no entries")
            for name, densities in column.densities.items():
                one = look[name]
                axes.stairs(
                    densities,
                    column.edges,
                    color=one.color,
                    linestyle=one.linestyle,
                    linewidth=1.3,
                )
                found = values("Density", densities, qualifiers={"sample": name})
                frame.tables.append(
                    Table(f"{column.label}, {name}", (bins(column.label, column.edges),), (found,))
                )
            axes.set_xlim(column.edges[0], column.edges[-1])
            axes.set_xlabel(plain_text(column.label), fontsize="small")
            axes.set_ylabel("Density")
            _scale(axes, everything)
        rest = frame.axes[-1]
        rest.axis("off")
        for name, one in look.items():
            rest.plot([], [], color=one.color, linestyle=one.linestyle, label=plain_text(name))
        if names:
            rest.legend(loc="center", fontsize="small")
    return frame.figure


def _scale(ax: Axes, densities: Array) -> None:
    positive = densities[densities > 0]
    if positive.size and positive.max() > SPAN * positive.min():
        log_y(ax, densities, headroom=0.1)
    else:
        ax.set_ylim(0, 1.1 * positive.max() if positive.size else 1)
