"""What a training of taggers came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quarkline.engine.core.results import Result


@dataclass(frozen=True)
class TaggerTraining:
    """One training.

    Attributes:
        seed: Which of the trainings, from 0; its folder is called `000`, `001` ...
        best: Number of the best epoch, from 0.
        kept: Numbers of the epochs whose weights are kept, from 0.
        metrics: Each metric after each epoch.
        jets: Jets that were trained on and held out, by set, in this order.
    """

    seed: int
    best: int
    kept: tuple[int, ...]
    metrics: Mapping[str, list[float]]
    jets: Mapping[str, tuple[int, int]]


@dataclass(frozen=True)
class TaggingTraining(Result, kind="tagging-training"):
    """All trainings of a run.

    Attributes:
        model: Kind of the network.
        adversary: How outputs were kept equal in data and simulation.
        parameters: Numbers of the network that were trained.
        compatibility: `none` or `upstream`.
        parent: Run that the trainings went on from; empty if they began anew.
        trainings: By seed.
    """

    model: str
    adversary: str
    parameters: int
    compatibility: str
    parent: str
    trainings: tuple[TaggerTraining, ...]
