"""Stage `hunt`: cuts on scores and features, bump hunts behind each, and the quoted result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import (
    HuntBatch,
    HuntBinning,
    Spectrum,
    bump_hunt,
    fit_batch,
    ks_two_sample,
    likelihood_ratio_weights,
    p_from_z,
    threshold_at_fpr,
)
from quarkline.statistics.ks import KsResult
from quarkline.studies.resonance.classify import read_scores
from quarkline.studies.resonance.events import Pairs, read_pairs
from quarkline.studies.resonance.generate import hypothesis_name
from quarkline.studies.resonance.results import (
    Bump,
    Scan,
    Scans,
    Sculpting,
    Variation,
    Variations,
    WorkingPoint,
)

Floats = NDArray[np.float64]

KEEP_LOW = ("ip3d", "iso03", "iso04", "jetiso", "deltapT", "dxy", "dz")
"""Variables whose small values are kept by a cut; of all others the large ones."""
KEEP_CENTRAL = ("eta",)
"""Variables whose values near zero are kept."""
SCULPTING_RATES = (0.1, 0.01)


class HuntConfig(Config):
    """What the hunts depend on; the first hypothesis is the nominal one."""

    features: list[str]
    range: tuple[float, float]
    window: tuple[float, float]
    hypotheses: list[tuple[int, int]]
    rates: list[float]
    working_point: float
    toys: int
    retrain: bool
    seed: int


@dataclass(frozen=True)
class Hunter:
    """The searched pairs and the fit that is done behind every cut."""

    pairs: Pairs
    binning: HuntBinning
    degree: int

    def behind(self, score: Floats, rates: Sequence[float]) -> tuple[list[float], HuntBatch]:
        """Hunt behind the cuts on a score that let these fractions of the sidebands pass."""
        cuts = [cut_at(rate, score[~self.pairs.in_window]) for rate in rates]
        spectra = [self.binning.count(self.pairs.mass[score >= cut]) for cut in cuts]
        return cuts, fit_batch(Spectrum.stack(spectra), self.degree)

    def scan(self, method: str, score: Floats, rates: Sequence[float]) -> Scan:
        """The hunts behind cuts of falling rate."""
        cuts, batch = self.behind(score, rates)
        passing = [int((score >= cut).sum()) for cut in cuts]
        return Scan(method, tuple(bump(batch, i, rate, passing[i]) for i, rate in enumerate(rates)))


def cut_at(rate: float, sidebands: Floats) -> float:
    """The score that lets a fraction of the sideband events pass; all of them need no cut."""
    return threshold_at_fpr(sidebands, rate) if rate < 1 else -math.inf


def bump(batch: HuntBatch, index: int, rate: float, events: int) -> Bump:
    """One hunt of a batch as a result value."""
    z = float(batch.z[index])
    return Bump(
        rate=rate,
        events=events,
        n_window=int(batch.n_window[index]),
        signal=_quantity(batch.signal[index], batch.signal_error[index]),
        background=_quantity(batch.background[index], batch.background_error[index]),
        q0=float(batch.q0[index]),
        z_local=z,
        p_local=float(p_from_z(z)),
        status=str(batch.status(index)),
    )


def _quantity(value: float, error: float) -> Quantity:
    return Quantity(float(value), float(error), float(error), "events")


def run(context: Context) -> dict[str, Any]:
    """All hunts of the analysis."""
    config: HuntConfig = context.config
    everything = read_pairs(context.path("pairs"), config.features, config.window)
    rank, probability = (
        read_scores(context.path("scores"), f"{kind}_{hypothesis_name(*config.hypotheses[0])}")
        for kind in ("rank", "probability")
    )
    degree, bins = config.hypotheses[0]
    searched = ~everything.control
    binning = HuntBinning(config.range, config.window, bins)
    hunter = Hunter(everything[searched], binning, degree)
    point = working_point(hunter, everything, rank, config)
    scans = Scans(
        tuple(_scans(hunter, rank[searched], config, context)),
        control=control_scan(hunter, everything, rank, config.rates),
        reweighted=reweighted(hunter, probability[searched]),
    )
    context.summary(
        f"Z = {point.hunt.z_local:.1f} local at FPR {config.working_point:g} · "
        f"control {point.control.z_local:.1f}"
    )
    return {
        "working_point": point,
        "scans": scans,
        "variations": _variations(hunter.pairs, searched, context),
        "sculpting": _sculpting(hunter, rank[searched]),
    }


def working_point(
    hunter: Hunter, everything: Pairs, rank: Floats, config: HuntConfig
) -> WorkingPoint:
    """The pre-declared cut: the hunt behind it, its toys, and the control of the other sign."""
    searched = ~everything.control
    cut = cut_at(config.working_point, rank[searched & ~everything.in_window])
    passing = rank >= cut
    spectra = [
        hunter.binning.count(everything.mass[passing & sign]) for sign in (searched, ~searched)
    ]
    seed = library_seed(config.seed, "hunt", "toys")
    return WorkingPoint(
        rate=config.working_point,
        cut=cut,
        events=int((passing & searched).sum()),
        hunt=bump_hunt(spectra[0], hunter.degree, n_toys=config.toys, seed=seed),
        control_events=int((passing & ~searched).sum()),
        control=bump_hunt(spectra[1], hunter.degree),
    )


def reweighted(hunter: Hunter, probability: Floats) -> Bump:
    """The hunt in all events, weighted by the ratio of signal to background density."""
    inclusive = fit_batch(Spectrum.stack([hunter.binning.count(hunter.pairs.mass)]), hunter.degree)
    fraction = float(inclusive.signal[0] / inclusive.n_window[0])
    if not fraction > 0:
        return bump(inclusive, 0, 1.0, len(hunter.pairs))
    weights = likelihood_ratio_weights(probability, fraction)
    spectrum = hunter.binning.count(hunter.pairs.mass, weights)
    return bump(fit_batch(Spectrum.stack([spectrum]), hunter.degree), 0, 1.0, len(hunter.pairs))


def feature_score(name: str, values: Floats) -> Floats:
    """A feature turned so that large values are kept, as a cut by hand would keep them."""
    kind = name.rpartition("_")[2]
    if kind in KEEP_LOW:
        return -np.abs(values)
    return -np.abs(values) if kind in KEEP_CENTRAL else values


def _scans(hunter: Hunter, rank: Floats, config: HuntConfig, context: Context) -> list[Scan]:
    scans = [hunter.scan("classifier", rank, config.rates)]
    for index, name in enumerate(config.features):
        score = feature_score(name, hunter.pairs.features[:, index])
        scans.append(hunter.scan(name, score, config.rates))
    random = context.rng("random cut").random(len(hunter.pairs))
    return [*scans, hunter.scan("random", random, config.rates)]


def control_scan(hunter: Hunter, everything: Pairs, rank: Floats, rates: Sequence[float]) -> Scan:
    """Pairs of the other sign behind the cuts that the searched sidebands define."""
    searched = ~everything.control
    cuts, _ = hunter.behind(rank[searched], rates)
    spectra = [hunter.binning.count(everything.mass[~searched & (rank >= cut)]) for cut in cuts]
    batch = fit_batch(Spectrum.stack(spectra), hunter.degree)
    passing = [int((~searched & (rank >= cut)).sum()) for cut in cuts]
    points = tuple(bump(batch, i, rate, passing[i]) for i, rate in enumerate(rates))
    return Scan("classifier on the control", points)


def _variations(pairs: Pairs, searched: NDArray[np.bool_], context: Context) -> Variations:
    """Every degree and number of bins: fitted again on the nominal scores, and trained again."""
    config: HuntConfig = context.config
    nominal = hypothesis_name(*config.hypotheses[0])
    variations = []
    for degree, bins in config.hypotheses:
        hunter = Hunter(pairs, HuntBinning(config.range, config.window, bins), degree)
        for retrained in (False, True) if config.retrain else (False,):
            name = hypothesis_name(degree, bins) if retrained else nominal
            score = read_scores(context.path("scores"), f"rank_{name}")[searched]
            point = hunter.scan("classifier", score, [config.working_point]).points[0]
            scan = hunter.scan("classifier", score, config.rates)
            variations.append(Variation(degree, bins, retrained, point, scan))
    return Variations(tuple(variations))


def passing_against_failing(hunter: Hunter, rank: Floats, rate: float) -> KsResult:
    """Whether a cut changes the shape of the sidebands' mass."""
    beside = ~hunter.pairs.in_window
    mass, score = hunter.pairs.mass[beside], rank[beside]
    passing = score >= cut_at(rate, score)
    return ks_two_sample(mass[passing], mass[~passing])


def _sculpting(hunter: Hunter, rank: Floats) -> Sculpting:
    tests = [passing_against_failing(hunter, rank, rate) for rate in SCULPTING_RATES]
    return Sculpting(
        SCULPTING_RATES,
        tuple(test.statistic for test in tests),
        tuple(test.p_value for test in tests),
    )
