"""Drawn values as tables: what a figure shows, in HEPData's structure."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Column = dict[str, Any]

MISSING = "-"
"""HEPData's sign for a value that does not exist (NaN or infinite here)."""

_DRAWN: weakref.WeakKeyDictionary[Figure, list[Table]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Table:
    """Columns of equal length behind one part of a figure.

    Attributes:
        name: What the table holds, unique in its figure.
        independent: Columns made by `points`, `bins` or `words`.
        dependent: Columns made by `values`.
    """

    name: str
    independent: tuple[Column, ...]
    dependent: tuple[Column, ...]

    def __post_init__(self) -> None:
        lengths = {len(column["values"]) for column in (*self.independent, *self.dependent)}
        if len(lengths) > 1:
            msg = f"columns of table '{self.name}' have different lengths: {sorted(lengths)}"
            raise ValueError(msg)

    def as_json(self) -> dict[str, Any]:
        """The table; `data` follows HEPData's data schema 1.1 as it stands."""
        return {
            "name": self.name,
            "data": {
                "independent_variables": list(self.independent),
                "dependent_variables": list(self.dependent),
            },
        }


def drawn(figure: Figure) -> tuple[Table, ...]:
    """The tables of everything the functions of this package drew on a figure."""
    return tuple(_DRAWN.get(figure, ()))


def record(figure: Figure, tables: Sequence[Table]) -> None:
    """Remember what was drawn on a figure for as long as the figure lives."""
    _DRAWN.setdefault(figure, []).extend(tables)


def forget(figure: Figure) -> None:
    """Forget what was drawn on a figure."""
    _DRAWN.pop(figure, None)


def points(label: str, x: ArrayLike) -> Column:
    """An independent variable given at points; the label carries the unit in brackets."""
    return {"header": header(label), "values": [{"value": _plain(value)} for value in _flat(x)]}


def bins(label: str, edges: ArrayLike) -> Column:
    """An independent variable given by (n+1,) bin edges."""
    return intervals(label, _flat(edges)[:-1], _flat(edges)[1:])


def intervals(label: str, low: ArrayLike, high: ArrayLike) -> Column:
    """An independent variable given by lower and upper ends, each with shape (n,)."""
    low_high = zip(_flat(low), _flat(high), strict=True)
    return {
        "header": header(label),
        "values": [{"low": float(one), "high": float(other)} for one, other in low_high],
    }


def words(label: str, names: Sequence[str]) -> Column:
    """An independent variable that is a list of names."""
    return {"header": header(label), "values": [{"value": name} for name in names]}


def values(
    label: str,
    y: ArrayLike,
    *,
    error: ArrayLike | None = None,
    source: str = "stat",
    qualifiers: Mapping[str, str | float] | None = None,
) -> Column:
    """A dependent variable.

    Args:
        label: Name and, in brackets, unit.
        y: Values with shape (n,).
        error: Symmetric errors with shape (n,), or distances down and up with shape (2, n).
        source: What the error is.
        qualifiers: What distinguishes this column from its neighbours.
    """
    column: Column = {"header": header(label)}
    if qualifiers:
        column["qualifiers"] = [{"name": key, "value": item} for key, item in qualifiers.items()]
    cells: list[Column] = [{"value": _plain(value)} for value in _flat(y)]
    if error is not None:
        for cell, entry in zip(cells, _errors(error, source), strict=True):
            cell["errors"] = [entry]
    column["values"] = cells
    return column


def header(label: str) -> dict[str, str]:
    """Split an axis label such as `Mass [GeV]` into name and unit."""
    name, bracket, unit = label.partition(" [")
    return {"name": name, "units": unit.removesuffix("]")} if bracket else {"name": label}


def _errors(error: ArrayLike, source: str) -> list[Column]:
    array = np.asarray(error, dtype=np.float64)
    if array.ndim == 1:
        return [{"symerror": _plain(value), "label": source} for value in array]
    return [
        {"asymerror": {"minus": _plain(-down), "plus": _plain(up)}, "label": source}
        for down, up in array.T
    ]


def _plain(value: float) -> float | str:
    return float(value) if np.isfinite(value) else MISSING


def _flat(x: ArrayLike) -> Array:
    return np.asarray(x, dtype=np.float64).ravel()
