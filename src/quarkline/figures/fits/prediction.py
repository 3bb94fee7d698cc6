"""Stacks before and after a fit, of one region or of many with a bin each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from quarkline.catalog.drawing import Drawing, Range, RegionDrawing, SampleDrawing
from quarkline.figures.fits.contents import (
    Stacked,
    fills_of,
    of_region,
    of_regions,
    per_width,
)
from quarkline.figures.fits.ratios import TITLES, VISIBLE, draw_lower, half_widths, ratio_of
from quarkline.figures.fits.words import Titles, count_title, letters, shown, title_of
from quarkline.figures.pieces import DATA, centres, log_axis, say_empty, set_labels
from quarkline.figures.stacked import data_error, draw_areas, draw_band, hide
from quarkline.figures.style import BLUE, BOTTOM, RED, Canvas, Label, Layout, canvas, grid_of
from quarkline.figures.tables import Array, Table, bins, values, words
from quarkline.templates.predictions import RegionPrediction

SIZE = (7.2, 6.6)
LETTER, LINE = 0.078, 0.185
"""Inches for a letter and a line of the legend."""
FLAT = 6  # letters of bin labels that lie flat beside many others
BEFORE = {False: "Pre-fit", True: "Post-fit"}


class Look(NamedTuple):
    """How a stack looks: settings of the analysis, region and samples, titles, groups, legend."""

    drawing: Drawing
    region: RegionDrawing
    samples: Mapping[str, SampleDrawing]
    titles: Titles
    groups: Mapping[str, str]
    legend: bool = True


def plot_prediction(
    result: RegionPrediction,
    *,
    before: RegionPrediction | None = None,
    variable: str = "",
    title: str = "",
    drawing: Drawing | None = None,
    region: RegionDrawing | None = None,
    samples: Mapping[str, SampleDrawing] | None = None,
    titles: Titles | None = None,
    groups: Mapping[str, str] | None = None,
    legend: bool = True,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw what is expected in a region, with its whole error, and the data.

    Args:
        result: The expectation before or after a fit.
        before: The expectation before the fit, whose total is drawn as a line.
        variable: Name and unit of the x axis, such as `H_{T} [GeV]`.
        title: What the region is called.
        drawing: How all figures look.
        region: How the figure of this region looks.
        samples: How samples, or groups, look, by name; colours not given follow their order.
        titles: Titles of samples and groups.
        groups: Group of each sample that is drawn together with others.
        legend: Whether the frame names what is drawn.
        ax: Axes to draw on: one, or two for stack and ratio.
        label: The line above the figure.
        style: Name of a style.
    """
    look = Look(
        drawing or Drawing(),
        region or RegionDrawing(),
        samples or {},
        titles or {},
        groups or {},
        legend,
    )
    stack = of_region(result, look.groups)
    width = look.region.bin_width
    notes = [shown(title) or title_of(result.region, None), BEFORE[result.after_fit]]
    if look.drawing.chi2 and result.chi2 is not None and np.isfinite(result.chi2):
        notes.append(_chi2(result))
    earlier = None if before is None else np.array(before.contents, dtype=np.float64)
    named = list(look.region.bin_labels)
    with _stack_canvas(ax, label, style, named, stack, look.drawing) as frame:
        _draw(
            frame,
            per_width(stack, width) if width else stack,
            earlier if earlier is None or not width else earlier * width / np.diff(stack.edges),
            notes,
            look,
            after=result.after_fit,
        )
        axis = shown(variable) or "Bin"
        unit = variable.partition("[")[2].rstrip("]")
        scaled = count_title(stack.edges, "" if named else variable)
        if width:
            scaled = f"Events / {width:g} {unit}".strip()
        set_labels(frame, axis, shown(look.region.y_title) or scaled, _ratio_title(look.drawing))
        frame.main.set_xlim(*(look.region.x_range or (stack.edges[0], stack.edges[-1])))
        _name_bins(frame, stack.edges, named)
        frame.tables.append(
            _table(result.region, (bins(variable or "Bin", stack.edges),), stack, earlier)
        )
    return frame.figure


