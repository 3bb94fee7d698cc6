"""Tables for HEPData under TRExFitter's names (`HEPDataFormat`), valid for a submission.

Numbers with an error have as many digits as the PDG's rule gives it, counts are whole, and
everything else has six digits.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from quarkline.engine.store.atomic import write_atomic
from quarkline.figures.fits.contents import of_region
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.predictions import RegionPrediction
from quarkline.trexfitter.outputs.rankings import RankingLine
from quarkline.trexfitter.outputs.tables import YieldTable, rounded

Column = dict[str, Any]
HIDDEN = "blinded"
"""Stands for a count that is not shown."""
NEARLY = 0.1
"""Errors up and down that differ by less are one symmetric error."""
SUBMISSION = "submission.yaml"
WITHOUT_POINT = re.compile(r"(?<=: )(-?\d)e(?=-?\d+$)", re.MULTILINE)
"""Numbers such as 1e-05, which are texts to readers of YAML 1.1."""


@dataclass(frozen=True)
class Conditions:
    """What all numbers were taken with, as texts such as `13 TeV` and `139 fb^{-1}`."""

    energy: str = ""
    luminosity: str = ""

    @property
    def qualifiers(self) -> list[dict[str, Any]]:
        """The same for HEPData; what has no number or another unit is left out."""
        found = []
        if (tev := _number(self.energy, r"TeV")) is not None:
            found.append({"name": "SQRT(s)", "units": "GeV", "value": plain(1000 * tev)})
        if (inverse := _number(self.luminosity, r"fb\^?\{?-1\}?")) is not None:
            found.append({"name": "LUMINOSITY", "units": "fb$^{-1}$", "value": plain(inverse)})
        return found


def _number(text: str, unit: str) -> float | None:
    found = re.search(rf"(\d+(?:\.\d+)?)\s*{unit}", text)
    return float(found[1]) if found else None


def plain(value: float) -> float | int:
    """A number with six digits; whole ones without a point."""
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() and abs(short) < 1e6 else short


def measured(value: float, up: float, down: float) -> dict[str, Any]:
    """A number with its errors up and down, both positive."""
    alike = down > 0 and 1 - NEARLY < up / down < 1 + NEARLY
    error = (up + down) / 2 if alike else min(up, down)
    shown, short, decimals = rounded(value, error)
    if alike:
        return {"value": plain(shown), "errors": [{"symerror": plain(short)}]}
    sides = {"plus": plain(round(up, decimals)), "minus": plain(-round(down, decimals))}
    return {"value": plain(shown), "errors": [{"asymerror": sides}]}


def region_table(
    region: RegionPrediction, title: str, titles: dict[str, str], conditions: Conditions
) -> dict[str, Any]:
    """What is expected in the bins of a region, and data where they are shown.

    Args:
        region: The expectation before or after a fit.
        title: Name and unit of the x axis.
        titles: Names of the samples.
        conditions: What the data were taken with.
    """
    bins = [
        {"low": low, "high": high, "value": (low + high) / 2}
        for low, high in zip(region.edges[:-1], region.edges[1:], strict=True)
    ]
    columns = [
        _column(
            titles.get(sample.name, sample.name), [{"value": plain(x)} for x in sample.contents]
        )
        for sample in sorted(region.samples, key=lambda sample: sample.role != "signal")
    ]
    pairs = zip(region.contents, region.errors, strict=True)
    columns.append(_column("Total", [measured(value, error, error) for value, error in pairs]))
    shown = of_region(region, {}).data
    if shown is not None:
        columns.append(_column("Data", [_count(value) for value in shown.tolist()]))
    return _table([_independent(title or region.region, bins)], columns, conditions)


def _count(value: float) -> dict[str, Any]:
    return {"value": HIDDEN if value != value else round(value)}


def yields_table(table: YieldTable, conditions: Conditions) -> dict[str, Any]:
    """A table of yields: samples below each other, a column a region."""
    names = [{"value": row.title} for row in table.rows]
    columns = []
    for at, region in enumerate(table.regions):
        cells = [
            {"value": round(row.values[at])}
            if row.errors is None
            else measured(row.values[at], row.errors[at], row.errors[at])
            for row in table.rows
        ]
        columns.append(_column(region, cells))
    return _table([_independent("process", names)], columns, conditions)


def ranking_table(lines: Sequence[RankingLine], conditions: Conditions) -> dict[str, Any]:
    """A ranking: pulls, and shifts of the measured parameter after and before the fit."""
    names = [{"value": line.name} for line in lines]
    pulls = [measured(line.value, line.up, line.down) for line in lines]
    columns = [_column("NP value, error", pulls)]
    for at, what in enumerate(("high", "low", "prefit high", "prefit low")):
        columns.append(
            _column(f"impact POI {what}", [{"value": plain(line.shifts[at])} for line in lines])
        )
    return _table([_independent("parameter", names)], columns, conditions)


def correlation_table(fit: LikelihoodFit, conditions: Conditions) -> dict[str, Any]:
    """Correlations of all fitted parameters, row by row."""
    names, matrix = fit.free, fit.correlation
    rows = [{"value": one} for one in names for _ in names]
    columns = [{"value": other} for _ in names for other in names]
    cells = [{"value": round(float(value), 2) + 0.0} for row in matrix for value in row]
    independent = [_independent("NPs", rows), _independent("NPs", columns)]
    return _table(independent, [_column("NP correlations", cells)], conditions)


def _independent(name: str, values: list[dict[str, Any]]) -> Column:
    title, bracket, unit = name.partition(" [")
    header = {"name": title, "units": unit.removesuffix("]")} if bracket else {"name": name}
    return {"header": header, "values": values}


def _column(name: str, values: list[dict[str, Any]]) -> Column:
    return {"header": {"name": name}, "values": values}


def _table(
    independent: list[Column], dependent: list[Column], conditions: Conditions
) -> dict[str, Any]:
    qualified = [{**column, "qualifiers": conditions.qualifiers} for column in dependent]
    return {"independent_variables": independent, "dependent_variables": qualified}


def write_hepdata(path: Path, content: dict[str, Any]) -> Path:
    """Write a table.

    Args:
        path: The file.
        content: The table.
    """
    return write_atomic(path, _dumped([content]))


def write_submission(
    folder: Path, named: Iterable[tuple[str, str]], conditions: Conditions
) -> Path:
    """Write the list of tables that HEPData asks for, with those that are there.

    Args:
        folder: Where the tables are.
        named: Files and what they hold, in order.
        conditions: What the data were taken with.
    """
    energies = [one["value"] for one in conditions.qualifiers if one["name"] == "SQRT(s)"]
    keywords = [{"name": "cmenergies", "values": energies}] if energies else []
    parts = [
        {
            "name": what,
            "location": "XXX",
            "description": what,
            "keywords": [
                {"name": "reactions", "values": ["XXX"]},
                {"name": "phrases", "values": ["XXX"]},
                *keywords,
            ],
            "data_file": file,
        }
        for file, what in named
        if (folder / file).is_file()
    ]
    return write_atomic(folder / SUBMISSION, _dumped(parts))


def _dumped(parts: list[dict[str, Any]]) -> str:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    yaml.dump_all(parts, text)
    return WITHOUT_POINT.sub(r"\1.0e", text.getvalue())
