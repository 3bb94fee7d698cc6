"""What is expected in a region with all its errors, before and after a fit, sample by sample."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quarkline.catalog import Catalog, FitSettings
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.fit import error_before
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.results import FittedParameter, LikelihoodFit
from quarkline.statistics.likelihood.spec import BinScale, Modifier, Scale, ShapeShift
from quarkline.templates import naming
from quarkline.templates.bin_errors import bin_effects, shares_mc_statistics
from quarkline.templates.histograms import Array
from quarkline.templates.likelihood import factors_of, fitted_samples, likelihood_of
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet

EMPTY = 10.0
"""Ratio of error and content above which TRExFitter's stacks before a fit call a bin empty."""


@dataclass(frozen=True, eq=False)
class Summed:
    """The sum of some samples.

    Attributes:
        contents: Its bins, shape (n,).
        errors: Their errors, shape (n,).
        total: Sum of the bins.
        total_error: Its error, with the bins' correlation.
    """

    contents: Array
    errors: Array
    total: float
    total_error: float


@dataclass(frozen=True, eq=False)
class Expectation:
    """The samples of one region, and what each parameter changes by its error.

    Attributes:
        region: Name of the region.
        after_fit: Whether parameters have their fitted values.
        edges: Edges of its bins, shape (n + 1,).
        samples: Names of S samples.
        contents: Expected events, shape (S, n).
        statistical: Errors from the size of the simulation, shape (S, n); those that parameters
            stand for are not in it.
        parameters: Names of P parameters.
        up: Change of the contents by each parameter's upper error, shape (P, S, n).
        down: The same by its lower error.
        correlation: Correlation of the parameters, shape (P, P).
    """

    region: str
    after_fit: bool
    edges: Array
    samples: tuple[str, ...]
    contents: Array
    statistical: Array
    parameters: tuple[str, ...]
    up: Array
    down: Array
    correlation: Array

    def sum_of(self, samples: Iterable[str] | None = None) -> Summed:
        """The sum of samples, of all if none are named.

        Half the difference of a parameter's up and down is its error of each bin; these add up
        with the parameters' correlation, and the statistical errors in quadrature.
        """
        chosen = self._rows(samples)
        contents = self.contents[chosen].sum(axis=0)
        halves = (self.up - self.down)[:, chosen].sum(axis=1) / 2
        statistical = np.square(self._statistical(samples is None)[chosen]).sum(axis=0)
        return Summed(
            contents,
            np.sqrt(_quadrature(halves, self.correlation) + statistical),
            float(contents.sum()),
            float(np.sqrt(_quadrature(halves.sum(axis=1), self.correlation) + statistical.sum())),
        )

    def relative_shifts(self, sample: str) -> dict[str, tuple[float, float]]:
        """Relative change of the yield of a sample by each parameter's upper and lower error."""
        (row,) = self._rows([sample])
        yield_ = float(self.contents[row].sum())
        up, down = (_relative(side[:, row].sum(axis=1), yield_) for side in (self.up, self.down))
        rows = zip(self.parameters, up, down, strict=True)
        return {name: (float(above), float(below)) for name, above, below in rows}

    def covariance(self, *, systematics: bool = True) -> Array:
        """Covariance of data and the sum of all samples, shape (n, n).

        Poisson errors of the data are the expected ones; parameters count by their upper shifts, as
        in TRExFitter's test.
        """
        contents = self.contents.sum(axis=0)
        diagonal = np.maximum(contents, 0) + np.square(self.statistical).sum(axis=0)
        found = np.diag(diagonal)
        if systematics:
            shifts = self.up.sum(axis=1)
            found = found + shifts.T @ self.correlation @ shifts
        return np.asarray(found)

    def _statistical(self, everything: bool) -> Array:
        """Statistical errors; no larger than the contents of almost empty bins in a whole stack."""
        if self.after_fit or not everything:
            return self.statistical
        empty = self.statistical > EMPTY * self.contents
        return np.asarray(np.where(empty, self.contents, self.statistical))

    def _rows(self, samples: Iterable[str] | None) -> list[int]:
        names = self.samples if samples is None else samples
        return [self.samples.index(name) for name in names if name in self.samples]


def _relative(shifts: Array, yield_: float) -> Array:
    """Changes of a yield relative to it; infinite where there is no yield."""
    if yield_:
        return shifts / yield_
    return np.asarray(np.where(shifts == 0, 0.0, np.copysign(np.inf, shifts)))


def _quadrature(shifts: Array, correlation: Array) -> Array:
    """Squared error of shifts of shape (P, ...), with the correlation of the parameters."""
    return np.asarray(np.maximum(np.einsum("p...,pq,q...->...", shifts, correlation, shifts), 0))


def expected_before(catalog: Catalog, templates: TemplateSet) -> dict[str, Expectation]:
    """What is expected in every region before a fit.

    Norm factors have their nominal values. Each systematic counts by its histograms without the
    parts that were pruned, those of one parameter together; norm factors have no error yet.
    """
    return {
        region: _before(catalog, region, fitted_samples(catalog, region, found))
        for region, found in templates.regions.items()
        if fitted_samples(catalog, region, found).templates
    }


