"""Which files the paths of a build mean, and how built tables are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import awkward as ak
import numpy as np

from quarkline.engine.core.findings import InputError
from quarkline.events.files import natural_key
from quarkline.events.sinks.parquet import ParquetSink
from quarkline.events.sources.base import record_array
from quarkline.studies.tagging.build.block import JetBlock
from quarkline.studies.tagging.build.choice import NO_FILES
from quarkline.studies.tagging.columns import JET, LLP, STREAMS
from quarkline.studies.tagging.convert.table import own_units
from quarkline.studies.tagging.tables import MASSES, SCHEMA, WEIGHT

WILD = "*?["
ENDING = ".parquet"
FRONT = ("label", "eventNumber", WEIGHT, "runNumber", *MASSES, *JET)
"""First columns of upstream's main training file."""


def split_at_wildcard(text: str) -> tuple[str, str | None]:
    """A path in two: the folder without wildcards, and the pattern below it, None without one."""
    parts = Path(text).parts
    for place, part in enumerate(parts):
        if any(sign in part for sign in WILD):
            folder = str(Path(*parts[:place])) if place else "."
            return folder, str(Path(*parts[place:]))
    return text, None


def files_of(texts: Iterable[str], base: Path) -> list[Path]:
    """The tables that paths mean, each text's by name; a file may come several times.

    Args:
        texts: Files, folders or patterns.
        base: What relative ones are relative to.

    Raises:
        InputError: If one of them means no table.
    """
    found: list[Path] = []
    for text in texts:
        own = sorted(_files(text, base), key=natural_key)
        if not own:
            raise InputError(
                NO_FILES.finding(
                    f"`{text}` is no table of jets, and no folder or pattern of any, in {base}",
                    suggestion=f"name files ending in `{ENDING}`; `quarkline convert "
                    "divertanalysis` makes them of ntuples",
                )
            )
        found += own
    return found


def _files(text: str, base: Path) -> Iterator[Path]:
    folder, pattern = split_at_wildcard(text)
    path = base / folder
    if pattern is not None:
        yield from (one for one in path.glob(pattern) if one.is_file() and one.suffix == ENDING)
    elif path.is_dir():
        yield from path.rglob(f"*{ENDING}")
    elif path.is_file():
        yield path


class JetSink:
    """Writes blocks of jets into one table, in our layout or upstream's.

    Args:
        path: The file.
        scaling: What the table says about its scaling.
        flat: Whether constituents become columns `x_i`.
        remove: Columns that are left out.
    """

    def __init__(
        self, path: Path, scaling: Mapping[str, Any], *, flat: bool, remove: Sequence[str] = ()
    ) -> None:
        self.path, self.scaling, self.flat, self.remove = path, scaling, flat, set(remove)
        self._sink: ParquetSink | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._sink is not None:
            self._sink.__exit__(kind, error, trace)

    def write(self, block: JetBlock) -> None:
        """Write some jets; the first ones decide on the columns."""
        columns = self._flat(block) if self.flat else self._lists(block)
        kept = {name: column for name, column in columns.items() if name not in self.remove}
        if self._sink is None:
            self._sink = ParquetSink(self.path, self._metadata(kept)).__enter__()
            self._columns = tuple(kept)
        arrays = {
            name: kept[name] if isinstance(kept[name], ak.Array) else ak.from_numpy(kept[name])
            for name in self._columns
        }
        self._sink.write(record_array(arrays, len(block)))

    def _metadata(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        units = own_units(dict.fromkeys(columns, np.zeros(0)))
        scaled = self.scaling["kind"] != "none"
        told = {name: unit for name, unit in units.items() if not (scaled or self.flat)}
        return {"schema": SCHEMA, "units": told, "scaling": dict(self.scaling)}

    def _lists(self, block: JetBlock) -> dict[str, Any]:
        found: dict[str, Any] = dict(block.values)
        for stream, columns in block.streams.items():
            places = block.present[stream]
            counts = places.sum(axis=1)
            for name, column in columns.items():
                found[name] = ak.unflatten(column[places].astype(np.float32), counts)
        return found

    def _flat(self, block: JetBlock) -> dict[str, Any]:
        """Upstream's order: what a jet is, its constituents one by one, its decay."""
        values = dict(block.values)
        found: dict[str, Any] = {name: values.pop(name) for name in FRONT if name in values}
        for stream in STREAMS:
            columns = block.streams[stream.name]
            for row in range(stream.rows):
                found |= {f"{name}_{row}": column[:, row] for name, column in columns.items()}
        return found | {name: values[name] for name in LLP if name in values}
