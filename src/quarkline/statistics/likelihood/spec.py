"""A binned likelihood in neutral words: channels, samples, what changes them, and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["norm-factor", "systematic", "gamma", "shape-factor", "luminosity"]


@dataclass(frozen=True)
class Gaussian:
    """An auxiliary measurement of a parameter, with a normal error.

    Attributes:
        centre: What was measured.
        width: Standard deviation of the measurement.
    """

    centre: float = 0.0
    width: float = 1.0


@dataclass(frozen=True)
class Poisson:
    """An auxiliary count, whose expectation is the parameter times `tau`.

    Attributes:
        tau: The expectation with the parameter at 1.
        counted: How the count came out; as `tau` if None.
    """

    tau: float
    counted: float | None = None


Constraint: TypeAlias = Gaussian | Poisson


@dataclass(frozen=True)
class Parameter:
    """A parameter of the likelihood.

    Attributes:
        name: Its name; one of each name.
        role: What it is for.
        initial: Where fits begin, and what Asimov data are made with.
        low: Lower bound in fits.
        high: Upper bound in fits.
        fixed: Whether fits leave it at its initial value.
        constraint: What an auxiliary measurement says about it; None if it is free.
    """

    name: str
    role: Role
    initial: float
    low: float
    high: float
    fixed: bool = False
    constraint: Constraint | None = None


@dataclass(frozen=True)
class Scale:
    """All bins are multiplied by the parameter."""

    parameter: str


@dataclass(frozen=True)
class BinScale:
    """Each bin is multiplied by a parameter of its own; by 1 where it has none."""

    parameters: tuple[str | None, ...]


@dataclass(frozen=True)
class NormShift:
    """All bins are multiplied by a factor that the parameter interpolates.

    Attributes:
        parameter: Its name.
        up: Factor at +1.
        down: Factor at -1.
        code: HistFactory's interpolation code: 1 exponential, 4 a polynomial within ±1.
    """

    parameter: str
    up: float
    down: float
    code: Literal[1, 4] = 4


@dataclass(frozen=True)
class ShapeShift:
    """Something is added to each bin, which the parameter interpolates.

    Attributes:
        parameter: Its name.
        up: Contents of all bins at +1.
        down: Contents of all bins at -1.
        code: HistFactory's interpolation code: "0" piecewise linear, "2" quadratic, "4p" a
            polynomial within ±1 and linear beyond.
    """

    parameter: str
    up: tuple[float, ...]
    down: tuple[float, ...]
    code: Literal["0", "2", "4p"] = "4p"


Modifier: TypeAlias = Scale | BinScale | NormShift | ShapeShift


@dataclass(frozen=True)
class SampleSpec:
    """One sample of a channel.

    Attributes:
        name: Its name; one of each name in a channel.
        contents: Expected events of each bin with every factor 1 and every shift 0.
        modifiers: What changes them. Shape shifts are added first, factors multiply the sum.
    """

    name: str
    contents: tuple[float, ...]
    modifiers: tuple[Modifier, ...] = ()


@dataclass(frozen=True)
class ChannelSpec:
    """One channel: a histogram of counts, with the samples that add up to its expectation.

    Attributes:
        name: Its name; one of each name.
        samples: Its samples.
        data: Counts of each bin; None without data.
    """

    name: str
    samples: tuple[SampleSpec, ...]
    data: tuple[float, ...] | None = None

    @property
    def bins(self) -> int:
        """Number of bins."""
        return len(self.samples[0].contents)


@dataclass(frozen=True)
class LikelihoodSpec:
    """A product of Poisson terms for each bin, and of terms for each auxiliary measurement.

    Attributes:
        name: What it is called.
        channels: Its channels.
        parameters: Its parameters, in the order of all arrays of parameters.
        poi: Name of the parameter that is measured; None if none is chosen.
    """

    name: str
    channels: tuple[ChannelSpec, ...]
    parameters: tuple[Parameter, ...]
    poi: str | None = None
