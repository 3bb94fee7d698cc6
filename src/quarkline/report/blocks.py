"""What a report is made of: sections of text, tables and figures, each knowing its stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.results import Quantity


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes:
        text: Plain text; `words` in backticks are set as code.
        stage: The stage its numbers came from.
    """

    text: str
    stage: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What is shown.
        value: What it is sorted by and downloaded as; the text if None.
        stage: The stage it came from, if not the table's.
        strong: Whether it stands out, as the best one of its row does.
    """

    text: str
    value: float | int | None = None
    stage: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table that can be sorted and downloaded.

    Attributes:
        name: Name of the download, without extension.
        columns: Headings, with units.
        rows: Cells, or texts and numbers.
        stage: The stage its numbers came from.
        caption: What it shows.
        folded: Whether a long table is folded away until it is asked for.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str | float | int | None]]
    stage: str = ""
    caption: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """A figure written by `quarkline.figures.save`, with an SVG beside it.

    Attributes:
        stem: Path without extension of the PDF, PNG, SVG and JSON.
        caption: What it shows.
        stage: The stage whose numbers it draws.
    """

    stem: Path
    caption: str
    stage: str = ""


Block = Text | Table | Figure


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        title: Its heading.
        blocks: Its content.
    """

    title: str
    blocks: Sequence[Block]

    @property
    def anchor(self) -> str:
        """The name links refer to."""
        return "".join(char if char.isalnum() else "-" for char in self.title.lower())


def number(value: Quantity | float | None, digits: int = 3) -> Cell:
    """A number as a cell, with its error if it has one; absent ones are a dash."""
    if isinstance(value, Quantity):
        shown = significant(value.value, digits)
        error = value.up if value.up is not None else value.down
        text = f"{shown} ± {significant(error, 2)}" if error is not None else shown
        return Cell(f"{text} {value.unit}".strip(), value.value)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Cell("–")
    return Cell(f"{value:,}" if isinstance(value, int) else significant(value, digits), value)


def significant(value: float, digits: int) -> str:
    """A number with so many significant digits, in powers of ten where it is small."""
    if not math.isfinite(value):
        return "–"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        magnitude = 0 if value == 0 else math.floor(math.log10(abs(value)))
        return f"{value:,.{max(0, digits - 1 - magnitude)}f}"
    return f"{value:.{digits - 1}e}"
