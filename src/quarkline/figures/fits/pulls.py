"""Parameters after a fit: pulls, norm factors, factors of limited simulated statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.fits.rows import INNER, OUTER, legend_in_head, row_canvas, span
from quarkline.figures.fits.words import Titles, errors_of, interval_words, known, pull_of, title_of
from quarkline.figures.ranking import ROW
from quarkline.figures.style import Canvas, Label, Look, looks
from quarkline.figures.tables import Array, Column, Table, values, words
from quarkline.statistics.likelihood.results import FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import Role

PULLED: tuple[Role, ...] = ("systematic", "luminosity")
"""Roles of parameters whose pulls are drawn."""
SIGMAS = r"$(\hat{\theta} - \theta_0)\,/\,\Delta\theta$"


class Points(NamedTuple):
    """Points of one fit, a row each: NaN where a fit lacks the parameter."""

    middle: Array
    down: Array
    up: Array


def plot_pulls(
    fits: LikelihoodFit | Mapping[str, LikelihoodFit],
    *,
    parameters: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw how far constrained parameters moved and how much their errors shrank, in prior errors.

    Args:
        fits: A fit, or several to compare, by title.
        parameters: Names of the parameters drawn, in this order; all fitted nuisance parameters of
            systematics by default. For more than a page use `pages`.
        groups: Parameters by the heading they stand below; others come last.
        titles: Titles of parameters.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    several = _several(fits)
    rows, headings = _grouped(_chosen(several, parameters, PULLED), groups)
    points = {title: _points(fit, rows, _pull) for title, fit in several.items()}
    with row_canvas(
        ax,
        label,
        style,
        [title_of(row, titles) for row in rows],
        _told(points),
        head=1.2 if len(several) > 1 else 0,
        row=_height(several),
    ) as frame:
        for place in headings:
            frame.main.get_yticklabels()[place].set_fontweight("bold")
        for reach, colour in ((2, OUTER), (1, INNER)):
            frame.main.axvspan(
                -reach,
                reach,
                color=colour,
                linewidth=0,
                zorder=0,
                alpha=1 if len(several) < 2 else 0.4,
            )
        frame.main.axvline(0, color="black", linewidth=0.8, linestyle=":", zorder=0.5)
        limits = [span(*part, least=2.4, around=0) for part in points.values()]
        frame.main.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))
        frame.main.set_xlabel(SIGMAS)
        _draw(frame, points)
        _table(frame, "Pulls", "Pull", rows, points)
    return frame.figure


def plot_norm_factors(
    fits: LikelihoodFit | Mapping[str, LikelihoodFit],
    *,
    parameters: Sequence[str] | None = None,
    titles: Titles | None = None,
    digits: int = 2,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw fitted norm factors with their errors.

    Args:
        fits: A fit, or several to compare, by title.
        parameters: Names of the parameters drawn; all fitted norm factors by default.
        titles: Titles of parameters.
        digits: Decimals of the numbers at the right.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    several = _several(fits)
    rows = _chosen(several, parameters, ("norm-factor", "shape-factor"))
    points = {title: _points(fit, rows, _value) for title, fit in several.items()}
    with row_canvas(
        ax,
        label,
        style,
        [title_of(row, titles) for row in rows],
        _told(points, digits),
        nothing="no norm factors",
        head=1.2 if len(several) > 1 else 0,
        row=_height(several),
    ) as frame:
        frame.main.axvline(1, color="black", linewidth=0.8, linestyle=":", zorder=0.5)
        _around_one(frame, points, least=0.5)
        frame.main.set_xlabel("Value after the fit")
        _draw(frame, points)
        _table(frame, "Norm factors", "Value", rows, points)
    return frame.figure


def plot_gammas(
    fit: LikelihoodFit,
    *,
    parameters: Sequence[str] | None = None,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the factors for limited simulated statistics, with their errors before the fit as bars.

    Args:
        fit: The fit.
        parameters: Names of the factors drawn; all by default. For more than a page use `pages`.
        titles: Titles of parameters.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    several = {"": fit}
    rows = _chosen(several, parameters, ("gamma",))
    points = {"": _points(fit, rows, _value)}
    before = known(fit.by_name[name].before for name in rows)
    with row_canvas(
        ax, label, style, [title_of(row, titles) for row in rows], _told(points, 3)
    ) as frame:
        frame.main.barh(
            range(len(rows)), 2 * np.nan_to_num(before), 0.66, 1 - np.nan_to_num(before),
            color=INNER, linewidth=0,
        )  # fmt: skip
        frame.main.axvline(1, color="black", linewidth=0.8, linestyle=":", zorder=0.5)
        everything = {**points, "before": Points(np.ones(len(rows)), before, before)}
        _around_one(frame, everything, least=0.02)
        frame.main.set_xlabel("Factor after the fit")
        _draw(frame, points)
        _table(frame, "Factors of simulated statistics", "Value", rows, points)
    return frame.figure


def _several(fits: LikelihoodFit | Mapping[str, LikelihoodFit]) -> dict[str, LikelihoodFit]:
    return {"": fits} if isinstance(fits, LikelihoodFit) else dict(fits)


def _chosen(
    fits: Mapping[str, LikelihoodFit], parameters: Sequence[str] | None, roles: tuple[Role, ...]
) -> list[str]:
    """The parameters asked for, or all fitted ones of some roles."""
    if parameters is not None:
        return list(parameters)
    every = [item for fit in fits.values() for item in fit.parameters]
    return list(dict.fromkeys(it.name for it in every if it.role in roles and not it.fixed))


def _grouped(
    names: Sequence[str], groups: Mapping[str, Sequence[str]] | None
) -> tuple[list[str], list[int]]:
    """Names below the headings of their groups, and which rows are headings."""
    parts = {
        heading: [name for name in members if name in names]
        for heading, members in (groups or {}).items()
    }
    grouped = {name for members in parts.values() for name in members}
    left = [name for name in names if name not in grouped]
    rows, headings = list[str](), list[int]()
    for heading, members in {**parts, "Other": left if grouped else []}.items():
        if members:
            headings.append(len(rows))
            rows += [heading, *members]
    return (rows, headings) if grouped else (left, [])


def _height(fits: Mapping[str, LikelihoodFit]) -> float:
    """Inches for a row that holds the points of every fit."""
    return ROW * (1 + 0.3 * (len(fits) - 1))


def _points(
    fit: LikelihoodFit,
    rows: Sequence[str],
    one: Callable[[FittedParameter], tuple[float, float, float]],
) -> Points:
    nothing = (np.nan, np.nan, np.nan)
    parameters = fit.by_name
    found = [one(parameters[name]) if name in parameters else nothing for name in rows]
    return Points(*np.array(found, dtype=np.float64).reshape(-1, 3).T)


def _pull(parameter: FittedParameter) -> tuple[float, float, float]:
    down, up = errors_of(parameter)
    scale = parameter.before or np.nan
    return pull_of(parameter, parameter.initial), down / scale, up / scale


def _value(parameter: FittedParameter) -> tuple[float, float, float]:
    value = np.nan if parameter.value is None else parameter.value
    return (value, *errors_of(parameter))


def _told(points: Mapping[str, Points], digits: int = 2) -> list[str]:
    """Numbers at the right of the rows, if there is one fit."""
    if len(points) != 1:
        return []
    (part,) = points.values()
    return [
        interval_words(*row, digits) if np.isfinite(row[0]) else ""
        for row in zip(*part, strict=True)
    ]


def _around_one(frame: Canvas, points: Mapping[str, Points], *, least: float) -> None:
    limits = [span(*part, least=least, around=1) for part in points.values()]
    frame.main.set_xlim(min(low for low, _ in limits), max(high for _, high in limits))


def _draw(frame: Canvas, points: Mapping[str, Points]) -> None:
    """Draw the points of every fit, side by side in a row."""
    shifts = np.linspace(-0.3, 0.3, len(points)) if len(points) > 1 else np.zeros(1)
    usual = looks(len(points)) if len(points) > 1 else [Look("black", "-", "o")]
    for (title, part), look, shift in zip(points.items(), usual, shifts, strict=True):
        frame.main.errorbar(
            part.middle,
            np.arange(part.middle.size) + shift,
            xerr=np.abs(np.stack([part.down, part.up])),
            fmt=look.marker,
            color=look.color,
            markersize=4,
            linewidth=1.3,
            label=title,
        )
    if len(points) > 1:
        legend_in_head(frame.main, min(len(points), 4))


def _table(
    frame: Canvas, name: str, what: str, rows: Sequence[str], points: Mapping[str, Points]
) -> None:
    columns: list[Column] = [
        values(
            what,
            part.middle,
            error=np.stack([part.down, part.up]),
            source="fit",
            qualifiers={"fit": title} if title else None,
        )
        for title, part in points.items()
    ]
    frame.tables.append(Table(name, (words("Parameter", rows),), tuple(columns)))
