"""What a build came to."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.results import Result


@dataclass(frozen=True)
class BuiltInput:
    """One file of one input.

    Attributes:
        part: `main`, `simulation` or `data`.
        file: Name of the table.
        read: Jets in it.
        counts: Jets by what became of them; together they are all.
    """

    part: str
    file: str
    read: int
    counts: dict[str, int]


@dataclass(frozen=True)
class BuiltClass:
    """The jets of one label.

    Attributes:
        part: `main` or `control`.
        label: The label.
        jets: Number of jets.
        weight: Sum of their weights.
        effective: Effective number (sum w)^2 / sum w^2.
    """

    part: str
    label: int
    jets: int
    weight: float
    effective: float


@dataclass(frozen=True)
class Build(Result, kind="built-jets"):
    """The training set and the control region.

    Attributes:
        inputs: File by file.
        classes: Label by label.
        scaling: How values were scaled, and in which range of momenta.
        warnings: What is odd about the inputs.
    """

    inputs: tuple[BuiltInput, ...]
    classes: tuple[BuiltClass, ...]
    scaling: dict[str, str | float]
    warnings: tuple[str, ...]
