"""What moves the measured parameter: rankings of parameters, impacts of groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.fits.rows import INNER, NUMBER, OUTER, legend_in_head, row_canvas, span
from quarkline.figures.fits.words import Titles, known, pull_of, shown, signed, title_of
from quarkline.figures.pieces import HALO
from quarkline.figures.style import BLUE, GREY, ORANGE, RED, Label
from quarkline.figures.tables import Array, Table, values, words
from quarkline.statistics.likelihood.results import (
    GroupedImpacts,
    GroupImpact,
    RankedParameter,
    Ranking,
)

INITIAL = {"gamma": 1.0, "norm-factor": 1.0, "shape-factor": 1.0}
"""Values before the fit that are not zero, by role."""


def plot_ranking(
    result: Ranking,
    *,
    most: int = 20,
    titles: Titles | None = None,
    poi_title: str = "",
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw by how much parameters move the measured one, and their pulls beside it.

    A point is the distance from the value before the fit over the error before it, or the value
    less 1 of a free factor.

    Args:
        result: The ranking.
        most: Parameters shown, the largest first.
        titles: Titles of parameters.
        poi_title: What the measured parameter is called.
        ax: Axes to draw on: one for the shifts, or another for the pulls, too.
        label: The line above the figure.
        style: Name of a style.
    """
    rows = result.rows[:most]
    names = [title_of(row.name, titles) for row in rows]
    told = [f"{signed(row.up, 3)} / {signed(row.down, 3)}" for row in rows]
    with row_canvas(ax, label, style, names, told, head=2.3, width=4.4, second=2.7) as frame:
        _boxes(frame.main, rows)
        frame.main.set_xlabel(f"Shift of {_poi(result.poi, poi_title, titles)}", fontsize="small")
        legend_in_head(frame.main, 2)
        if frame.lower is not None:
            _pull_points(frame.lower, rows)
            frame.lower.set_xlabel("Pull, or factor $-$ 1", fontsize="small")
            legend_in_head(frame.lower, 1)
        if len(result.rows) > most:
            frame.main.annotate(
                f"first {most} of {len(result.rows)}", (0, 0), (5, 5), "axes fraction",
                textcoords="offset points", fontsize="xx-small",
            )  # fmt: skip
        frame.tables.append(_ranking_table(result))
    return frame.figure


