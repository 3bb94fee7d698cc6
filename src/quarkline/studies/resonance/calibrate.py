"""Stage `calibrate`: what the whole search gives when there is no signal.

Toys are drawn from a large sample of generated background, scored once by the frozen classifiers:
a toy is a Poisson number in every cell of (score interval, mass bin), so the nested cuts of a scan
share their events as they do in data. The expectation of a score interval is a fit to the sample
with a polynomial that is `EXTRA_DEGREES` richer than the one hunted with: it keeps a shape that the
cut makes and leaves out the sample's own fluctuations, which all toys would share.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Quantity
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import (
    HuntBatch,
    HuntBinning,
    Spectrum,
    expected_background,
    fit_batch,
    global_significance,
    p_from_z,
    z_from_p,
)
from quarkline.studies.resonance.classify import read_scores
from quarkline.studies.resonance.events import read_masses, read_pairs
from quarkline.studies.resonance.generate import hypothesis_name
from quarkline.studies.resonance.hunt import cut_at
from quarkline.studies.resonance.results import Calibration, Scans

Floats = NDArray[np.float64]

EXTRA_DEGREES = 2
FEWEST = 8
"""Fewest toys with q0 > 0 for which uniformity is tested."""


class CalibrateConfig(Config):
    """What the toys depend on; the first hypothesis is the nominal one."""

    features: list[str]
    range: tuple[float, float]
    window: tuple[float, float]
    hypothesis: tuple[int, int]
    rates: list[float]
    toys: int
    seed: int


def run(context: Context) -> dict[str, Any]:
    """Draw the toys, hunt in them behind every cut, and compare the data's best point."""
    config: CalibrateConfig = context.config
    degree, bins = config.hypothesis
    binning = HuntBinning(config.range, config.window, bins)
    sample, scale = background_cells(context, binning)
    expected = scale * smooth(sample, binning, degree + EXTRA_DEGREES)
    draws = context.rng("toys").poisson(expected, (config.toys, *expected.shape))
    toys = Spectrum.from_cells(binning, nested(draws.astype(np.float64)))
    z: Floats = np.asarray(fit_batch(toys, degree, workers=context.conditions.workers).z, float)
    np.save(context.out / "z_toys.npy", z)
    spurious = fit_batch(Spectrum.from_cells(binning, nested(sample[None])[0]), degree)
    result = summarise(z, context.result("scans", Scans), spurious, scale)
    context.summary(
        f"{config.toys} toys · best point of the scan Z = {result.best.z_local:.1f} local, "
        f"{result.z_global:.1f} global"
    )
    return {"calibration": result, "z_toys": context.out / "z_toys.npy"}


def background_cells(context: Context, binning: HuntBinning) -> tuple[Floats, float]:
    """Generated background in cells of (cut, mass bin), and what makes it the data's size.

    Row i holds the events that pass cut i and not the next tighter one, loosest cut first.
    """
    config: CalibrateConfig = context.config
    pairs = read_pairs(context.path("pairs"), config.features, config.window)
    searched = ~pairs.control
    name = f"rank_{hypothesis_name(*config.hypothesis)}"
    rank, data = read_scores(context.path("scores"), name)[searched], pairs[searched]
    cuts = [cut_at(rate, rank[~data.in_window]) for rate in config.rates]
    mass = read_masses(context.path("pool"))
    score = read_scores(context.path("pool_scores"), "rank")
    passing = np.stack([binning.count(mass[score >= cut]).cells for cut in cuts])
    rows = passing - np.concatenate([passing[1:], np.zeros_like(passing[:1])])
    return rows, float(
        binning.count(data.mass).sidebands.sum() / binning.count(mass).sidebands.sum()
    )


def smooth(rows: Floats, binning: HuntBinning, degree: int) -> Floats:
    """Each row's fit with a polynomial over sidebands and window, with the shape of `rows`."""
    spectra = (Spectrum.from_cells(binning, row) for row in rows)
    return np.stack([expected_background(spectrum, degree).cells for spectrum in spectra])


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
