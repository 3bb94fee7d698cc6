"""A likelihood compiled for evaluation: expectations, the likelihood, its gradient, pseudo-data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from scipy.special import gammaln

from quarkline.engine.core.findings import InputError, did_you_mean
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.likelihood import poisson
from quarkline.statistics.likelihood.check import NAMES, NO_DATA, check_spec
from quarkline.statistics.likelihood.curvature import Curvature
from quarkline.statistics.likelihood.layout import layout_of
from quarkline.statistics.likelihood.measurements import Measurements
from quarkline.statistics.likelihood.rates import Rates
from quarkline.statistics.likelihood.spec import LikelihoodSpec

Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class Data:
    """What a likelihood is fitted to.

    Attributes:
        counts: Events of each bin, with shape (bins,).
        measured: Auxiliary measurements, with shape (auxiliary,): the constraints' centres and
            counts, for the parameters that have one in their order.
    """

    counts: Floats
    measured: Floats

    @cached_property
    def log_factorials(self) -> float:
        """Sum of ln(n!) over the bins."""
        return float(gammaln(self.counts + 1.0).sum())


@dataclass(frozen=True, eq=False)
class Expansion:
    """A likelihood around a point, to second order.

    Attributes:
        nll: Minus the logarithm of the likelihood.
        gradient: Its first derivatives, with shape (P,).
        squares: The part of its second derivatives that is never negative (Gauss and Newton's:
            products of first derivatives of the rates), with shape (P, P).
        hessian: Its second derivatives, with shape (P, P).
    """

    nll: float
    gradient: Floats
    squares: Floats
    hessian: Floats


class Model:
    """A binned likelihood, compiled once from its spec.

    Arrays of parameters have shape (P,) in the order of `spec.parameters`; arrays of bins have
    shape (bins,), channel after channel.

    Args:
        spec: The likelihood.

    Raises:
        InputError: If a number is not finite, a name unknown or twice, or a length another.
    """

    def __init__(self, spec: LikelihoodSpec) -> None:
        if findings := check_spec(spec):
            raise InputError(*findings)
        self.spec = spec
        self.names = tuple(parameter.name for parameter in spec.parameters)
        self.initial = np.array([parameter.initial for parameter in spec.parameters])
        self.low = np.array([parameter.low for parameter in spec.parameters])
        self.high = np.array([parameter.high for parameter in spec.parameters])
        held = [row.fixed or row.low == row.high for row in spec.parameters]
        self.fixed: Bools = np.array(held, dtype=bool)
        self.channels = dict(_slices((channel.name, channel.bins) for channel in spec.channels))
        self._places = {name: at for at, name in enumerate(self.names)}
        self._rates = Rates(layout_of(spec))
        self._curvature = Curvature(self._rates)
        self._measurements = Measurements(spec.parameters)

    def index(self, name: str) -> int:
        """Where a parameter is in arrays of parameters.

        Raises:
            InputError: If there is no such parameter.
        """
        if name not in self._places:
            raise InputError(
                NAMES.finding(
                    f"the likelihood has no parameter `{name}`",
                    suggestion=did_you_mean(name, self.names, what="parameters"),
                )
            )
        return self._places[name]

    @cached_property
    def data(self) -> Data:
        """The observed data, with the auxiliary measurements as they came out.

        Raises:
            InputError: If a channel has no data.
        """
        missing = [channel.name for channel in self.spec.channels if channel.data is None]
        if missing:
            raise InputError(
                NO_DATA.finding(
                    f"no data in channel{'s' * (len(missing) > 1)} {', '.join(missing)}",
                    suggestion="fit Asimov data, or give the channels data",
                )
            )
        counts = [channel.data for channel in self.spec.channels if channel.data is not None]
        return Data(np.concatenate(counts).astype(np.float64), self._measurements.nominal)

    def expected(self, values: Floats) -> Floats:
        """Expected events of each bin; below 0 where the model says so, with shape (bins,)."""
        return self._rates.expected(np.asarray(values, dtype=np.float64))

    def samples(self, values: Floats) -> dict[tuple[str, str], Floats]:
        """Expected events by channel and sample, each with the bins of the channel."""
        cells = self._rates.cells(np.asarray(values, dtype=np.float64))
        blocks = [
            ((channel.name, sample.name), channel.bins)
            for channel in self.spec.channels
            for sample in channel.samples
        ]
        return {key: cells[part] for key, part in _slices(iter(blocks))}

    def rate_slopes(self, values: Floats) -> Floats:
        """Derivatives of the expected events by the parameters, with shape (bins, P)."""
        point = self._rates.point(np.asarray(values, dtype=np.float64))
        return self._curvature.slopes(point).whole()

    def asimov(self, values: Floats, *, shift_measurements: bool = False) -> Data:
        """Data that are exactly as expected.

        Args:
            values: Parameters of the expectation.
            shift_measurements: Whether the auxiliary measurements agree with `values`, too;
                otherwise they stay as they came out.
        """
        values = np.asarray(values, dtype=np.float64)
        held = self._measurements
        measured = held.expected(values) if shift_measurements else held.nominal
        return Data(np.maximum(self.expected(values), 0.0), measured)

    def toy(self, values: Floats, rng: np.random.Generator) -> Data:
        """Data drawn at these parameters: counts of the bins first, then the measurements."""
        values = np.asarray(values, dtype=np.float64)
        counts = rng.poisson(np.maximum(self.expected(values), 0.0)).astype(np.float64)
        return Data(counts, self._measurements.draw(values, rng))

    def nll(self, values: Floats, data: Data) -> float:
        """Minus the logarithm of the likelihood, with all constants.

        Equal to minus pyhf's `logpdf` wherever no expected count is below 1e-8; there it goes on
        as `poisson.terms` does.
        """
        values = np.asarray(values, dtype=np.float64)
        bins = poisson.terms(self._rates.expected(values), data.counts).sum()
        return float(bins) + data.log_factorials + self._measurements.nll(values, data.measured)

    def nll_gradient(self, values: Floats, data: Data) -> tuple[float, Floats]:
        """`nll` and its derivatives by the parameters, with shape (P,)."""
        values = np.asarray(values, dtype=np.float64)
        point = self._rates.point(values)
        bins = poisson.terms(point.expected, data.counts).sum()
        slopes = poisson.slopes(point.expected, data.counts)
        nll = float(bins) + data.log_factorials + self._measurements.nll(values, data.measured)
        gradient = self._rates.pulled_back(point, slopes)
        return nll, gradient + self._measurements.gradient(values, data.measured)

    def expansion(self, values: Floats, data: Data) -> Expansion:
        """`nll` with its first and second derivatives, all exact."""
        values = np.asarray(values, dtype=np.float64)
        point, counts = self._rates.point(values), data.counts
        bins = poisson.terms(point.expected, counts).sum()
        nll = float(bins) + data.log_factorials + self._measurements.nll(values, data.measured)
        slopes = poisson.slopes(point.expected, counts)
        gradient = self._rates.pulled_back(point, slopes)
        gradient += self._measurements.gradient(values, data.measured)
        bends = poisson.bends(point.expected, counts)
        squares = self._curvature.slopes(point).squares(bends)
        held = self._measurements.curvature(values, data.measured)
        squares[np.diag_indices(len(values))] += held
        hessian = squares + self._curvature.curvature(point, slopes)
        return Expansion(nll, gradient, squares, hessian)

    def hessian(self, values: Floats, data: Data) -> Floats:
        """Second derivatives of `nll`, exact, with shape (P, P)."""
        return self.expansion(values, data).hessian


def _slices(sizes: Iterator[tuple[Key, int]]) -> Iterator[tuple[Key, slice]]:
    """Name consecutive parts of an array."""
    start = 0
    for key, size in sizes:
        yield key, slice(start, start + size)
        start += size
