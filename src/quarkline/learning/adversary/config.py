"""How a classifier is kept from telling data from simulation: one config for each way."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from quarkline.engine.core.config import Config

LAYERS = (24, 12, 6)
CHANCE = math.log(2.0)
"""Cross-entropy in nats of guessing which of two equal samples a row is of."""

Width = Annotated[int, Field(ge=1)]


class NoAdversary(Config):
    """The classifier alone."""

    kind: Literal["none"] = Field("none", description="No adversary: the classifier alone.")


class Strength(Config):
    """What all ways share: how much the control region counts, and from when on."""

    weight: float = Field(10.0, ge=0, description="Weight beside the classifier's loss.")
    warm_up: float = Field(0.0, ge=0, description="Epochs before the weight is more than 0.")
    ramp: float = Field(0.0, ge=0, description="Epochs in which it then rises to its full value.")

    def at(self, epoch: float) -> float:
        """The weight after so many epochs, which need not be whole.

        Along the ramp it is 2 / (1 + exp(-10 p)) - 1 of the full value, with p from 0 to 1
        (Ganin et al., arXiv:1505.07818), scaled to be 1 at p = 1.
        """
        if epoch < self.warm_up:
            return 0.0
        if epoch >= self.warm_up + self.ramp:
            return self.weight
        share = (epoch - self.warm_up) / self.ramp
        return self.weight * math.tanh(5.0 * share) / math.tanh(5.0)


class Adversarial(Strength):
    """An adversary network reads the classifier's outputs on the control region."""

    layers: tuple[Width, ...] = Field(LAYERS, description="Widths of the adversary's layers.")
    bound: float | None = Field(
        CHANCE,
        gt=0,
        description="The adversary's loss, in nats, above which the classifier gains nothing; "
        "ln 2 is a guess. `null` is no bound: then it gains without end from outputs that the "
        "adversary is surely wrong about.",
    )


class Alternating(Adversarial):
    """The adversary learns from a batch, then the classifier against the adversary as it is."""

    kind: Literal["alternating"] = Field("alternating", description="Adversary, then classifier.")
    steps: int = Field(2, ge=1, description="Steps of the adversary on each batch.")


class Reversal(Adversarial):
    """Both learn in one step; the adversary's gradient reaches the classifier reversed."""

    kind: Literal["reversal"] = Field("reversal", description="Reversed gradient, in one step.")
    ramp: float = Field(5.0, ge=0, description="Epochs in which it then rises to its full value.")


class DistanceCorrelation(Strength):
    """The outputs' distance correlation with being data is part of the loss."""

    kind: Literal["distance-correlation"] = Field(
        "distance-correlation", description="Distance correlation of the outputs with being data."
    )


class Discrepancy(Strength):
    """The maximum mean discrepancy of the outputs in data and simulation is part of the loss."""

    kind: Literal["mmd"] = Field(
        "mmd", description="Maximum mean discrepancy of the outputs in data and simulation."
    )
    widths: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (0.5, 1.0, 2.0, 4.0),
        min_length=1,
        description="Widths of the Gaussian kernels, in units of the outputs' log-odds.",
    )
    unbiased: bool = Field(
        True, description="Leave a row's kernel with itself out, so that 0 is the mean at equality."
    )


AdversaryConfig = Annotated[
    NoAdversary | Alternating | Reversal | DistanceCorrelation | Discrepancy,
    Field(discriminator="kind"),
]
