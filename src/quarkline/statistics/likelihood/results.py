"""What fits of a likelihood found: parameters, rankings, scans, limits, significances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.results import Result
from quarkline.statistics.likelihood.spec import Role

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class FitQuality:
    """How a fit ended.

    Attributes:
        converged: Whether a minimum was found and its curvature is positive.
        distance: Estimated vertical distance to the minimum.
        calls: Evaluations of the likelihood.
        attempts: What was tried, in order; more than one if the first did not converge.
        at_limit: Parameters that ended at a bound.
        note: What is wrong, in words; empty if nothing is.
    """

    converged: bool
    distance: float
    calls: int
    attempts: tuple[str, ...]
    at_limit: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class FittedParameter:
    """A parameter after a fit.

    Attributes:
        name: Its name.
        role: What it is for.
        value: Its best value.
        error: Symmetric error from the curvature; 0 if it was fixed.
        up: Distance to where the profiled likelihood has fallen by 1/2, above; None if not asked
            for or not found.
        down: The same below, positive.
        initial: Value before the fit.
        before: Error before the fit; None if nothing constrains it.
        fixed: Whether it was fixed.
    """

    name: str
    role: Role
    value: float
    error: float
    up: float | None
    down: float | None
    initial: float
    before: float | None
    fixed: bool = False


@dataclass(frozen=True)
class LikelihoodFit(Result, kind="likelihood-fit"):
    """A maximum of the likelihood.

    Attributes:
        poi: Parameter that is measured; None if none is.
        parameters: All parameters, in the order of the model.
        free: Names of the parameters that were fitted, in the order of `covariance`.
        covariance: Covariance matrix of the fitted parameters; empty if there is none.
        nll: Minus the logarithm of the likelihood at its maximum, with all constants.
        quality: How the fit ended.
    """

    poi: str | None
    parameters: tuple[FittedParameter, ...]
    free: tuple[str, ...]
    covariance: tuple[Numbers, ...]
    nll: float
    quality: FitQuality

    @cached_property
    def by_name(self) -> dict[str, FittedParameter]:
        """The parameters by name."""
        return {parameter.name: parameter for parameter in self.parameters}

    @property
    def values(self) -> NDArray[np.float64]:
        """Best values of all parameters, in the order of the model."""
        return np.array([parameter.value for parameter in self.parameters])

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Correlation matrix of the fitted parameters, shape (free, free)."""
        covariance = np.array(self.covariance).reshape(len(self.covariance), -1)
        widths = np.sqrt(np.diag(covariance))
        return np.asarray(covariance / np.outer(widths, widths))


@dataclass(frozen=True)
class RankedParameter:
    """How far one parameter moves the measured one.

    Attributes:
        name: Its name.
        role: What it is for.
        value: Its best value.
        error: Its error after the fit.
        before: Its error before the fit.
        up: Shift of the measured parameter with this one fixed at its best value plus its error.
        down: The same with its error subtracted.
        up_before: Shift with this one at its best value plus its error before the fit.
        down_before: The same, subtracted.
        failed: Which of these fits did not converge: "up", "down", "up_before", "down_before".
    """

    name: str
    role: Role
    value: float
    error: float
    before: float | None
    up: float
    down: float
    up_before: float | None
    down_before: float | None
    failed: tuple[str, ...] = ()

    @property
    def size(self) -> float:
        """Larger shift of the two after the fit."""
        return max(abs(self.up), abs(self.down))


@dataclass(frozen=True)
class Ranking(Result, kind="ranking"):
    """Parameters by how far they move the measured one, the largest first.

    Attributes:
        poi: Parameter measured.
        value: Its best value.
        error: Its error.
        rows: The parameters.
        note: Why shifts may be no measure, in words; empty if nothing is unusual.
    """

    poi: str
    value: float
    error: float
    rows: tuple[RankedParameter, ...]
    note: str = ""


@dataclass(frozen=True)
class GroupImpact:
    """What a group of parameters adds to the error of the measured one.

    Attributes:
        name: Name of the group.
        parameters: Its parameters.
        error: Square root of what the squared error is smaller by with the group fixed.
        up: The same of the upper error.
        down: The same of the lower error, positive.
    """

    name: str
    parameters: tuple[str, ...]
    error: float
    up: float | None
    down: float | None


