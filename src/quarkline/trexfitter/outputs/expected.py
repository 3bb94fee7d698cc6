"""Yields of samples with what each parameter does to them, as TRExFitter's tables have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quarkline.catalog import Catalog
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.statistics.likelihood.spec import Gaussian, Parameter, Poisson
from quarkline.templates.likelihood import Likelihood
from quarkline.templates.sets import TemplateSet

Key = tuple[str, str]
"""Region and sample."""
Contents = Mapping[Key, Floats]


@dataclass(frozen=True, eq=False)
class Expected:
    """What is expected of each sample in each region, with errors.

    Attributes:
        contents: Expected events of the bins, by region and sample.
        statistical: Statistical errors of the bins that no parameter stands for.
        up: For each parameter what its upper error adds to the contents.
        down: The same of its lower error.
        correlation: Correlations of the parameters, in the order of `up`.
    """

    contents: Contents
    statistical: Contents
    up: Mapping[str, Contents]
    down: Mapping[str, Contents]
    correlation: Floats

    def samples(self, region: str) -> list[str]:
        """Samples in a region."""
        return [sample for where, sample in self.contents if where == region]

    def total(self, region: str, samples: Sequence[str]) -> float:
        """Events of some samples in a region."""
        return float(sum(self.contents[region, sample].sum() for sample in samples))

    def error(self, region: str, samples: Sequence[str]) -> float:
        """Error of the events of some samples in a region, with all correlations.

        Each parameter counts with half the difference of what its two sides do.
        """
        keys = [(region, sample) for sample in samples]
        halves = np.array(
            [
                sum(self.up[name][key].sum() - self.down[name][key].sum() for key in keys) / 2
                for name in self.up
            ]
        )
        squared = sum(float(np.square(self.statistical[key]).sum()) for key in keys)
        return float(np.sqrt(max(0.0, squared + halves @ self.correlation @ halves)))

    def effect(self, name: str, region: str, sample: str) -> tuple[float, float]:
        """Relative changes of a sample's events by both errors of a parameter."""
        key = (region, sample)
        total = self.contents[key].sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            up, down = (side[name][key].sum() / total for side in (self.up, self.down))
        return float(up), float(down)

    def acts_on(self, name: str, region: str, sample: str) -> bool:
        """Whether a parameter changes a sample in a region at all."""
        key = (region, sample)
        return bool(self.up[name][key].any() or self.down[name][key].any())


def expected_before(likelihood: Likelihood, templates: TemplateSet, catalog: Catalog) -> Expected:
    """Expectations before a fit: systematics with their errors, and statistical errors.

    Args:
        likelihood: The likelihood of all regions.
        templates: The templates it is made of.
        catalog: The analysis.
    """
    model = Model(likelihood.spec)
    names = [one.name for one in likelihood.spec.parameters if _is_systematic(one)]
    widths = {one.name: _width(one) for one in likelihood.spec.parameters}
    up = {name: _moved(model, model.initial, name, widths[name]) for name in names}
    down = {name: _moved(model, model.initial, name, -widths[name]) for name in names}
    statistical = _statistical(templates, catalog, model.samples(model.initial))
    return Expected(model.samples(model.initial), statistical, up, down, np.eye(len(names)))


def expected_after(
    likelihood: Likelihood,
    templates: TemplateSet,
    catalog: Catalog,
    fit: LikelihoodFit,
    *,
    gammas: bool,
) -> Expected:
    """Expectations after a fit, which may have been one of other regions.

    Systematics that were not fitted have their errors from before, without correlations.

    Args:
        likelihood: The likelihood of all regions.
        templates: The templates it is made of.
        catalog: The analysis.
        fit: The fit.
        gammas: Whether statistical errors are those of the fitted parameters (`UseGammaPulls`);
            otherwise these do not enter and statistical errors are those of the templates. As in
            TRExFitter, such a parameter shifts its bin by its absolute error.
    """
    model = Model(likelihood.spec)
    fitted = fit.by_name
    used = [one for one in likelihood.spec.parameters if gammas or one.role != "gamma"]
    values = model.initial.copy()
    up: dict[str, Contents] = {}
    down: dict[str, Contents] = {}
    for parameter in used:
        if parameter.name in fitted:
            values[model.index(parameter.name)] = fitted[parameter.name].value
    for parameter in used:
        name = parameter.name
        known = fitted.get(name)
        if known is None and not _is_systematic(parameter):
            continue
        if known is not None and known.fixed:
            continue
        width = _width(parameter) if known is None else known.error
        above = known.up if known and known.up is not None else width
        below = known.down if known and known.down is not None else width
        factor = known.value if known and parameter.role in {"gamma", "shape-factor"} else 1.0
        up[name] = _moved(model, values, name, above * factor)
        down[name] = _moved(model, values, name, -below * factor)
    contents = model.samples(values)
    statistical = _statistical(templates, catalog, contents)
    if gammas:
        statistical = {key: np.zeros_like(errors) for key, errors in statistical.items()}
    return Expected(contents, statistical, up, down, _correlation(fit, list(up)))


def _is_systematic(parameter: Parameter) -> bool:
    """Whether it is a systematic; those of single bins are not statistical errors either."""
    if parameter.role == "systematic":
        return True
    return parameter.name.startswith("gamma_shape_") and not parameter.name.startswith(
        "gamma_shape_stat_"
    )


def _width(parameter: Parameter) -> float:
    if isinstance(parameter.constraint, Gaussian):
        return parameter.constraint.width
    if isinstance(parameter.constraint, Poisson):
        return float(parameter.constraint.tau**-0.5)
    return 1.0


def _moved(model: Model, values: Floats, name: str, by: float) -> Contents:
    """What moving one parameter adds to the contents."""
    moved = values.copy()
    moved[model.index(name)] += by
    before, after = model.samples(values), model.samples(moved)
    return {key: after[key] - before[key] for key in before}


def _statistical(templates: TemplateSet, catalog: Catalog, contents: Contents) -> Contents:
    """Statistical errors, scaled like the contents; none of samples whose errors do not count."""
    found = {}
    for region, sample in contents:
        nominal = templates.regions[region].templates[sample].nominal
        chosen = catalog.samples[sample]
        counts = chosen.mc_statistics or chosen.separate_mc_statistics
        before, after = nominal.contents.sum(), contents[region, sample].sum()
        scale = after / before if before else 0.0
        found[region, sample] = nominal.errors * scale * counts
    return found


def _correlation(fit: LikelihoodFit, names: list[str]) -> Floats:
    """Correlations of parameters; of those that were not fitted, none."""
    matrix = np.eye(len(names))
    if not fit.covariance:
        return matrix
    places = {name: at for at, name in enumerate(fit.free)}
    here = [at for at, name in enumerate(names) if name in places]
    there = [places[names[at]] for at in here]
    matrix[np.ix_(here, here)] = fit.correlation[np.ix_(there, there)]
    return matrix
