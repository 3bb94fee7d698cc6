"""What regions are made of: shares of samples, signal over background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Patch
from matplotlib.ticker import NullLocator

from quarkline.catalog.drawing import SampleDrawing
from quarkline.figures.fits.contents import Area, fills_of, of_region
from quarkline.figures.fits.words import Titles, letters, title_of
from quarkline.figures.pieces import linear_y, say_empty, set_labels
from quarkline.figures.style import (
    BLUE,
    BOTTOM,
    ORANGE,
    Fill,
    Label,
    Layout,
    canvas,
    grid_of,
)
from quarkline.figures.tables import Table, values, words
from quarkline.templates.predictions import RegionPrediction

LEAST = 0.03  # shares below are drawn and not written


def plot_pie_charts(
    results: Sequence[RegionPrediction],
    *,
    samples: Mapping[str, SampleDrawing] | None = None,
    titles: Titles | None = None,
    regions: Titles | None = None,
    groups: Mapping[str, str] | None = None,
    across: int = 4,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the shares of the backgrounds in each region.

    Args:
        results: What is expected in each region.
        samples: How samples, or groups, look, by name; colours not given follow their order.
        titles: Titles of samples and groups.
        regions: Titles of regions.
        groups: Group of each sample that is drawn together with others.
        across: Regions in a row.
        ax: Axes to draw on, one a region, and one for the legend if there is another.
        label: The line above the figure.
        style: Name of a style.
    """
    parts = [
        [area for area in of_region(result, groups or {}).areas if not area.signal]
        for result in results
    ]
    names = list(dict.fromkeys(area.name for areas in parts for area in areas))
    size, layout = _pie_layout(len(results) + 1, across)
    with canvas(ax, label=_at_left(label), style=style, layout=layout, size=size) as frame:
        usual = fills_of(list(reversed(names)), samples or {}, groups or {})
        look = {name: _look(usual[name], (samples or {}).get(name)) for name in names}
        for place, (result, areas) in enumerate(zip(results, parts, strict=True)):
            panel = frame.axes[min(place, len(frame.axes) - 1)]
            _pie(panel, areas, look, title_of(result.region, regions))
            frame.tables.append(
                Table(
                    result.region,
                    (words("Sample", [area.name for area in areas]),),
                    (values("Events", [area.total for area in areas]),),
                )
            )
        last = frame.axes[-1]
        if len(frame.axes) > len(results):
            last.set_axis_off()
        if not results:
            say_empty(last, "no regions")
        patches = [
            Patch(facecolor=look[name].color, hatch=look[name].hatch, label=title_of(name, titles),
                  edgecolor="white" if look[name].hatch else "black", linewidth=0.8)
            for name in names
        ]  # fmt: skip
        last.legend(handles=patches, loc="upper left", fontsize="x-small", framealpha=0)
    return frame.figure


