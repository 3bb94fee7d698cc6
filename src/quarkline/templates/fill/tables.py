"""What is read of one tree, once, for all histograms that it adds to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from quarkline.catalog import InputFile
from quarkline.templates.fill.bins import Bins

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Drawn:
    """Histograms of one variable of the same events, one for each weight.

    Attributes:
        columns: Columns with other values, as names and expressions.
        variable: What is drawn.
        selection: Which events count.
        bins: Bins of the variable.
        weights: Weights of an event.
    """

    columns: Columns
    variable: str
    selection: str
    bins: Bins
    weights: tuple[str, ...]

    @property
    def cells(self) -> int:
        """Number of bins of all its histograms together."""
        return len(self.weights) * self.bins.cells


@dataclass(frozen=True)
class Table:
    """One tree with its friends, and what is drawn of it.

    Attributes:
        file: The tree.
        drawn: What is drawn of it.
    """

    file: InputFile
    drawn: tuple[Drawn, ...]

    @property
    def args(self) -> dict[str, Any]:
        """It without its files, as JSON values in which every text stands once."""
        texts: dict[str, int] = {}

        def number(text: str) -> int:
            return texts.setdefault(str(text), len(texts))

        drawn = [
            {
                "columns": [[name, number(text)] for name, text in item.columns],
                "variable": number(item.variable),
                "selection": number(item.selection),
                "bins": item.bins.as_json,
                "weights": [number(text) for text in item.weights],
            }
            for item in self.drawn
        ]
        return {"tree": self.file.tree, "drawn": drawn, "texts": list(texts)}

    @classmethod
    def from_args(cls, args: Mapping[str, Any], file: InputFile) -> Self:
        """A table from `args`, and its files."""
        texts = args["texts"]
        drawn = (
            Drawn(
                tuple((name, texts[text]) for name, text in item["columns"]),
                texts[item["variable"]],
                texts[item["selection"]],
                Bins.from_json(item["bins"]),
                tuple(texts[text] for text in item["weights"]),
            )
            for item in args["drawn"]
        )
        return cls(file, tuple(drawn))

    @property
    def cells(self) -> int:
        """Number of bins of all histograms."""
        return sum(item.cells for item in self.drawn)
