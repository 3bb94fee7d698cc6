"""Stage `fit`: what settings ask of the likelihood of an analysis, and the likelihood itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from quarkline.catalog import Catalog, FitSettings
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import Finding, InputError, Severity
from quarkline.engine.core.results import Result, pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.stage import Context
from quarkline.statistics.likelihood.impacts import grouped_impacts
from quarkline.statistics.likelihood.many import Runner, Spread
from quarkline.statistics.likelihood.results import (
    FittedParameter,
    GroupedImpacts,
    LikelihoodFit,
)
from quarkline.statistics.likelihood.spec import LikelihoodSpec
from quarkline.statistics.likelihood.workspace_export import workspace_from_spec
from quarkline.studies.search.fits.results import Expected, Measurement, Scans
from quarkline.studies.search.fits.words import sentence
from quarkline.templates.histfactory import write_histfactory
from quarkline.templates.measure import Measured, asked, measure
from quarkline.templates.measure.fits import Problem, problem_of
from quarkline.templates.predict import predict
from quarkline.templates.restore import read_templates
from quarkline.templates.sets import TemplateSet

SYSTEMATICS = "Systematics"
"""Group of the parameters of all systematics, whose impact is given beside those of TRExFitter."""
NAMES = {"significance": "discovery"}
"""Results that are called otherwise than what asks for them."""


class FitStageConfig(Config):
    """What a measurement depends on besides templates.

    Attributes:
        job: Name of the analysis.
        catalog: The analysis, without files and figures.
        unblind: Why blind data are read all the same.
    """

    job: str
    catalog: Catalog
    unblind: str | None


def outputs(catalog: Catalog) -> tuple[str, ...]:
    """The outputs of the stage: what the settings ask for, and the likelihood in two formats."""
    names = [
        NAMES.get(name, name)
        for name in asked(catalog)
        if name != "impacts" or _is_measured(catalog)
    ]
    return (*names, "expected", "measurement", "workspace")


def _is_measured(catalog: Catalog) -> bool:
    """Whether the fit has a measured parameter to fit."""
    settings = _settings(catalog)
    poi = catalog.norm_factors.get(catalog.poi or "")
    if poi is None or catalog.poi in settings.fixed or settings.hypothesis == "background":
        return False
    return not poi.constant or catalog.poi in settings.free


def _settings(catalog: Catalog) -> FitSettings:
    return catalog.fit or FitSettings()


def run(context: Context) -> dict[str, Any]:
    """The fit, what follows from it, and the likelihood for other programs."""
    config: FitStageConfig = context.config
    catalog = _with_values(config.catalog, context)
    templates = read_templates(catalog, context.path("templates"), config.job)
    problem = problem_of(templates, catalog, name=config.job)
    what = [name for name in asked(catalog) if name != "impacts"]
    with TemporaryDirectory(dir=context.out, prefix=".work-") as folder:
        runner = Spread(context.map, Path(folder))
        found = measure(templates, catalog, what=what, runner=runner, name=config.job)
        impacts = _impacts(catalog, problem, found.fit, runner)
    refused = _write(context.out / "workspace", problem, templates)
    measurement = _measurement(catalog, problem, found, impacts, refused)
    context.summary(measurement.text)
    return {
        **_results(found, impacts, outputs(config.catalog)),
        "expected": Expected(
            tuple(predict(templates, catalog).values()),
            tuple(predict(templates, catalog, fit=found.fit).values()),
        ),
        "measurement": measurement,
        "workspace": context.out / "workspace",
    }


def _with_values(catalog: Catalog, context: Context) -> Catalog:
    """The analysis with the file of the values of Asimov data where it is here."""
    if catalog.fit is None or catalog.fit.asimov_from is None:
        return catalog
    (path,) = context.inputs["asimov"]
    fit = catalog.fit.model_copy(update={"asimov_from": str(path)})
    return catalog.model_copy(update={"fit": fit})


def _impacts(
    catalog: Catalog, problem: Problem, fitted: LikelihoodFit | None, runner: Runner
) -> GroupedImpacts | None:
    """What causes the error of the measured parameter, if a ranking is asked for."""
    poi = _poi(fitted)
    if "impacts" not in outputs(catalog) or fitted is None or poi is None:
        return None
    systematics = [row.name for row in fitted.parameters if row.role == "systematic"]
    groups = {**problem.likelihood.groups, SYSTEMATICS: systematics}
    known = {
        name: tuple(one for one in members if one in fitted.free)
        for name, members in groups.items()
    }
    return grouped_impacts(
        problem.model,
        problem.data,
        fitted,
        {name: members for name, members in known.items() if members},
        measured_too=catalog.further_pois,
        minos=poi.up is not None,
        runner=runner,
    )


def _poi(fitted: LikelihoodFit | None) -> FittedParameter | None:
    """The measured parameter, if it was fitted."""
    found = fitted.by_name.get(fitted.poi or "") if fitted else None
    return None if found is None or found.fixed else found


def _results(
    found: Measured, impacts: GroupedImpacts | None, names: Sequence[str]
) -> dict[str, Result]:
    """What was asked for, by the names of the stage's outputs."""
    known = {
        "impacts": impacts,
        "fit": found.fit,
        "goodness": found.goodness,
        "toys": found.toys,
        "ranking": found.ranking,
        "limit": found.limit,
        "discovery": found.significance,
        "scans": Scans(found.scans, found.surfaces),
    }
    return {name: result for name, result in known.items() if result and name in names}


