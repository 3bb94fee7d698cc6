"""What toys say of the fits: linearity and coverage, trials, and the reweighted hunt's p-value.

    python benchmarks/calibration.py [CONFIG] [--toys 20000] [--experiments 0]

The injection is repeated on smooth spectra with 1500, 150, 15 and 5 background events in the
window. CONFIG is the config of a resonance study with its events; without one, that of `make
demo`. Its calibrations run again with more toys, on the flows and classifiers that are there.
`--experiments` adds pseudo-experiments through the whole chain, with built-in signal, so many a
strength.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import cast

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.engine.workflow.runs import Run
from quarkline.statistics import (
    HuntBinning,
    InjectionTest,
    Spectrum,
    TrialsFactor,
    fit_batch,
    gaussian_signal,
    hunt_model,
    injection_test,
    likelihood_ratio_weights,
    p_value_rows,
    predicted_background,
)
from quarkline.statistics.batch import hunt_chunk
from quarkline.statistics.rates import Counts
from quarkline.studies.resonance.calibrate.reweighting import interval_edges
from quarkline.studies.resonance.calibration_results import ChainPower, Reweighting
from quarkline.studies.resonance.classify import read_scores
from quarkline.tools.run import load_analysis, run
from quarkline.tools.simulate import simulate

DEMO = Path("demo/demo.yaml")
SIZES = (1500.0, 150.0, 15.0, 5.0)
STRENGTHS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0)
UPSILONS = (9.460, 10.023, 10.355)
DEGREE = 5
POWER_STRENGTHS = (0, 25, 50, 75, 100, 150)


def falling(binning: HuntBinning, in_window: float) -> Spectrum:
    """The fit to a falling spectrum with so many events in the window."""
    shape = np.append(np.exp(-binning.centres / 5), binning.bins * np.exp(-9.8 / 5))
    return predicted_background(Spectrum.from_cells(binning, in_window * shape / shape[-1]), DEGREE)


def injections(toys: int) -> None:
    """Linearity and coverage at several sizes."""
    binning = HuntBinning()
    signal = gaussian_signal(binning, UPSILONS, 0.01)
    for size in SIZES:
        clock, processor = time.perf_counter(), time.process_time()
        expected = falling(binning, size)
        test = injection_test(expected, DEGREE, signal, STRENGTHS, toys, workers=2)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        print(f"\n{size:g} background events in the window, {toys:,} toys a strength: ", end="")
        print(f"{clock:.1f} s, {processor:.1f} s of processor time")
        show(test)


def show(test: InjectionTest) -> None:
    """Print one injection test."""
    slope, offset = test.slope, test.offset
    print(f"slope {slope.value:.4f} ± {slope.up:.4f}, offset {offset.value:.2f} events")
    print("strength  injected    fitted  mean pull  pull width  coverage  median Z   Z>=3   Z>=5")
    for row in test.rows:
        print(
            f"{row.strength:8g} {row.injected:9.1f} {row.fitted.value:9.1f} {row.pull.value:10.3f} "
            f"{row.pull_width.value:11.3f} {100 * row.coverage.value:8.2f}% "
            f"{row.power.z_median:9.2f} {row.power.evidence.value:6.3f} "
            f"{row.power.discovery.value:6.3f}"
        )


def reweighted(result: Reweighting) -> None:
    """Print the reweighted hunt's p-values."""
    print(f"\nreweighted hunt, {result.toys:,} toys, {result.zero_fraction:.3f} at q0 = 0")
    for row in result.rows:
        print(
            f"Z = {row.z:g}: asymptotic {row.p_asymptotic:.3g}, toys {row.p_toys.value:.3g} "
            f"± {row.p_toys.up:.2g}"
        )
    print(
        f"data: Z = {result.z_local:.2f} asymptotic ({result.z_cells:.2f} with the toys' weights), "
        f"{result.n_exceeding} toys reach it, Z = {result.z_toys:.2f} by toys"
    )


