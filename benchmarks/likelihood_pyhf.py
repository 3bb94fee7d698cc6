"""The steps of `likelihood.py` with pyhf: python likelihood_pyhf.py BACKEND WORKSPACE TOYS FITS."""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pyhf


def main() -> None:
    """Print the times as one line of JSON."""
    warnings.simplefilter("ignore")
    backend, file, toys, fits = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    pyhf.set_backend(backend, "minuit")
    full = pyhf.Workspace(json.loads(Path(file).read_text()))
    model = full.model()
    data, values = full.data(model), np.array(model.config.suggested_init()) + 0.01
    steps = {"nll": timed(lambda: model.logpdf(values, data), 20)}
    poi = None
    if fits or backend == "jax":
        steps["fit, first"] = timed(lambda: pyhf.infer.mle.fit(data, model), 1, warm=False)
        steps["fit, again"] = timed(lambda: pyhf.infer.mle.fit(data, model), 1, warm=False)
        best = pyhf.infer.mle.fit(data, model)
        poi = float(best[model.config.poi_index])
        random = np.random.default_rng(1)
        rates = np.array(
            model.expected_data(pyhf.tensorlib.astensor(model.config.suggested_init()))
        )
        drawn = [[*random.poisson(rates[: -model.config.nauxdata]), *data[-model.config.nauxdata :]]
                 for _ in range(toys)]  # fmt: skip
        start = [float(value) for value in best]
        passed, used = timed(
            lambda: [pyhf.infer.mle.fit(toy, model, init_pars=start) for toy in drawn],
            1,
            warm=False,
        )
        steps["toy"] = (passed / toys, used / toys)
    print(json.dumps({"steps": steps, "poi": poi}))


def timed(work: object, repeat: int, *, warm: bool = True) -> tuple[float, float]:
    """Mean seconds passed and of the processor."""
    if warm:
        work()
    passed, used = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - passed) / repeat, (time.process_time() - used) / repeat


if __name__ == "__main__":
    main()
