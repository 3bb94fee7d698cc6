"""Fits and what follows from them: `f`, `x`, `r`, `l`, `s`, `i`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from quarkline.catalog import Catalog, FitSettings, RankingSettings
from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.core.results import pretty_json
from quarkline.statistics.likelihood.results import (
    CLsLimit,
    DiscoverySignificance,
    GoodnessOfFit,
    LikelihoodFit,
)
from quarkline.templates.measure import Measured, What, measure
from quarkline.templates.refusals import placed
from quarkline.trexfitter.outputs import limits, rankings
from quarkline.trexfitter.outputs.fits import fit_text
from quarkline.trexfitter.outputs.hepdata import ranking_table
from quarkline.trexfitter.outputs.scans import write_scan, write_surface
from quarkline.trexfitter.outputs.toys import write_toys
from quarkline.trexfitter.steps.drawn_fits import (
    draw_factors,
    draw_fit,
    draw_limit,
    draw_rankings,
    draw_scans,
    draw_toys,
)
from quarkline.trexfitter.steps.inputs import Inputs, write_fit
from quarkline.trexfitter.steps.work import Work

NO_GROUP = Rule(
    "QL-TREX-065",
    "a group of `GroupedImpact=` is a sub-category of the config",
    "Groups are the values of `SubCategory`, or of `Category` where there is none, and `Gammas`, "
    "`NormFactors` and `FullSyst`; `combine` joins the files of single groups.",
)


NO_SUCH = Rule(
    "QL-TREX-069",
    "`Ranking=` names a parameter of the likelihood",
    "It is the name of one parameter, or its place among all from 0, `all`, or `plot`, which draws "
    "a ranking that is there and joins those of single parameters before.",
)


NO_WORKSPACE = Rule(
    "QL-TREX-070",
    "a job fits the likelihood of its own histograms",
    "Workspaces of RooFit, which `WorkspaceFileName` names, can only be read by ROOT. Likelihoods "
    "as pyhf's JSON or HistFactory's XML are fitted by `quarkline fit`.",
)


def fit(work: Work, inputs: Inputs) -> None:
    """Fit, and do what the block `Fit` asks for beside it: scans, toys, goodness of fit."""
    settings = work.catalog.fit or FitSettings()
    what: list[What] = ["fit"]
    what += ["goodness"] if settings.goodness_of_fit else []
    what += ["toys"] if settings.toys else []
    what += ["scans"] if settings.scans else []
    known = inputs.fit if settings.statistics_only and work.layout.fit().is_file() else None
    found = _measured(work, inputs, what, fit=known)
    if found.fit is not None:
        inputs.keep(found.fit)
        hidden = tuple(settings.hidden_parameters)
        work.files += write_fit(work.layout.fit(), found.fit, hidden, found.minimum)
        work.headlines += _headlines(work, found.fit)
        if not settings.statistics_only:
            draw_fit(work, inputs, found.fit)
    if found.statistics_only is not None:
        path = work.layout.fit("_statOnly")
        minimum = _counted_alike(found)
        hidden = tuple(settings.hidden_parameters)
        work.files += write_fit(path, found.statistics_only, hidden, minimum)
        draw_factors(work, inputs, found.statistics_only, end="_statOnly")
    _write_goodness(work, found.goodness)
    _write_scans(work, inputs, found)
    if found.toys is not None:
        work.files.append(write_toys(work.layout.toys("Toys"), found.toys))
        draw_toys(work, inputs, found.toys)


def _counted_alike(found: Measured) -> float | None:
    """The minimum of the fit of statistics alone, counted as that of the full fit."""
    if found.minimum is None or found.fit is None or found.statistics_only is None:
        return None
    return found.minimum + found.statistics_only.nll - found.fit.nll


def scan(work: Work, inputs: Inputs) -> None:
    """Scan the likelihood alone."""
    _write_scans(work, inputs, _measured(work, inputs, ["scans"], fit=_known_fit(work, inputs)))


def _known_fit(work: Work, inputs: Inputs) -> LikelihoodFit | None:
    """The fit in the folder, if there is one."""
    return inputs.fit if work.layout.fit().is_file() else None


def _measured(
    work: Work,
    inputs: Inputs,
    what: list[What],
    *,
    fit: LikelihoodFit | None,
    catalog: Catalog | None = None,
) -> Measured:
    """What the settings ask for, with its parts spread over the workers of the job."""
    if work.job.workspace is not None:
        hint = "leave `WorkspaceFileName` out: the likelihood is made of the job's histograms"
        message = f"{work.job.workspace} is a workspace of ROOT"
        raise InputError(NO_WORKSPACE.finding(message, suggestion=hint))
    work.tell(", ".join(what))
    with work.runner() as runner:
        found = measure(
            inputs.templates,
            catalog or work.catalog,
            what=what,
            fit=fit,
            runner=runner,
            name=work.job.name,
        )
    said = placed(found.findings, work.job.file)
    work.findings += [one for one in said if one not in work.findings]
    return found


def _headlines(work: Work, found: LikelihoodFit) -> list[str]:
    """The measured parameters in a sentence each, or why there is none."""
    lines = [] if found.quality.converged else [f"the fit did not converge: {found.quality.note}"]
    hidden = (work.catalog.fit or FitSettings()).hidden_parameters
    for name in work.catalog.pois:
        poi = found.by_name.get(name)
        if poi is None or name in hidden:
            continue
        if poi.fixed:
            lines.append(f"{name} = {poi.value:.4g}, fixed; `--free {name}` fits it")
        else:
            lines.append(f"{name} = {interval(found, name)}")
    return lines


def interval(fit: LikelihoodFit, name: str) -> str:
    """A parameter's value with its errors, as the text of the fit has them."""
    line = fit_text(fit).by_name[name]
    if line.up == line.down:
        return f"{line.value:.4g} +- {line.up:.3g}"
    return f"{line.value:.4g} +{line.up:.3g} -{line.down:.3g}"


