"""Speed of template fits: likelihood, derivatives, fits and toys, beside pyhf and RooFit.

    python benchmarks/likelihood.py [--data FOLDER] [--toys N] [--large] [--jax PY] [--root PY]

Two likelihoods: a published one (three channels of the ATLAS sbottom search with a signal patch,
`--data` is the folder with its archive) and, with `--large`, 30 regions x 15 samples x 60
systematics with 10 bins and a gamma each. `--jax` and `--root` are other Pythons, with pyhf and JAX
and with ROOT, that fit the same workspace. Processor time is given beside the time passed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Model,
    NormShift,
    Parameter,
    SampleSpec,
    Scale,
    ShapeShift,
    fit,
    minimum,
    patched,
    spec_from_workspace,
    workspace_from_spec,
)

ARCHIVE = "root_samples/pyhf-ins1748602-probability-models.tar.gz"
REGION, SIGNAL = "RegionA", "sbottom_600_280_150"
LONGEST = 900.0  # seconds for another program
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Measure, and print a line for each step and program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the published likelihood")
    parser.add_argument("--toys", type=int, default=100, help="toys that are fitted")
    parser.add_argument("--large", action="store_true", help="also the large likelihood")
    parser.add_argument("--jax", help="a Python with pyhf and JAX")
    parser.add_argument("--root", help="a Python with ROOT")
    options = parser.parse_args()
    print(__doc__.splitlines()[0])
    workspaces = {}
    if options.data is not None:
        workspaces["published"] = published(options.data / ARCHIVE)
    if options.large or not workspaces:
        workspaces["30 x 15 x 60"] = workspace_from_spec(large())
    for name, workspace in workspaces.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "workspace.json"
            file.write_text(json.dumps(workspace))
            measure(name, file, options)


def measure(name: str, file: Path, options: argparse.Namespace) -> None:
    start = time.perf_counter()
    model = Model(spec_from_workspace(json.loads(file.read_text())))
    compiled = time.perf_counter() - start
    bins, parameters = len(model.data.counts), len(model.names)
    print(f"\n{name}: {bins} bins, {parameters} parameters, read and compiled in {compiled:.2f} s")
    data, values = model.data, model.initial + 0.01
    toys = [model.toy(model.initial, rng(1, "toys", at)) for at in range(options.toys)]
    best = minimum(model, data).values
    ours = {
        "nll": each(lambda: model.nll(values, data)),
        "gradient": each(lambda: model.nll_gradient(values, data)),
        "Hessian": each(lambda: model.hessian(values, data)),
        "fit": each(lambda: fit(model), most=5),
        "toy": each(lambda: [minimum(model, toy, start=best) for toy in toys], 1, len(toys)),
    }
    failed = sum(not minimum(model, toy, start=best).converged for toy in toys)
    for step, (passed, used) in ours.items():
        print(f"  ours     {step:9s} {1e3 * passed:10.3f} ms ({1e3 * used:.3f} of processor)")
    print(f"  ours     {failed} of {len(toys)} toys failed")
    others = [(sys.executable, "numpy", "pyhf with NumPy and Minuit")]
    others += [(options.jax, "jax", "pyhf with JAX and Minuit")] if options.jax else []
    for python, backend, title in others:
        arguments = [backend, str(file), str(min(options.toys, 3)), str(int(parameters < 150))]
        compare(title, run(python, "likelihood_pyhf.py", file.parent, *arguments), ours)
    if options.root:
        compare("RooFit", run(options.root, "likelihood_root.py", file.parent, str(file)), ours)


def each(work: Callable[[], object], most: int = 200, parts: int = 1) -> tuple[float, float]:
    """Median seconds and mean processor seconds of one part of some work."""
    work()
    passed, used, begun = [], time.process_time(), time.perf_counter()
    while len(passed) < most and (not passed or time.perf_counter() - begun < 3.0):
        start = time.perf_counter()
        work()
        passed.append(time.perf_counter() - start)
    used = (time.process_time() - used) / len(passed)
    return statistics.median(passed) / parts, used / parts


def run(python: str, script: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """What another program measured; ROOT leaves files where it runs."""
    command = [python, str(HERE / script), *arguments]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=LONGEST, cwd=folder
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not finished after {LONGEST} s"}
    lines = ended.stdout.strip().splitlines()
    if ended.returncode or not lines:
        return {"error": (ended.stderr.strip().splitlines() or ["nothing was printed"])[-1]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def compare(title: str, theirs: dict[str, Any], ours: dict[str, tuple[float, float]]) -> None:
    if "error" in theirs:
        print(f"  {title}: failed: {theirs['error']}")
        return
    for step, (passed, used) in theirs["steps"].items():
        kind = step.split(",")[0]
        ratio = f", {used / ours[kind][1]:.0f} times ours" if kind in ours else ""
        print(f"  {title}: {step} {1e3 * passed:.2f} ms ({1e3 * used:.2f} of processor){ratio}")
    print(f"  {title}: best fit {theirs['poi']}")


def published(archive: Path) -> dict[str, Any]:
    """Background and one signal of a published search."""
    with tarfile.open(archive) as members:
        contents = [
            json.load(members.extractfile(f"{REGION}/{name}.json"))
            for name in ("BkgOnly", f"patch.{SIGNAL}")
        ]
    return patched(*contents)


def large(regions: int = 30, samples: int = 15, bins: int = 10, count: int = 60) -> LikelihoodSpec:
    """Exponential backgrounds and a rising signal, every sample with every systematic."""
    random = rng(1, "benchmark-likelihood")
    names = [f"syst_{at}" for at in range(count)]
    parameters = [Parameter("mu", "norm-factor", 1.0, 0.0, 10.0)]
    parameters += [
        Parameter(name, "systematic", 0.0, -5.0, 5.0, constraint=Gaussian()) for name in names
    ]
    size, slope = random.normal(0.0, 0.05, (2, samples, count))
    x, channels = np.linspace(-1.0, 1.0, bins), []
    for region in range(regions):
        gammas = tuple(f"gamma_{region}[{at}]" for at in range(bins))
        rows, total = [], np.zeros(bins)
        for sample in range(samples):
            rate = 2.0 if sample == 0 else -random.uniform(0.0, 1.5)
            contents = random.uniform(20.0, 200.0) / (1 + sample) * np.exp(rate * x)
            total += contents
            modifiers: list[Any] = [BinScale(gammas)]
            modifiers += [Scale("mu")] if sample == 0 else []
            for at, name in enumerate(names):
                up, down = 1 + size[sample, at] * random.uniform(0.7, 1.3, 2) * [1, -1]
                tilt = slope[sample, at] * x * random.uniform(0.7, 1.3, 2)[:, None] * [[1], [-1]]
                modifiers.append(NormShift(name, float(up), float(down)))
                modifiers.append(ShapeShift(name, *(tuple(contents * (1 + row)) for row in tilt)))
            rows.append(SampleSpec(f"sample_{sample}", tuple(contents), tuple(modifiers)))
        parameters += [
            Parameter(name, "gamma", 1.0, 1e-10, 10.0, constraint=Gaussian(1.0, 0.03))
            for name in gammas
        ]
        data = tuple(random.poisson(total).astype(float))
        channels.append(ChannelSpec(f"region_{region}", tuple(rows), data))
    return LikelihoodSpec("large", tuple(channels), tuple(parameters), "mu")


if __name__ == "__main__":
    main()
