"""Shapes of signal and background, and how well a variable separates them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.fits.words import count_title, shown
from quarkline.figures.pieces import linear_y, say_empty, set_labels
from quarkline.figures.style import BLUE, RED, Label, canvas
from quarkline.figures.tables import Array, Table, bins, values
from quarkline.templates.separation import separation, summed
from quarkline.templates.sets import RegionTemplates


def plot_separation(
    region: RegionTemplates,
    *,
    signal: Sequence[str],
    background: Sequence[str],
    variable: str = "",
    title: str = "",
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the shapes of signal and background, each with unit area.

    Args:
        region: The templates of a region.
        signal: Names of the samples that are signal.
        background: Names of the samples that are background.
        variable: Name and unit of the x axis.
        title: What the region is called.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    edges = region.edges
    with canvas(ax, label=label, style=style) as frame:
        parts = {
            "Signal": (_summed(region, signal), RED, "-", "///"),
            "Background": (_summed(region, background), BLUE, "--", ""),
        }
        drawn: list[Array] = []
        for name, ((shape, error), colour, line, hatch) in parts.items():
            frame.main.stairs(
                shape, edges, fill=True, facecolor=(colour, 0.12), edgecolor=(colour, 0.5),
                hatch=hatch, linewidth=0,
            )  # fmt: skip
            frame.main.stairs(shape, edges, color=colour, linewidth=2, linestyle=line, label=name)
            drawn.append(shape + error)
        (first, _), (second, _) = parts["Signal"][0], parts["Background"][0]
        power = separation(first, second)
        if not np.isfinite(power):
            say_empty(frame.main)
        told = f"Separation: {100 * power:.1f} %" if np.isfinite(power) else "Separation: none"
        linear_y(frame.main, np.concatenate(drawn), headroom=0.24)
        frame.main.set_xlim(edges[0], edges[-1])
        unit = count_title(edges, variable, "Share of events")
        set_labels(frame, shown(variable) or "Bin", unit)
        frame.main.annotate(
            "\n".join([*([shown(title)] if title else []), told]), (0, 1), (8, -8),
            "axes fraction", textcoords="offset points", va="top", fontsize="small",
        )  # fmt: skip
        frame.main.legend(loc="upper right")
        columns = tuple(
            values("Share of events", shape, error=error, qualifiers={"class": name})
            for name, ((shape, error), *_) in parts.items()
        )
        frame.tables.append(Table(f"Shapes, {told}", (bins(variable or "Bin", edges),), columns))
    return frame.figure


def _summed(region: RegionTemplates, names: Sequence[str]) -> tuple[Array, Array]:
    """Shape of the sum of samples with its error; zero if there are no events."""
    histograms = [region.templates[name].nominal for name in names if name in region.templates]
    nothing, total = np.zeros(region.edges.size - 1), summed(region, names)
    error = np.sqrt(np.sum([nothing, *(np.square(one.errors) for one in histograms)], axis=0))
    whole = total.sum()
    return (total / whole, error / whole) if whole > 0 else (nothing, nothing)
