"""How well data and simulation agree in each output of a tagger and bin of jet pT (K-S tests)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Result
from quarkline.engine.core.rng import rng
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.ks import asymptotic_p, effective_size
from quarkline.statistics.significance import tail_fraction
from quarkline.statistics.tagging.classes import OUTPUTS, finite_rows

ALL = "all"
PT_EDGES = (0.0, 125.0, 250.0, 500.0)
"""Edges of the bins in GeV: 0.25 and 0.5 of jets scaled to 500 GeV."""
THREE_BINS = ("lowPt", "midPt", "highPt")
ROUNDING = 1e-9
CELLS_AT_ONCE = 2**21
"""Permutations times jets that are held in memory: 16 MB a copy."""
Bin = tuple[Bools, float | None, float | None]
"""Jets of a bin, and its edges in GeV."""


@dataclass(frozen=True)
class OutputKs:
    """Data against simulation in one output and bin.

    Attributes:
        output: "qcd", "sig" or "bib".
        region: Name of the bin; "all" for jets of any pT.
        low: Lower edge of the bin in GeV; None for an open end.
        high: Upper edge in GeV, part of the last bin only; None for an open end.
        status: "ok", or why there is no test.
        statistic: Largest distance of the weighted cumulative distributions.
        p_value: Share of permutations with such a distance; NaN without permutations.
        p_asymptotic: From Kolmogorov's distribution with the effective sizes.
        jets: Number of jets of simulation and of data.
        effective: Effective sizes (sum w)^2 / sum w^2 of simulation and of data.
    """

    output: str
    region: str
    low: float | None
    high: float | None
    status: str
    statistic: float
    p_value: float
    p_asymptotic: float
    jets: tuple[int, int]
    effective: tuple[float, float]


@dataclass(frozen=True)
class KsSummary:
    """One number of several tests, and what it is without a difference.

    Attributes:
        name: The output whose distances are added over the bins, or "worst".
        value: The sum, or the largest distance of any output and bin.
        p_value: Share of permutations with such a value; NaN without permutations.
        expected: Median over the permutations: the floor set by the number of jets.
        limit: What 95 % of the permutations stay below.
    """

    name: str
    value: float
    p_value: float
    expected: float
    limit: float


@dataclass(frozen=True)
class OutputAgreement(Result, kind="output-agreement"):
    """K-S tests of all outputs, in all jets and in bins of jet pT.

    Attributes:
        tests: Output by output: all jets, then each bin.
        sums: Of each output, the distances added over the bins that have jets of both kinds.
        worst: The largest distance of all outputs and bins.
        outside: Jets in no bin.
        permutations: Number of permutations.
    """

    tests: tuple[OutputKs, ...]
    sums: tuple[KsSummary, ...]
    worst: KsSummary
    outside: int
    permutations: int

    def test(self, output: str, region: str = ALL) -> OutputKs:
        """The test of one output and bin."""
        return next(one for one in self.tests if (one.output, one.region) == (output, region))

    @property
    def worst_test(self) -> OutputKs | None:
        """The test in a bin with the largest distance; None if there is none."""
        tested = [one for one in self.tests if one.region != ALL and one.status == "ok"]
        return max(tested, key=lambda one: one.statistic, default=None)


def output_agreement(
    scores: ArrayLike,
    is_data: ArrayLike,
    weight: ArrayLike,
    jet_pt: ArrayLike,
    *,
    edges: Sequence[float] = PT_EDGES,
    permutations: int = 0,
    seed: int = 1,
    lost_boundaries: bool = False,
) -> OutputAgreement:
    """Test whether data and simulation have one distribution of each output.

    A bin [low, high) holds its lower edge; the last holds its upper edge, too. A permutation deals
    the outputs of the jets of a bin anew to its jets, which keep their kind and weight. So each
    side keeps its effective size, also where data and simulation are of different number; an
    exchange of weighted jets between the two does not. The three outputs of a jet stay together.
    The order of the jets changes nothing, to the last bit.

    Args:
        scores: Outputs, with shape (N, 3).
        is_data: Whether a jet is data, with shape (N,).
        weight: Weights, with shape (N,); their scale does not matter.
        jet_pt: In GeV, with shape (N,).
        edges: Rising edges of the bins in GeV.
        permutations: Number of permutations; 0 for asymptotic p-values only.
        seed: Seed of the permutations.
        lost_boundaries: Bins as upstream's: open ones, below the second edge, between edges, above
            the last but one. Jets at an edge are in none.
    """
    outputs = np.asarray(scores, dtype=np.float64).reshape(-1, len(OUTPUTS))
    side, weights = np.asarray(is_data, dtype=np.bool_), np.asarray(weight, dtype=np.float64)
    order = np.lexsort((side, weights, *outputs.T))
    outputs, side, weights = outputs[order], side[order], weights[order]
    bins = _bins(
        np.asarray(jet_pt, dtype=np.float64)[order], edges, lost_boundaries=lost_boundaries
    )
    regions: dict[str, Bin] = {ALL: (np.ones(side.size, np.bool_), None, None), **bins}
    tested = {
        name: _tested(
            outputs[rows],
            side[rows],
            weights[rows],
            permutations,
            rng(seed, "output-agreement", name),
        )
        for name, (rows, _, _) in regions.items()
    }
    tests = tuple(
        _row(output, name, *regions[name][1:], tested[name], place)
        for place, output in enumerate(OUTPUTS)
        for name in regions
    )
    stacked = [tested[name] for name in bins if tested[name].status == "ok"]
    if not stacked:
        nothing = np.full((permutations + 1, len(OUTPUTS)), np.nan)
        added, worst = nothing, nothing[:, 0]
    else:
        distances = np.stack([region.distances for region in stacked])
        added, worst = distances.sum(axis=0), distances.max(axis=(0, 2))
    sums = tuple(_summary(name, added[:, place]) for place, name in enumerate(OUTPUTS))
    inside = sum(int(rows.sum()) for rows, _, _ in bins.values())
    return OutputAgreement(tests, sums, _summary("worst", worst), side.size - inside, permutations)


def bin_names(edges: Sequence[float]) -> tuple[str, ...]:
    """Names of the bins: upstream's three, or `pt0-125` where there are more or fewer."""
    if len(edges) == len(THREE_BINS) + 1:
        return THREE_BINS
    return tuple(f"pt{low:g}-{high:g}" for low, high in pairwise(edges))


