"""How to train: keys of a config that describe any training, and a classifier's."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from quarkline.engine.core.config import Config
from quarkline.learning.training.schedules import Constant, ScheduleConfig


class FindConfig(Config):
    """The learning-rate finder: one batch at each of many rates, from small to large."""

    choose: Literal["steepest", "minimum"] = Field(
        "steepest",
        description="The rate where the smoothed loss falls fastest, or where it is lowest.",
    )
    lowest: float = Field(1e-7, gt=0, description="First rate.")
    highest: float = Field(10.0, gt=0, description="Last rate.")
    points: int = Field(100, ge=10, description="Rates, equally spaced in the logarithm.")
    smoothing: int = Field(10, ge=1, description="Rates in the running mean of the loss.")
    diverged: float = Field(
        4.0, gt=1, description="Stop where the loss has risen to so many times the first one."
    )


class FitConfig(Config):
    """How any model is fitted; all of it is in the content key of what it makes."""

    epochs: int = Field(100, ge=1, description="Most epochs.")
    batch_size: int = Field(1024, ge=1, description="Events in a batch.")
    accumulate: int = Field(
        1, ge=1, description="Batches whose gradients make one step together, to save memory."
    )
    rows_at_once: int | None = Field(
        None,
        ge=1,
        description="Events that go through the model together; a larger batch goes in pieces, "
        "whose gradients are added up. Default: a whole batch.",
    )
    side_batch_size: int | None = Field(
        None,
        ge=1,
        description="Events of every stream beside the main one in a batch. Default: as many as "
        "let each stream pass once in an epoch.",
    )
    pieces: int | None = Field(
        None,
        ge=1,
        description="Batches of an epoch: every stream is cut into so many equal parts, whatever "
        "`batch_size` says.",
    )
    shuffle: bool = Field(True, description="Draw a new order of the events in each epoch.")
    optimiser: Literal["adamw", "nadam", "keras-nadam"] = Field(
        "adamw",
        description="AdamW; Adam with Nesterov's momentum; or that as Keras 2 computes it.",
    )
    learning_rate: float | Literal["find"] = Field(
        1e-3, description="Largest step size of the optimiser, or `find`."
    )
    find: FindConfig = Field(default_factory=FindConfig, description="How `find` finds it.")
    schedule: ScheduleConfig = Field(
        default_factory=Constant, description="The learning rate's course."
    )
    warm_up: float = Field(
        0.0, ge=0, description="Epochs in which the learning rate rises from 0, before all else."
    )
    weight_decay: float = Field(
        0.0, ge=0, description="AdamW's; biases, norms and embeddings are not decayed."
    )
    clip: float | None = Field(1.0, gt=0, description="Largest norm of a gradient.")
    average_decay: float = Field(
        0.0, ge=0, lt=1, description="Decay of the running average of the weights; 0 for none."
    )
    monitor: str = Field(
        "validation_loss", description="The metric that picks the best epoch and ends a training."
    )
    patience: int | None = Field(
        None,
        ge=1,
        description="Stop after so many epochs that gain less than `least_gain` in all.",
    )
    least_gain: float = Field(0.0, ge=0, description="What counts as a gain, in `monitor`'s unit.")
    precision: Literal["32", "16-mixed", "bf16-mixed"] = Field(
        "32", description="Of the steps; weights and scores are always float32."
    )
    compile: bool = Field(False, description="Compile the network (torch.compile).")


class SecondPhaseConfig(Config):
    """Training again, the signal against everything else, from the first phase's weights."""

    epochs: int = Field(100, ge=1, description="Most epochs of the second phase.")
    learning_rate: float | Literal["find"] = Field(
        "find", description="Step size of the second phase, which has no schedule."
    )


class TrainingConfig(FitConfig):
    """How a classifier is trained."""

    weight_decay: float = Field(
        0.01, ge=0, description="AdamW's; biases, norms and embeddings are not decayed."
    )
    patience: int | None = Field(
        10, ge=1, description="Stop after so many epochs that gain less than `least_gain` in all."
    )
    validation: float = Field(
        0.2, gt=0, lt=1, description="Share of the groups held out to pick the best epoch."
    )
    weights: Literal["none", "absolute", "signed"] = Field(
        "signed", description="Event weights in the loss: none, their absolute values, or as is."
    )
    balance: Literal["none", "classes", "signal"] = Field(
        "classes",
        description="Total weight of the classes: as it is, all equal, or the signal's as much as "
        "that of all others.",
    )
    second_phase: SecondPhaseConfig | None = Field(
        None, description="Afterwards, the signal against everything else."
    )
