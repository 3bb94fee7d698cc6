"""What a systematic does to a sample, or to all of them with data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.fits.words import MINUS, count_title, shown
from quarkline.figures.pieces import DATA, centres, linear_y, say_empty, set_labels
from quarkline.figures.stacked import FLOOR, data_error, draw_band
from quarkline.figures.style import BLUE, GREY, RED, Canvas, Label, canvas, with_lower
from quarkline.figures.tables import Array, Table, bins, values
from quarkline.templates.histograms import Histogram
from quarkline.templates.sets import RegionTemplates, Template

SIDES = {"up": (RED, "+"), "down": (BLUE, MINUS)}


@dataclass(frozen=True, eq=False)
class Varied:
    """Contents of bins, nominal and with a systematic at +1 and -1.

    Attributes:
        nominal: Contents as the fit takes them.
        error: Their statistical errors.
        sides: Contents at +1 and -1 by "up" and "down".
        filled: Nominal contents as they were filled.
        filled_sides: Histograms as they were filled at +1 and -1, by "up" and "down"; fewer where
            there are none.
    """

    nominal: Array
    error: Array
    sides: dict[str, Array]
    filled: Array
    filled_sides: dict[str, Histogram]


def plot_systematic(
    template: Template,
    systematic: str,
    *,
    variable: str = "",
    titles: Sequence[str] = (),
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw a sample with a systematic at +1 and -1, as filled (dashed) and as the fit takes it.

    Bars below are the statistical errors of what was filled.

    Args:
        template: The sample in a region.
        systematic: Name of the systematic.
        variable: Name and unit of the x axis.
        titles: What the systematic, the sample and the region are called.
        ax: Axes to draw on: one, or two for contents and relative changes.
        label: The line above the figure.
        style: Name of a style.

    Raises:
        KeyError: If the systematic does not change the sample.
    """
    shift = template.shifts[systematic]
    filled = {
        side: _given(histogram, template)
        for side, histogram in (("up", shift.filled_up), ("down", shift.filled_down))
    }
    varied = Varied(
        template.nominal.contents,
        template.nominal.errors,
        {"up": shift.up.contents, "down": shift.down.contents},
        template.filled.contents,
        {side: histogram for side, histogram in filled.items() if histogram is not None},
    )
    return _figure(
        varied, template.nominal.edges, None, systematic, variable, titles, ax, label, style
    )


def _given(side: Histogram | None, template: Template) -> Histogram | None:
    """A side as it was filled; None if it is the nominal histogram, as no side was given."""
    if side is None or np.array_equal(side.contents, template.filled.contents):
        return None
    return side


