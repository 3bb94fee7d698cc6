"""What became of the ntuples of a conversion, file by file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from quarkline.engine.core.results import Result

State = Literal["converted", "kept", "elsewhere", "no events", "no jets", "left out"]


@dataclass(frozen=True)
class ConvertedNtuple:
    """One ntuple.

    Attributes:
        file: Its path.
        kind: What it holds.
        state: `converted` now, or `kept` from before; `elsewhere` if another process is at it;
            without a table for want of events or jets; or `left out`.
        why: Why it was left out.
        table: Path of its table; "" without one.
        rows: Jets in the table.
        events: Its events by what became of them.
    """

    file: str
    kind: str
    state: State
    why: str
    table: str
    rows: int
    events: dict[str, int]


@dataclass(frozen=True)
class Conversion(Result, kind="ntuple-conversion"):
    """All ntuples of a conversion, in the order in which they were named."""

    files: tuple[ConvertedNtuple, ...]

    @property
    def left_out(self) -> tuple[ConvertedNtuple, ...]:
        """The ntuples that could not be converted."""
        return tuple(file for file in self.files if file.state == "left out")

    @property
    def events(self) -> dict[str, int]:
        """Events of all ntuples by what became of them."""
        total: Counter[str] = Counter()
        for file in self.files:
            total.update(file.events)
        return dict(total)


def state_of(rows: int, events: dict[str, int], why: str) -> State:
    """What became of an ntuple that was read."""
    if why:
        return "left out"
    if not sum(events.values()):
        return "no events"
    return "converted" if rows else "no jets"