def expected_after(
    catalog: Catalog, templates: TemplateSet, fit: LikelihoodFit
) -> dict[str, Expectation]:
    """What is expected in every region after a fit, validation regions included.

    Every parameter of the fit moves by its errors, with the fit's correlations; those that only
    regions outside the fit have keep their values and errors from before. Parameters of the
    simulation's statistical errors move the contents if `fit.fitted_gammas` says so; otherwise the
    errors of the templates are used instead.
    """
    model = _model(catalog, templates)
    fitted_gammas = (catalog.fit or FitSettings()).fitted_gammas
    point = _Point(model, fit, fitted_gammas=fitted_gammas)
    return {
        region: _after(catalog, region, fitted_samples(catalog, region, found), point)
        for region, found in templates.regions.items()
        if fitted_samples(catalog, region, found).templates
    }


def _model(catalog: Catalog, templates: TemplateSet) -> Model:
    """The likelihood of all regions, of which only expectations are wanted."""
    filled = [
        region
        for region, found in templates.regions.items()
        if fitted_samples(catalog, region, found).templates
    ]
    return Model(likelihood_of(templates, catalog, regions=filled, every_bin=True).spec)


def _before(catalog: Catalog, region: str, templates: RegionTemplates) -> Expectation:
    names = tuple(templates.templates)
    scales = [_nominal_factor(catalog, region, name) for name in names]
    nominal = np.array([template.nominal.contents for template in templates.templates.values()])
    shifts: dict[str, Array] = {}
    for row, (name, template) in enumerate(templates.templates.items()):
        for parameter, sides in _shifts_before(catalog, region, name, template):
            table = shifts.setdefault(parameter, np.zeros((2, *nominal.shape)))
            table[:, row] += np.array(sides) * scales[row]
    tables = np.array(list(shifts.values())).reshape(-1, 2, *nominal.shape)
    return Expectation(
        region,
        after_fit=False,
        edges=templates.edges,
        samples=names,
        contents=nominal * np.array(scales)[:, None],
        statistical=_statistical(catalog, templates, scales),
        parameters=tuple(shifts),
        up=tables[:, 0],
        down=tables[:, 1],
        correlation=np.eye(len(shifts)),
    )


def _nominal_factor(catalog: Catalog, region: str, sample: str) -> float:
    """What norm factors multiply a sample by before a fit."""
    factors = catalog.norm_factors
    return math.prod(factors[name].nominal for name in factors_of(factors, region, sample))


def _shifts_before(
    catalog: Catalog, region: str, sample: str, template: Template
) -> Iterable[tuple[str, tuple[Array, Array]]]:
    """Parameters and the changes of the contents at +1 and -1."""
    if catalog.templates.statistics_only:
        return
    nominal = template.nominal.contents
    for name, shift in template.shifts.items():
        named = naming.parameters_of(catalog, name, region, sample)
        if named.norm == named.shape:
            yield named.norm, _kept(shift, nominal)
            continue
        yield named.norm, (nominal * shift.norm_up, nominal * shift.norm_down)
        if shift.shape_up is not None and shift.shape_down is not None:
            yield named.shape, (shift.shape_up - nominal, shift.shape_down - nominal)
    alone = RegionTemplates(np.array([]), {sample: template})
    effects = bin_effects(catalog, region, alone)
    widths = {parameter.name: error_before(parameter) or 0.0 for parameter in effects.parameters}
    for modifier in effects.modifiers.get(sample, ()):
        yield from _of_bins(modifier, nominal, widths)


def _kept(shift: Shift, nominal: Array) -> tuple[Array, Array]:
    """The change by what pruning left of a systematic."""
    if not shift.norm_kept and not shift.shape_kept:
        return np.zeros_like(nominal), np.zeros_like(nominal)
    if not shift.shape_kept or shift.shape_up is None or shift.shape_down is None:
        return nominal * shift.norm_up, nominal * shift.norm_down
    if not shift.norm_kept:
        return shift.shape_up - nominal, shift.shape_down - nominal
    return shift.up.contents - nominal, shift.down.contents - nominal


def _of_bins(
    modifier: Modifier, nominal: Array, widths: Mapping[str, float]
) -> Iterable[tuple[str, tuple[Array, Array]]]:
    """Changes by systematics that act on every bin on its own."""
    if isinstance(modifier, ShapeShift):
        up, down = (np.array(side) - nominal for side in (modifier.up, modifier.down))
        yield modifier.parameter, (up, down)
    elif isinstance(modifier, BinScale):
        for bin_, name in enumerate(modifier.parameters):
            if name and not naming.is_statistical(name):
                change = np.zeros_like(nominal)
                change[bin_] = nominal[bin_] * widths[name]
                yield name, (change, -change)


def _statistical(catalog: Catalog, templates: RegionTemplates, scales: Sequence[float]) -> Array:
    """Statistical errors of samples that have any, scaled as norm factors scale the contents."""
    rows = [
        template.nominal.errors * scale * _has_statistical_error(catalog, name)
        for scale, (name, template) in zip(scales, templates.templates.items(), strict=True)
    ]
    return np.array(rows)


