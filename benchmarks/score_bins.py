"""Edges of the score's bins by a rule that knows no data: so much simulated background in each.

    python benchmarks/score_bins.py RUN [--least 10] [--step 0.05]

RUN is the folder of a run of the study `search`. From 1 downwards a bin of the score ends at the
first multiple of `step` where the simulated background in it has at least `least` effective events,
(sum w)^2 / sum w^2 with the weights of one generated event added first; what is left over joins the
lowest bin. No data sample is opened. Printed are the edges, and of every bin the effective events
of the background and the yield, error and generated events of each sample.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.workflow.runs import find_run
from quarkline.events.table import read_table
from quarkline.studies.search.tables import table_name

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Simulated:
    """Events of one sample: its role, and scores, weights and groups, each with shape (N,)."""

    role: str
    score: Floats
    weight: Floats
    group: NDArray[np.int64]

    def sums(self, low: float, high: float) -> Floats:
        """Yield, variance and number of generated events of a bin; the highest holds 1."""
        inside = (self.score >= low) & ((self.score < high) | (high == 1))
        _, number = np.unique(self.group[inside], return_inverse=True)
        weights = np.bincount(number, weights=self.weight[inside])
        return np.array([weights.sum(), np.square(weights).sum(), len(weights)])


def main() -> None:
    """Find the edges and print what the bins hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--least", type=float, default=10)
    parser.add_argument("--step", type=float, default=0.05)
    options = parser.parse_args()
    samples = simulated(options.run)
    background = [sample for sample in samples.values() if sample.role == "background"]
    edges = edges_of(background, options.least, options.step)
    print("edges:", ", ".join(f"{edge:g}" for edge in edges))
    print("bin           effective  " + "  ".join(f"{name:>22}" for name in samples))
    for low, high in pairwise(edges):
        found = [sample.sums(low, high) for sample in samples.values()]
        cells = [f"{y:8.1f} ± {v**0.5:5.1f} ({n:4.0f})" for y, v, n in found]
        told = f"{effective(background, low, high):9.1f}"
        print(f"{low:5.2f} {high:5.2f}   {told}    " + "  ".join(f"{cell:>22}" for cell in cells))


def simulated(text: str) -> dict[str, Simulated]:
    """The scored events of a run's simulated samples."""
    stage = find_run(text, Path("runs")).record("evaluate")
    judged = stage.config["judged"]
    names = [f"{stage.config['column']}_{judged['signal']}", "_weight", "_group"]
    found = {}
    for sample, role in judged["roles"].items():
        if role != "data":
            path = stage.files["scores"] / "events" / table_name(sample)
            table = read_table(path, names).array
            score, weight, group = (ak.to_numpy(table[name]) for name in names)
            found[sample] = Simulated(role, score.astype(float), weight, group)
    return found


def edges_of(background: list[Simulated], least: float, step: float) -> list[float]:
    """Edges from 0 to 1."""
    edges = [1.0]
    for number in range(round(1 / step) - 1, 0, -1):
        low = round(number * step, 10)
        if effective(background, low, edges[0]) >= least:
            edges.insert(0, low)
    if len(edges) > 1 and effective(background, 0.0, edges[0]) < least:
        edges.pop(0)
    return [0.0, *edges]


def effective(samples: list[Simulated], low: float, high: float) -> float:
    """Effective number of independent events of a bin, of all samples together."""
    total, variance, _ = sum((sample.sums(low, high) for sample in samples), np.zeros(3))
    return float(total**2 / variance) if variance else 0.0


if __name__ == "__main__":
    main()
