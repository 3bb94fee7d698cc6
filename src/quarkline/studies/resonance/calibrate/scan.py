"""Stage `calibrate`: what the whole scan gives when there is no signal.

Toys are drawn from a large sample of generated background, scored once by the frozen classifiers:
a toy is a Poisson number in every cell of (score interval, mass bin), so the nested cuts of a scan
share their events as they do in data. The expectation of a score interval is a fit to the sample
with a polynomial that is richer than the one hunted with: it keeps a shape that the cut makes and
leaves out the sample's own fluctuations, which all toys would share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from quarkline.engine.core.results import Quantity
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import (
    HuntBatch,
    Spectrum,
    fit_batch,
    global_significance,
    p_from_z,
    trials_factor,
    z_from_p,
)
from quarkline.studies.resonance.calibrate.data import CalibrationConfig, CalibrationData, Floats
from quarkline.studies.resonance.calibration_results import Calibration
from quarkline.studies.resonance.results import Scans

FEWEST = 8
"""Fewest toys with q0 > 0 for which uniformity is tested."""
TRIALS_AT = tuple(float(z) for z in np.arange(0.5, 5.01, 0.25))
"""Local significances at which the trials factor is measured."""


class ScanToysConfig(CalibrationConfig):
    """What the toys depend on."""

    rates: list[float]
    toys: int


def run(context: Context) -> dict[str, Any]:
    """Draw the toys, hunt in them behind every cut, and compare the data's best point."""
    config: ScanToysConfig = context.config
    data = CalibrationData(context)
    sample = background_cells(data, config.rates)
    expected = data.scale * data.smooth(sample)
    draws = context.rng("toys").poisson(expected, (config.toys, *expected.shape))
    toys = Spectrum.from_cells(data.binning, nested(draws.astype(np.float64)))
    hunts = fit_batch(toys, data.degree, workers=context.conditions.workers)
    z: Floats = np.asarray(hunts.z, dtype=np.float64)
    np.save(context.out / "z_toys.npy", z)
    spurious = fit_batch(Spectrum.from_cells(data.binning, nested(sample[None])[0]), data.degree)
    result = summarise(z, context.result("scans", Scans), spurious, data.scale)
    context.summary(
        f"{config.toys} toys · best point of the scan Z = {result.best.z_local:.1f} local, "
        f"{result.z_global:.1f} global"
    )
    return {
        "calibration": result,
        "trials": trials_factor(z, TRIALS_AT),
        "z_toys": context.out / "z_toys.npy",
    }


def background_cells(data: CalibrationData, rates: list[float]) -> Floats:
    """Generated background in cells of (cut, mass bin).

    Row i holds the events that pass cut i and not the next tighter one, loosest cut first.
    """
    passing = np.stack([spectrum.cells for spectrum in data.pool_spectra(rates)])
    return np.asarray(passing - np.concatenate([passing[1:], np.zeros_like(passing[:1])]))


def nested(cells: Floats) -> Floats:
    """Rows of (toys, cuts, bins), loosest first, summed from the tightest: what each cut keeps."""
    return np.cumsum(cells[:, ::-1], axis=1)[:, ::-1]


def summarise(z: Floats, scans: Scans, spurious: HuntBatch, scale: float) -> Calibration:
    """One result from the toys' significances (toys, cuts), the scan, and the sample's own hunt."""
    points = scans.scans[0].points
    best = global_significance([point.z_local for point in points], z)
    return Calibration(
        toys=len(z),
        rates=tuple(point.rate for point in points),
        zero_fraction=tuple(float((column == 0).mean()) for column in z.T),
        ks_p_value=tuple(uniformity(column) for column in z.T),
        spurious=tuple(
            Quantity(float(signal) * scale, float(error) * scale, float(error) * scale, "events")
            for signal, error in zip(spurious.signal, spurious.signal_error, strict=True)
        ),
        best=best,
        z_bound=max(0.0, float(z_from_p(min(0.5, len(points) * best.p_local)))),
    )


def uniformity(z: Floats) -> float:
    """K-S p-value that the p-values of toys with q0 > 0 are uniform in (0, 1/2); NaN if too few."""
    above = z[z > 0]
    if len(above) < FEWEST:
        return float("nan")
    return float(stats.kstest(2 * p_from_z(above), "uniform").pvalue)
