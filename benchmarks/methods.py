"""Methods side by side on built-in events of the published size, over training seeds and samples.

    python benchmarks/methods.py [--samples 1 2 ...] [--seeds 5] [--classifiers bdt mlp]

Every sample is simulated anew; `ideal` learns against a sample without Upsilons, ten times as large
and from another seed. Printed is Z at three rates with the standard error over the training seeds,
and over all samples together with the standard error over the samples.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import cast

import numpy as np

from quarkline.studies.resonance.methods import method_name
from quarkline.studies.resonance.results import Comparison
from quarkline.studies.resonance.simulate.example import DEFAULT_EVENTS
from quarkline.tools.new import new
from quarkline.tools.run import load_analysis, run
from quarkline.tools.simulate import simulate

RATES = (0.1, 0.05, 0.01)
BACKGROUND_TIMES = 10
BACKGROUND_SEED = 1_000_000


def compare(folder: Path, given: list[str], seed: int, overrides: list[str]) -> Comparison:
    """Select and compare one sample, no further; `given` names the background of `ideal`."""
    simulate("upsilon", folder / "nanoaod", seed=seed)
    config = new("upsilon", folder=folder)
    own = [f"roots.runs={folder / 'runs'}", *given]
    rates = ["fit.scan.start=1", "fit.scan.stop=0.001", "fit.scan.points=61"]
    analysis = load_analysis(config, overrides=[*own, *rates, *overrides])
    for stage in ("select", *(["select-background"] if given else []), "compare"):
        outcome = run(analysis, only=stage)
    return cast("Comparison", outcome.run.results()["comparison"])


def background_alone(folder: Path) -> list[str]:
    """Simulate what `ideal` learns against, and name it in the config."""
    path = folder / "background.root"
    events = BACKGROUND_TIMES * DEFAULT_EVENTS
    simulate("upsilon", path, events=events, signal=0, seed=BACKGROUND_SEED)
    return [f"background.files={path}"]


def at_rates(comparison: Comparison) -> dict[str, np.ndarray]:
    """Z of every method at RATES, with shape (seeds, rates)."""
    columns = [int(np.argmin(np.abs(np.log(np.divide(comparison.rates, r))))) for r in RATES]
    return {method_name(item): np.array(item.z)[:, columns] for item in comparison.methods}


def show(name: str, z: np.ndarray) -> None:
    """Print means and standard errors over the first axis."""
    error = z.std(axis=0, ddof=1) / np.sqrt(len(z)) if len(z) > 1 else np.full(z.shape[1], np.nan)
    cells = [f"{m:5.2f} ± {e:.2f}" for m, e in zip(z.mean(axis=0), error, strict=True)]
    print(f"{name:16s}", *cells, flush=True)


def main() -> None:
    """Compare on every sample."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, nargs="+", default=[1])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", default=["cathode", "cwola", "lacathode", "ideal"])
    parser.add_argument("--classifiers", nargs="+", default=["bdt"])
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    options = parser.parse_args()
    asked = [
        f"comparison.methods=[{', '.join(options.methods)}]",
        f"comparison.classifiers=[{', '.join(options.classifiers)}]",
        f"comparison.seeds={options.seeds}",
    ]
    means: dict[str, list[np.ndarray]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = background_alone(folder) if "ideal" in options.methods else []
        print(f"Z at FPR {RATES}")
        for seed in options.samples:
            clock = time.perf_counter()
            own = folder / f"{seed}"
            own.mkdir()
            comparison = compare(own, given, seed, [*asked, *options.overrides])
            print(f"== sample {seed}, {time.perf_counter() - clock:.0f} s")
            for method, z in at_rates(comparison).items():
                show(method, z)
                means.setdefault(method, []).append(z.mean(axis=0))
            for item in comparison.methods:
                control = [point.control.z_local for point in item.working_point]
                shape = sorted(point.ks_p_value for point in item.working_point)
                print(
                    f"{method_name(item):16s} control {np.mean(control):.2f} · sculpting p "
                    f"{shape[len(shape) // 2]:.2g}",
                    flush=True,
                )
    print(f"== mean of {len(options.samples)} samples, standard error over them")
    for method, z in means.items():
        show(method, np.stack(z))
    first, *others = means
    print(f"== difference from {first} on the same sample")
    for method in others:
        show(method, np.stack(means[method]) - np.stack(means[first]))


if __name__ == "__main__":
    main()
