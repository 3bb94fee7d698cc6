"""Measured parameters of several fits beside each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.fits.rows import legend_in_head, row_canvas, span
from quarkline.figures.fits.words import errors_of, number, shown, title_of
from quarkline.figures.style import BLUE, GREY, Label
from quarkline.figures.tables import Array, Table, values, words
from quarkline.statistics.likelihood.results import LikelihoodFit


def plot_poi_comparison(
    fits: Mapping[str, LikelihoodFit],
    *,
    statistical: Mapping[str, LikelihoodFit] | None = None,
    pois: Mapping[str, str] | None = None,
    poi_title: str = "",
    expected: float | None = 1.0,
    x_range: tuple[float, float] | None = None,
    digits: int = 2,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the measured parameter of several fits with its whole and its statistical error.

    The systematic error is the square root of the difference of their squares.

    Args:
        fits: Fits by title.
        statistical: Fits with nuisance parameters fixed, by the same titles.
        pois: The parameter of each fit, by title; the measured one by default.
        poi_title: What the parameter is called.
        expected: Where a line is drawn; None draws none.
        x_range: Range of the axis; None follows the values.
        digits: Decimals of the numbers.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    titles = list(fits)
    names = {title: (pois or {}).get(title) or fit.poi or "" for title, fit in fits.items()}
    whole = np.array([_measured(fits[t], names[t]) for t in titles]).reshape(-1, 3).T
    alone = statistical or {}
    parts = [_measured(alone[t], names[t])[1:] if t in alone else (np.nan, np.nan) for t in titles]
    stat = np.array(parts).reshape(-1, 2).T
    with np.errstate(invalid="ignore"):
        syst = np.sqrt(np.maximum(whole[1:] ** 2 - stat**2, 0))
    middle, total = whole[0], whole[1:]
    told = [_told(*row, digits) for row in zip(middle, total.T, stat.T, syst.T, strict=True)]
    with row_canvas(
        ax,
        label,
        style,
        [shown(title) for title in titles],
        told,
        nothing="no fits",
        head=2.2,
        row=0.42,
        number=15,
    ) as frame:
        places = np.arange(len(titles))
        if expected is not None:
            frame.main.axvline(expected, color=GREY, linewidth=1, linestyle="--", zorder=0.5)
        frame.main.errorbar(
            middle, places, xerr=np.abs(total), fmt="none", color="black", linewidth=1.4,
            capsize=4, label="Total",
        )  # fmt: skip
        if np.isfinite(stat).any():
            frame.main.errorbar(
                middle, places, xerr=np.abs(stat), fmt="none", color=BLUE, linewidth=5, alpha=0.75,
                label="Statistical",
            )  # fmt: skip
        frame.main.plot(middle, places, "o", color="black", markersize=6, label="Best value")
        around = expected if expected is not None else float(np.nan_to_num(middle[:1]).sum())
        frame.main.set_xlim(*(x_range or span(middle, *total, least=0.3, around=around)))
        name = next(iter(names.values()), "")
        frame.main.set_xlabel(shown(poi_title) or title_of(name, None) or "Value")
        legend_in_head(frame.main, 3)
        columns = (
            values("Value", middle, error=total, source="total"),
            values("Value", middle, error=stat, source="stat"),
            values("Value", middle, error=syst, source="syst"),
        )
        frame.tables.append(Table("Measured parameter", (words("Fit", titles),), columns))
    return frame.figure


def _measured(fit: LikelihoodFit, name: str) -> tuple[float, float, float]:
    """Value with its distances down and up; NaN where the fit has no such parameter."""
    if name not in fit.by_name:
        return (float("nan"),) * 3
    parameter = fit.by_name[name]
    value = float("nan") if parameter.value is None else parameter.value
    return (value, *errors_of(parameter))


def _told(middle: float, total: Array, stat: Array, syst: Array, digits: int) -> str:
    """A value with its errors, the whole one first."""
    if not np.isfinite(middle):
        return "not fitted"
    kinds = {"tot": total, "stat": stat, "syst": syst}
    errors = [
        f"$^{{+{up:.{digits}f}}}_{{-{down:.{digits}f}}}$ ({name})"
        for name, (down, up) in kinds.items()
        if np.isfinite([down, up]).all()
    ]
    return " ".join([number(middle, digits), *errors])
