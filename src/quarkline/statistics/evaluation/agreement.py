"""Whether simulated inputs have the distributions of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Floats, Indices
from quarkline.statistics.evaluation.events import (
    Groups,
    effective_number,
    grouped_variance,
    summed,
)
from quarkline.statistics.evaluation.stack import HistStack, WeightedSample, hist_stack
from quarkline.statistics.ks import KsResult, ks_two_sample

LEAST, EFFECTIVE = 5.0, 20.0
"""Data events expected in a bin of chi2, and effective number of simulated ones behind it."""


@dataclass(frozen=True)
class FeatureAgreement:
    """One feature in data and simulation, simulation scaled to the data.

    Attributes:
        name: The feature.
        chi2: Over bins, with "no value" and "outside" as bins of their own.
        ndf: Compared bins less one.
        p_chi2: Probability of such a chi2 or a larger one.
        ks: Kolmogorov-Smirnov test of the values that exist, with effective numbers of groups.
        missing_data: Share of data without a value.
        missing_simulation: Share of simulation without one.
        stack: What is drawn.
    """

    name: str
    chi2: float
    ndf: int
    p_chi2: float
    ks: KsResult
    missing_data: float
    missing_simulation: float
    stack: HistStack


@dataclass(frozen=True)
class Agreement(Result, kind="agreement"):
    """All features, the worst agreement first.

    Attributes:
        features: By rising p-value of chi2.
        scale: Data over expected events, with statistical errors of both: by what simulation is
            scaled for the tests, not in the stacks.
    """

    features: tuple[FeatureAgreement, ...]
    scale: Quantity


def feature_agreement(
    data: Mapping[str, WeightedSample],
    samples: Mapping[str, Mapping[str, WeightedSample]],
    *,
    edges: Mapping[str, ArrayLike] | None = None,
    signal: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
) -> Agreement:
    """Compare every feature in data with the sum of samples, scaled to the data.

    chi2 is the sum over bins of (n - m)^2 / (m + sigma_m^2), m the scaled expectation and sigma_m
    the statistical error of the simulation with values of a group as one. A bin that expects less
    than 5 data, or rests on less than 20 effective simulated events, joins its upper neighbour:
    with fewer of them p-values come out too small.

    Args:
        data: Data by feature.
        samples: Simulated samples by name, each by feature.
        edges: Bins by feature; the others get 30 equal bins, or one a value for up to 30 integers.
        signal: Names of samples that are signal, for the drawing.
        labels: Name and unit of the features' axes; by default their names.
    """
    found = [
        _compared(
            name,
            data[name],
            {sample: features[name] for sample, features in samples.items()},
            (edges or {}).get(name),
            tuple(signal),
            (labels or {}).get(name, name),
        )
        for name in data
    ]
    ordered = sorted(found, key=lambda row: (not row.p_chi2 >= 0.0, row.p_chi2, -row.chi2))
    first = next(iter(data), None)
    parts = [] if first is None else [features[first].arrays for features in samples.values()]
    count = 0 if first is None else len(data[first].arrays[0])
    return Agreement(tuple(ordered), _scale(count, parts))


def default_edges(values: Sequence[Floats], *, bins: int = 30) -> Floats:
    """One bin a value for few integers, else equal bins without the outermost 0.5 % on each side.

    Args:
        values: Arrays of values, NaN where there is none.
        bins: Most integers, or number of equal bins.
    """
    every = np.concatenate([*values, np.empty(0)])
    every = every[np.isfinite(every)]
    if not every.size:
        return np.array([0.0, 1.0])
    low, high = float(every.min()), float(every.max())
    if high - low < bins and (every == np.round(every)).all():
        return np.arange(low - 0.5, high + 1.0)
    low, high = (float(edge) for edge in np.quantile(every, [0.005, 0.995]))
    if high - low <= 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, bins + 1)


def _together(
    parts: Sequence[tuple[Floats, Floats, Groups]],
) -> tuple[Floats, Floats, Groups]:
    """Values, weights and groups of several samples as one."""
    values, weights, groups = ([part[place] for part in parts] for place in range(3))
    return (
        np.concatenate([*values, np.empty(0)]),
        np.concatenate([*weights, np.empty(0)]),
        np.concatenate([*groups, np.empty(0, np.uint64)]),
    )


def _scale(count: int, parts: Sequence[tuple[Floats, Floats, Groups]]) -> Quantity:
    _, weight, group = _together(parts)
    expected = float(weight.sum())
    if not expected > 0.0 or not count:
        return Quantity(np.nan)
    value = count / expected
    error = value * float(np.sqrt(1.0 / count + 1.0 / effective_number(weight, group)))
    return Quantity(value, error, error)


def _compared(
    name: str,
    data: WeightedSample,
    samples: Mapping[str, WeightedSample],
    edges: ArrayLike | None,
    signal: tuple[str, ...],
    label: str,
) -> FeatureAgreement:
    seen, parts = data.arrays, [sample.arrays for sample in samples.values()]
    chosen = default_edges([seen[0], *(part[0] for part in parts)]) if edges is None else edges
    cells = np.asarray(chosen, dtype=np.float64)
    values, weight, group = _together(parts)
    chi2, ndf = _chi2(seen[0], (values, weight, group), cells)
    known, there = ~np.isnan(seen[0]), ~np.isnan(values)
    total = float(weight.sum())
    return FeatureAgreement(
        name,
        chi2,
        ndf,
        float(special.gammaincc(ndf / 2.0, chi2 / 2.0)) if ndf else np.nan,
        ks_two_sample(
            seen[0][known],
            values[there],
            second_weight=weight[there],
            effective=(float(known.sum()), effective_number(weight[there], group[there])),
        ),
        float((~known).mean()) if known.size else np.nan,
        float(weight[~there].sum()) / total if total > 0.0 else np.nan,
        hist_stack(label, samples, cells, signal=signal, data=data),
    )


def _chi2(
    seen: Floats, simulated: tuple[Floats, Floats, Groups], edges: Floats
) -> tuple[float, int]:
    """Distance of data from simulation scaled to them, and its degrees of freedom."""
    values, weight, group = simulated
    count = edges.size + 2
    places = [_places(array, edges) for array in (seen, values)]
    data = summed(np.ones(seen.size), places[0], count)
    expected = summed(weight, places[1], count)
    variance = grouped_variance(weight, group, places[1], count)
    if not (expected.sum() > 0.0 and data.sum() > 0.0):
        return np.nan, 0
    scale = data.sum() / expected.sum()
    bins = _joined(data, scale * expected, scale**2 * variance)
    if len(bins) < 2:
        return np.nan, 0
    n, m, error = bins.T
    return float(((n - m) ** 2 / (m + error)).sum()), len(bins) - 1


def _places(values: Floats, edges: Floats) -> Indices:
    """Bin of each value: below, inside, above, then a bin for none."""
    found = np.searchsorted(edges, values, side="right")
    found = np.where(values == edges[-1], edges.size - 1, found)
    return np.where(np.isnan(values), edges.size + 1, found).astype(np.intp)


def _joined(data: Floats, expected: Floats, variance: Floats) -> Floats:
    """Rows (n, m, variance) of bins with enough expected; what is too little joins the next."""
    rows, held = [], np.zeros(3)
    for row in np.stack([data, expected, variance], axis=1):
        held = held + row
        if held[1] >= LEAST and held[1] ** 2 >= EFFECTIVE * held[2]:
            rows.append(held)
            held = np.zeros(3)
    if rows:
        rows[-1] = rows[-1] + held
    return np.array(rows).reshape(-1, 3)
