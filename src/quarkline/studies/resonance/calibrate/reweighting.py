"""Stage `reweight`: the p-value of the hunt in reweighted events, by toys.

A toy is a Poisson number in every cell of (score interval, mass bin) of generated background. It
gets its own signal fraction and weights, as the data did. The intervals are equal shares of the
sample, and the highest of them, where weights are large, is divided again in ever smaller shares.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import (
    PValueRow,
    binomial_interval,
    fit_batch,
    likelihood_ratio_weights,
    p_value_rows,
    reweighted_hunts,
    tail_fraction,
    z_from_p,
)
from quarkline.studies.resonance.calibrate.data import CalibrationConfig, CalibrationData, Floats
from quarkline.studies.resonance.calibration_results import Reweighting
from quarkline.studies.resonance.results import Scans

INTERVALS, HIGHEST_INTERVALS = 40, 20
SMALLEST_SHARE = 1e-4
FEWEST_EVENTS = 20
"""Fewest generated events in an interval."""
COMPARED_AT = (1.0, 2.0, 3.0)
TWO_SIGMA = 0.9544997361036416


class ReweightConfig(CalibrationConfig):
    """What the toys depend on."""

    toys: int


def run(context: Context) -> dict[str, Any]:
    """Draw the toys, and put the data among them."""
    config: ReweightConfig = context.config
    data = CalibrationData(context)
    generated = data.pool_score("probability")
    edges = interval_edges(generated)
    place = np.searchsorted(edges, generated, side="right")
    number = len(edges) + 1
    score: Floats = np.bincount(place, generated) / np.bincount(place)
    counted = [data.binning.count(data.pool_mass[place == i]).cells for i in range(number)]
    rows: Floats = np.stack(counted).astype(np.float64)
    toys = reweighted_hunts(
        data.scale * data.smooth(rows),
        score,
        data.binning,
        data.degree,
        config.toys,
        seed=library_seed(config.seed, "reweight"),
        workers=context.conditions.workers,
    )
    observed = context.result("scans", Scans).reweighted.z_local
    in_cells = z_in_cells(data, edges, score)
    z: Floats = np.asarray(toys.weighted, dtype=np.float64)
    result = summarise(z, observed, in_cells, number)
    np.save(context.out / "z_reweighted.npy", z)
    context.summary(
        f"{config.toys} toys · Z = {observed:.1f} asymptotic, "
        f"{'' if result.resolved else 'at least '}{result.z_toys:.1f} by toys"
    )
    return {"reweighting": result, "z_reweighted": context.out / "z_reweighted.npy"}


def interval_edges(score: Floats) -> Floats:
    """Inner edges of the intervals of a score, so that each holds some of these events."""
    smallest = max(SMALLEST_SHARE, FEWEST_EVENTS / len(score))
    equal = np.arange(1, INTERVALS) / INTERVALS
    highest = 1 - np.geomspace(1 / INTERVALS, smallest, HIGHEST_INTERVALS + 1)[1:]
    edges = np.unique(np.quantile(score, np.concatenate([equal, highest]), method="higher"))
    return np.asarray(edges[edges > score.min()])


def z_in_cells(data: CalibrationData, edges: Floats, score: Floats) -> float:
    """The data's significance with one weight an interval, as the toys have; 0 without excess."""
    plain = fit_batch(data.binning.count(data.pairs.mass), data.degree)
    fraction = float(plain.signal / plain.n_window)
    if not fraction > 0:
        return 0.0
    own = score[np.searchsorted(edges, data.score("probability"), side="right")]
    weights = likelihood_ratio_weights(own, fraction)
    return float(fit_batch(data.binning.count(data.pairs.mass, weights), data.degree).z)


def summarise(z: Floats, observed: float, in_cells: float, intervals: int) -> Reweighting:
    """One result from the toys' significances, NaN where a fit failed, and the data's."""
    known = z[~np.isnan(z)]
    rows = p_value_rows(known, COMPARED_AT)
    exceeding = int((known >= observed).sum())
    p_toys = tail_fraction(exceeding, known.size)
    return Reweighting(
        toys=known.size,
        failed=z.size - known.size,
        intervals=intervals,
        zero_fraction=float((known == 0).mean()),
        rows=rows,
        agrees=all(agrees(row, known.size) for row in rows),
        z_local=observed,
        z_cells=in_cells,
        n_exceeding=exceeding,
        p_toys=p_toys,
        z_toys=max(float(z_from_p(p_toys.value)), 0.0),
    )


def agrees(row: PValueRow, toys: int) -> bool:
    """Whether the asymptotic p-value lies in the 95.4 % interval of the toys' fraction."""
    low, high = binomial_interval(row.p_toys.value * toys, toys, TWO_SIGMA)
    return bool(low <= row.p_asymptotic <= high)