def _measurement(
    catalog: Catalog,
    problem: Problem,
    found: Measured,
    impacts: GroupedImpacts | None,
    refused: Sequence[Finding],
) -> Measurement:
    poi, hidden = _poi(found.fit), _settings(catalog).hidden_parameters
    shown = None if poi is None or poi.name in hidden else poi
    parts = _parts(impacts) if impacts and shown else {}
    titles = dict(problem.likelihood.titles)
    return Measurement(
        poi=shown,
        title=titles.get(catalog.poi or "", catalog.poi or ""),
        data=problem.sources.kind,
        fitted=problem.sources.observed,
        asimov=problem.sources.asimov,
        conditional=found.conditional,
        statistics_only=found.statistics_only,
        titles=titles,
        parts=parts,
        findings=tuple(finding.as_json() for finding in (*found.findings, *refused)),
        text=sentence(found, shown, parts, problem.sources),
    )


def _parts(impacts: GroupedImpacts) -> dict[str, float]:
    """The error of the measured parameter by cause; what cannot be told is left out."""
    groups = {group.name: group.error for group in impacts.groups}
    parts = {
        "statistics": impacts.statistical.error,
        "simulation": groups.get("Gammas"),
        "systematics": groups.get(SYSTEMATICS),
        "norm factors": groups.get("NormFactors"),
    }
    return {
        name: error for name, error in parts.items() if error is not None and math.isfinite(error)
    }


def _write(folder: Path, problem: Problem, templates: TemplateSet) -> list[Finding]:
    """Write the likelihood with the data that are fitted as pyhf's JSON and HistFactory's XML.

    Returns:
        Why a format cannot say it; then it is left out.
    """
    folder.mkdir()
    spec = _with_data(problem)
    findings: list[Finding] = []
    try:
        write_atomic(folder / "workspace.json", pretty_json(workspace_from_spec(spec)))
    except InputError as error:
        findings += error.findings
    try:
        write_histfactory(spec, folder / "histfactory", templates=templates)
    except InputError as error:
        findings += error.findings
    return [replace(one, severity=Severity.WARNING) for one in findings]


def _with_data(problem: Problem) -> LikelihoodSpec:
    """The likelihood as it is built, with what each region is fitted to."""
    counts, places = problem.data.counts, problem.model.channels
    spec = problem.likelihood.spec
    channels = tuple(
        replace(channel, data=tuple(map(float, counts[places[channel.name]])))
        for channel in spec.channels
    )
    return replace(spec, channels=channels)