@dataclass(frozen=True)
class GroupedImpacts(Result, kind="grouped-impacts"):
    """The error of the measured parameter by its causes.

    Attributes:
        poi: Parameter measured.
        total: Its whole error, with `up` and `down` if these were found.
        statistical: Error with every other parameter fixed.
        groups: The groups.
        note: Why errors may be no measure, in words; empty if nothing is unusual.
    """

    poi: str
    total: GroupImpact
    statistical: GroupImpact
    groups: tuple[GroupImpact, ...]
    note: str = ""


@dataclass(frozen=True)
class LikelihoodScan(Result, kind="likelihood-scan"):
    """The profiled likelihood along one parameter.

    Attributes:
        parameter: Its name.
        values: Where it was fixed.
        heights: Minus twice the logarithm of the likelihood ratio there; None where no fit
            converged.
        best: Its best value.
    """

    parameter: str
    values: Numbers
    heights: tuple[float | None, ...]
    best: float


@dataclass(frozen=True)
class LikelihoodSurface(Result, kind="likelihood-surface"):
    """The profiled likelihood along two parameters; `heights[i][j]` belongs to `x[i]`, `y[j]`."""

    parameters: tuple[str, str]
    x: Numbers
    y: Numbers
    heights: tuple[tuple[float | None, ...], ...]
    best: tuple[float, float]


@dataclass(frozen=True)
class LimitPoint:
    """The CLs test of one value of the measured parameter.

    Attributes:
        value: The value.
        observed: CLs of the data; None if data are not looked at or the test failed.
        expected: CLs expected without signal at -2, -1, 0, 1, 2 standard deviations.
    """

    value: float
    observed: float | None
    expected: Numbers


@dataclass(frozen=True)
class CLsLimit(Result, kind="cls-limit"):
    """An upper limit on the measured parameter.

    Attributes:
        poi: Parameter limited.
        level: Confidence level.
        observed: The limit; None if data are not looked at, or there is none.
        expected: Limits expected without signal at -2, -1, 0, 1, 2 standard deviations; None where
            there is none.
        injected: Limit expected with a signal; None if not asked for.
        injected_value: Strength of that signal.
        points: All values tested, rising.
        method: "asymptotic" or "toys".
        complete: Whether every limit was found to the tolerance.
        note: What was unusual, in words; empty if nothing was.
        data: What `observed` is the limit of: "observed" data, "asimov" ones, or "mixed", which
            are Asimov data in some regions.
    """

    poi: str
    level: float
    observed: float | None
    expected: tuple[float | None, ...]
    injected: float | None
    injected_value: float | None
    points: tuple[LimitPoint, ...]
    method: str
    complete: bool
    note: str = ""
    data: str = "observed"


@dataclass(frozen=True)
class DiscoverySignificance(Result, kind="discovery-significance"):
    """How unlikely the data are without signal.

    Attributes:
        poi: Parameter of the signal.
        q0: Test statistic of the data; None if data are not looked at.
        p: Its p-value.
        z: Its significance in standard deviations.
        z_expected: Median significance expected with the signal at `expected_with`.
        expected_with: Strength of that signal.
        note: What was unusual, in words; empty if nothing was.
        data: What `z` is the significance of: "observed" data, "asimov" ones, or "mixed", which
            are Asimov data in some regions.
    """

    poi: str
    q0: float | None
    p: float | None
    z: float | None
    z_expected: float
    expected_with: float
    note: str = ""
    data: str = "observed"


@dataclass(frozen=True)
class GoodnessOfFit(Result, kind="goodness-of-fit"):
    """How well the model describes the data, by the saturated model.

    Attributes:
        statistic: Minus twice the logarithm of the likelihood ratio to the saturated model.
        degrees: Degrees of freedom.
        p: Chance of a larger value, asymptotically.
        p_toys: The same from pseudo-data; None if not asked for.
        toys: Number of those.
    """

    statistic: float
    degrees: int
    p: float
    p_toys: float | None = None
    toys: int = 0


@dataclass(frozen=True)
class ToyFits(Result, kind="toy-fits"):
    """Fits of pseudo-data.

    Attributes:
        parameter: Parameter looked at.
        truth: Its value in the pseudo-data.
        values: Best values of the fits that converged.
        errors: Their errors.
        failed: Fits that did not converge.
        covered: Fraction of the intervals that hold the truth.
    """

    parameter: str
    truth: float
    values: Numbers
    errors: Numbers
    failed: int
    covered: float


@dataclass(frozen=True)
class FitDiagnosis(Result, kind="fit-diagnosis"):
    """What the fit doctor found, as `Finding.as_json` has it; empty if nothing is wrong."""

    findings: tuple[Mapping[str, Any], ...]
