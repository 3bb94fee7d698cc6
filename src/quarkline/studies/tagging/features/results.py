"""What the features of jets are: how many jets of which kind, for what, and their scaling."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quarkline.engine.core.results import Result


@dataclass(frozen=True)
class JetCounts:
    """Jets of one kind.

    Attributes:
        set: `main` or `control`.
        split: `train`, `validation` or `test`.
        label: What they are.
        jets: How many.
        weight: Sum of their weights.
    """

    set: str
    split: str
    label: int
    jets: int
    weight: float


@dataclass(frozen=True)
class MassPoint:
    """Signal of one pair of masses, in GeV, that is trained on."""

    mH: float  # noqa: N815  (the name of the column)
    mS: float  # noqa: N815
    jets: int


@dataclass(frozen=True)
class JetFeatures(Result, kind="jet-features"):
    """Features of jets.

    Attributes:
        counts: Jets by set, split and label.
        masses: Signal that is trained on, by mass.
        read: Jets that were looked at, by set.
        scaling: How the tables are scaled.
        layout: Their layout.
        inputs: Names of the inputs of a jet, of constituents with their stream in front.
    """

    counts: tuple[JetCounts, ...]
    masses: tuple[MassPoint, ...]
    read: dict[str, int]
    scaling: Mapping[str, Any]
    layout: str
    inputs: tuple[str, ...]