def _has_statistical_error(catalog: Catalog, sample: str) -> bool:
    if catalog.templates.mc_statistics is None:
        return False
    return shares_mc_statistics(catalog, sample) or catalog.samples[sample].separate_mc_statistics


class _Point:
    """A model at the result of a fit, with every parameter moved by its errors in turn."""

    def __init__(self, model: Model, fit: LikelihoodFit, *, fitted_gammas: bool) -> None:
        self.model = model
        self.fitted_gammas = fitted_gammas
        self.values = model.initial.copy()
        self.errors: dict[str, tuple[float, float]] = {}
        self._take(fit)
        self.contents = model.samples(self.values)
        self.up = {name: self._moved(name, up) for name, (up, _) in self.errors.items()}
        self.down = {name: self._moved(name, -down) for name, (_, down) in self.errors.items()}
        self.correlation = self._correlation(fit)

    def factor(self, region: str, sample: str) -> float:
        """What norm factors multiply a sample by."""
        scales = [
            one.parameter for one in self._modifiers(region, sample) if isinstance(one, Scale)
        ]
        return float(np.prod([self.values[self.model.index(name)] for name in scales]))

    def without_parameter(self, region: str, sample: str, bins: int) -> Array:
        """Whether no parameter stands for the size of the simulation in each bin, shape (n,)."""
        without = np.ones(bins, dtype=bool)
        for one in self._modifiers(region, sample):
            if isinstance(one, BinScale):
                for at, name in enumerate(one.parameters):
                    without[at] &= name not in self.errors or not naming.is_statistical(str(name))
        return without

    def _modifiers(self, region: str, sample: str) -> tuple[Modifier, ...]:
        (channel,) = (one for one in self.model.spec.channels if one.name == region)
        (found,) = (one for one in channel.samples if one.name == sample)
        return found.modifiers

    def _take(self, fit: LikelihoodFit) -> None:
        known = fit.by_name
        for at, parameter in enumerate(self.model.spec.parameters):
            name = parameter.name
            fitted = known.get(name)
            if naming.is_statistical(name) and (fitted is None or not self.fitted_gammas):
                continue
            if fitted is None:
                before = 0.0 if parameter.fixed else error_before(parameter) or 0.0
                self.errors[name] = (before, before)
                continue
            self.values[at] = fitted.value
            self.errors[name] = _errors(fitted)
        self.errors = {name: sides for name, sides in self.errors.items() if any(sides)}

    def _moved(self, name: str, by: float) -> dict[tuple[str, str], Floats]:
        """Contents with a parameter moved by an error.

        Those of single bins count relative to their contents after the fit, as in TRExFitter.
        """
        at = self.model.index(name)
        values = self.values.copy()
        relative = self.model.spec.parameters[at].role == "gamma"
        values[at] += by * values[at] if relative else by
        return self.model.samples(values)

    def _correlation(self, fit: LikelihoodFit) -> Array:
        names = list(self.errors)
        table = np.eye(len(names))
        places = {name: at for at, name in enumerate(fit.free)} if fit.covariance else {}
        inside = [at for at, name in enumerate(names) if name in places]
        chosen = [places[names[at]] for at in inside]
        if chosen:
            table[np.ix_(inside, inside)] = fit.correlation[np.ix_(chosen, chosen)]
        return table


def _errors(fitted: FittedParameter) -> tuple[float, float]:
    """Upper and lower error, both positive."""
    if fitted.fixed:
        return 0.0, 0.0
    up = fitted.error if fitted.up is None else fitted.up
    return up, fitted.error if fitted.down is None else fitted.down


def _after(catalog: Catalog, region: str, templates: RegionTemplates, point: _Point) -> Expectation:
    names = tuple(templates.templates)
    rows = np.array([point.contents[region, name] for name in names])
    up, down = (
        np.array([[moved[region, name] for name in names] for moved in side.values()]).reshape(
            -1, *rows.shape
        )
        - rows
        for side in (point.up, point.down)
    )
    moving = np.flatnonzero(np.any((up != 0) | (down != 0), axis=(1, 2)))
    return Expectation(
        region,
        after_fit=True,
        edges=templates.edges,
        samples=names,
        contents=rows,
        statistical=_statistical_after(catalog, region, templates, point),
        parameters=tuple(list(point.errors)[at] for at in moving),
        up=up[moving],
        down=down[moving],
        correlation=point.correlation[np.ix_(moving, moving)],
    )


def _statistical_after(
    catalog: Catalog, region: str, templates: RegionTemplates, point: _Point
) -> Array:
    """Statistical errors that no parameter stands for, scaled by norm factors."""
    rows = [
        template.nominal.errors
        * point.factor(region, name)
        * point.without_parameter(region, name, len(template.nominal.contents))
        if _has_statistical_error(catalog, name)
        else np.zeros_like(template.nominal.contents)
        for name, template in templates.templates.items()
    ]
    return np.array(rows)
