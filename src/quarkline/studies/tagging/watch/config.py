"""Config of what is watched, and of which epochs are drawn."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field, field_validator

from quarkline.engine.core.config import Config
from quarkline.statistics.tagging import PT_EDGES

Form = Literal["png", "pdf", "svg", "json"]


class WatchConfig(Config):
    """What is measured after each epoch.

    Attributes:
        pt_edges: Edges of the bins of jet pT for the K-S tests, in GeV; the upper edge belongs to
            the last bin.
        permutations: Permutations behind the p-values of the K-S tests; 0 for asymptotic ones.
        compatibility: `upstream` takes bins without their inner edges, and open at the ends.
    """

    pt_edges: tuple[float, ...] = PT_EDGES
    permutations: int = Field(200, ge=0, le=100_000)
    compatibility: Literal["none", "upstream"] = "none"

    @field_validator("pt_edges")
    @classmethod
    def _rising(cls, edges: tuple[float, ...]) -> tuple[float, ...]:
        if len(edges) < 2 or any(high <= low for low, high in pairwise(edges)):
            msg = f"edges of jet pT rise, and there are at least two: {list(edges)} do not"
            raise ValueError(msg)
        return edges


class DrawConfig(Config):
    """Which epochs are drawn, and how.

    Attributes:
        epochs: `chosen` (the epoch that is used), `all`, or N for every Nth and the chosen one.
        forms: Forms of the figures of epochs; those of the whole training come in all forms.
        note: A line of words in the figures of outputs, such as `High-ET training`.
    """

    epochs: Literal["all", "chosen"] | int = "chosen"
    forms: tuple[Form, ...] = ("png", "json")
    note: str = ""

    @field_validator("epochs")
    @classmethod
    def _positive(cls, epochs: str | int) -> str | int:
        if isinstance(epochs, int) and epochs < 1:
            msg = f"every {epochs}th epoch cannot be drawn: give 1 or more, `all` or `chosen`"
            raise ValueError(msg)
        return epochs

    def drawn(self, number: int, chosen: int) -> tuple[int, ...]:
        """Which of the epochs 0, 1 ... are drawn.

        Args:
            number: Number of epochs.
            chosen: The epoch that is used.
        """
        if self.epochs == "chosen":
            return (chosen,)
        step = 1 if self.epochs == "all" else self.epochs
        return tuple(sorted({*range(0, number, step), chosen}))
