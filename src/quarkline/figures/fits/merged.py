"""The regions of a group beside each other in one figure (`DoMergedPlot`)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.catalog.drawing import Drawing, RegionDrawing, SampleDrawing
from quarkline.figures.fits.prediction import has_lower, of_summary, plot_prediction
from quarkline.figures.fits.words import Titles, title_of
from quarkline.figures.style import Label, Layout, canvas, grid_of
from quarkline.templates.predictions import RegionPrediction

ONE, MARGINS = 3.2, 1.1
"""Width of a region, and of what is around all of them, in inches."""
HEIGHT, LEGEND = 5.2, 0.3
"""Height of a figure without its legend, and of a line of that, in inches."""
ENTRY, OTHERS = 1.9, 2
"""Width of an entry of the legend in inches, and how many there are besides samples."""


def plot_merged(
    results: Sequence[RegionPrediction],
    *,
    variables: Titles | None = None,
    drawing: Drawing | None = None,
    drawings: Mapping[str, RegionDrawing] | None = None,
    samples: Mapping[str, SampleDrawing] | None = None,
    titles: Titles | None = None,
    regions: Titles | None = None,
    groups: Mapping[str, str] | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw what is expected in several regions beside each other, each with an axis of its own.

    Args:
        results: What is expected in each region; one at least.
        variables: Name and unit of the x axis of each region.
        drawing: How all figures look; signals are shown as in summaries.
        drawings: How the figure of each region looks.
        samples: How samples, or groups, look, by name; colours not given follow their order.
        titles: Titles of samples and groups.
        regions: Titles of regions.
        groups: Group of each sample that is drawn together with others.
        ax: Axes to draw on: one for the legend, one for each region, and those of their ratios.
        label: The line above the figure.
        style: Name of a style.
    """
    settings = of_summary(drawing or Drawing())
    known = {
        (groups or {}).get(one.name) or one.name for region in results for one in region.samples
    }
    across = max(1, int(ONE * len(results) / ENTRY))
    rows = -(-(len(known) + OTHERS) // across)
    ratio = any(has_lower(result.data, settings) for result in results)
    size = (MARGINS + ONE * len(results), HEIGHT + LEGEND * rows)
    layout = _layout(len(results), LEGEND * rows, ratio=ratio)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        header, *panels = frame.axes
        columns = [panels[at :: len(results)] or [header] for at in range(len(results))]
        entries: dict[str, Artist] = {}
        for result, column in zip(results, columns, strict=True):
            plot_prediction(
                result,
                variable=(variables or {}).get(result.region, ""),
                title=title_of(result.region, regions),
                drawing=settings,
                region=(drawings or {}).get(result.region),
                samples=samples,
                titles=titles,
                groups=groups,
                legend=False,
                ax=column,
                style=style,
            )
            entries |= _entries(column[0], known)
        _only_at_left(columns)
        header.legend(
            list(entries.values()),
            [title_of(name, titles) if name in known else name for name in entries],
            loc="upper left",
            bbox_to_anchor=(0, 1),
            ncols=across,
            fontsize="x-small",
            framealpha=0,
            borderaxespad=0,
        )
    return frame.figure


def _entries(ax: Axes, samples: Collection[str]) -> dict[str, Artist]:
    """What is drawn on axes by name: data, samples from the top of the stack, the rest."""
    handles, names = ax.get_legend_handles_labels()
    drawn = dict(zip(names, handles, strict=True))
    stacked = [name for name in reversed(names) if name in samples]
    order = [*(["Data"] if "Data" in drawn else []), *stacked, *names]
    return {name: drawn[name] for name in dict.fromkeys(order)}


def _only_at_left(columns: Sequence[Sequence[Axes]]) -> None:
    """Name the y axes once; the ratio has one scale for all regions."""
    for column in columns[1:]:
        for ax in column:
            ax.set_ylabel("")
        for ax in column[1:]:
            ax.tick_params(labelleft=False)


def _layout(count: int, header: float, *, ratio: bool) -> Layout:
    """A row for the legend, of a height in inches, and below it the regions."""

    def layout(figure: Figure) -> tuple[Axes, ...]:
        rest = HEIGHT / 4
        heights = (header, 3 * rest, rest) if ratio else (header, 4 * rest)
        cells = grid_of(figure)[0, 0].subgridspec(
            len(heights), count, height_ratios=heights, hspace=0.1, wspace=0.2
        )
        top = figure.add_subplot(cells[0, :])
        top.set_axis_off()
        mains = [figure.add_subplot(cells[1, column]) for column in range(count)]
        lowers = [
            figure.add_subplot(cells[2, column], sharex=mains[column])
            for column in range(count if ratio else 0)
        ]
        for main in mains if ratio else ():
            main.tick_params(labelbottom=False)
        return top, *mains, *lowers

    return layout
