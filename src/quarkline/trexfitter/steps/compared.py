"""Figures that compare jobs: measured parameters, pulls, norm factors, limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from quarkline.statistics.likelihood.results import CLsLimit, LikelihoodFit
from quarkline.trexfitter.multifit import ComparedJob, MultiFit
from quarkline.trexfitter.outputs import limits
from quarkline.trexfitter.outputs.fits import fit_of, read_fit
from quarkline.trexfitter.outputs.layout import Layout
from quarkline.trexfitter.steps.combination import Combination, inputs_of
from quarkline.trexfitter.steps.work import Output

if TYPE_CHECKING:
    from quarkline.figures.style import Label


def draw_comparisons(multi: MultiFit, combination: Combination, out: Output, label: Label) -> None:
    """Draw the comparisons that a multi-fit asks for, the combination among them if there is one.

    Args:
        multi: The multi-fit.
        combination: Its combination.
        out: What is written.
        label: The line above the figures.
    """
    chosen = [one for one in multi.jobs if one.in_comparison]
    if multi.compare_pulls or multi.compare_pois:
        fits = {one.label: _fit(one) for one in chosen}
        if multi.combine:
            path = multi.fit_results or Layout(multi.folder, multi.name, multi.suffix).fit()
            fits[multi.combined_label] = fit_of(read_fit(path), combination.spec)
        titles, categories = _words(chosen)
        if multi.compare_pulls:
            _draw_pulls(multi, out, fits, titles, categories, label)
        if multi.compare_pois:
            told = multi.with_statistics_only and not multi.show_total_only
            statistical = _statistical(multi, chosen, combination) if told else {}
            _draw_pois(multi, out, fits, statistical, chosen, label)
    if multi.compare_limits:
        _draw_limits(multi, out, chosen, combination, label)


def _fit(compared: ComparedJob) -> LikelihoodFit:
    """The fit of a job."""
    inputs = inputs_of(compared)
    return inputs.fit_in(compared.fit_results) if compared.fit_results else inputs.fit


def _statistical(
    multi: MultiFit, chosen: Sequence[ComparedJob], combination: Combination
) -> dict[str, LikelihoodFit]:
    """The fits of statistics alone, which `StatOnlyFit` leaves, and that of the combination."""
    found = {}
    for one in chosen:
        inputs = inputs_of(one)
        found[one.label] = inputs.fit_in(inputs.fits.fit("_statOnly"))
    if multi.combine:
        path = Layout(multi.folder, multi.name, multi.suffix).fit("_statOnly")
        found[multi.combined_label] = fit_of(read_fit(path), combination.spec)
    return found


def _words(chosen: Sequence[ComparedJob]) -> tuple[dict[str, str], dict[str, str]]:
    """Titles and categories of the parameters of all jobs."""
    titles: dict[str, str] = {}
    categories: dict[str, str] = {}
    for one in chosen:
        likelihood = inputs_of(one).likelihood
        titles |= likelihood.titles
        categories |= likelihood.categories
    return titles, categories


def _draw_pulls(
    multi: MultiFit,
    out: Output,
    fits: Mapping[str, LikelihoodFit],
    titles: Mapping[str, str],
    categories: Mapping[str, str],
    label: Label,
) -> None:
    """Pulls of all parameters and by category, and norm factors."""
    from quarkline.figures.fits import plot_norm_factors, plot_pulls

    names = list(
        dict.fromkeys(
            name
            for fit in fits.values()
            for name in fit.free
            if fit.by_name[name].role == "systematic"
        )
    )
    if multi.parameters:
        wanted = multi.parameters.read_text().split()
        names = [name for name in wanted if name in names]
    for category in ("", *multi.categories):
        here = [name for name in names if not category or categories.get(name) == category]
        if here:
            figure = plot_pulls(fits, parameters=here, titles=titles, label=label)
            part = f"_{category}" if category else ""
            out.draw(figure, multi.folder / f"NuisPar_comp{multi.suffix}{part}")
    factors = list(
        dict.fromkeys(
            name
            for fit in fits.values()
            for name in fit.free
            if fit.by_name[name].role == "norm-factor"
        )
    )
    if factors:
        figure = plot_norm_factors(fits, parameters=factors, titles=titles, label=label)
        out.draw(figure, multi.folder / f"NormFactors_comp{multi.suffix}")


def _draw_pois(
    multi: MultiFit,
    out: Output,
    fits: Mapping[str, LikelihoodFit],
    statistical: Mapping[str, LikelihoodFit],
    chosen: Sequence[ComparedJob],
    label: Label,
) -> None:
    """The measured parameters, one figure each."""
    from quarkline.figures.fits import plot_poi_comparison

    for number, poi in enumerate(multi.pois):
        named = {one.label: one.poi or poi for one in chosen} | {multi.combined_label: poi}
        shown = {title: fit for title, fit in fits.items() if named.get(title, poi) in fit.by_name}
        if not shown:
            continue
        precision = multi.poi_precision[number] if number < len(multi.poi_precision) else "2"
        figure = plot_poi_comparison(
            shown,
            statistical={title: fit for title, fit in statistical.items() if title in shown},
            pois={title: named.get(title, poi) for title in shown},
            poi_title=_poi_title(multi, number),
            expected=multi.poi_nominal,
            x_range=multi.poi_ranges[number] if number < len(multi.poi_ranges) else None,
            digits=int(precision) if precision.isdigit() else 2,
            label=label,
        )
        out.draw(figure, multi.folder / f"POI_{poi}_{multi.suffix}".rstrip("_"))


def _draw_limits(
    multi: MultiFit,
    out: Output,
    chosen: Sequence[ComparedJob],
    combination: Combination,
    label: Label,
) -> None:
    """The limits of all jobs beside each other."""
    from quarkline.figures.fits import plot_limits

    found: dict[str, CLsLimit] = {}
    for one in chosen:
        job = one.job
        path = one.limits
        if path is None and job is not None:
            settings = job.catalog.limit
            blind = settings is not None and settings.data == "asimov"
            name = limits.limit_name(
                job.limit_files.prefix, one.suffix or job.suffix, 0.95, blind=blind
            )
            path = Layout(job.folder, job.name).limits(name)
        if path is not None:
            found[one.label] = limits.read_limit(path)
    if multi.combine:
        blind = "asimov" in (multi.limit.data, combination.kind)
        name = limits.limit_name(multi.limit_files.prefix, "", multi.limit.level, blind=blind)
        path = multi.limits or Layout(multi.folder, multi.name).limits(name)
        found[multi.combined_label] = limits.read_limit(path)
    if not multi.show_observed:
        found = {name: replace(limit, observed=None) for name, limit in found.items()}
    figure = plot_limits(found, poi_title=_limited(multi), maximum=multi.limit_max, label=label)
    out.draw(figure, multi.folder / f"Limits{multi.suffix}")


def _poi_title(multi: MultiFit, number: int) -> str:
    """What a measured parameter is called."""
    if number < len(multi.poi_title):
        return multi.poi_title[number]
    return multi.poi_label or multi.pois[number]


def _limited(multi: MultiFit) -> str:
    """What is limited: the figure's axis says that it is a limit at 95 % CL by itself."""
    title = re.sub(r"^95 ?% CL limit on ", "", multi.limit_title)
    if title != "XXX":
        return title
    return _poi_title(multi, 0) if multi.pois else multi.poi_label
