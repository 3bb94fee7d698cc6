"""What a fit found, as figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from matplotlib.figure import Figure

from quarkline.engine.core.results import Result
from quarkline.figures import fits, save
from quarkline.statistics.likelihood.results import (
    CLsLimit,
    GroupedImpacts,
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
    Ranking,
    ToyFits,
)

CORRELATED = 0.2
"""Parameters that are correlated less with every other are left out, as TRExFitter does."""


def write_figures(results: Mapping[str, Result], folder: Path) -> list[Path]:
    """Draw the results that have a figure, as PDF, PNG and drawn values.

    Args:
        results: Results by name.
        folder: Where to.

    Returns:
        The files written.
    """
    drawn = (item for name, result in results.items() for item in _figures(name, result))
    return [file for stem, figure in drawn for file in save(figure, folder / stem)]


def _figures(name: str, result: Result) -> Iterator[tuple[str, Figure]]:
    match result:
        case LikelihoodFit():
            yield from _of_fit(result)
        case Ranking():
            yield name, fits.plot_ranking(result)
        case GroupedImpacts():
            yield name, fits.plot_grouped_impacts(result)
        case CLsLimit():
            yield name, fits.plot_limits(result)
            yield f"{name}-cls", fits.plot_cls(result)
        case LikelihoodScan():
            yield name, fits.plot_likelihood_scan(result)
        case LikelihoodSurface():
            yield name, fits.plot_likelihood_surface(result)
        case ToyFits():
            yield name, fits.plot_toy_fits(result)


def _of_fit(fitted: LikelihoodFit) -> Iterator[tuple[str, Figure]]:
    """Pulls, a page for every 50; factors and correlations where there are any."""
    free = [row for row in fitted.parameters if not row.fixed]
    pulled = fits.pages([row.name for row in free if row.role in {"systematic", "luminosity"}])
    for number, names in enumerate(pulled, start=1):
        stem = "pulls" if len(pulled) == 1 else f"pulls-{number}"
        yield stem, fits.plot_pulls(fitted, parameters=names)
    if any(row.role == "norm-factor" for row in free):
        yield "norm-factors", fits.plot_norm_factors(fitted)
    if any(row.role == "gamma" for row in free):
        yield "gammas", fits.plot_gammas(fitted)
    if len(fitted.covariance) > 1:
        yield "correlations", fits.plot_parameter_correlation(fitted, threshold=CORRELATED)
