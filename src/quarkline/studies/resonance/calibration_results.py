"""Result values of the calibrations of a resonance search, one kind a question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics import (
    DegreeTest,
    GlobalSignificance,
    InjectionTest,
    Power,
    PValueRow,
    SpuriousSignal,
)

ENOUGH_TOYS = 10
"""Fewest toys beyond the observation that measure a p-value; fewer only bound it."""


@dataclass(frozen=True)
class Calibration(Result, kind="resonance-calibration"):
    """Background-only toys from the flows, through the frozen classifier, every cut and the fit.

    Attributes:
        toys: Number of toys.
        rates: False-positive rate of each cut, as in the scans.
        zero_fraction: Fraction of the toys with q0 = 0 at each cut.
        ks_p_value: Whether the others' p-values are uniform below 1/2, at each cut.
        spurious: Signal that the fit finds in generated background behind each cut, scaled to the
            size of the data; its error is that of the generated sample.
        best: The most significant point of the data's scan, corrected by the toys.
        z_bound: Its global significance if every cut were a trial of its own: a lower bound that
            needs no toys, but trusts the asymptotic p-value.
    """

    toys: int
    rates: tuple[float, ...]
    zero_fraction: tuple[float, ...]
    ks_p_value: tuple[float, ...]
    spurious: tuple[Quantity, ...]
    best: GlobalSignificance
    z_bound: float

    @property
    def resolved(self) -> bool:
        """Whether enough toys reach the data's best point to measure their fraction."""
        return self.best.n_exceeding >= ENOUGH_TOYS

    @property
    def z_global(self) -> float:
        """The trials-corrected significance: by toys where they resolve it, else the bound."""
        return self.best.z_global if self.resolved else self.z_bound


@dataclass(frozen=True)
class InjectedAt:
    """Signal injected behind one cut.

    Attributes:
        rate: False-positive rate of the cut.
        test: Fitted against injected signal.
    """

    rate: float
    test: InjectionTest


@dataclass(frozen=True)
class Injections(Result, kind="resonance-injection"):
    """Signal injected into toys of the counting fit.

    Attributes:
        masses: Means of the signal's Gaussians in GeV.
        resolution: Their standard deviation over their mean.
        tests: Without a cut, and at the declared working point.
    """

    masses: tuple[float, ...]
    resolution: float
    tests: tuple[InjectedAt, ...]


@dataclass(frozen=True)
class FitCheck:
    """Degrees of the background behind one cut.

    Attributes:
        rate: False-positive rate of the cut.
        scale: What makes generated background the data's size.
        spurious: Signal that each degree finds in generated background.
        f_test: F-test of the degrees on the data's sidebands.
    """

    rate: float
    scale: float
    spurious: SpuriousSignal
    f_test: DegreeTest

    @property
    def template_errors(self) -> list[float]:
        """What the finite size of the generated sample leaves open in each spurious signal."""
        return [(row.signal.up or math.nan) * math.sqrt(self.scale) for row in self.spurious.rows]


@dataclass(frozen=True)
class FitChecks(Result, kind="resonance-fit-checks"):
    """Degrees of the background, judged.

    Attributes:
        degree: The nominal degree.
        checks: Without a cut, and at the declared working point.
    """

    degree: int
    checks: tuple[FitCheck, ...]


@dataclass(frozen=True)
class Spread:
    """The outcome of several choices.

    Attributes:
        nominal: Outcome of the nominal choice.
        low: Smallest outcome.
        high: Largest outcome.
    """

    nominal: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the distance from the smallest to the largest."""
        return (self.high - self.low) / 2

    @classmethod
    def of(cls, outcomes: Sequence[float]) -> Self:
        """From all outcomes, the nominal one first; NaN is left out."""
        known = [value for value in outcomes if not math.isnan(value)] or [math.nan]
        return cls(outcomes[0], min(known), max(known))


@dataclass(frozen=True)
class VariationSpread:
    """Several degrees and bins at the declared working point.

    Attributes:
        variations: Number of choices.
        failed: How many of their fits failed; these are left out.
        z: Local significance.
        signal: Fitted signal in events.
    """

    variations: int
    failed: int
    z: Spread
    signal: Spread


@dataclass(frozen=True)
class Envelope(Result, kind="resonance-envelope"):
    """The systematic of degree and bins, as an envelope.

    Attributes:
        refitted: Other fits on the nominal scores.
        retrained: With background generated and classifiers trained again, too; None if not done.
    """

    refitted: VariationSpread
    retrained: VariationSpread | None


@dataclass(frozen=True)
class Reweighting(Result, kind="resonance-reweighting"):
    """The hunt in reweighted events among toys.

    Attributes:
        toys: Background-only toys.
        failed: Toys left out because a fit failed.
        intervals: Intervals of the score in which toys are drawn.
        zero_fraction: Fraction of the toys with q0 = 0.
        rows: Asymptotic p-values beside those of the toys.
        agrees: Whether they agree at every row within two standard deviations.
        z_local: The data's significance, sqrt(q0).
        z_cells: The same with one weight an interval, as the toys have.
        n_exceeding: Toys at or above z_local.
        p_toys: The p-value by toys.
        z_toys: The same in standard deviations, not below 0.
    """

    toys: int
    failed: int
    intervals: int
    zero_fraction: float
    rows: tuple[PValueRow, ...]
    agrees: bool
    z_local: float
    z_cells: float
    n_exceeding: int
    p_toys: Quantity
    z_toys: float

    @property
    def resolved(self) -> bool:
        """Whether enough toys reach the data to measure their fraction."""
        return self.n_exceeding >= ENOUGH_TOYS

    @property
    def z_quoted(self) -> float:
        """The asymptotic significance where toys confirm it, else that of the toys."""
        return self.z_local if self.agrees else self.z_toys


@dataclass(frozen=True)
class ChainPower(Result, kind="resonance-power"):
    """Pseudo-experiments through the whole chain: flows, classifiers, cut and fit.

    Attributes:
        rate: The declared false-positive rate.
        events: Mean number of background events of a pseudo-experiment.
        chain: Significances behind the cut, one entry a strength.
        inclusive: Significances of the same events without a cut.
    """

    rate: float
    events: float
    chain: tuple[Power, ...]
    inclusive: tuple[Power, ...]