def _write_goodness(work: Work, found: GoodnessOfFit | None) -> None:
    if found is None:
        return
    path = work.layout.fit("_goodnessOfFit").with_suffix(".json")
    work.write(path, pretty_json(found))
    work.headlines.append(
        f"goodness of fit: chi2 = {found.statistic:.4g} for {found.degrees}, p = {found.p:.3g}"
    )


def _write_scans(work: Work, inputs: Inputs, found: Measured) -> None:
    for line in found.scans:
        work.files.append(write_scan(work.layout.scan(line.parameter), line))
    for plane in found.surfaces:
        work.files.append(write_surface(work.layout.scan(*plane.parameters), plane))
    draw_scans(work, inputs, found.scans, found.surfaces)


def rank(work: Work, inputs: Inputs) -> None:
    """Rank parameters by how far they move each measured one."""
    asked = work.job.options.ranking or "all"
    if asked == "plot":
        for poi in work.catalog.pois or ("",):
            if _merge_rankings(work, work.layout.ranking(poi), poi):
                draw_rankings_of(work, inputs, poi)
        return
    only = None if asked == "all" else _ranked_alone(inputs, asked)
    settings = work.catalog.ranking or RankingSettings()
    chosen = settings.model_copy(update={"parameters": [only]}) if only else settings
    catalog = work.catalog.model_copy(update={"ranking": chosen})
    found = _measured(work, inputs, ["ranking"], fit=inputs.fit, catalog=catalog)
    for one in [found.ranking, *found.further_rankings]:
        if one is None:
            continue
        lines = rankings.ranking_lines(one, ranking_order(inputs), inputs.fit)
        work.write(work.layout.ranking(one.poi, only), rankings.written(lines))
        _tell_note(work, "ranking", one.note)
        if not only:
            draw_rankings_of(work, inputs, one.poi)


def _ranked_alone(inputs: Inputs, asked: str) -> str:
    """The one parameter that is ranked, from its name or its place among all, from 0."""
    names = ranking_order(inputs)
    name = names[int(asked)] if asked.isdecimal() and int(asked) < len(names) else asked
    if name not in names:
        hint = did_you_mean(name, names, what="parameters")
        raise InputError(NO_SUCH.finding(f"there is no parameter `{name}`", suggestion=hint))
    return name


def ranking_order(inputs: Inputs) -> tuple[str, ...]:
    """Parameters in the order of TRExFitter's file: systematics, factors, then those of bins."""
    roles = {"systematic": 0, "norm-factor": 1, "shape-factor": 2, "gamma": 3}
    found = sorted(inputs.likelihood.spec.parameters, key=lambda one: roles.get(one.role, 1))
    return tuple(parameter.name for parameter in found)


