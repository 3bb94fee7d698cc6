"""Ranking, 1,000 toys and a limit of a published likelihood, against pyhf and cabinetry.

    python benchmarks/inference.py ARCHIVE:RegionA/BkgOnly.json --patch sbottom_1300_850_60
        [--toys 1000] [--their-toys 20] [--their-parameters 10] [--workers 2]

Theirs are the calls that their manuals show: the four fits with `cabinetry.fit.fit` that
`cabinetry.fit.ranking` makes for each parameter, `pyhf.infer.mle.fit` of toys drawn with
`make_pdf(...).sample` (both with Minuit, as cabinetry sets it), and
`pyhf.infer.intervals.upper_limits.upper_limit` (with pyhf's own optimiser, SciPy). Their toys and
their ranking are timed in a few toys and parameters, and scaled. Our toys are spread over WORKERS
processes, whose start is counted; times are those of all processes. Needs cabinetry.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cabinetry
import numpy as np
import pyhf

from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.threads import limit_this_process
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.many import Spread
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.toys import toy_fits
from quarkline.statistics.likelihood.workspace import patched, spec_from_workspace
from quarkline.tools.fit import ItemsHere
from quarkline.tools.workspaces import read_json


def main() -> None:
    """Time both, print the ratios."""
    options = arguments()
    limit_this_process(1)
    read = read_json(options.workspace, options.patch)
    model = Model(spec_from_workspace(read.content, patch=read.operations))
    load = os.getloadavg()[0]
    print(f"{len(model.names)} parameters, {len(model.data.counts)} bins, load {load:.1f}")
    ours = our_times(model, options)
    theirs = their_times(patched(read.content, read.operations or []), options)
    for what, (clock, processor, number) in ours.items():
        line = f"{what:<16} ours {clock:8.2f} s, processor {processor:8.2f} s ({number})"
        if what in theirs:
            their_clock, their_processor, _ = theirs[what]
            line += (
                f"   theirs {their_clock:8.1f} s, processor {their_processor:8.1f} s"
                f"   ratio {their_clock / clock:6.1f}, processor {their_processor / processor:6.1f}"
            )
        print(line)


def our_times(model: Model, options: argparse.Namespace) -> dict[str, tuple[float, float, str]]:
    fitted = fit(model, model.data)
    found = {}
    found["ranking"] = (*timed(lambda: ranking(model, model.data, fitted)), "one process")
    toys = timed(lambda: spread_toys(model, fitted.values, options))
    found["toys"] = (*toys, f"{options.workers} processes")
    found["limit"] = (*timed(lambda: asymptotic_limit(model, model.data)), "one process")
    return found


def spread_toys(model: Model, truth: Floats, options: argparse.Namespace) -> None:
    """Toys in processes that have ended at the end, so that their time is counted."""
    with tempfile.TemporaryDirectory() as folder:
        here = ItemsHere(LocalWorkers(options.workers), Path(folder))
        toy_fits(model, truth, options.toys, runner=Spread(here, Path(folder)))


def their_times(
    workspace: dict[str, Any], options: argparse.Namespace
) -> dict[str, tuple[float, float, str]]:
    found = {}
    model, data = cabinetry.model_utils.model_and_data(workspace)
    fitted = cabinetry.fit.fit(model, data)
    number = options.their_parameters
    clock, processor = timed(lambda: their_ranking(model, data, fitted, number))
    scale = (model.config.npars - 1) / number
    found["ranking"] = (clock * scale, processor * scale, "")
    scale = options.toys / options.their_toys
    clock, processor = timed(lambda: their_toys(model, data, options.their_toys))
    found["toys"] = (clock * scale, processor * scale, "")
    pyhf.set_backend("numpy", "scipy")
    times = timed(lambda: pyhf.infer.intervals.upper_limits.upper_limit(data, model))
    found["limit"] = (*times, "")
    return found


def their_ranking(
    model: pyhf.Model, data: list[float], fitted: cabinetry.fit.FitResults, number: int
) -> None:
    """The fits of `cabinetry.fit.ranking` for the first parameters with an error before the fit."""
    before = cabinetry.model_utils.prefit_uncertainties(model)
    chosen = [at for at in range(model.config.npars) if before[at] > 0.0][:number]
    for at in chosen:
        for step in (fitted.uncertainty[at], -fitted.uncertainty[at], before[at], -before[at]):
            start = fitted.bestfit.tolist()
            start[at] += step
            fixed = model.config.suggested_fixed()
            fixed[at] = True
            cabinetry.fit.fit(model, data, init_pars=start, fix_pars=fixed)


def their_toys(model: pyhf.Model, data: list[float], number: int) -> None:
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer(verbose=0))
    best = pyhf.infer.mle.fit(data, model)
    np.random.seed(1)  # noqa: NPY002  pyhf samples with the global state
    for toy in model.make_pdf(pyhf.tensorlib.astensor(best)).sample((number,)):
        pyhf.infer.mle.fit(toy, model, return_uncertainties=True)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Clock and processor time of some work, that of ended processes included."""
    clock, processor = time.perf_counter(), _processor()
    work()
    return time.perf_counter() - clock, _processor() - processor


def _processor() -> float:
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workspace")
    parser.add_argument("--patch")
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--their-toys", type=int, default=20)
    parser.add_argument("--their-parameters", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
