"""Toys: the distribution of the test statistic and the calibration of its p-values."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import stats

from quarkline.figures.pieces import (
    DATA,
    binomial_error,
    centres,
    filled,
    finite,
    log_axis,
    log_y,
    poisson_error,
    say_empty,
    set_labels,
)
from quarkline.figures.style import BLUE, GREY, RED, Label, canvas
from quarkline.figures.tables import Array, Table, bins, points, values

_BIN = 0.25


def plot_toys(
    z_toys: ArrayLike,
    *,
    z_observed: float | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the significances of background-only toys against the asymptotic expectation.

    Half of the toys are expected at Z = 0 (written in the legend, not drawn), the others follow
    half a normal distribution, so that q0 = Z^2 follows half a chi-square with one degree of
    freedom (Cowan, Cranmer, Gross, Vitells, arXiv:1007.1727, section 3.5).

    Args:
        z_toys: Significance of each toy, with shape (N,).
        z_observed: Significance seen in the data.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        toys = finite(frame, z_toys)
        seen = z_observed if z_observed is not None and np.isfinite(z_observed) else None
        reach = max(4.0, 1.1 * toys.max(initial=0.0), 1.1 * (seen or 0.0))
        edges = np.arange(0.0, reach + _BIN, _BIN)
        counts = filled(toys[toys > 0], edges)
        expected = toys.size * np.diff(stats.norm.cdf(edges))
        frame.main.stairs(
            expected, edges, color=RED, linewidth=1.8, label="Half-normal expectation"
        )
        if toys.size:
            zeros = np.mean(toys <= 0)
            frame.main.errorbar(
                centres(edges),
                np.where(counts > 0, counts, np.nan),
                yerr=poisson_error(counts),
                label=f"{toys.size:,} toys, {100 * zeros:.0f} % at $Z$ = 0 (expected 50 %)",
                **DATA,
            )
        else:
            say_empty(frame.main, "no toys")
        if seen is not None:
            above = int(np.sum(toys >= seen))
            frame.main.axvline(
                seen,
                color=BLUE,
                linewidth=2,
                linestyle="--",
                label=f"Observed $Z$ = {seen:.2f}: {above:,} toys at or above",
            )
        frame.main.set_xlim(0, edges[-1])
        log_y(frame.main, counts, headroom=0.32)
        set_labels(frame, "Local significance $Z$ [$\\sigma$]", f"Toys / {_BIN:g} $\\sigma$")
        frame.main.legend(loc="upper right")
        columns = (
            values("Toys above zero", counts, error=poisson_error(counts)),
            values("Expected toys", expected),
        )
        frame.tables.append(Table("Toys", (bins("Local significance", edges),), columns))
    return frame.figure


def plot_p_value_calibration(
    p_values: ArrayLike,
    *,
    p_observed: float | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the fraction of background-only toys with a p-value of at most x, against x.

    Args:
        p_values: Local p-value of each toy, with shape (N,); q0 = 0 gives p = 0.5.
        p_observed: The data's p-value, marked where it lies in the frame.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    with canvas(ax, label=label, style=style) as frame:
        p = np.sort(finite(frame, p_values))
        lowest = max(1e-6, 10.0 ** np.floor(np.log10(0.3 / max(p.size, 30))))
        x = np.append(np.geomspace(lowest, 0.5, 200)[:-1], 0.5)
        frame.main.plot(x, x, color=RED, linewidth=1.4, label="Exact calibration")
        if p.size:
            low, high = _binomial_band(x, p.size)
            frame.main.fill_between(
                x, low, high, color=GREY, alpha=0.35, linewidth=0, label="68 % binomial band"
            )
            fraction = np.searchsorted(p, x, side="right") / p.size
            below = fraction > 0
            frame.main.plot(
                x[below],
                fraction[below],
                color=BLUE,
                drawstyle="steps-post",
                label=f"{p.size:,} toys",
            )
            error = binomial_error(fraction * p.size, p.size)
            column = values("Fraction of toys with p <= x", fraction, error=error)
            frame.tables.append(Table("Calibration", (points("p-value", x),), (column,)))
        else:
            say_empty(frame.main, "no toys")
        if p_observed is not None and lowest < p_observed:
            words = f"Data, $p$ = {p_observed:.2g}"
            frame.main.axvline(
                p_observed, color="black", linewidth=1.4, linestyle="--", label=words
            )
        log_axis(frame.main, "x", lowest, 0.5)
        log_axis(frame.main, "y", lowest, 1.0)
        set_labels(frame, "Local $p$-value", "Fraction of toys with $p \\leq x$")
        frame.main.legend(loc="upper left")
    return frame.figure


def _binomial_band(x: Array, total: int) -> tuple[Array, Array]:
    """Central 68.3 % range of the fraction of `total` toys that fall below `x`."""
    tail = stats.norm.sf(1)
    low: Array = stats.binom.ppf(tail, total, x) / total
    high: Array = stats.binom.isf(tail, total, x) / total
    return low, high
