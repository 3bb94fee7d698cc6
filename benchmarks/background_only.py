"""Background-only samples through frozen scores, the declared cut and the fit.

    python benchmarks/background_only.py [RUN] [--toys 200] [--workers 2]

RUN is a finished run of the resonance study; without one, that of `make demo`. Each toy is a new
sample of the built-in simulation without Upsilons, selected as the run's data were, scored by the
run's classifiers and cut at the run's score. Printed are the fraction with q0 = 0, with what toys
of the fit itself give at those counts, and whether the p-values of the others are uniform.
"""

from __future__ import annotations

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import numpy as np
from scipy import stats

from quarkline.engine.workflow.runs import Run, read_run
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.folds import ClassifierFolds
from quarkline.statistics import (
    HuntBinning,
    Spectrum,
    binomial_interval,
    expected_background,
    fit_batch,
    p_from_z,
    toy_hunts,
)
from quarkline.studies.resonance.events import read_pairs
from quarkline.studies.resonance.methods import FLOW, seen_pairs
from quarkline.studies.resonance.results import WorkingPoint
from quarkline.studies.resonance.select import select_file
from quarkline.tools.simulate import simulate

DEMO = Path("demo/runs/demo/00001")
FIRST_SEED = 10_000


@cache
def frozen(folder: Path) -> tuple[Run, list[tuple[ClassifierFolds, dict]], dict, WorkingPoint]:
    """The run, its classifiers with what they see events through, selection, working point."""
    run = read_run(folder)
    members = sorted(
        run.record("classify").files["models"].iterdir(), key=lambda path: int(path.name)
    )
    through = [{FLOW: member / FLOW} if (member / FLOW).exists() else {} for member in members]
    models = [load_model(member, ClassifierFolds) for member in members]
    point = cast("WorkingPoint", run.results()["working_point"])
    select = run.record("select").config["select"]
    return run, list(zip(models, through, strict=True)), select, point


def toy_spectrum(folder: Path, seed: int) -> np.ndarray:
    """Contents of the sideband bins and the window of one background-only sample."""
    _, models, select, point = frozen(folder)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "toy.root"
        simulate("upsilon", path, signal=0, seed=seed)
        select_file({"select": select, "stop": None}, {"file": path}, Path(name))
        window = tuple(select["window"])
        pairs = read_pairs(Path(name) / "pairs.parquet", select["features"], window).searched()
    ranks = [
        model.score(seen_pairs(pairs, through).features, pairs.group).rank
        for model, through in models
    ]
    passing = np.mean(ranks, axis=0) >= point.cut
    return binning(point).count(pairs.mass[passing]).cells


def binning(point: WorkingPoint) -> HuntBinning:
    """The run's binning."""
    return HuntBinning(point.hunt.mass_range, point.hunt.mass_window, point.hunt.bins)


def main() -> None:
    """Print the two figures of the calibration."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?", default=DEMO)
    parser.add_argument("--toys", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    seeds = range(FIRST_SEED, FIRST_SEED + options.toys)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        cells = list(pool.map(toy_spectrum, [options.run] * options.toys, seeds, chunksize=5))
    point = frozen(options.run)[-1]
    spectra = Spectrum.from_cells(binning(point), np.stack(cells))
    z = fit_batch(spectra, point.hunt.degree).z
    zero, (low, high) = int((z == 0).sum()), binomial_interval((z == 0).sum(), z.size, 0.95)
    mean = Spectrum.from_cells(binning(point), np.stack(cells).mean(axis=0))
    smooth = expected_background(mean, point.hunt.degree)
    expected = float((toy_hunts(smooth, point.hunt.degree, 20_000).z == 0).mean())
    print(f"{z.size} toys, {np.stack(cells).sum(axis=1).mean():.0f} events each behind the cut")
    print(
        f"q0 = 0 in {zero} ({zero / z.size:.3f}, 95 % interval {low:.3f} to {high:.3f}); "
        f"expected {expected:.3f}"
    )
    uniform = stats.kstest(2 * p_from_z(z[z > 0]), "uniform")
    print(f"K-S p-value of uniformity of the others {uniform.pvalue:.3f}; largest Z {z.max():.2f}")


if __name__ == "__main__":
    main()
