"""What was measured: the result, the regions before and after the fit, and its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quarkline.engine.core.results import Quantity
from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.statistics.likelihood.results import (
    CLsLimit,
    DiscoverySignificance,
    FittedParameter,
    GoodnessOfFit,
    GroupedImpacts,
    LikelihoodFit,
    Ranking,
)
from quarkline.studies.search.fits.results import Expected, MadeTemplates, Measurement, Scans
from quarkline.studies.search.sections.found import findings_blocks
from quarkline.studies.search.sections.templates import templates_section
from quarkline.templates.predictions import RegionPrediction

SEEN = {"observed": "observed", "mixed": "mixed data", "asimov": "Asimov data"}
"""What a limit that is not expected is of."""


def fit_sections(results: Results, draw: Figures) -> list[Section]:
    """Result, regions, fit and templates; none without a fit."""
    if "measurement" not in results:
        return []
    return [
        _result(results, draw),
        _regions(results, draw),
        _fit(results, draw),
        templates_section(results, draw),
    ]


def _result(results: Results, draw: Figures) -> Section:
    found = result_of(results, "measurement", Measurement)
    made = result_of(results, "made", MadeTemplates)
    blocks: list[Block] = [Text(f"{found.text}.", "fit"), Text(_regions_told(found, made), "fit")]
    if "goodness" in results:
        fits = result_of(results, "goodness", GoodnessOfFit)
        words = f"Goodness of fit: {fits.statistic:.3g} for {fits.degrees} degrees of freedom"
        blocks.append(Text(f"{words}, p = {fits.p:.3g}.", "fit"))
    if "impacts" in results:
        impacts = result_of(results, "impacts", GroupedImpacts)
        rows: list[Row] = [
            [group.name, number(group.error), number(group.up), number(group.down)]
            for group in (impacts.total, impacts.statistical, *impacts.groups)
        ]
        words = (
            f"What causes the error of `{impacts.poi}`: what is left of it in quadrature if the "
            "parameters of a group are fixed. `statistical` is the error with all of them fixed, "
            f"`Gammas` are the statistics of the simulation.{_noted(impacts.note)}"
        )
        blocks.append(Table("impacts", ["group", "error", "up", "down"], rows, "fit", words))
        blocks.append(draw("impacts", "The same as a figure.", "fit"))
    if "discovery" in results:
        told = _noted(result_of(results, "discovery", DiscoverySignificance).note)
        blocks += [Text(f"Significance.{told}", "fit")] if told else []
    if "limit" in results:
        blocks += _limit(result_of(results, "limit", CLsLimit), draw)
    blocks += findings_blocks([*made.findings, *found.findings])
    return Section("Result", blocks)


def _regions_told(found: Measurement, made: MadeTemplates) -> str:
    told = [
        f"Fitted to {words}: {', '.join(f'`{name}`' for name in names)}."
        for words, names in (("data", found.fitted), ("Asimov data", found.asimov))
        if names
    ]
    if found.data == "mixed":
        told.append("Results with such mixed data are no observed ones.")
    if made.blind:
        told.append(f"Blind, so that no data were read: {', '.join(made.blind)}.")
    if made.unblind is not None:
        told.append(f"Unblinded: {made.unblind}.")
    if found.conditional is not None:
        told.append("Asimov data have the values of a fit without signal of the data.")
    return " ".join(told)


def _limit(found: CLsLimit, draw: Figures) -> list[Block]:
    names = [SEEN[found.data], "-2 σ", "-1 σ", "expected", "+1 σ", "+2 σ"]
    row: Row = [number(value) for value in (found.observed, *found.expected)]
    level = f"{100 * found.level:g} % CL ({found.method})"
    words = f"Upper limits on `{found.poi}` at {level}.{_noted(found.note)}"
    return [
        Table("limit", names, [row], "fit", words),
        draw("limit", "The limit.", "fit"),
        draw("cls", "CLs of every value that was tested.", "fit"),
    ]


def _noted(note: str) -> str:
    """What is unusual about a result, as a further sentence."""
    return f" To note: {note}." if note else ""


def _regions(results: Results, draw: Figures) -> Section:
    expected = result_of(results, "expected", Expected)
    empty = result_of(results, "made", MadeTemplates).empty
    blocks: list[Block] = [
        _yields("yields-before", expected.before, empty, "Expected events before the fit."),
        _yields("yields-after", expected.after, empty, "The same after the fit."),
        draw("prefit_summary", "All regions before the fit.", "fit"),
        draw("postfit_summary", "All regions after the fit.", "fit"),
    ]
    for region in expected.before:
        name = region.region
        blocks += [
            draw(f"prefit_{name}", f"`{name}` before the fit.", "fit"),
            draw(f"postfit_{name}", f"`{name}` after the fit.", "fit"),
        ]
    blocks.append(draw("composition", "Backgrounds in each region.", "fit"))
    return Section("Regions", blocks)


def _yields(
    name: str,
    regions: Sequence[RegionPrediction],
    empty: Mapping[str, Sequence[str]],
    words: str,
) -> Table:
    """A row a sample, a column a region; a sample without events is 0, tiny as its bins are."""
    samples = dict.fromkeys(sample.name for region in regions for sample in region.samples)
    rows: list[Row] = []
    for sample in samples:
        known = [
            {
                one.name: 0
                if one.name in empty.get(each.region, ())
                else Quantity(one.total, one.total_error, one.total_error)
                for one in each.samples
            }
            for each in regions
        ]
        rows.append([sample, *(number(found.get(sample)) for found in known)])
    totals = [Quantity(one.total, one.total_error, one.total_error) for one in regions]
    rows.append(["total", *(number(total) for total in totals)])
    data = [None if one.data is None else sum(one.data) for one in regions]
    if any(count is not None for count in data):
        rows.append(["data", *(number(count) for count in data)])
    return Table(name, ["", *(region.region for region in regions)], rows, "fit", words)


def _fit(results: Results, draw: Figures) -> Section:
    fit = result_of(results, "fit", LikelihoodFit)
    made = result_of(results, "measurement", Measurement)
    roles = {fit.by_name[name].role for name in fit.free}
    blocks: list[Block] = [
        Text(_ended(fit), "fit"),
        Table(
            "parameters",
            ["parameter", "title", "kind", "value", "error", "up", "down", "before"],
            [_parameter(row, made.titles) for row in fit.parameters if not row.fixed],
            "fit",
            "Fitted parameters.",
            folded=True,
        ),
    ]
    kinds = {
        "norm-factor": ("norm_factors", "Free factors."),
        "systematic": ("pulls", "Pulls of the systematics."),
        "gamma": ("gammas", "Factors of the statistics of the simulation."),
    }
    for role, (name, words) in kinds.items():
        if role in roles:
            blocks.append(draw(name, words, "fit"))
    if "ranking" in results:
        blocks += _ranking(result_of(results, "ranking", Ranking), made.titles, draw)
    if len(fit.covariance) > 1:
        blocks.append(draw("correlations", "Correlations of the parameters.", "fit"))
    if "scans" in results:
        scans = result_of(results, "scans", Scans)
        names = [scan.parameter for scan in scans.lines]
        names += ["_".join(surface.parameters) for surface in scans.surfaces]
        blocks += [draw(f"scan_{name}", f"Likelihood along `{name}`.", "fit") for name in names]
    if "toys" in results:
        blocks.append(draw("toys", "Fits of pseudo-data.", "fit"))
    return Section("Fit", blocks)


def _ended(fit: LikelihoodFit) -> str:
    quality = fit.quality
    ended = (
        "The fit converged" if quality.converged else f"The fit did not converge: {quality.note}"
    )
    bounds = f" At a bound: {', '.join(quality.at_limit)}." if quality.at_limit else ""
    return f"{ended} (estimated distance to the minimum {quality.distance:.1e}).{bounds}"


def _parameter(row: FittedParameter, titles: Mapping[str, str]) -> Row:
    return [
        row.name,
        titles.get(row.name, ""),
        row.role,
        number(row.value),
        number(row.error),
        number(row.up),
        number(row.down),
        number(row.before),
    ]


def _ranking(found: Ranking, titles: Mapping[str, str], draw: Figures) -> list[Block]:
    rows: list[Row] = [
        [
            row.name,
            titles.get(row.name, ""),
            number(row.value),
            number(row.error),
            number(row.up),
            number(row.down),
        ]
        for row in found.rows
    ]
    words = f"How far each parameter moves `{found.poi}` with its error after the fit."
    words += _noted(found.note)
    columns = ["parameter", "title", "value", "error", "shift up", "shift down"]
    return [
        Table("ranking", columns, rows, "fit", words, folded=True),
        draw("ranking", "The parameters that move the result most.", "fit"),
    ]
