"""Fits of pseudo-data: best values and pulls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from quarkline.figures.fits.words import Titles, known, number, title_of
from quarkline.figures.pieces import DATA, centres, linear_y, poisson_error, say_empty
from quarkline.figures.style import BLUE, RED, Canvas, Label, canvas, panels, panels_size
from quarkline.figures.tables import Array, Table, bins, values
from quarkline.statistics.likelihood.results import ToyFits


def plot_toy_fits(
    result: ToyFits,
    *,
    titles: Titles | None = None,
    ax: Axes | Sequence[Axes] | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the best values of pseudo-data, and their pulls with the normal curve they should have.

    Args:
        result: The fits.
        titles: Titles of parameters.
        ax: Axes to draw on: one for the pulls, or another for the values, too.
        label: The line above the figure.
        style: Name of a style.
    """
    fitted, errors = known(result.values), known(result.errors)
    with np.errstate(divide="ignore", invalid="ignore"):
        pulls = (fitted - result.truth) / errors
    layout, size = panels(2, 2), panels_size(2, 2)
    with canvas(ax, label=label, style=style, layout=layout, size=size) as frame:
        name = title_of(result.parameter, titles)
        words_ = [f"coverage {100 * result.covered:.1f} %"] if np.isfinite(result.covered) else []
        if result.failed:
            words_.append(f"{result.failed} fits failed")
        frame.main.set_xlabel(f"Pull of {name}")
        _histogram(frame, frame.main, pulls, "Pulls", (-4.0, 4.0), words_)
        reach = float(np.nanmax(np.abs(fitted - result.truth), initial=0.0)) or 1.0
        if frame.lower is not None:
            frame.lower.set_xlabel(f"Best value of {name}")
            ends = (result.truth - 1.05 * reach, result.truth + 1.05 * reach)
            _histogram(frame, frame.lower, fitted, "Best values", ends, [])
            frame.lower.axvline(
                result.truth, color=RED, linestyle="--", label=f"Truth: {result.truth:.3g}"
            )
            frame.lower.legend(loc="upper right", fontsize="xx-small")
    return frame.figure


def _histogram(
    frame: Canvas, ax: Axes, numbers: Array, name: str, ends: tuple[float, float], told: list[str]
) -> None:
    """Draw numbers in bins; pulls with a normal curve."""
    edges = np.linspace(*ends, 33)
    finite = numbers[np.isfinite(numbers)]
    frame.not_finite += int(numbers.size - finite.size)
    counts = np.histogram(finite, edges)[0].astype(np.float64)
    outside = int(finite.size - counts.sum())
    ax.set_xlim(*ends)
    ax.set_ylabel("Toys")
    if not finite.size:
        say_empty(ax, "no toys")
    else:
        width = finite.std(ddof=int(finite.size > 1))
        words_ = f"{finite.size:,} toys: mean {number(float(finite.mean()), 3)}, width {width:.3f}"
        ax.errorbar(
            centres(edges), np.where(counts > 0, counts, np.nan), yerr=poisson_error(counts),
            label=words_, **{**DATA, "markersize": 3},
        )  # fmt: skip
        if name == "Pulls":
            x = np.linspace(*ends, 200)
            curve = finite.size * (edges[1] - edges[0]) * stats.norm.pdf(x)
            ax.plot(x, curve, color=BLUE, label="Normal: mean 0, width 1")
        for text in [*told, *([f"{outside} outside"] if outside else [])]:
            ax.plot([], [], " ", label=text)
        ax.legend(loc="upper left", fontsize="xx-small")
    linear_y(ax, counts + poisson_error(counts)[1], headroom=0.34)
    column = values("Toys", counts, error=poisson_error(counts))
    frame.tables.append(Table(name, (bins(name, edges),), (column,)))