def plot_summary(
    results: Sequence[RegionPrediction],
    *,
    before: Sequence[RegionPrediction] = (),
    title: str = "",
    drawing: Drawing | None = None,
    samples: Mapping[str, SampleDrawing] | None = None,
    titles: Titles | None = None,
    regions: Titles | None = None,
    groups: Mapping[str, str] | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the yields of many regions, a bin each.

    Args:
        results: What is expected in each region.
        before: The same regions before the fit, whose totals are drawn as a line.
        title: What stands above the legend.
        drawing: How all figures look.
        samples: How samples, or groups, look, by name; colours not given follow their order.
        titles: Titles of samples and groups.
        regions: Titles of regions.
        groups: Group of each sample that is drawn together with others.
        ax: Axes to draw on: one, or two for stack and ratio.
        label: The line above the figure.
        style: Name of a style.
    """
    settings = of_summary(drawing or Drawing())
    log = RegionDrawing(log=settings.summary_log, y_range=settings.summary_y_range)
    look = Look(settings, log, samples or {}, titles or {}, groups or {})
    stack = of_regions(results, look.groups)
    after = any(result.after_fit for result in results)
    earlier = np.array([result.total for result in before], dtype=np.float64) if before else None
    named = [title_of(result.region, regions) for result in results]
    with _stack_canvas(ax, label, style, named, stack, settings) as frame:
        notes = [shown(title), BEFORE[after]] if title else [BEFORE[after]]
        _draw(frame, stack, earlier, notes, look, after=after)
        set_labels(frame, "Region", "Events", _ratio_title(settings))
        frame.main.set_xlim(0, max(len(results), 1))
        _name_bins(frame, stack.edges, named)
        regions_column = words("Region", [result.region for result in results])
        frame.tables.append(_table("Summary", (regions_column,), stack, earlier))
    return frame.figure


def _stack_canvas(
    ax: Axes | Sequence[Axes] | None,
    label: Label | None,
    style: str,
    named: Sequence[str],
    stack: Stacked,
    drawing: Drawing,
) -> AbstractContextManager[Canvas]:
    """Axes for stack and ratio; wider with many bins that have names, with room for long ones."""
    width = max(SIZE[0], 1.6 + 0.32 * len(named))
    below = _room(named)
    layout = _layout(BOTTOM + below, ratio=has_lower(stack.data, drawing))
    return canvas(ax, label=label, style=style, layout=layout, size=(width, SIZE[1] + below))


def has_lower(data: object | None, drawing: Drawing) -> bool:
    """Whether there is a panel below the stack."""
    kind = ratio_of(drawing)
    return kind in VISIBLE or (kind is not None and data is not None)


def _ratio_title(drawing: Drawing) -> str:
    """The name of the lower panel's axis; `-` is none, as in TRExFitter."""
    usual = TITLES[ratio_of(drawing) or "data/total"]
    return "" if drawing.ratio_title == "-" else shown(drawing.ratio_title) or usual


def of_summary(drawing: Drawing) -> Drawing:
    """How a summary looks: signals may be shown in another way than in regions."""
    line, stacked = drawing.summary_signal_line, drawing.summary_signal_in_stack
    return drawing.model_copy(
        update={
            "signal_line": drawing.signal_line if line is None else line,
            "signal_in_stack": drawing.signal_in_stack if stacked is None else stacked,
        }
    )


def _layout(bottom: float, *, ratio: bool) -> Layout:
    def layout(figure: Figure) -> tuple[Axes, ...]:
        cell = grid_of(figure, bottom=bottom)[0, 0]
        if not ratio:
            return (figure.add_subplot(cell),)
        inner = cell.subgridspec(2, 1, height_ratios=(3, 1), hspace=0.07)
        main = figure.add_subplot(inner[0, 0])
        lower = figure.add_subplot(inner[1, 0], sharex=main)
        main.tick_params(labelbottom=False)
        return main, lower

    return layout


def _room(named: Sequence[str]) -> float:
    """Inches that names of bins take more than numbers do."""
    return 0.09 * letters(named) if _upright(named) else 0.0


def _upright(named: Sequence[str]) -> bool:
    return letters(named) * len(named) * 0.1 > SIZE[0] - 2 and letters(named) > 2


def _name_bins(frame: Canvas, edges: Array, named: Sequence[str]) -> None:
    if not named:
        return
    bottom = frame.lower or frame.main
    places = centres(edges)
    texts = [*map(shown, named), *[""] * places.size][: places.size]
    for ax in frame.axes:
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(places)
    bottom.set_xticks(places, texts, fontsize="x-small", rotation=90 if _upright(named) else 0)


def _draw(
    frame: Canvas,
    stack: Stacked,
    earlier: Array | None,
    notes: Sequence[str],
    look: Look,
    *,
    after: bool,
) -> None:
    """Draw stack, signal, data and ratio, and what explains them."""
    log, main = look.region.log, frame.main
    if not stack.total.size:
        say_empty(main, "no regions")
        return
    scale = _scale(stack, look)
    stack = stack if look.drawing.signal_in_stack else stack.without_signal()
    areas = [area for area in stack.areas if look.drawing.signal_in_stack or not area.signal]
    tops = draw_areas(
        main,
        stack.edges,
        [(area.name, np.nan_to_num(area.contents)) for area in reversed(areas)],
        colors={name: item.fill for name, item in look.samples.items() if item.fill},
        lines={name: item.line for name, item in look.samples.items() if item.line},
        usual=fills_of([area.name for area in reversed(areas)], look.samples, look.groups),
        log=log,
    )
    total, error = np.nan_to_num(stack.total), np.nan_to_num(stack.error)
    frame.not_finite += int(np.sum(~np.isfinite([stack.total, stack.error])))
    draw_band(main, stack.edges, total, error, log=log, name="Uncertainty")
    drawn = [np.zeros(1), *tops, total + error, _signal(frame, stack, look)]
    if earlier is not None:
        main.stairs(
            earlier, stack.edges, color=BLUE, linewidth=1.8, linestyle=(0, (4, 2)),
            label="Pre-fit total",
        )  # fmt: skip
        drawn.append(earlier)
    if stack.data is not None:
        poisson = look.drawing.poisson_errors
        counts, errors = stack.data * scale, data_error(stack.data, poisson=poisson) * scale
        visible = np.where((counts > 0) | (not log), counts, np.nan)
        main.errorbar(
            centres(stack.edges),
            visible,
            yerr=errors,
            xerr=half_widths(stack.edges) if look.drawing.x_errors else None,
            label="Data" if np.isfinite(counts).any() else "",
            **DATA,
        )
        drawn.append(np.nan_to_num(counts + errors[1]))
    heights = np.concatenate(drawn)
    if not (total > 0).any() and not np.nansum(stack.data if stack.data is not None else 0) > 0:
        say_empty(main)
    _legend(frame, heights, notes, stack, look)
    for place in stack.hidden:
        hide(frame.axes, stack.edges[place], stack.edges[place + 1])
    if frame.lower is not None:
        limits = _ratio_range(look, after=after)
        draw_lower(frame.lower, stack, scale, limits, look.drawing, look.samples)


def _scale(stack: Stacked, look: Look) -> Array:
    """What counts are multiplied by to stand for bins of one width."""
    width = look.region.bin_width
    edges = np.diff(stack.edges)
    return np.asarray(width / edges) if width else np.ones_like(edges)


def _signal(frame: Canvas, stack: Stacked, look: Look) -> Array:
    """Draw the signals over the stack as lines, if asked for; the highest."""
    highest = np.zeros_like(stack.total)
    if look.drawing.signal_line == "none":
        return highest
    signals = [area for area in stack.areas if area.signal and area.contents.sum() > 0]
    styles = ("--", "-.", ":", (0, (5, 1)))
    for place, area in enumerate(signals):
        factor = look.drawing.signal_scale
        if look.drawing.signal_line == "normalised":
            factor = float(np.nansum(stack.total) / area.contents.sum())
        words_ = "normalised" if look.drawing.signal_line == "normalised" else f"× {factor:.3g}"
        drawing = look.samples.get(area.name, SampleDrawing())
        frame.main.stairs(
            area.contents * factor,
            stack.edges,
            color=drawing.line or (RED if place == 0 else "black"),
            linewidth=2,
            linestyle=styles[place % len(styles)],
            label=f"{title_of(area.name, look.titles)} ({words_})",
        )
        highest = np.maximum(highest, area.contents * factor)
    return highest


def _legend(
    frame: Canvas, heights: Array, notes: Sequence[str], stack: Stacked, look: Look
) -> None:
    """Write notes and legend at the top of the frame, and leave room for them above the stack."""
    main = frame.main
    sums = {area.name: area.total for area in stack.areas}
    handles, names = main.get_legend_handles_labels()
    entries = [
        (_entry(name, sums, stack, look), handle)
        for name, handle in zip(names, handles, strict=True)
    ]
    first = [entry for name, entry in zip(names, entries, strict=True) if name == "Data"]
    samples = [entry for name, entry in zip(names, entries, strict=True) if name in sums]
    others = [
        entry
        for name, entry in zip(names, entries, strict=True)
        if name != "Data" and name not in sums
    ]
    ordered = [*first, *reversed(samples), *others]
    inches = frame.figure.get_size_inches() * main.get_position().size
    longest = letters([text for text, _ in ordered])
    columns = int(np.clip((inches[0] - 0.1) // (0.62 + LETTER * longest), 1, 5))
    rows = -(-len(ordered) // columns) if look.legend else 0
    free = min((LINE * (rows + 1.3) + 0.15) / inches[1], 0.72)
    _limits(main, heights, free, look.region)
    main.annotate(
        "    ".join(notes), (0, 1), (8, -7), "axes fraction", textcoords="offset points",
        va="top", fontsize="x-small",
    )  # fmt: skip
    if not look.legend:
        return
    main.legend(
        [handle for _, handle in ordered],
        [text for text, _ in ordered],
        loc="upper left",
        bbox_to_anchor=(0, 1 - LINE * 1.15 / inches[1]),
        ncols=columns,
        fontsize="xx-small",
        framealpha=0,
    )


def _entry(name: str, sums: Mapping[str, float], stack: Stacked, look: Look) -> str:
    """The words of an entry, with the yield if yields are shown."""
    known = name in sums
    text = title_of(name, look.titles) if known else name
    if not look.drawing.yields:
        return text
    if known:
        return f"{text}  {_number(sums[name])}"
    if name == "Data" and stack.data is not None and not stack.hidden:
        return f"{text}  {_number(float(np.nansum(stack.data)))}"
    return text


def _number(value: float) -> str:
    """A yield with three digits, or all those before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _limits(ax: Axes, heights: Array, free: float, region: RegionDrawing) -> None:
    """The y axis: what is drawn below a free part for the legend, or more as the settings say."""
    top = float(np.nanmax(heights, initial=0.0))
    low, high = region.y_range
    if region.log:
        positive = heights[heights > max(1e-4 * top, 0.0)]
        least = low if low and low > 0 else float(positive.min(initial=max(top, 1.0))) / 3
        top = max(top, 30 * least)
        free_top = top * (1.4 * top / least) ** (free / (1 - free))
        log_axis(ax, "y", least, high or max(free_top, (region.headroom or 1) * top))
    else:
        base = low or 0.0
        free_top = base + (max(top, base) - base or 1.0) / (1 - free)
        ax.set_ylim(base, high or max(free_top, (region.headroom or 1) * top))


def _ratio_range(look: Look, *, after: bool) -> Range:
    """Range of the ratio: the region's, else the analysis's, with those after the fit first."""
    ranges = [look.region.ratio_range, look.drawing.ratio_range]
    if after:
        ranges = [look.region.ratio_range_after, look.drawing.ratio_range_after, *ranges]
    low, high = (
        next((pair[side] for pair in ranges if pair[side] is not None), None) for side in (0, 1)
    )
    return low, high


def _chi2(result: RegionPrediction) -> str:
    """The difference of data and expectation in words."""
    words_ = f"$\\chi^2$/ndf = {result.chi2:.1f} / {result.degrees}"
    return words_ if result.p is None else f"{words_}, $p$ = {result.p:.2g}"


def _table(
    name: str, independent: tuple[dict[str, object], ...], stack: Stacked, earlier: Array | None
) -> Table:
    """Events of every bin, whatever width the figure scales them to."""
    columns = [
        values("Events", area.contents, qualifiers={"sample": area.name}) for area in stack.areas
    ]
    columns.append(values("Events expected", stack.total, error=stack.error, source="total"))
    if earlier is not None:
        columns.append(values("Events expected before the fit", earlier))
    if stack.data is not None:
        columns.append(values("Data", stack.data, error=data_error(stack.data)))
    return Table(name, independent, tuple(columns))
