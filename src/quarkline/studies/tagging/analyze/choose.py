"""The choice of an epoch: what it tells apart against how far it takes data for simulation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from quarkline.engine.core.findings import Rule, WorkError
from quarkline.engine.core.results import Result

NO_EPOCH = Rule(
    "QL-TAG-060",
    "an epoch is chosen among those with a performance and a K-S distance",
    "The choice weighs `analyze.performance` against `analyze.ks`. Epochs where one of them is no "
    "number are left out, such as those whose control region had an empty pT bin.",
)


Ks = Literal["worst", "sum", "none"]


@dataclass(frozen=True)
class Candidate:
    """An epoch that may be chosen.

    Attributes:
        training: Which training it is of.
        epoch: Its number, from 1.
        performance: How well it tells jets apart.
        ks: How far the outputs of data and of simulation lie apart.
        on_front: Whether no other epoch is as good in both and better in one.
    """

    training: str
    epoch: int
    performance: float
    ks: float
    on_front: bool = False


@dataclass(frozen=True)
class Choice(Result, kind="tagging-choice"):
    """Which epoch was chosen, among which, and why.

    Attributes:
        performance: Name of the metric of performance.
        higher: Whether a higher one is better.
        ks: `worst` or `sum`; `none` without a control region.
        limit: K-S below which the best performance is taken.
        candidates: All epochs, in the order of trainings and epochs.
        chosen: The epoch.
        below: How many epochs were below the limit.
        why: The reason in one sentence.
        left_out: Epochs whose weights were not kept, which are no candidates.
    """

    performance: str
    higher: bool
    ks: Ks
    limit: float
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    below: int
    why: str
    left_out: int = 0

    @property
    def front(self) -> tuple[Candidate, ...]:
        """The epochs that no other one beats, by falling K-S."""
        return tuple(
            sorted((item for item in self.candidates if item.on_front), key=lambda item: -item.ks)
        )


def is_better_high(metric: str) -> bool:
    """Whether a metric is better when higher, which its name tells: losses are not."""
    return "loss" not in metric


def choose(
    candidates: Sequence[Candidate],
    *,
    performance: str,
    ks: Ks,
    limit: float,
    left_out: int = 0,
) -> Choice:
    """Choose the best performance with a K-S below the limit; without one, the front's knee.

    The knee is the point of the Pareto front nearest to the corner of its best performance and its
    least K-S, both in units of the front's range. Equal epochs: the lower K-S, then the earlier
    training and epoch in the order given.

    Args:
        candidates: Epochs; `on_front` is not looked at.
        performance: Name of the metric of performance; its name tells what is better.
        ks: What the K-S distance is of.
        limit: The limit on it.
        left_out: Epochs that cannot be chosen, for the record.

    Raises:
        WorkError: If no epoch has both numbers.
    """
    higher = is_better_high(performance)
    front = _front(candidates, higher)
    if not front:
        raise WorkError(
            NO_EPOCH.finding(
                f"none of {len(candidates)} epochs has a finite `{performance}` and K-S ({ks})",
                suggestion="look at metrics.csv; more jets of the control region fill all pT bins",
            )
        )
    marked = [
        Candidate(item.training, item.epoch, item.performance, item.ks, number in front)
        for number, item in enumerate(candidates)
    ]
    known = [number for number, item in enumerate(marked) if _known(item)]
    below = [number for number in known if marked[number].ks < limit]
    if below:
        number = min(below, key=lambda i: (_cost(marked[i], higher), marked[i].ks, i))
        why = _why_best(marked[number], performance, ks, limit, (len(below), len(known)))
    else:
        number = _knee([(i, marked[i]) for i in sorted(front)], higher)
        least = min(marked[i].ks for i in front)
        taken = f"the knee of the {len(front)} epochs" if len(front) > 1 else "the only epoch"
        why = (
            f"no epoch has a {WORDS[ks]} below {limit:g} (the least is {least:.3g}): {taken} "
            f"that no other one beats, with {performance} "
            f"{marked[number].performance:.4g} and K-S {marked[number].ks:.3g}"
        )
    if left_out:
        why += f"; the weights of {left_out} other epochs were not kept"
    return Choice(
        performance, higher, ks, limit, tuple(marked), marked[number], len(below), why, left_out
    )


WORDS: Mapping[str, str] = {"worst": "worst K-S", "sum": "sum of K-S", "none": "K-S"}


def _why_best(
    chosen: Candidate, performance: str, ks: Ks, limit: float, counts: tuple[int, int]
) -> str:
    best = f"best {performance} ({chosen.performance:.4g})"
    if ks == "none":
        return f"{best} of {counts[1]} epochs; without a control region there is no K-S"
    return (
        f"{best} of the {counts[0]} of {counts[1]} epochs with a {WORDS[ks]} below {limit:g}; "
        f"its own is {chosen.ks:.3g}"
    )


def _known(item: Candidate) -> bool:
    return math.isfinite(item.performance) and math.isfinite(item.ks)


def _cost(item: Candidate, higher: bool) -> float:
    return -item.performance if higher else item.performance


def _front(candidates: Sequence[Candidate], higher: bool) -> set[int]:
    """Numbers of the epochs that no other one beats; equal ones are all in it."""
    known = [
        (_cost(item, higher), item.ks, number)
        for number, item in enumerate(candidates)
        if _known(item)
    ]
    front: set[int] = set()
    lowest, at = math.inf, math.inf
    for cost, ks, number in sorted(known):
        if ks < lowest or (ks == lowest and cost == at):
            front.add(number)
            lowest, at = ks, cost
    return front


def _knee(front: Sequence[tuple[int, Candidate]], higher: bool) -> int:
    costs = [_cost(item, higher) for _, item in front]
    distances = [item.ks for _, item in front]

    def share(value: float, values: Sequence[float]) -> float:
        span = max(values) - min(values)
        return (value - min(values)) / span if span else 0.0

    def distance(place: int) -> tuple[float, float, int]:
        item = front[place][1]
        both = share(costs[place], costs), share(item.ks, distances)
        return math.hypot(*both), item.ks, place

    return front[min(range(len(front)), key=distance)][0]
