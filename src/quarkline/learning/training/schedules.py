"""Courses of the learning rate, each a pure function of the step and of what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from quarkline.engine.core.config import Config


class Constant(Config):
    """The same rate in every step."""

    kind: Literal["constant"] = Field("constant", description="The same rate in every step.")

    def factor(self, step: int, steps: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """1, always."""
        return 1.0


class OneCycle(Config):
    """A rise to the largest rate and a longer fall, both along half a cosine.

    References:
        Smith and Topin, Super-Convergence, arXiv:1708.07120.
    """

    kind: Literal["one-cycle"] = Field("one-cycle", description="A rise, then a longer fall.")
    rise: float = Field(0.3, gt=0, lt=1, description="Share of the steps in which it rises.")
    start: float = Field(0.04, gt=0, le=1, description="First rate, as a share of the largest.")
    end: float = Field(4e-6, gt=0, le=1, description="Last rate, as a share of the largest.")

    def factor(self, step: int, steps: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Share of the largest rate at `step` of `steps`, both counted after the warm-up."""
        peak, last = self.rise * steps - 1, steps - 1
        if step <= peak:
            return _between(self.start, 1.0, step / peak)
        return _between(1.0, self.end, (step - peak) / (last - peak))


class Cosine(Config):
    """A fall along half a cosine.

    References:
        Loshchilov and Hutter, SGDR, arXiv:1608.03983, without restarts.
    """

    kind: Literal["cosine"] = Field("cosine", description="A fall along half a cosine.")
    end: float = Field(0.0, ge=0, le=1, description="Last rate, as a share of the first.")

    def factor(self, step: int, steps: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Share of the largest rate at `step` of `steps`, both counted after the warm-up."""
        return _between(1.0, self.end, step / steps)


class Plateau(Config):
    """A fall by a factor whenever an epoch's loss has not improved for long."""

    kind: Literal["plateau"] = Field("plateau", description="A fall where the loss stands still.")
    by: float = Field(0.1, gt=0, lt=1, description="Factor of each fall.")
    patience: int = Field(5, ge=1, description="Epochs without a gain before a fall.")
    least_gain: float = Field(0.0, ge=0, description="What counts as a gain.")
    end: float = Field(1e-4, ge=0, lt=1, description="Least rate, as a share of the first.")

    def factor(self, step: int, steps: int, losses: Sequence[float]) -> float:  # noqa: ARG002
        """Share of the largest rate after epochs with these losses."""
        low, waited, falls = math.inf, 0, 0
        for loss in losses:
            low, waited = (loss, 0) if loss < low - self.least_gain else (low, waited + 1)
            if waited == self.patience:
                waited, falls = 0, falls + 1
        return max(self.by**falls, self.end)


ScheduleConfig = Annotated[Constant | OneCycle | Cosine | Plateau, Field(discriminator="kind")]


def learning_rate(
    largest: float,
    schedule: ScheduleConfig,
    *,
    step: int,
    steps: int,
    warm_up: int,
    losses: Sequence[float],
) -> float:
    """The learning rate of one step, in the unit of `largest`.

    Args:
        largest: The rate that the schedule takes shares of.
        schedule: The course after the warm-up.
        step: Steps before this one.
        steps: Steps of the longest training.
        warm_up: Steps of the linear rise.
        losses: The monitored metric after each epoch so far, lower being better.
    """
    if step < warm_up:
        return largest * (step + 1) / (warm_up + 1)
    return largest * schedule.factor(step - warm_up, max(steps - warm_up, 1), losses)


def _between(first: float, last: float, share: float) -> float:
    """From `first` to `last` along half a cosine, `share` going from 0 to 1."""
    return last + (first - last) * (1 + math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2
