"""Config of a search for hyper-parameters; no stage ever reads it."""

from __future__ import annotations

import itertools
import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config
from quarkline.engine.core.results import canonical_json

Direction = Literal["maximize", "minimize"]


class Values(Config):
    """The values a key may take: `choices`, or a range `low` to `high`, whole if both ends are."""

    choices: tuple[Any, ...] = Field((), description="Any values, lists and maps among them.")
    low: int | float | None = Field(None, description="Least value of a range.")
    high: int | float | None = Field(None, description="Greatest value of a range.")
    log: bool = Field(False, description="Draw evenly in the logarithm.")
    step: int | float | None = Field(None, gt=0, description="Only every such value from `low`.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        ends = (self.low, self.high)
        if bool(self.choices) == (None not in ends) or ends.count(None) == 1:
            msg = "give either `choices`, or both `low` and `high`"
            raise ValueError(msg)
        _refuse_repeated(self.choices)
        if self.low is None or self.high is None:
            return self
        if self.low >= self.high:
            msg = f"`low` = {self.low} is not below `high` = {self.high}"
            raise ValueError(msg)
        if self.log and (self.low <= 0 or self.step is not None):
            msg = "a logarithmic range begins above 0 and has no `step`"
            raise ValueError(msg)
        if self.is_whole and not isinstance(self.step, int | None):
            msg = f"a range between whole numbers has a whole `step`, not {self.step}"
            raise ValueError(msg)
        return self

    @property
    def is_whole(self) -> bool:
        """Whether the range holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that show whether a config takes this key: all choices, or both ends."""
        return self.choices or (self.low, self.high)


class MedianPruning(Config):
    """Stop a trial that is worse than the median of the finished ones at the same epoch."""

    kind: Literal["median"] = "median"
    warm_up: int = Field(3, ge=0, description="Epochs in which no trial is stopped.")
    trials: int = Field(5, ge=1, description="Trials that run to their end before any is stopped.")


class HyperbandPruning(Config):
    """Give few epochs to many trials and many to the best (L. Li et al., arXiv:1603.06560)."""

    kind: Literal["hyperband"]
    warm_up: int = Field(3, ge=1, description="Epochs that every trial gets.")
    reduction: int = Field(3, ge=2, description="One trial in so many goes on.")


class NoPruning(Config):
    """Run every trial to its end."""

    kind: Literal["none"]


Pruning = Annotated[MedianPruning | HyperbandPruning | NoPruning, Field(discriminator="kind")]


class TuneConfig(Config):
    """What to search, by which measure, and how long."""

    space: dict[str, Values] = Field(
        default_factory=dict,
        description="Values by key of the config, such as `train.model.width`.",
    )
    grid: dict[str, tuple[Any, ...]] = Field(
        default_factory=dict, description="Instead: lists of values, tried in all combinations."
    )
    trials: int = Field(50, ge=1, description="Number of trials; a grid has its own.")
    metric: str = Field("significance", description="What is compared; the study has a list.")
    direction: Direction | None = Field(None, description="Default: what is better by the metric.")
    pruning: Pruning | None = Field(
        None, description="Which trials to stop early; default: `median`, for a grid `none`."
    )
    folds: int = Field(1, ge=1, description="Train only so many folds in each trial.")
    seed: int | None = Field(None, ge=0, description="Seed of the values; default: the config's.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.space) == bool(self.grid):
            msg = "give either `space` or `grid`, with one key or more"
            raise ValueError(msg)
        keys = [*self.space, *self.grid]
        for inner, outer in itertools.permutations(keys, 2):
            if inner.startswith(f"{outer}."):
                msg = f"`{outer}` holds `{inner}`; search one of them"
                raise ValueError(msg)
        for key, values in self.grid.items():
            _refuse_repeated(values)
            if not values:
                msg = f"`grid` has no values for `{key}`"
                raise ValueError(msg)
        return self

    @property
    def size(self) -> int:
        """Number of trials."""
        lengths = [len(values) for values in self.grid.values()]
        return math.prod(lengths) if lengths else self.trials

    @property
    def keys(self) -> dict[str, Values]:
        """The values of every key that is searched."""
        return self.space or {key: Values(choices=items) for key, items in self.grid.items()}


def _refuse_repeated(values: tuple[Any, ...]) -> None:
    texts = [canonical_json(value) for value in values]
    if repeated := [text for text in texts if texts.count(text) > 1]:
        msg = f"{repeated[0]} stands twice"
        raise ValueError(msg)


class Tunable(Config):
    """The key of a study's config whose training can be searched."""

    tune: TuneConfig | None = Field(None, description="What `quarkline tune` searches.")