def bin_rows(jet_pt: ArrayLike, edges: Sequence[float]) -> dict[str, Bools]:
    """Which jets each bin holds; the upper edge belongs to the last bin.

    Args:
        jet_pt: In GeV, with shape (N,).
        edges: Rising edges of the bins in GeV.
    """
    bins = _bins(np.asarray(jet_pt), edges, lost_boundaries=False)
    return {name: rows for name, (rows, _, _) in bins.items()}


def _bins(jet_pt: Floats, edges: Sequence[float], *, lost_boundaries: bool) -> dict[str, Bin]:
    names = bin_names(edges)
    if lost_boundaries:
        ends = [-np.inf, *edges[1:-1], np.inf]
        open_bins = zip(names, ends[:-1], ends[1:], strict=True)
        return {
            name: ((jet_pt > low) & (jet_pt < high), _finite(low), _finite(high))
            for name, low, high in open_bins
        }
    place = np.searchsorted(edges, jet_pt, side="right") - 1
    place = np.where(jet_pt == edges[-1], len(names) - 1, place)
    return {
        name: (np.asarray(place == number), float(edges[number]), float(edges[number + 1]))
        for number, name in enumerate(names)
    }


def _finite(edge: float) -> float | None:
    return float(edge) if np.isfinite(edge) else None


@dataclass(frozen=True)
class _Tested:
    """A bin: distances (permutations + 1, outputs) with the observed one first."""

    status: str
    distances: Floats
    jets: tuple[int, int]
    effective: tuple[float, float]


def _tested(
    outputs: Floats, side: Bools, weight: Floats, permutations: int, draw: np.random.Generator
) -> _Tested:
    jets = (int((~side).sum()), int(side.sum()))
    effective = (effective_size(weight[~side]), effective_size(weight[side]))
    status = _status(outputs, side, weight)
    if status != "ok":
        return _Tested(status, np.full((permutations + 1, len(OUTPUTS)), np.nan), jets, effective)
    signed = np.where(side, weight / weight[side].sum(), -weight / weight[~side].sum())
    found = [_distances(outputs, signed[:, None])]
    at_once = max(1, CELLS_AT_ONCE // signed.size)
    for start in range(0, permutations, at_once):
        dealt = np.tile(signed, (min(at_once, permutations - start), 1))
        draw.permuted(dealt, axis=1, out=dealt)
        found.append(_distances(outputs, np.ascontiguousarray(dealt.T)))
    return _Tested("ok", np.concatenate(found), jets, effective)


def _distances(outputs: Floats, dealt: Floats) -> Floats:
    """Largest distances (P, outputs) of signed shares (N, P) dealt to the jets; ties are one."""
    found = np.empty((dealt.shape[1], outputs.shape[1]))
    for place, output in enumerate(outputs.T):
        order = np.argsort(output, kind="stable")
        values = output[order]
        sums = dealt[order].cumsum(axis=0)[np.append(values[1:] > values[:-1], True)]
        found[:, place] = np.maximum(sums.max(axis=0), -sums.min(axis=0))
    return found


def _status(outputs: Floats, side: Bools, weight: Floats) -> str:
    for name, rows in (("simulation", ~side), ("data", side)):
        if not rows.any():
            return f"no jets of {name}"
        if not weight[rows].sum() > 0.0:
            return f"the weights of {name} do not add up to more than zero"
    bad = int((~finite_rows(outputs)).sum())
    return f"outputs of {bad} jets are not finite" if bad else "ok"


def _row(
    output: str,
    region: str,
    low: float | None,
    high: float | None,
    tested: _Tested,
    place: int,
) -> OutputKs:
    distances = tested.distances[:, place]
    statistic, ok = float(distances[0]), tested.status == "ok"
    return OutputKs(
        output,
        region,
        low,
        high,
        tested.status,
        statistic,
        _p_value(distances),
        asymptotic_p(statistic, *tested.effective) if ok else np.nan,
        tested.jets,
        tested.effective,
    )


def _p_value(values: Floats) -> float:
    """Share of the permuted values that reach the first one."""
    if values.size < 2 or np.isnan(values[0]):
        return float("nan")
    reached = int((values[1:] >= values[0] * (1.0 - ROUNDING)).sum())
    return tail_fraction(reached, values.size - 1).value


def _summary(name: str, values: Floats) -> KsSummary:
    permuted = values[1:] if values.size > 1 else np.array([np.nan])
    expected, limit = np.quantile(permuted, (0.5, 0.95))
    return KsSummary(name, float(values[0]), _p_value(values), float(expected), float(limit))
