"""Converts one ntuple, in pieces: its table of jets, and what became of its events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from quarkline.engine.core.findings import InputError, QuarklineError
from quarkline.engine.store.filekeys import file_key
from quarkline.events.schema import Column, Schema
from quarkline.events.sinks.parquet import ParquetSink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import Chunk, Source, record_array
from quarkline.events.sources.registry import detect
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.jets import Cuts, Jets, jets_of
from quarkline.studies.tagging.convert.table import Columns, own_table, own_units, upstream_table
from quarkline.studies.tagging.tables import SCHEMA, UNSCALED

VERSION = 1  # bump when equal ntuples give another table
TABLE = "jets.parquet"
EVENTS_AT_ONCE = 10_000
DEPTHS = dict.fromkeys((*ntuple.EVENT, ntuple.WEIGHT), (0,)) | dict.fromkeys(
    (ntuple.TRACK_JETS, ntuple.SEGMENT_JETS), (1, 2)
)
"""Levels of lists of a branch, where it is not one."""
WHOLE = (*ntuple.EVENT, ntuple.CLUSTER_JET, ntuple.TRACK_JETS, ntuple.SEGMENT_JETS)
"""Branches of integers."""


@dataclass(frozen=True)
class Wanted:
    """How an ntuple is converted.

    Attributes:
        kind: What it holds.
        cuts: What jets are taken.
        masses: Masses mH and mS in GeV.
        compatibility: `upstream` for its columns and units.
    """

    kind: ntuple.Kind
    cuts: Cuts
    masses: tuple[float, float]
    compatibility: str

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Wanted:
        """Rebuild from JSON values."""
        masses = (float(data["masses"][0]), float(data["masses"][1]))
        return cls(data["kind"], Cuts(**data["cuts"]), masses, data["compatibility"])

    def origin(self, path: Path) -> dict[str, Any]:
        """What a table is made from: its key."""
        return {"version": VERSION, "ntuple": file_key(path).digest, **asdict(self)}


@dataclass(frozen=True)
class Converted:
    """What an ntuple came to.

    Attributes:
        rows: Jets in its table; without any there is no table.
        events: Its events by what became of them.
        why: Why it cannot be converted, "" if it can.
    """

    rows: int
    events: dict[str, int]
    why: str = ""


def convert_ntuple(
    args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path
) -> dict[str, Any]:
    """Task: the table of one ntuple, unless it has no jets or cannot be read.

    Args:
        args: A `Wanted` as JSON values.
        inputs: The `ntuple`.
        folder: Takes the table.

    Returns:
        A `Converted` as JSON values.
    """
    return asdict(convert(inputs["ntuple"], Wanted.from_json(args), folder / TABLE))


def convert(path: Path, wanted: Wanted, target: Path) -> Converted:
    """Write the table of one ntuple, unless it has no jets or cannot be read."""
    try:
        with open_ntuple(path) as source:
            if not source.schema.entries:
                return Converted(0, {})
            if why := unusable(source.schema, wanted.kind):
                return Converted(0, {}, why)
            return _converted(source, wanted, wanted.origin(path), target)
    except QuarklineError as error:
        return Converted(0, {}, "; ".join(finding.message for finding in error.findings))


def open_ntuple(path: Path) -> Source:
    """Open the tree of an ntuple, of several cycles the highest; Parquet has no trees.

    Raises:
        InputError: If there is none, or the file is damaged.
    """
    return open_source(path, tree=ntuple.TREE if detect(path).name == "ROOT" else None)


def unusable(schema: Schema, kind: ntuple.Kind) -> str:
    """Why an ntuple cannot be converted, "" if it can."""
    wanted = ntuple.BRANCHES[kind]
    if missing := [name for name in wanted if name not in schema]:
        return f"does not contain the required branches: {', '.join(missing)}"
    wrong = (_wrong(schema[name]) for name in wanted)
    return "; ".join(what for what in wrong if what)


def _wrong(column: Column) -> str:
    """What is wrong with the type of a branch, "" if nothing is."""
    depths = DEPTHS.get(column.name, (1,))
    what = "integers" if column.name in WHOLE else "numbers"
    fits = column.dtype.startswith(("int", "uint") if what == "integers" else _NUMBERS)
    if fits and column.depth in depths and not column.shape:
        return ""
    levels = " or ".join(map(str, depths))
    return (
        f"branch `{column.name}` holds {column.dtype} with {column.depth} levels of lists, "
        f"not {what} with {levels}"
    )


_NUMBERS = ("int", "uint", "float", "bool")


def _converted(
    source: Source, wanted: Wanted, origin: Mapping[str, Any], target: Path
) -> Converted:
    rows, events = 0, Counter[str]()
    sink: ParquetSink | None = None
    with ExitStack() as stack:
        for table, jets in _pieces(source, wanted):
            events.update(jets.events)
            if not len(jets):
                continue
            sink = sink or stack.enter_context(ParquetSink(target, _told(table, wanted, origin)))
            arrays = {name: ak.Array(item) for name, item in table.items()}
            sink.write(record_array(arrays, len(jets)))
            rows += len(jets)
        if sink:
            sink.metadata = {**sink.metadata, "events": dict(events)}
    return Converted(rows, dict(events))


def _told(table: Columns, wanted: Wanted, origin: Mapping[str, Any]) -> dict[str, Any]:
    """What a table says about itself."""
    return {
        "schema": SCHEMA,
        "origin": origin,
        "units": own_units(table) if wanted.compatibility == "none" else {},
        "scaling": dict(UNSCALED),
    }


def _pieces(source: Source, wanted: Wanted) -> Iterator[tuple[Columns, Jets]]:
    for chunk in source.chunks(ntuple.BRANCHES[wanted.kind], step=EVENTS_AT_ONCE):
        jets = jets_of(chunk.array, wanted.kind, wanted.cuts)
        if wanted.compatibility == "upstream":
            yield upstream_table(jets, wanted.masses), jets
        else:
            yield own_table(jets, wanted.masses) | _row_ids(jets, chunk), jets


def _row_ids(jets: Jets, chunk: Chunk) -> Columns:
    """Row ids; the object is the row's number in its event, as a jet may come twice."""
    first = np.searchsorted(jets.event, jets.event, "left")
    return {
        "_source": np.full(len(jets), chunk.source_id, np.uint64),
        "_entry": (jets.event + chunk.start).astype(np.uint64),
        "_object": (np.arange(len(jets)) - first).astype(np.uint16),
    }


def told_of(target: Path) -> Mapping[str, Any] | None:
    """What a table of ours says about itself; None if there is no file, or it is not ours."""
    try:
        with open_source(target) as source:
            told = source.schema.metadata["quarkline"]
            ours = isinstance(told, Mapping) and told.get("schema") == SCHEMA
            return {**told, "rows": source.schema.entries} if ours else None  # type: ignore[dict-item]
    except InputError:
        return None