def plot_signal_regions(
    results: Sequence[RegionPrediction],
    *,
    regions: Titles | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw signal over background and over its square root in each region.

    Args:
        results: What is expected in each region.
        regions: Titles of regions.
        ax: Axes to draw on: one for S/B, or another for S/√B, too.
        label: The line above the figure.
        style: Name of a style.
    """
    signal, background = (
        np.array([sum(s.total for s in result.samples if s.role == role) for result in results])
        for role in ("signal", "background")
    )
    guard = np.where(background > 0, background, np.nan)
    quality = {
        "S / B [%]": 100 * signal / guard,
        "S / √B": signal / np.sqrt(guard),
    }
    named = [title_of(result.region, regions) for result in results]
    upright = letters(named) * len(named) * 0.1 > 5
    below = 0.09 * letters(named) if upright else 0.0
    size = (max(7.2, 1.6 + 0.45 * len(named)), 6.2 + below)
    layout = _two_rows(BOTTOM + below)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        places = np.arange(len(named))
        looks = ((BLUE, ""), (ORANGE, "///"))
        for panel, heights, (colour, hatch) in zip(
            frame.axes[:2], quality.values(), looks, strict=False
        ):
            tops = np.nan_to_num(heights)
            panel.bar(places, tops, 0.7, color=colour, hatch=hatch, edgecolor="white", linewidth=0)
            for place, height in zip(places, heights, strict=True):
                told = f"{height:.2g}" if np.isfinite(height) else "B = 0"
                panel.annotate(
                    told, (place, max(0.0, float(np.nan_to_num(height)))), (0, 3),
                    textcoords="offset points", ha="center", fontsize="xx-small",
                )  # fmt: skip
            linear_y(panel, tops, headroom=0.18)
            panel.set_xlim(-0.6, max(len(named), 1) - 0.4)
            panel.xaxis.set_minor_locator(NullLocator())
            panel.set_xticks(places)
            panel.tick_params(axis="x", length=0)
        last = frame.lower or frame.main
        last.set_xticks(places, named, fontsize="x-small", rotation=90 if upright else 0)
        if not results:
            say_empty(frame.main, "no regions")
        set_labels(frame, "Region", *quality)
        if frame.lower is not None:
            frame.lower.yaxis.get_label().set(y=1, horizontalalignment="right")
        columns = (
            values("Signal", signal),
            values("Background", background),
            values("S / B [%]", quality["S / B [%]"]),
            values("S / sqrt(B)", signal / np.sqrt(guard)),
        )
        names = words("Region", [result.region for result in results])
        frame.tables.append(Table("Signal over background", (names,), columns))
    return frame.figure


def _at_left(label: Label | None) -> Label | None:
    """A label that needs no right end, over a narrow panel."""
    if label is None or not label.luminosity:
        return label
    text = ", ".join(filter(None, (label.text, label.luminosity)))
    return replace(label, text=text, luminosity="")


def _pie_layout(count: int, across: int) -> tuple[tuple[float, float], Layout]:
    """Size in inches and layout of small square panels with room for their names below."""
    rows = -(-count // across)
    columns = -(-count // rows)

    def layout(figure: Figure) -> tuple[Axes, ...]:
        grid = grid_of(figure, rows, columns, left=0.5, wspace=0.16, hspace=0.2)
        cells = [grid[place // columns, place % columns] for place in range(count)]
        return tuple(figure.add_subplot(cell) for cell in cells)

    return (1.0 + 2.9 * columns, 1.1 + 2.9 * rows), layout


def _two_rows(bottom: float) -> Layout:
    """Two panels of one height, one above the other."""

    def layout(figure: Figure) -> tuple[Axes, ...]:
        inner = grid_of(figure, bottom=bottom)[0, 0].subgridspec(2, 1, hspace=0.07)
        main = figure.add_subplot(inner[0, 0])
        lower = figure.add_subplot(inner[1, 0], sharex=main)
        main.tick_params(labelbottom=False)
        return main, lower

    return layout


def _look(fill: Fill, drawing: SampleDrawing | None) -> Fill:
    return Fill(drawing.fill, "") if drawing and drawing.fill else fill


def _pie(ax: Axes, areas: Sequence[Area], look: Mapping[str, Fill], title: str) -> None:
    """Draw the shares of one region; samples of no or negative yield have none."""
    kept = [area for area in areas if area.total > 0]
    ax.set_xlabel(title, fontsize="small", loc="center", labelpad=2)
    if not kept:
        ax.set(frame_on=False, xticks=[], yticks=[])
        say_empty(ax, "no background")
        return
    sizes = np.array([area.total for area in kept])
    wedges, *_ = ax.pie(
        sizes,
        colors=[look[area.name].color for area in kept],
        startangle=90,
        counterclock=False,
        wedgeprops={"edgecolor": "white", "linewidth": 0.8},
        labels=[f"{100 * x:.0f} %" if x >= LEAST else "" for x in sizes / sizes.sum()],
        labeldistance=1.08,
        textprops={"fontsize": "xx-small"},
    )
    for wedge, area in zip(wedges, kept, strict=True):
        wedge.set_hatch(look[area.name].hatch)
    ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor="black", linewidth=0.8))
