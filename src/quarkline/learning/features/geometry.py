"""How large a model's inputs are: what a network has to know to be built."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Geometry:
    """Sizes of the inputs.

    Attributes:
        continuous: Number C of continuous features.
        categories: Number of codes of each of the K categorical features; code 0 is among them
            and means missing, or a value that training did not see.
        objects: Most objects L and number of features F of each group of objects.
    """

    continuous: int
    categories: tuple[int, ...] = ()
    objects: tuple[tuple[int, int], ...] = ()
