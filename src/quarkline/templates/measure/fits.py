"""The fits that settings ask for: of all regions, of control regions first, of statistics alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quarkline.catalog import Catalog, FitSettings
from quarkline.engine.core.findings import Finding
from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.spec import LikelihoodSpec
from quarkline.templates.likelihood import Likelihood, fitted_regions, likelihood_of
from quarkline.templates.measure.data import Sources, asimov_values, data_of, sources_of
from quarkline.templates.measure.names import chosen_names, unknown_names
from quarkline.templates.sets import TemplateSet


@dataclass(frozen=True)
class Problem:
    """A likelihood with what it is fitted to.

    Attributes:
        likelihood: The likelihood of all fitted regions.
        model: The same, compiled, with the parameters fixed that settings hold.
        data: The data.
        sources: Which regions have observed data.
        observed: Whether a limit of these data can be found: not of Asimov data alone, nor blindly.
        values: Parameters of Asimov data that are not initial.
        conditional: The fit of the regions with observed data, without signal, whose values the
            Asimov data of the others have; None unless both kinds are mixed.
        findings: What was done against the settings.
    """

    likelihood: Likelihood
    model: Model
    data: Data
    sources: Sources
    observed: bool
    values: Mapping[str, float]
    conditional: LikelihoodFit | None
    findings: tuple[Finding, ...]


def problem_of(
    templates: TemplateSet,
    catalog: Catalog,
    *,
    blind: bool = False,
    strength: tuple[str, float] | None = None,
    name: str = "measurement",
) -> Problem:
    """The likelihood of an analysis with its data.

    If some regions have observed and others Asimov data, those with observed data are fitted
    without signal first, and Asimov data have the values of that fit.

    Args:
        templates: The templates.
        catalog: The analysis.
        blind: Whether all regions have Asimov data.
        strength: Parameter of the signal and its value in Asimov data; None leaves it to settings.
        name: What the measurement is called.
    """
    regions = fitted_regions(catalog, templates)
    likelihood = likelihood_of(templates, catalog, regions=regions, name=name)
    model = Model(likelihood.spec)
    sources = sources_of(catalog, templates, regions, blind=blind)
    values = asimov_values(catalog, model)
    if strength is not None:
        values = _in_data(values, catalog, strength[0])
    given = frozenset(values)
    conditional = None
    if sources.mixed and given <= set(catalog.pois):
        conditional = _conditional(templates, catalog, sources)
        values |= {row.name: row.value for row in conditional.parameters if not row.fixed}
    if strength is not None and strength[0] not in given:
        values[strength[0]] = strength[1]
    data = data_of(catalog, templates, model, sources, values)
    kept = held(catalog, model, signal=strength is None)
    fitted = Model(with_fixed(likelihood.spec, kept))
    findings = (*sources.findings, *unknown_names(catalog, model.names))
    return Problem(
        likelihood,
        fitted,
        data,
        sources,
        not blind and _is_tested(catalog, sources),
        values,
        conditional,
        findings,
    )


def _is_tested(catalog: Catalog, sources: Sources) -> bool:
    """Whether some data are more than the expectation: observed ones, or sums of other samples."""
    pseudo = catalog.fit is not None and catalog.fit.pseudo_data is not None
    return pseudo or bool(sources.observed)


def with_fixed(spec: LikelihoodSpec, values: Mapping[str, float]) -> LikelihoodSpec:
    """The likelihood with some parameters fixed."""
    parameters = tuple(
        replace(one, initial=values[one.name], fixed=True) if one.name in values else one
        for one in spec.parameters
    )
    return replace(spec, parameters=parameters)


def _in_data(values: Mapping[str, float], catalog: Catalog, tested: str) -> dict[str, float]:
    """Values of Asimov data for a limit or a significance.

    Measured parameters have those of the fit only if a file has them; what settings of the fit say
    about them is not meant for these.
    """
    settings = catalog.fit or FitSettings()
    measured = {tested, *catalog.pois}
    if settings.asimov_from is not None:
        measured &= set(settings.asimov)
    return {name: value for name, value in values.items() if name not in measured}


def _conditional(templates: TemplateSet, catalog: Catalog, sources: Sources) -> LikelihoodFit:
    """The fit without signal of the regions with observed data."""
    likelihood = likelihood_of(templates, catalog, regions=sources.observed, name="conditional")
    model = Model(likelihood.spec)
    settings = catalog.fit or FitSettings()
    fixed = {name: value for name, value in settings.fixed.items() if name in model.names}
    data = data_of(catalog, templates, model, sources, {})
    kept = Model(with_fixed(likelihood.spec, fixed | _no_signal(model, catalog.poi)))
    return fit(kept, data, strategy=settings.strategy)


def _no_signal(model: Model, poi: str | None) -> dict[str, float]:
    return {poi: 0.0} if poi is not None and poi in model.names else {}


def held(catalog: Catalog, model: Model, *, signal: bool = True) -> dict[str, float]:
    """Parameters that settings hold, with their values.

    Args:
        catalog: The analysis.
        model: Its likelihood.
        signal: Whether the signal is held where the settings fit the background alone.
    """
    settings = catalog.fit or FitSettings()
    fixed = {name: value for name, value in settings.fixed.items() if name in model.names}
    if signal and settings.hypothesis == "background":
        fixed |= _no_signal(model, catalog.poi)
    return fixed


def nominal_fit(problem: Problem, catalog: Catalog) -> LikelihoodFit:
    """The fit that settings ask for."""
    settings, model = catalog.fit or FitSettings(), problem.model
    return fit(
        model,
        problem.data,
        start=_start(settings, model),
        minos=minos_of(settings, model),
        strategy=settings.strategy,
    )


def statistics_fit(problem: Problem, catalog: Catalog, full: LikelihoodFit) -> LikelihoodFit:
    """The fit with all but norm and shape factors at the values of the full fit.

    Norm factors that are not measured are held, too, if settings say so.
    """
    settings = catalog.fit or FitSettings()
    roles = ("shape-factor",) if settings.fix_norm_factors else ("norm-factor", "shape-factor")
    kept = {
        row.name: row.value
        for row in full.parameters
        if row.fixed or (row.role not in roles and row.name not in catalog.pois)
    }
    model = Model(with_fixed(problem.model.spec, kept))
    minos = [name for name in minos_of(settings, problem.model) if name not in kept]
    return fit(model, problem.data, start=full.values, minos=minos, strategy=settings.strategy)


def _start(settings: FitSettings, model: Model) -> Floats | None:
    """Where a fit begins; at random for all but norm factors that are not measured, if asked."""
    if settings.random_start is None:
        return None
    width = settings.random_start.width
    drawn = rng(settings.random_start.seed, "random-start").uniform(-width, width, len(model.names))
    for at, parameter in enumerate(model.spec.parameters):
        if parameter.role == "norm-factor" and parameter.name != model.spec.poi:
            drawn[at] = 0.0
    drawn[model.fixed] = 0.0
    moved: Floats = (model.initial + drawn).clip(model.low, model.high)
    return moved


def minos_of(settings: FitSettings, model: Model) -> list[str]:
    """Parameters with asymmetric errors that the model has and fits."""
    free = [row.name for row in model.spec.parameters if not row.fixed]
    return chosen_names(settings.minos, free)
