"""Memory and time of a training by the size of its batches and of the pieces they go in.

    python benchmarks/training_memory.py [--threads 1] [--steps 2] [--jets 100000]

Trains the CalRatio trainer's network of 60,067 parameters on jets that a source gives when it is
asked, as one of memory-mapped files does; they repeat 2,048 drawn ones. Each line is a process of
its own: an epoch to get warm, then one that is timed. Memory is the peak of the process above what
it had before the training, on a GPU the peak of its allocations.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.networks import build_network
from quarkline.learning.training.classification import Classification
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit
from quarkline.learning.training.rows import Rows
from quarkline.studies.tagging import upstream

DRAWN = 2048
LINES = ((256, None), (1024, None), (4096, None), (16384, None), (16384, 4096), (16384, 1024))
"""Rows of a batch, and of its pieces; a line of many rows follows."""
MEBI = 2**20


@dataclass(frozen=True)
class Repeated:
    """As many rows as one likes.

    Attributes:
        drawn: Those that are repeated.
        count: How many rows there are.
    """

    drawn: Rows
    count: int

    @property
    def known(self) -> Rows:
        return [tensor[torch.arange(self.count) % DRAWN] for tensor in self.drawn[-3:]]

    def __len__(self) -> int:
        return self.count

    def take(self, indices: Tensor) -> Rows:
        return [tensor[indices % DRAWN] for tensor in self.drawn]


def main() -> None:
    """Print the table, a process for each line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--jets", type=int, default=100_000)
    parser.add_argument("--one", nargs=3, type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    if args.one:
        print(json.dumps(measured(*args.one)))
        return
    print("| jets | batch | pieces of | peak memory (MiB) | s a step | processor s a step |")
    print("| --- | --- | --- | --- | --- | --- |")
    lines = [(batch * args.steps, batch, piece) for batch, piece in LINES]
    for jets, batch, piece in [*lines, (args.jets, 4096, 1024)]:
        told = ["--one", str(jets), str(batch), str(piece or 0), "--threads", str(args.threads)]
        found = subprocess.run(
            [sys.executable, __file__, *told], check=True, capture_output=True, text=True
        )
        memory, wall, processor = json.loads(found.stdout)
        shown = f"{piece:,}" if piece else "whole"
        numbers = f"{memory:,.0f} | {wall:.2f} | {processor:.2f}"
        print(f"| {jets:,} | {batch:,} | {shown} | {numbers} |", flush=True)
    print("load", " ".join(f"{value:.1f}" for value in os.getloadavg()))


def measured(jets: int, batch: int, piece: int) -> tuple[float, float, float]:
    """Peak memory in MiB, and seconds and processor seconds of a step."""
    preprocess = Preprocess.none(upstream.INPUTS)
    network = build_network(upstream.NETWORK, preprocess.geometry, 3, seed=0)
    drawn = torch.randint(0, 3, (DRAWN,), generator=torch.Generator().manual_seed(1))
    inputs = preprocess.tensors(upstream.examples(DRAWN))
    weights = torch.ones(DRAWN)
    rows = [*inputs, drawn, weights, weights.double()]
    clocks: list[tuple[float, float]] = []
    before = peak()
    fit(
        network,
        {"": Repeated(rows, jets)},
        {"": Repeated(rows, 64)},
        FitConfig(epochs=2, batch_size=batch, rows_at_once=piece or None, optimiser="nadam"),
        task=Classification(upstream.CLASSES, 1, len(inputs), 64),
        seed=1,
        report=lambda *_: clocks.append((time.perf_counter(), time.process_time())),
    )
    steps = -(-jets // batch)
    wall, processor = ((end - start) / steps for start, end in zip(*clocks, strict=True))
    return peak() - before, wall, processor


def peak() -> float:
    """Peak memory in MiB so far, of the GPU if there is one."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / MEBI
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
