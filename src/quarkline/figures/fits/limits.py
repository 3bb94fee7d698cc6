"""Upper limits: CLs against the parameter, limits beside each other, limits along a mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from quarkline.figures.fits.rows import INNER, OUTER, legend_in_head, row_canvas
from quarkline.figures.fits.words import Titles, known, shown, title_of
from quarkline.figures.pieces import floats, linear_y, log_axis, log_y, say_empty, set_labels
from quarkline.figures.style import BLUE, GREY, RED, Label, canvas
from quarkline.figures.tables import Array, Column, Table, points, values, words
from quarkline.statistics.likelihood.results import CLsLimit

MEDIAN = 2  # place of the median among the five expected values
SEEN = {
    "observed": ("Observed", "obs."),
    "mixed": ("Mixed data", "mixed"),
    "asimov": ("Asimov data", "Asimov"),
}
"""What a limit that is not expected is of, in a legend and beside a number."""
SIGMAS = ("-2", "-1", "0", "+1", "+2")


def plot_cls(
    result: CLsLimit,
    *,
    poi_title: str = "",
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw CLs against the measured parameter, with bands expected without signal.

    Args:
        result: The limit with the values tested.
        poi_title: What the parameter is called.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        main, alpha, seen = frame.main, 1 - result.level, _seen([result])
        x = known([point.value for point in result.points])
        expected = _expected([point.expected for point in result.points])
        observed = known([point.observed for point in result.points])
        _bands(main, x, expected)
        if np.isfinite(observed).any():
            main.plot(x, observed, "o-", color="black", markersize=4, label=f"{seen} CL$_s$")
        main.axhline(alpha, color=RED, linewidth=1.4, linestyle="--", label=f"{alpha:.3g}")
        found = {
            seen: (result.observed, "-"),
            "Expected": (_at(result.expected, MEDIAN), "--"),
        }
        for name, (value, line) in found.items():
            if value is not None and np.isfinite(value):
                main.plot(
                    [value, value], [1e-4, alpha], color=GREY, linewidth=1.4, linestyle=line,
                    label=f"{name} limit: {value:.3g}",
                )  # fmt: skip
        if not x.size:
            say_empty(main, "no values tested")
        else:
            room = 0.02 * (x.max() - x.min()) or 1.0
            main.set_xlim(x.min() - room, x.max() + room)
        every = np.concatenate([expected.ravel(), observed, [alpha, 1.0]])
        every = every[np.isfinite(every) & (every > 0)]
        log_axis(main, "y", max(float(every.min()) / 2, 1e-3), 20.0)
        set_labels(frame, shown(poi_title) or title_of(result.poi, None), "CL$_s$")
        main.legend(loc="upper right", ncols=2, fontsize="xx-small")
        columns = (
            values(f"CLs {seen.lower()}", observed),
            *_expected_columns("CLs expected", expected),
        )
        frame.tables.append(Table("CLs", (points(result.poi, x),), columns))
    return frame.figure


def plot_limits(
    limits: CLsLimit | Mapping[str, CLsLimit],
    *,
    poi_title: str = "",
    log: bool = False,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw one limit, or several beside each other, with bands expected without signal.

    Args:
        limits: A limit, or several by title.
        poi_title: What the parameter is called.
        log: Whether the axis is logarithmic.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    one = isinstance(limits, CLsLimit)
    several = {limits.poi: limits} if isinstance(limits, CLsLimit) else dict(limits)
    names = [title_of(name, None) if one else shown(name) for name in several]
    expected = _expected([limit.expected for limit in several.values()])
    observed = known([limit.observed for limit in several.values()])
    injected = known([limit.injected for limit in several.values()])
    told = [
        _limit_words(limit.data, *pair)
        for limit, *pair in zip(several.values(), observed, expected[:, MEDIAN], strict=True)
    ]
    with row_canvas(ax, label, style, names, told, nothing="no limits", head=2.2) as frame:
        main = frame.main
        _boxes(main, expected)
        for marker, values_, name in (
            ("o", observed, _seen(list(several.values()))),
            ("D", injected, "Expected with signal"),
        ):
            if np.isfinite(values_).any():
                main.plot(
                    values_, range(len(names)), marker, color="black", linestyle="none",
                    markerfacecolor="black" if marker == "o" else "white", label=name,
                )  # fmt: skip
        every = np.concatenate([expected.ravel(), observed, injected])
        every = every[np.isfinite(every)]
        if log and (every > 0).any():
            log_axis(main, "x", float(every[every > 0].min()) / 1.5, float(every.max()) * 1.5)
        else:
            main.set_xlim(
                min(0.0, float(every.min(initial=0.0))), 1.08 * float(every.max(initial=0.0)) or 1.0
            )
        level = next((limit.level for limit in several.values()), 0.95)
        poi = poi_title or next((limit.poi for limit in several.values()), "")
        main.set_xlabel(
            f"{100 * level:g} % CL limit on {shown(poi) if poi_title else title_of(poi, None)}"
        )
        legend_in_head(main, 3)
        name = _seen(list(several.values()))
        columns = (values(name, observed), *_expected_columns("Expected", expected))
        frame.tables.append(Table("Limits", (words("Limit", list(several)),), columns))
    return frame.figure


def plot_limit_series(
    x: ArrayLike,
    limits: Sequence[CLsLimit],
    *,
    variable: str = "Mass [GeV]",
    poi_title: str = "",
    scale: ArrayLike = 1.0,
    theory: ArrayLike | None = None,
    theory_title: str = "Theory",
    log: bool = True,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw limits along a mass with bands expected without signal.

    Args:
        x: Where each limit was set, with shape (n,).
        limits: The limits.
        variable: Name and unit of the x axis.
        poi_title: What is limited.
        scale: What each limit is multiplied by, such as a cross-section.
        theory: What a theory predicts, in the units of the scaled limits, with shape (n,).
        theory_title: What the theory is called.
        log: Whether the y axis is logarithmic.
        titles: Titles of parameters.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    order = np.argsort(floats(x)[: len(limits)])
    places = floats(x)[: len(limits)][order]
    factor = np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(limits),))
    expected = (_expected([limit.expected for limit in limits]) * factor[:, None])[order]
    observed = (known([limit.observed for limit in limits]) * factor)[order]
    with canvas(ax, label=label, style=style) as frame:
        main = frame.main
        _bands(main, places, expected)
        if np.isfinite(observed).any():
            main.plot(places, observed, "o-", color="black", markersize=4, label=_seen(limits))
        drawn = [expected.ravel(), observed]
        if theory is not None:
            predicted = floats(theory)[order]
            main.plot(places, predicted, color=RED, linestyle="-.", label=shown(theory_title))
            drawn.append(predicted)
        every = np.concatenate(drawn)
        if not np.isfinite(every).any():
            say_empty(main, "no limits")
        if log:
            log_y(main, every, headroom=0.3, footroom=1.6)
        else:
            linear_y(main, every, headroom=0.3)
        if places.size > 1:
            room = 0.02 * (places[-1] - places[0])
            main.set_xlim(places[0] - room, places[-1] + room)
        level = limits[0].level if limits else 0.95
        poi = shown(poi_title) or (title_of(limits[0].poi, titles) if limits else "")
        set_labels(frame, shown(variable), f"{100 * level:g} % CL limit on {poi}")
        main.legend(loc="upper right", ncols=2, fontsize="xx-small")
        columns: list[Column] = [
            values(_seen(limits), observed),
            *_expected_columns("Expected", expected),
        ]
        if theory is not None:
            columns.append(values(theory_title, floats(theory)[order]))
        frame.tables.append(Table("Limits", (points(variable, places),), tuple(columns)))
    return frame.figure


def _expected(rows: Sequence[Sequence[float | None]]) -> Array:
    """Expected values with shape (n, 5); NaN where there is none."""
    array = np.full((len(rows), 5), np.nan)
    for place, row in enumerate(rows):
        found = np.array(row, dtype=np.float64)
        array[place, : found.size] = found
    return array


def _expected_columns(name: str, expected: Array) -> tuple[Column, ...]:
    return tuple(
        values(name, expected[:, place], qualifiers={"standard deviations": sigma})
        for place, sigma in enumerate(SIGMAS)
    )


def _bands(ax: Axes, x: Array, expected: Array) -> None:
    """Bands of two and one standard deviations along the x axis, and the median."""
    if x.size == 1:  # a point has no area
        x, expected = x + np.array([-0.5, 0.5]), np.repeat(expected, 2, axis=0)
    there = np.isfinite(expected)
    for (low, high), colour, name in (((0, 4), OUTER, 2), ((1, 3), INNER, 1)):
        ax.fill_between(
            x, expected[:, low], expected[:, high], where=there[:, low] & there[:, high],
            color=colour, linewidth=0, label=f"Expected $\\pm$ {name}$\\sigma$",
        )  # fmt: skip
    ax.plot(x, expected[:, MEDIAN], color=BLUE, linestyle="--", label="Expected")


def _boxes(ax: Axes, expected: Array) -> None:
    """Bands of two and one standard deviations of limits in rows, and the medians."""
    places = np.arange(len(expected))
    for (low, high), colour, name in (((0, 4), OUTER, 2), ((1, 3), INNER, 1)):
        there = np.isfinite(expected[:, [low, high]]).all(axis=1)
        if there.any():
            ends = expected[there]
            ax.barh(
                places[there], ends[:, high] - ends[:, low], 0.66, ends[:, low], color=colour,
                linewidth=0, label=f"Expected $\\pm$ {name}$\\sigma$",
            )  # fmt: skip
    there = np.isfinite(expected[:, MEDIAN])
    if there.any():
        ax.vlines(
            expected[there, MEDIAN], places[there] - 0.33, places[there] + 0.33, color=BLUE,
            linestyle="--", label="Expected",
        )  # fmt: skip


def _seen(limits: Sequence[CLsLimit]) -> str:
    """What limits that are not expected ones are of."""
    kinds = {limit.data for limit in limits if limit.observed is not None}
    words = [name for kind, (name, _) in SEEN.items() if kind in kinds]
    return " / ".join(words) or "Observed"


def _limit_words(data: str, observed: float, median: float) -> str:
    parts = {SEEN[data][1]: observed, "exp.": median}
    found = [f"{name} {value:.3g}" for name, value in parts.items() if np.isfinite(value)]
    return ", ".join(found) or "no limit"


def _at(row: Sequence[float | None], place: int) -> float | None:
    return row[place] if len(row) > place else None
