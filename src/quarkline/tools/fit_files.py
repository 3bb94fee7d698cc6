"""What a fit found, as files: results, tables and figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from quarkline.engine.core.results import Result, jsonable, pretty_json
from quarkline.engine.store.atomic import make_folder, write_atomic
from quarkline.statistics.likelihood.results import (
    CLsLimit,
    GroupedImpacts,
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
    Ranking,
    ToyFits,
)

Row = Mapping[str, Any]


def write_files(results: Mapping[str, Result], folder: Path) -> list[Path]:
    """Write `results.json` and a table for each result that is one.

    Args:
        results: Results by name.
        folder: Where to.

    Returns:
        The files written.
    """
    make_folder(folder)
    content = {"schema": "quarkline.results/1", "study": "fit", "results": dict(results)}
    files = [write_atomic(folder / "results.json", pretty_json(content))]
    for name, rows in tables(results).items():
        files.append(write_atomic(folder / "tables" / f"{name}.csv", _csv(rows)))
    return files


def tables(results: Mapping[str, Result]) -> dict[str, list[Row]]:
    """The results that are tables, as rows by name."""
    found: dict[str, list[Row]] = {}
    for name, result in results.items():
        match result:
            case LikelihoodFit():
                found["parameters"] = [_flat(row) for row in result.parameters]
                found["correlations"] = list(_correlations(result))
            case Ranking():
                found[name] = [_flat(row) for row in result.rows]
            case GroupedImpacts():
                found[name] = [
                    _flat(row) for row in (result.total, result.statistical, *result.groups)
                ]
            case CLsLimit():
                found[name] = list(_cls(result))
            case LikelihoodScan():
                pairs = zip(result.values, result.heights, strict=True)
                found[name] = [{result.parameter: x, "height": height} for x, height in pairs]
            case LikelihoodSurface():
                found[name] = list(_surface(result))
            case ToyFits():
                pairs = zip(result.values, result.errors, strict=True)
                found[name] = [{"value": value, "error": error} for value, error in pairs]
    return found


def _flat(row: Any) -> Row:
    """The fields of a result as cells; names as one text."""
    cells = {item.name: jsonable(getattr(row, item.name)) for item in fields(row)}
    return {name: " ".join(x) if isinstance(x, list) else x for name, x in cells.items()}


def _correlations(fitted: LikelihoodFit) -> Iterable[Row]:
    if not fitted.covariance:
        return
    for name, row in zip(fitted.free, fitted.correlation.tolist(), strict=True):
        yield {"name": name, **dict(zip(fitted.free, row, strict=True))}


def _cls(limit: CLsLimit) -> Iterable[Row]:
    names = ("minus2", "minus1", "median", "plus1", "plus2")
    for point in limit.points:
        bands = dict(zip(names, point.expected, strict=True))
        yield {limit.poi: point.value, "observed": point.observed, **bands}


def _surface(surface: LikelihoodSurface) -> Iterable[Row]:
    first, second = surface.parameters
    for x, row in zip(surface.x, surface.heights, strict=True):
        for y, height in zip(surface.y, row, strict=True):
            yield {first: x, second: y, "height": height}


def _csv(rows: list[Row]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