def why(finished: Run, toys: int) -> None:
    """Weighted fits with one fixed mu and no dependence on the mass: scales seen, and expected."""
    score = read_scores(finished.record("classify").files["pool_scores"], "probability")
    place = np.searchsorted(interval_edges(score), score, side="right")
    share = np.bincount(place) / len(score)
    weight = likelihood_ratio_weights(np.bincount(place, score) / np.bincount(place), 0.08)
    binning = HuntBinning()
    cells = share[:, None] * falling(binning, 1600.0).cells
    drawn = rng(1, "why").poisson(cells, (toys, *cells.shape)).astype(np.float64)
    sums, squares = (np.einsum("q,tqm->tm", weight**power, drawn) for power in (1, 2))
    scale = (weight**2 @ cells) / (weight @ cells)
    seen = fit_batch(Spectrum.from_cells(binning, sums, squares), DEGREE).z
    counts = Counts((sums / scale).T, np.repeat(1 / scale[:, None], toys, axis=1))
    expected = hunt_chunk(hunt_model(binning, DEGREE), counts).z
    print(f"\nthe same weights in every toy (mu = 0.08), no dependence on the mass, {toys:,} toys")
    for name, z in (("scales of the toy", seen), ("expected scales", expected)):
        rows = ", ".join(
            f"p(Z>={row.z:g}) = {row.p_toys.value:.4f}" for row in p_value_rows(z, (1.0, 2.0, 3.0))
        )
        print(f"{name}: q0 = 0 in {(z == 0).mean():.3f}, {rows}")


def trials(result: TrialsFactor) -> None:
    """Print the trials factor."""
    print(f"\ntrials of {result.hunts} cuts, {result.n_toys:,} toys")
    for row in result.rows:
        if row.p_global.value > 0:
            print(
                f"Z = {row.z:4.2f}: p local {row.p_local:.3g}, p global {row.p_global.value:.3g}, "
                f"factor {row.factor.value:.1f} ± {row.factor.up:.1f}, "
                f"effective {row.effective.value:.1f} ± {row.effective.up:.1f}"
            )


def power(result: ChainPower) -> None:
    """Print the power of the whole chain."""
    for name, curve in (("behind the cut", result.chain), ("without a cut", result.inclusive)):
        print(f"\npseudo-experiments, {name}")
        for item in curve:
            print(
                f"{item.injected:5g} events: Z = {item.z_mean.value:.2f} ± {item.z_mean.up:.2f}, "
                f"Z >= 3 in {item.evidence.value:.2f}, Z >= 5 in {item.discovery.value:.2f} "
                f"of {item.experiments}"
            )


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, nargs="?", default=DEMO)
    parser.add_argument("--toys", type=int, default=20_000)
    parser.add_argument("--experiments", type=int, default=0)
    options = parser.parse_args()
    injections(options.toys)
    folder = options.config.parent
    overrides = [
        f"roots.runs={folder / 'runs'}",
        f"fit.toys={options.toys // 4}",
        f"calibration.injection.toys={options.toys}",
        f"calibration.reweighting.toys={options.toys}",
    ]
    if options.experiments:
        simulate("upsilon", folder / "signal.root", events=12_000, signal=12_000, seed=1)
        overrides.append(
            f"calibration.power={{files: {folder / 'signal.root'}, "
            f"strengths: {list(POWER_STRENGTHS)}, experiments: {options.experiments}}}"
        )
    last = "power" if options.experiments else "reweight"
    finished = run(load_analysis(options.config, overrides=overrides), until=last).run
    results = finished.results()
    trials(cast("TrialsFactor", results["trials"]))
    reweighted(cast("Reweighting", results["reweighting"]))
    why(finished, options.toys // 4)
    if options.experiments:
        power(cast("ChainPower", results["power"]))


if __name__ == "__main__":
    main()