def plot_grouped_impacts(
    result: GroupedImpacts,
    *,
    titles: Titles | None = None,
    poi_title: str = "",
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw what groups of parameters add to the error of the measured one.

    Args:
        result: Impacts.
        titles: Titles of groups.
        poi_title: What the measured parameter is called.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    groups = sorted(result.groups, key=lambda group: -abs(np.nan_to_num(group.error)))
    rows = [result.total, result.statistical, *groups]
    names = ["Total", "Statistical", *(title_of(group.name, titles) for group in groups)]
    down, up = (_sides(rows, side) for side in ("down", "up"))
    told = [
        f"$\\pm$ {above:.3f}" if above == below else f"{signed(above, 3)} / {signed(-below, 3)}"
        for above, below in zip(up, down, strict=True)
    ]
    with row_canvas(ax, label, style, names, told) as frame:
        places = np.arange(len(rows))
        colours = [GREY, ORANGE, *[BLUE] * len(groups)]
        for lengths in (up, -down):
            frame.main.barh(places, np.nan_to_num(lengths), 0.64, color=colours, linewidth=0)
        frame.main.axvline(0, color="black", linewidth=1)
        frame.main.axhline(1.5, color=GREY, linewidth=0.8, linestyle=":")
        reach = 1.08 * float(np.nanmax([*up, *down, 1e-9]))
        frame.main.set_xlim(-reach, reach)
        frame.main.set_xlabel(f"Part of the error of {_poi(result.poi, poi_title, titles)}")
        error = np.stack([down, up])
        symmetric = [row.error for row in rows]
        columns = (
            values("Part of the error", symmetric),
            values("Part of the upper and lower error", np.zeros(len(rows)), error=error),
        )
        group_names = ["total", "statistical", *(group.name for group in groups)]
        frame.tables.append(Table("Grouped impacts", (words("Group", group_names),), columns))
    return frame.figure


def _poi(name: str, title: str, titles: Titles | None) -> str:
    return shown(title) if title else title_of(name, titles)


def _sides(rows: Sequence[GroupImpact], side: str) -> Array:
    found = [getattr(row, side) for row in rows]
    return known([row.error if one is None else one for row, one in zip(rows, found, strict=True)])


def _boxes(ax: Axes, rows: Sequence[RankedParameter]) -> None:
    """Boxes of the shifts: outlines before the fit, areas after it."""
    places = np.arange(len(rows))
    sides = (("up", BLUE, "", "+"), ("down", ORANGE, "////", "\N{MINUS SIGN}"))
    every = [np.zeros(1)]
    for side, colour, hatch, sign in sides:
        after = np.nan_to_num(known([getattr(row, side) for row in rows]))
        before = known([getattr(row, f"{side}_before") for row in rows])
        ax.barh(
            places, np.nan_to_num(before), 0.8, facecolor="none", edgecolor=colour, linewidth=1.1,
            label=f"Before the fit: $\\theta$ {sign} $\\Delta\\theta$",
        )  # fmt: skip
        ax.barh(
            places, after, 0.62, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0,
            alpha=0.75, label=f"After: $\\hat{{\\theta}}$ {sign} $\\Delta\\hat{{\\theta}}$",
        )  # fmt: skip
        every += [np.abs(after), np.abs(np.nan_to_num(before))]
    reach = 1.1 * float(np.concatenate(every).max()) or 1.0
    ax.set_xlim(-reach, reach)
    ax.axvline(0, color="black", linewidth=0.8)
    for place, row in zip(places, rows, strict=True):
        if row.failed:
            ax.annotate(
                "no fit: " + ", ".join(row.failed).replace("_", " "), (0, place), (4, 0),
                xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
                fontsize=NUMBER - 2, color=RED, path_effects=HALO,
            )  # fmt: skip


def _pull_points(ax: Axes, rows: Sequence[RankedParameter]) -> None:
    """Points of pulls on bands of one and two standard deviations; hollow ones of free factors."""
    for reach, colour in ((2, OUTER), (1, INNER)):
        ax.axvspan(-reach, reach, color=colour, linewidth=0, zorder=0)
    ax.axvline(0, color="black", linewidth=0.8, linestyle=":", zorder=0.5)
    places = np.arange(len(rows))
    free = np.array([not row.before for row in rows], dtype=bool)
    middle = known([_pull(row) for row in rows])
    error = known([row.error / (row.before or 1.0) for row in rows])
    for which, face, name in ((~free, "black", "Pull"), (free, "white", "Free factor $-$ 1")):
        if which.any():
            ax.errorbar(
                middle[which], places[which], xerr=np.abs(error[which]), fmt="o", color="black",
                markerfacecolor=face, markersize=4.5, linewidth=1.2, label=name,
            )  # fmt: skip
    ax.set_xlim(*span(middle, error, error, least=2.4, around=0))


def _pull(row: RankedParameter) -> float:
    return pull_of(row, INITIAL.get(row.role, 0.0)) if row.before else row.value - 1


def _ranking_table(result: Ranking) -> Table:
    rows = result.rows
    after = {"errors": "after the fit"}
    before = {"errors": "before the fit"}
    columns = (
        values("Value", [row.value for row in rows], error=[row.error for row in rows]),
        values("Shift up", [row.up for row in rows], qualifiers=after),
        values("Shift down", [row.down for row in rows], qualifiers=after),
        values("Shift up", known([row.up_before for row in rows]), qualifiers=before),
        values("Shift down", known([row.down_before for row in rows]), qualifiers=before),
    )
    return Table("Ranking", (words("Parameter", [row.name for row in rows]),), columns)
