"""Training against a plain PyTorch loop over the same tensors, and what options are worth.

    python benchmarks/training.py [--repeat 5] [--threads 1] [--options] [--compile] [--only NAME]

Both make the same steps on batches of 1,024 events: cross-entropy of 15 classes with weights,
fused AdamW, gradients clipped by their norm, rows picked by a new permutation in each epoch. Plain
and ours take turns. Times are of whole epochs after the first, divided by their steps, so ours
has its checks, its 16 held-out rows and its metrics in it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from quarkline.learning.features.geometry import Geometry
from quarkline.learning.models.config import FTTransformerConfig, ResidualNetworkConfig
from quarkline.learning.models.networks import build_network
from quarkline.learning.training.classification import Classification
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit

BATCH = 1024
CLASSES = 15
GEOMETRY = Geometry(37, (4, 3, 3, 4, 6, 3, 3), ((6, 4),))
"""The features of the published leptoquark configuration: 37 numbers, 7 kinds, 6 jets of 4."""
NETWORKS = {
    "seed": (
        ResidualNetworkConfig(
            blocks=6, width=64, categories="number", missing="mean", objects="slots"
        ),
        100,
    ),
    "resnet": (ResidualNetworkConfig(blocks=6, width=64), 60),
    "ft-transformer": (FTTransformerConfig(blocks=2, width=128), 2),
}
"""Networks with the steps of an epoch; `seed` is the published residual network."""


@dataclass(frozen=True)
class Clock:
    """Times of both kinds.

    Attributes:
        wall: In seconds.
        processor: In seconds, of all threads.
    """

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Clock:
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Clock, steps: int) -> Clock:
        """Times of each of the steps since `start`."""
        return Clock((self.wall - start.wall) / steps, (self.processor - start.processor) / steps)


def sample(count: int, seed: int) -> list[Tensor]:
    """Tensors of `count` events, labels and weights."""
    generator = np.random.default_rng(seed)
    shape = (count, GEOMETRY.continuous)
    codes = [generator.integers(0, size, count) for size in GEOMETRY.categories]
    (length, features) = GEOMETRY.objects[0]
    parts = [
        generator.normal(size=shape).astype(np.float32),
        generator.random(shape) < 0.05,
        np.stack(codes, axis=1),
        generator.normal(size=(count, length, features)).astype(np.float32),
        np.arange(length) < generator.integers(0, length + 1, count)[:, None],
        generator.integers(0, CLASSES, count),
        generator.exponential(1.0, count).astype(np.float32),
    ]
    return [torch.from_numpy(part) for part in parts]


def plain_loop(config: Any, steps: int, epochs: int) -> list[Clock]:
    """What one writes by hand."""
    module = build_network(config, GEOMETRY, CLASSES, seed=1)
    *inputs, label, weight = sample(steps * BATCH, 1)
    adam = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)
    times = []
    module.train()
    for _ in range(epochs):
        start = Clock.now()
        for rows in torch.randperm(len(label)).split(BATCH):
            adam.zero_grad()
            logits = module(*(tensor[rows] for tensor in inputs))
            losses = nn.functional.cross_entropy(logits, label[rows], reduction="none")
            (weight[rows] * losses).mean().backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            adam.step()
        times.append(Clock.now().since(start, steps))
    return times[1:]


def ours(config: Any, steps: int, epochs: int, **keys: Any) -> list[Clock]:
    """The same by `fit`."""
    module = build_network(config, GEOMETRY, CLASSES, seed=1)
    rows, held_out = sample(steps * BATCH, 1), sample(16, 2)
    ends: list[Clock] = []
    settings = {"epochs": epochs, "batch_size": BATCH, "weight_decay": 0.01} | keys
    classes = tuple(f"class {number}" for number in range(CLASSES))

    def report(_: int, __: Mapping[str, float]) -> None:
        ends.append(Clock.now())

    fit(
        module,
        rows,
        [*held_out, held_out[-1].double()],
        FitConfig(**settings),
        task=Classification(classes, 0, 5, BATCH),
        seed=1,
        report=report,
    )
    return [end.since(start, steps) for start, end in pairwise(ends)]


def measured(run: Callable[[], list[Clock]], into: list[Clock]) -> None:
    into.append(min(run(), key=lambda clock: clock.processor))


def row(name: str, times: list[Clock], base: list[Clock]) -> str:
    """A line of the table: median and range, and the ratio to the base, turn by turn."""
    wall, processor = (
        [getattr(item, kind) * 1e3 for item in times] for kind in ("wall", "processor")
    )
    ratios = [mine.processor / other.processor for mine, other in zip(times, base, strict=True)]
    return (
        f"| {name} | {median(wall):.2f} ms ({min(wall):.2f} to {max(wall):.2f}) "
        f"| {median(processor):.2f} ms "
        f"| {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f}) |"
    )


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--options", action="store_true", help="running average, bfloat16")
    parser.add_argument("--compile", action="store_true", help="torch.compile; takes minutes")
    parser.add_argument("--only", choices=NETWORKS, help="one network")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    options: dict[str, dict[str, Any]] = {"ours": {}}
    if arguments.options:
        options |= {"with a running average": {"average_decay": 0.99}}
        options |= {"in bfloat16": {"precision": "bf16-mixed"}}
    if arguments.compile:
        options |= {"compiled": {"compile": True}}
    for name in [arguments.only] if arguments.only else NETWORKS:
        config, steps = NETWORKS[name]
        base: list[Clock] = []
        times: dict[str, list[Clock]] = {option: [] for option in options}
        for _ in range(arguments.repeat):
            measured(lambda: plain_loop(config, steps, 2), base)  # noqa: B023
            for option, keys in options.items():
                measured(lambda: ours(config, steps, 2, **keys), times[option])  # noqa: B023
        print(f"\n{name}, a step of {BATCH} events\n")
        print("| | wall: median (range) | processor | processor, of the plain loop |")
        print("| --- | --- | --- | --- |")
        print(row("plain loop", base, base))
        for option in options:
            print(row(option, times[option], base), flush=True)


if __name__ == "__main__":
    main()
