"""What the sections of any study use: its results and figures by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from quarkline.engine.core.results import Result
from quarkline.report.blocks import Cell, Figure

R = TypeVar("R", bound=Result)
Row = list[Cell | str | float | int | None]
Results = Mapping[str, Result]


class Figures:
    """Figures of the run by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, caption: str, stage: str) -> Figure:
        """A figure with its caption and the stage it shows."""
        return Figure(self.folder / name, caption, stage)


def result_of(results: Results, name: str, kind: type[R]) -> R:
    """A result of the run, as the kind it is known to be.

    Raises:
        TypeError: If it is another.
    """
    value = results[name]
    if not isinstance(value, kind):
        msg = f"result `{name}` is {type(value)}, not {kind}"
        raise TypeError(msg)
    return value
