"""Which jets are learned from, and what a network is told of them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config

MassInput = Literal["mH", "mS"]


class JetFeaturesConfig(Config):
    """Which jets are learned from, and what a network is told of them."""

    inputs: Literal["standardised", "as-is"] = Field(
        "standardised",
        description="`standardised` gives every input mean 0 and deviation 1, after a logarithm "
        "where that is less skewed; `as-is` leaves values as the tables have them, as upstream.",
    )
    masses: Literal["all", "low", "high"] = Field(
        "all",
        description="Signal that is learned from: `low` up to mH = 200 GeV, `high` from 400 GeV. "
        "Test jets are of all masses.",
    )
    balance: bool | None = Field(
        None,
        description="Keep no more multijets, and no more of the beam-induced background, than "
        "signal in training and validation; default: unless `masses` is `all`.",
    )
    mass_inputs: tuple[MassInput, ...] = Field(
        (), description="True masses that a network is told; background gets those of signal."
    )
    fraction: float = Field(
        1.0, gt=0, le=1, description="Keep this fraction of the events, chosen by seed."
    )
    validation: float = Field(0.05, gt=0, lt=1, description="Share of events for validation.")
    test: float = Field(0.05, gt=0, lt=1, description="Share of events for the test.")
    scaled_with: int = Field(
        100_000, ge=1, description="Most training jets that the scales are found from."
    )

    @model_validator(mode="after")
    def _leaves_training(self) -> Self:
        if self.validation + self.test >= 1:
            message = "`validation` and `test` leave no events to train on"
            raise ValueError(message)
        if len(set(self.mass_inputs)) < len(self.mass_inputs):
            message = "`mass_inputs` names a mass twice"
            raise ValueError(message)
        return self

    @property
    def balanced(self) -> bool:
        """Whether classes are made equally large."""
        return self.masses != "all" if self.balance is None else self.balance