def _merge_rankings(work: Work, path: Path, poi: str) -> bool:
    """Join rankings of single parameters, if there is none of all yet; whether there is one now."""
    if path.is_file():
        return True
    stem = path.name.removesuffix(f"_{poi}.txt")
    parts = sorted(path.parent.glob(f"{stem}_*_{poi}.txt"))
    lines = [line for part in parts for line in rankings.read_ranking(part)]
    if lines:
        work.write(path, rankings.written(lines))
    return bool(lines) or poi == work.catalog.poi


def draw_rankings_of(work: Work, inputs: Inputs, poi: str) -> None:
    """Draw a ranking as its file has it."""
    lines = rankings.read_ranking(work.layout.ranking(poi))
    found = rankings.ranking_of(lines, inputs.fit, poi)
    draw_rankings(work, inputs, found)
    name = f"Ranking{work.layout.suffix}_{found.poi}"
    work.write_hepdata(name, partial(ranking_table, lines))


def impacts(work: Work, inputs: Inputs) -> None:
    """Find what groups of parameters add to the error of the measured one."""
    only = work.job.options.grouped_impact
    path = work.layout.impacts(None if only in (None, "all", "combine") else only)
    if only == "combine":
        parts = sorted(path.parent.glob(f"{path.stem}_*.txt"))
        joined = [line for part in parts for line in rankings.read_impacts(part)]
        work.write(path, rankings.written(joined))
        return
    found = _measured(work, inputs, ["impacts"], fit=_known_fit(work, inputs)).impacts
    if found is None:
        return
    lines = rankings.impact_lines(found)
    if only not in (None, "all"):
        names = [line.name for line in lines]
        if only not in names:
            hint = did_you_mean(only or "", names, what="groups")
            raise InputError(NO_GROUP.finding(f"there is no group `{only}`", suggestion=hint))
        lines = [line for line in lines if line.name == only]
    work.write(path, rankings.written(lines))
    _tell_note(work, "grouped impacts", found.note)


def _tell_note(work: Work, what: str, note: str) -> None:
    """Say what is unusual about a result."""
    if note:
        work.headlines.append(f"{what}: {note}")


def limit(work: Work, inputs: Inputs) -> None:
    """Find the upper limit."""
    found = _measured(work, inputs, ["limit"], fit=_known_fit(work, inputs)).limit
    if found is None:
        return
    filed = work.job.limit_files
    name = limits.limit_name(
        filed.prefix, work.job.suffix, found.level, blind=found.observed is None
    )
    best = _best(work, inputs, found)
    path = work.layout.limits(name)
    work.files.append(
        limits.write_limit(path, found, best=best, label=filed.parameter, value=filed.value)
    )
    draw_limit(work, inputs, found, path.with_suffix(""))
    work.headlines.append(limit_words(found))


def limit_words(found: CLsLimit) -> str:
    """A limit in a sentence."""
    expected = found.expected[limits.MEDIAN]
    words = f"{found.poi} < " + ("?" if expected is None else f"{expected:.4g}") + " expected"
    if found.observed is not None:
        words = f"{found.poi} < {found.observed:.4g} {seen(found)}, {words}"
    note = f" ({found.note})" if found.note else ""
    return f"{words} at {100 * found.level:g} % CL{note}"


def seen(found: CLsLimit | DiscoverySignificance) -> str:
    """What a result that is not expected is of, in words."""
    words = {"mixed": "with mixed data", "asimov": "with Asimov data"}
    return words.get(found.data, "observed")


def _best(work: Work, inputs: Inputs, found: CLsLimit) -> float | None:
    fitted = _known_fit(work, inputs)
    known = fitted.by_name.get(found.poi) if fitted else None
    return known.value if known else None


def significance(work: Work, inputs: Inputs) -> None:
    """Find the significance."""
    found = _measured(work, inputs, ["significance"], fit=_known_fit(work, inputs)).significance
    if found is None:
        return
    filed = work.job.significance_files
    name = limits.significance_name(filed.prefix, work.job.suffix, blind=found.z is None)
    path = work.layout.significance(name)
    work.files.append(
        limits.write_significance(path, found, label=filed.parameter, value=filed.value)
    )
    observed = "" if found.z is None else f"{found.z:.3g} sigma {seen(found)}, "
    work.headlines.append(f"{found.poi}: {observed}{found.z_expected:.3g} sigma expected")
    _tell_note(work, "significance", found.note)
