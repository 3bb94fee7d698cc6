"""Correlations of fitted parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from quarkline.figures.fits.words import Titles, letters, title_of
from quarkline.figures.matrices import cells, name_cells, pairs, square, write_cell
from quarkline.figures.style import Label
from quarkline.figures.tables import Table, values, words
from quarkline.statistics.likelihood.results import LikelihoodFit

WRITTEN = 30  # most parameters whose correlations are written out


def plot_parameter_correlation(
    fit: LikelihoodFit,
    *,
    threshold: float = 0.0,
    parameters: Sequence[str] | None = None,
    titles: Titles | None = None,
    ax: Axes | None = None,
    label: Label | None = None,
    style: str = "quarkline",
) -> Figure:
    """Draw the correlations of fitted parameters, in percent.

    Args:
        fit: The fit.
        threshold: Parameters without a correlation of at least this size to another are left out.
        parameters: Which parameters are drawn if they pass the threshold; all by default.
        titles: Titles of parameters.
        ax: Axes to draw on instead of a new figure.
        label: The line above the figure.
        style: Name of a style.
    """
    correlation = fit.correlation if fit.covariance else np.zeros((0, 0))
    names = fit.free if fit.covariance else ()
    others = np.abs(np.nan_to_num(correlation - np.diag(np.diag(correlation))))
    wanted = [parameters is None or name in parameters for name in names]
    kept = np.flatnonzero(np.array(wanted, dtype=bool) & (others.max(0, initial=0) >= threshold))
    shares = 100 * correlation[np.ix_(kept, kept)]
    drawn = [names[place] for place in kept]
    words_ = [title_of(name, titles) for name in drawn]
    few = len(drawn) <= WRITTEN
    cell = 0.5 if len(drawn) <= 12 else 0.36 if few else 0.22
    with square(ax, label, style, words_, cell=cell, width=letters(words_)) as frame:
        cells(frame, shares, ("RdBu_r", -100.0, 100.0), "Correlation [%]")
        name_cells(frame.main, words_, words_)
        if few:
            for (row, column), share in np.ndenumerate(shares):
                if np.isfinite(share):
                    text = f"{share:.0f}".replace("-0", "0").replace("-", "\N{MINUS SIGN}")
                    write_cell(
                        frame.main, row, column, text, bool(abs(share) > 60),
                        size=10 if cell > 0.4 else 8,
                    )  # fmt: skip
        left_out = len(names) - len(drawn)
        told = f"{left_out} without a correlation of {100 * threshold:g} % left out"
        if left_out and parameters is None:
            frame.main.set_xlabel(told, fontsize="x-small")
        across = pairs(drawn, drawn)
        table = (words("Parameter", across[0]), words("With", across[1]))
        frame.tables.append(Table("Correlations", table, (values("Correlation [%]", shares),)))
    return frame.figure