def plot_systematic_on_total(
    region: RegionTemplates,
    systematic: str,
    *,
    samples: Sequence[str] | None = None,
    variable: str = "",
    titles: Sequence[str] = (),
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the sum of samples with a systematic at +1 and -1, and data.

    Args:
        region: The templates of a region.
        systematic: Name of the systematic.
        samples: Samples that are added; all by default.
        variable: Name and unit of the x axis.
        titles: What the systematic and the region are called.
        ax: Axes to draw on: one, or two for contents and relative changes.
        label: The line above the figure.
        style: Name of a style.
    """
    names = list(region.templates) if samples is None else list(samples)
    chosen = [region.templates[name] for name in names]
    shifts = [template.shifts.get(systematic) for template in chosen]
    pairs = list(zip(chosen, shifts, strict=True))
    up = _sum(region, [t.nominal if shift is None else shift.up for t, shift in pairs])
    down = _sum(region, [t.nominal if shift is None else shift.down for t, shift in pairs])
    squares = [np.square(template.nominal.errors) for template in chosen]
    varied = Varied(
        _sum(region, [template.nominal for template in chosen]),
        np.sqrt(np.sum([np.zeros(region.edges.size - 1), *squares], axis=0)),
        {"up": up, "down": down},
        _sum(region, [template.filled for template in chosen]),
        {},
    )
    data = None if region.data is None else region.data.contents
    return _figure(varied, region.edges, data, systematic, variable, titles, ax, label, style)


def _sum(region: RegionTemplates, histograms: Sequence[Histogram]) -> Array:
    """Contents of histograms added up."""
    nothing = np.zeros(region.edges.size - 1)
    return np.asarray(np.sum([nothing, *(one.contents for one in histograms)], axis=0))


def _figure(
    varied: Varied,
    edges: Array,
    data: Array | None,
    systematic: str,
    variable: str,
    titles: Sequence[str],
    ax: Axes | Sequence[Axes] | None,
    label: Label | None,
    style: str,
) -> Figure:
    with canvas(ax, label=label, style=style, layout=with_lower, size=(7.2, 6.6)) as frame:
        _contents(frame, varied, edges, data)
        if frame.lower is not None:
            _changes(frame.lower, varied, edges, data)
        frame.main.annotate(
            "    ".join(map(shown, titles or [systematic])), (0, 1), (8, -7), "axes fraction",
            textcoords="offset points", va="top", fontsize="x-small",
        )  # fmt: skip
        frame.main.legend(loc="upper left", bbox_to_anchor=(0, 0.94), ncols=3, fontsize="xx-small")
        frame.main.set_xlim(edges[0], edges[-1])
        set_labels(frame, shown(variable) or "Bin", count_title(edges, variable), "Change [%]")
        frame.tables.append(_table(systematic, varied, edges, data, variable or "Bin"))
    return frame.figure


def _contents(frame: Canvas, varied: Varied, edges: Array, data: Array | None) -> None:
    """Draw contents: nominal with its statistical error, both sides, data."""
    main = frame.main
    draw_band(main, edges, varied.nominal, varied.error, log=False, name="Statistical error")
    main.stairs(varied.nominal, edges, color="black", linewidth=1.6, label="Nominal", baseline=None)
    for side, (colour, sign) in SIDES.items():
        main.stairs(
            varied.sides[side], edges, color=colour, linewidth=1.6, baseline=None,
            label=f"{sign}1$\\sigma$ ({_change(varied.sides[side], varied.nominal)})",
        )  # fmt: skip
    for side, filled in varied.filled_sides.items():
        colour, sign = SIDES[side]
        main.stairs(
            filled.contents, edges, color=colour, linewidth=1.2, linestyle=(0, (3, 2)),
            baseline=None,
            label=f"{sign}1$\\sigma$ as filled",
        )  # fmt: skip
    drawn = [varied.nominal + varied.error, *varied.sides.values()]
    drawn += [filled.contents for filled in varied.filled_sides.values()]
    if data is not None:
        main.errorbar(centres(edges), data, yerr=data_error(data), label="Data", **DATA)
        drawn.append(data + data_error(data)[1])
    everything = np.concatenate(drawn)
    if not np.any(np.abs(np.nan_to_num(everything)) > 0):
        say_empty(main)
    linear_y(main, everything, headroom=0.3)
    low = float(np.nanmin(everything, initial=0.0))
    if low < 0:
        main.set_ylim(bottom=1.1 * low)


def _changes(ax: Axes, varied: Varied, edges: Array, data: Array | None) -> None:
    """Draw relative changes in percent around the nominal contents with their error."""
    error = np.nan_to_num(_relative(varied.nominal + varied.error, varied.nominal))
    draw_band(ax, edges, np.zeros_like(error), error, log=False, name="")
    ax.axhline(0, color=GREY, linewidth=1)
    sizes = [0.8 * np.minimum(error, 40)]
    for side, heights in varied.sides.items():
        change = _relative(heights, varied.nominal)
        ax.stairs(change, edges, color=SIDES[side][0], linewidth=1.4, baseline=None)
        sizes.append(np.abs(np.nan_to_num(change)))
    for side, filled in varied.filled_sides.items():
        shift = -0.06 if side == "up" else 0.06
        change, colour = _relative(filled.contents, varied.filled), SIDES[side][0]
        spread = _relative(filled.contents + filled.errors, varied.filled) - change
        ax.stairs(change, edges, color=colour, linewidth=1.2, linestyle=(0, (3, 2)), baseline=None)
        places = centres(edges) + shift * np.diff(edges)
        ax.errorbar(places, change, yerr=spread, fmt="none", color=colour, linewidth=1)
        sizes.append(np.abs(np.nan_to_num(change)))
    if data is not None:
        ratio = _relative(data, varied.nominal)
        spread = 100 * data_error(data) / np.where(varied.nominal > 0, varied.nominal, np.nan)
        ax.errorbar(centres(edges), ratio, yerr=spread, **DATA)
        sizes.append(np.minimum(np.abs(np.nan_to_num(ratio)), 40))
    reach = max(1.25 * float(np.concatenate(sizes).max()), 1.0)
    ax.set_ylim(-min(reach, 110.0), min(reach, 200.0))


def _relative(heights: Array, nominal: Array) -> Array:
    """Change in percent; NaN where the nominal content is not positive."""
    return np.asarray(100 * (heights / np.where(nominal > FLOOR, nominal, np.nan) - 1))


def _change(heights: Array, nominal: Array) -> str:
    """Change of the sum in words."""
    total = float(nominal.sum())
    if total == 0:
        return "no yield"
    return f"{100 * (float(heights.sum()) / total - 1):+.1f} %".replace("-", MINUS)


def _table(
    systematic: str, varied: Varied, edges: Array, data: Array | None, variable: str
) -> Table:
    columns = [values("Events", varied.nominal, error=varied.error, qualifiers={"side": "nominal"})]
    for side, heights in varied.sides.items():
        columns.append(values("Events", heights, qualifiers={"side": side}))
    for side, filled in varied.filled_sides.items():
        tag = {"side": f"{side}, as filled"}
        columns.append(values("Events", filled.contents, error=filled.errors, qualifiers=tag))
    if data is not None:
        columns.append(values("Data", data, error=data_error(data)))
    return Table(systematic, (bins(variable, edges),), tuple(columns))
