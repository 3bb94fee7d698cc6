"""Figures of fits, scans, rankings, limits and toys of a job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from quarkline.statistics.likelihood.results import (
    CLsLimit,
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
    Ranking,
    ToyFits,
)
from quarkline.trexfitter.outputs.hepdata import correlation_table
from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.work import Work

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RANKED = {
    "merged": ("Ranking", ("systematic", "norm-factor", "shape-factor", "gamma")),
    "systematics": ("RankingSysts", ("systematic", "norm-factor", "shape-factor")),
    "gammas": ("RankingGammas", ("gamma",)),
}
"""Figures of a ranking: their names, and the roles of the parameters in them."""


def titles_of(work: Work, inputs: Inputs) -> dict[str, str]:
    """Titles of the parameters."""
    poi = work.catalog.poi
    found = dict(inputs.likelihood.titles)
    if poi and work.catalog.drawing.poi_title:
        found[poi] = work.catalog.drawing.poi_title
    return found


def draw_fit(work: Work, inputs: Inputs, fit: LikelihoodFit) -> None:
    """Pulls of all nuisance parameters and by category, bins' errors, factors, correlations."""
    from quarkline.figures.fits import plot_gammas, plot_pulls

    drawing, titles = work.catalog.drawing, titles_of(work, inputs)
    shown = [name for name in fit.free if name not in drawing.hidden_parameters]
    by_role = {
        role: [name for name in shown if fit.by_name[name].role == role]
        for role in ("systematic", "gamma")
    }
    _draw_pages(work, plot_pulls, fit, by_role["systematic"], titles, "NuisPar")
    _draw_pages(work, plot_gammas, fit, by_role["gamma"], titles, "Gammas")
    categories = _by_category(inputs, by_role["systematic"])
    if len(categories) > 1:
        for category, names in categories.items():
            figure = plot_pulls(fit, parameters=names, titles=titles, label=work.label)
            work.draw(figure, work.layout.pulls(category))
    draw_factors(work, inputs, fit)
    _draw_correlations(work, fit, shown, titles)
    if fit.covariance:
        work.write_hepdata("Correlation", partial(correlation_table, fit))


def _by_category(inputs: Inputs, names: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        if category := inputs.likelihood.categories.get(name):
            found.setdefault(category, []).append(name)
    return found


def _draw_pages(
    work: Work,
    plot: Callable[..., Figure],
    fit: LikelihoodFit,
    names: Sequence[str],
    titles: Mapping[str, str],
    stem: str,
) -> None:
    """A figure, or several if a page cannot hold all."""
    from quarkline.figures.fits import pages

    for number, page in enumerate(pages(names) if names else []):
        figure = plot(fit, parameters=page, titles=titles, label=work.label)
        work.draw(figure, work.layout.figure(stem, end=f"_{number}" if number else ""))


def draw_factors(work: Work, inputs: Inputs, fit: LikelihoodFit, *, end: str = "") -> None:
    """Fitted norm factors."""
    from quarkline.figures.fits import plot_norm_factors

    hidden = {*work.catalog.drawing.hidden_parameters, *_hidden(work)}
    names = [
        name for name in fit.free if fit.by_name[name].role == "norm-factor" and name not in hidden
    ]
    if names:
        digits = work.catalog.drawing.poi_precision
        titles = titles_of(work, inputs)
        figure = plot_norm_factors(
            fit, parameters=names, titles=titles, digits=digits, label=work.label
        )
        work.draw(figure, work.layout.figure("NormFactors", end=end))


def _hidden(work: Work) -> list[str]:
    return work.catalog.fit.hidden_parameters if work.catalog.fit else []


def _draw_correlations(
    work: Work, fit: LikelihoodFit, shown: Sequence[str], titles: Mapping[str, str]
) -> None:
    from quarkline.figures.fits import plot_parameter_correlation

    drawing = work.catalog.drawing
    names = [
        name for name in shown if drawing.correlations_of_bins or fit.by_name[name].role != "gamma"
    ]
    if fit.covariance and len(names) > 1:
        figure = plot_parameter_correlation(
            fit,
            threshold=drawing.correlation_threshold,
            parameters=names,
            titles=titles,
            label=work.label,
        )
        work.draw(figure, work.layout.figure("CorrMatrix"))


def draw_scans(
    work: Work,
    inputs: Inputs,
    scans: Sequence[LikelihoodScan],
    surfaces: Sequence[LikelihoodSurface],
) -> None:
    """Scans of one and of two parameters."""
    from quarkline.figures.fits import plot_likelihood_scan, plot_likelihood_surface

    titles = titles_of(work, inputs)
    for scan in scans:
        figure = plot_likelihood_scan(scan, titles=titles, label=work.label)
        work.draw(figure, work.layout.scan(scan.parameter))
    for surface in surfaces:
        figure = plot_likelihood_surface(surface, titles=titles, label=work.label)
        work.draw(figure, work.layout.scan(*surface.parameters))


def draw_rankings(work: Work, inputs: Inputs, ranking: Ranking) -> None:
    """The figures of a ranking that the job asks for."""
    from quarkline.figures.fits import plot_ranking

    settings = work.catalog.ranking
    most = settings.most if settings else 20
    for kind in work.catalog.drawing.ranking:
        stem, roles = RANKED[kind]
        rows = tuple(row for row in ranking.rows if row.role in roles)
        if not rows:
            continue
        figure = plot_ranking(
            replace(ranking, rows=rows),
            most=most,
            titles=titles_of(work, inputs),
            poi_title=titles_of(work, inputs).get(ranking.poi, ranking.poi),
            label=work.label,
        )
        work.draw(figure, work.layout.figure(stem, end=f"_{ranking.poi}"))


def draw_limit(work: Work, inputs: Inputs, limit: CLsLimit, stem: Path) -> None:
    """CLs against the limited parameter."""
    from quarkline.figures.fits import plot_cls

    title = titles_of(work, inputs).get(limit.poi, limit.poi)
    work.draw(plot_cls(limit, poi_title=title, label=work.label), stem)


def draw_toys(work: Work, inputs: Inputs, toys: ToyFits) -> None:
    """Best values of pseudo-data."""
    from quarkline.figures.fits import plot_toy_fits

    figure = plot_toy_fits(toys, titles=titles_of(work, inputs), label=work.label)
    work.draw(figure, work.layout.toys(f"ToysPlot_{toys.parameter}"))
