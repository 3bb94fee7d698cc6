"""Everything that the settings of an analysis ask of its likelihood, in one call."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

from quarkline.catalog import (
    Catalog,
    FitSettings,
    LimitSettings,
    RankingSettings,
    ScanSettings,
    SignificanceSettings,
)
from quarkline.engine.core.findings import Finding
from quarkline.engine.core.results import Result
from quarkline.statistics.likelihood.discovery import discovery
from quarkline.statistics.likelihood.doctor import Patient
from quarkline.statistics.likelihood.goodness import goodness_of_fit
from quarkline.statistics.likelihood.impacts import grouped_impacts
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.many import Runner
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.results import (
    CLsLimit,
    DiscoverySignificance,
    GoodnessOfFit,
    GroupedImpacts,
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
    Ranking,
    ToyFits,
)
from quarkline.statistics.likelihood.scans import scan, scan_values, surface
from quarkline.statistics.likelihood.signal import poi_of
from quarkline.statistics.likelihood.toy_limits import toy_limit
from quarkline.statistics.likelihood.toys import toy_fits
from quarkline.templates.doctor import diagnose, hidden_places
from quarkline.templates.likelihood import Likelihood
from quarkline.templates.measure.data import with_values
from quarkline.templates.measure.fits import (
    Problem,
    nominal_fit,
    problem_of,
    statistics_fit,
)
from quarkline.templates.measure.names import chosen_names
from quarkline.templates.measure.offset import offset_minimum
from quarkline.templates.sets import TemplateSet

What: TypeAlias = Literal[
    "fit", "goodness", "toys", "scans", "ranking", "limit", "significance", "impacts"
]
ALL: tuple[What, ...] = get_args(What)
Fields: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """What was found; None where it was not asked for.

    Attributes:
        likelihood: The likelihood of the fitted regions.
        fit: The fit.
        minimum: Its minus logarithm of the likelihood as TRExFitter's files have it; see `offset`.
        conditional: The fit without signal of the regions with observed data, whose values the
            Asimov data of the others have; None unless both kinds are mixed.
        statistics_only: The fit with all but factors at the values of the first one.
        goodness: How well the data are described.
        scans: Scans along one parameter.
        surfaces: Scans along two.
        ranking: Parameters by what they move.
        further_rankings: The same for further measured parameters.
        impacts: Errors by group.
        limit: An upper limit.
        significance: How unlikely the data are without signal.
        toys: Fits of pseudo-data.
        findings: What was done against the settings, and what the doctor says about the fit.
    """

    likelihood: Likelihood
    fit: LikelihoodFit | None = None
    minimum: float | None = None
    conditional: LikelihoodFit | None = None
    statistics_only: LikelihoodFit | None = None
    goodness: GoodnessOfFit | None = None
    scans: tuple[LikelihoodScan, ...] = ()
    surfaces: tuple[LikelihoodSurface, ...] = ()
    ranking: Ranking | None = None
    further_rankings: tuple[Ranking, ...] = ()
    impacts: GroupedImpacts | None = None
    limit: CLsLimit | None = None
    significance: DiscoverySignificance | None = None
    toys: ToyFits | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def results(self) -> dict[str, Result]:
        """What was found, under names for a file of results."""
        named = {
            "fit": self.fit,
            "conditional-fit": self.conditional,
            "statistics-only-fit": self.statistics_only,
            "goodness": self.goodness,
            **{f"scan-{one.parameter}": one for one in self.scans},
            **{f"scan-{'-'.join(one.parameters)}": one for one in self.surfaces},
            "ranking": self.ranking,
            **{f"ranking-{one.poi}": one for one in self.further_rankings},
            "impacts": self.impacts,
            "limit": self.limit,
            "significance": self.significance,
            "toys": self.toys,
        }
        return {name: result for name, result in named.items() if result is not None}


def asked(catalog: Catalog) -> tuple[What, ...]:
    """What the settings ask for, in the order in which it is done."""
    fit = catalog.fit
    wanted = {
        "fit": fit is not None,
        "goodness": fit is not None and fit.goodness_of_fit,
        "toys": fit is not None and fit.toys > 0,
        "scans": fit is not None and bool(fit.scans),
        "ranking": catalog.ranking is not None,
        "limit": catalog.limit is not None,
        "significance": catalog.significance is not None,
        "impacts": catalog.ranking is not None,
    }
    return tuple(one for one in ALL if wanted[one])


def measure(
    templates: TemplateSet,
    catalog: Catalog,
    *,
    what: Collection[What] | None = None,
    fit: LikelihoodFit | None = None,
    runner: Runner | None = None,
    name: str = "measurement",
) -> Measured:
    """Do what the settings ask for.

    Args:
        templates: The templates.
        catalog: The analysis.
        what: What is done; None for all that settings ask for. Where something needs a fit, it is
            done, too.
        fit: An earlier fit of the same likelihood, which is then not repeated.
        runner: What does many fits; None does them here.
        name: What the measurement is called.
    """
    wanted = asked(catalog) if what is None else what
    problem = problem_of(templates, catalog, name=name)
    doing = _Doing(templates, catalog, problem, runner, fit)
    found = Measured(problem.likelihood, conditional=problem.conditional, findings=problem.findings)
    for one in ALL:
        if one in wanted:
            found = replace(found, **getattr(doing, one)())
    found = replace(found, fit=doing.done)
    if "fit" not in wanted:
        return found
    return replace(found, findings=(*found.findings, *doing.doctor(found)))


class _Doing:
    """One method for each thing that may be asked for; each gives fields of `Measured`."""

    def __init__(
        self,
        templates: TemplateSet,
        catalog: Catalog,
        problem: Problem,
        runner: Runner | None,
        done: LikelihoodFit | None,
    ) -> None:
        self.templates = templates
        self.catalog = catalog
        self.settings = catalog.fit or FitSettings()
        self.problem = problem
        self.runner = runner
        self.done = done

    @property
    def fitted(self) -> LikelihoodFit:
        if self.done is None:
            self.done = nominal_fit(self.problem, self.catalog)
        return self.done

    def fit(self) -> Fields:
        full, problem = self.fitted, self.problem
        minimum = offset_minimum(problem.model, problem.data, full, self.catalog)
        if not self.settings.statistics_only:
            return {"minimum": minimum}
        alone = statistics_fit(problem, self.catalog, full)
        return {"minimum": minimum, "statistics_only": alone}

    def doctor(self, found: Measured) -> tuple[Finding, ...]:
        """What is wrong with the fit, by all that was found."""
        model, data = self.problem.model, self.problem.data
        hidden = hidden_places(self.catalog, self.templates, model)
        patient = Patient(model, data, self.fitted, found.scans, found.goodness, hidden)
        return diagnose(self.templates, self.catalog, patient)

    def goodness(self) -> Fields:
        model, data = self.problem.model, self.problem.data
        return {"goodness": goodness_of_fit(model, data, self.fitted, runner=self.runner)}

    def toys(self) -> Fields:
        """Pseudo-data with the values of Asimov data, and those that settings give to them."""
        model, settings = self.problem.model, self.settings
        truth = with_values(model, {**self.problem.values, **settings.toys_with})
        number, seed = max(settings.toys, 1), settings.seed
        hold = [name for name in settings.toys_hold if name in model.names]
        return {"toys": toy_fits(model, truth, number, hold=hold, seed=seed, runner=self.runner)}

    def scans(self) -> Fields:
        found = [self._scan(settings) for settings in self.settings.scans]
        return {
            "scans": tuple(one for one in found if isinstance(one, LikelihoodScan)),
            "surfaces": tuple(one for one in found if isinstance(one, LikelihoodSurface)),
        }

    def _scan(self, settings: ScanSettings) -> LikelihoodScan | LikelihoodSurface | None:
        model, data, fitted = self.problem.model, self.problem.data, self.fitted
        names = chosen_names(settings.parameters, fitted.free, parts=False)
        if len(names) != len(settings.parameters):
            return None
        axes = [self._axis(settings, at, name) for at, name in enumerate(names)]
        if len(names) == 1:
            return scan(model, data, fitted, names[0], axes[0], runner=self.runner)
        both = (names[0], names[1])
        return surface(model, data, fitted, both, axes[0], axes[1], runner=self.runner)

    def _axis(self, settings: ScanSettings, at: int, name: str) -> tuple[float, ...]:
        low, high = (
            None if side is None else side[min(at, len(side) - 1)]
            for side in (settings.low, settings.high)
        )
        steps = settings.steps[min(at, len(settings.steps) - 1)]
        return scan_values(self.problem.model, self.fitted, name, low=low, high=high, steps=steps)

    def ranking(self) -> Fields:
        """One for each measured parameter that was fitted; the first may be fixed."""
        first, *others = [self._ranking(poi) for poi in self._measured_parameters()]
        return {"ranking": first, "further_rankings": tuple(others)}

    def _measured_parameters(self) -> list[str]:
        first = poi_of(self.problem.model)
        return [first, *(name for name in self.catalog.further_pois if name in self.fitted.free)]

    def _ranking(self, poi: str) -> Ranking:
        problem, names = self.problem, ranked_parameters(self.catalog, self.fitted, poi)
        return ranking(
            problem.model,
            problem.data,
            self.fitted,
            poi=poi,
            parameters=names,
            runner=self.runner,
        )

    def impacts(self) -> Fields:
        """Groups as in TRExFitter: asymmetric only if the measured parameter's errors are."""
        problem, fitted = self.problem, self.fitted
        poi = poi_of(problem.model)
        groups = {
            name: tuple(one for one in members if one in fitted.free)
            for name, members in self.problem.likelihood.groups.items()
        }
        known = {name: members for name, members in groups.items() if members}
        minos = fitted.by_name[poi].up is not None
        found = grouped_impacts(
            problem.model,
            problem.data,
            fitted,
            known,
            measured_too=self.catalog.further_pois,
            minos=minos,
            runner=self.runner,
        )
        return {"impacts": found}

    def limit(self) -> Fields:
        settings = self.catalog.limit or LimitSettings()
        problem, poi = self._tested(settings.poi, settings.data, 0.0)
        if settings.method == "asymptotic":
            found = asymptotic_limit(
                problem.model,
                problem.data,
                poi=poi,
                level=settings.level,
                injected=settings.injected,
                observed=problem.observed,
            )
        else:
            found = toy_limit(
                problem.model,
                problem.data,
                poi=poi,
                level=settings.level,
                toys=settings.toys,
                seed=self.settings.seed,
                observed=problem.observed,
                runner=self.runner,
            )
        return {"limit": replace(found, data=_kind(problem))}

    def significance(self) -> Fields:
        settings = self.catalog.significance or SignificanceSettings()
        problem, poi = self._tested(settings.poi, settings.data, settings.expected_with)
        found = discovery(
            problem.model,
            problem.data,
            poi=poi,
            expected_with=settings.expected_with,
            observed=problem.observed,
        )
        return {"significance": replace(found, data=_kind(problem))}

    def _tested(self, poi: str | None, data: str, strength: float) -> tuple[Problem, str]:
        """The likelihood of a test with its data, and the signal's parameter."""
        name = poi_of(self.problem.model, poi)
        blind = data == "asimov"
        found = problem_of(self.templates, self.catalog, blind=blind, strength=(name, strength))
        return found, name


def _kind(problem: Problem) -> str:
    """What the data of a test are called."""
    return "mixed" if problem.sources.mixed else "observed"


def ranked_parameters(catalog: Catalog, fitted: LikelihoodFit, poi: str) -> list[str]:
    """Parameters that settings rank: fitted ones, norm factors that are measured only if asked."""
    settings = catalog.ranking or RankingSettings()
    measured = () if settings.include_pois else (poi, *catalog.pois)
    names = [name for name in fitted.free if name not in measured]
    return [name for name in chosen_names(settings.parameters, names) if name != poi]
