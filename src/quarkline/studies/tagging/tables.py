"""Tables of jets, whoever wrote them: ours with lists of constituents, or upstream's flat ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.engine.store.filekeys import file_key, source_id
from quarkline.events.identity import group_ids
from quarkline.events.schema import LABEL, own_notes
from quarkline.events.sources.problems import opening
from quarkline.learning.features.ragged import RaggedObjects
from quarkline.studies.tagging.columns import JET, STREAMS, Stream
from quarkline.studies.tagging.jets import JetSet

Layout = Literal["lists", "flat"]
Column: TypeAlias = NDArray[Any] | ak.Array

BATCH = 16_384
SCHEMA = "quarkline.jets/1"
UNSCALED: Mapping[str, Any] = {"kind": "none"}
UPSTREAM_SCALING: Mapping[str, Any] = {"kind": "upstream", "min_pt": 0.0, "max_pt": 500.0}
"""How upstream's build step scales by default."""
SCALED_BELOW = 5.0
"""No jet has so little momentum in GeV, and no scaled one so much."""

MASSES = ("llp_mH", "llp_mS")
EVENT = ("runNumber", "eventNumber")
ROW = ("_source", "_entry", "_object")
WEIGHT = "mcEventWeight"
OLD_NAMES = {"mH": "llp_mH", "mS": "llp_mS"}
NOT_READ = ("track_sign", "clus_sign", "track_vertex_x", "track_vertex_y", "track_vertex_z")

NOT_JETS = Rule(
    "QL-TAG-001",
    "a table of jets has the columns that a network sees",
    "Tables of jets are Parquet files with `label`, `jet_pt`, `jet_eta`, `jet_phi` and columns of "
    "clusters, tracks and muon segments: lists such as `clus_pt`, or flat ones such as `clus_pt_0` "
    "to `clus_pt_29`. Old names (`jet_pT`, `nn_MSeg_t0_0`, `mH`) are understood.",
)
LENGTHS = Rule(
    "QL-TAG-002",
    "lists of one stream are equally long",
    "The third value of each column of clusters belongs to the third cluster of a jet. Where a jet "
    "has more values in one column than in another, they cannot belong together.",
)


@dataclass(frozen=True)
class JetTable:
    """A table of jets in a file.

    Attributes:
        path: The Parquet file.
        layout: `lists` has a column of lists for each quantity of constituents, `flat` a column
            `x_i` for each constituent i, padded with 0.
        rows: Number of jets.
        columns: Names of the columns as they are spelt today, each with its name in the file.
        scaling: How values were scaled; `{"kind": "none"}` if they were not. Of a flat file that
            does not say it, `upstream` with 0 to 500 GeV and `"assumed": True` if momenta are tiny.
        told: What our own tables say about themselves, the units among it.
    """

    path: Path
    layout: Layout
    rows: int
    columns: Mapping[str, str]
    scaling: Mapping[str, Any]
    told: Mapping[str, Any]

    def batches(
        self, columns: Sequence[str] | None = None, *, rows: int = BATCH
    ) -> Iterator[Mapping[str, Column]]:
        """Some columns of all jets, in order, so many rows at a time.

        Args:
            columns: Names as they are spelt today; None reads all.
            rows: Most jets at a time.

        Yields:
            Columns of numbers, or of lists. What is not finite is 0 in a flat table, as upstream
            reads it; lists are as they are.

        Raises:
            InputError: If a column is missing.
        """
        names = list(self.columns) if columns is None else list(dict.fromkeys(columns))
        self.require(names)
        inside = {name: self.columns[name] for name in names}
        with opening(self.path), pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(rows, columns=list(inside.values()), use_threads=False):
                yield {
                    name: _column(batch.column(given), clean=self.layout == "flat")
                    for name, given in inside.items()
                }

    def jets(self, *, rows: int = BATCH, streams: Sequence[Stream] = STREAMS) -> Iterator[JetSet]:
        """All jets, so many at a time.

        Args:
            rows: Most jets at a time.
            streams: Constituents that are read.

        Raises:
            InputError: If a column that a network sees is missing, or lists of one stream differ
                in length.
        """
        needed = [*JET, "label", *_stream_columns(self.layout, streams)]
        optional = [name for name in (WEIGHT, *MASSES, *EVENT, *ROW) if name in self.columns]
        self.require(needed)
        start, source = 0, source_id(file_key(self.path))
        for batch in self.batches([*needed, *optional], rows=rows):
            jets = _jets(batch, self, streams, source, start)
            start += len(jets)
            yield jets

    def momenta(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Momenta of jets in GeV, from the column `jet_pt`."""
        if self.scaling["kind"] == UNSCALED["kind"]:
            return scaled
        low, high = self.scaling["min_pt"], self.scaling["max_pt"]
        return np.asarray(low + (high - low) * scaled, np.float32)

    def require(self, columns: Sequence[str]) -> None:
        """Refuse columns that the table lacks.

        Raises:
            InputError: With the first of them.
        """
        missing = [name for name in columns if name not in self.columns]
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise InputError(
                NOT_JETS.finding(
                    f"there is no column `{missing[0]}`{more}",
                    suggestion=did_you_mean(missing[0], self.columns, what="columns"),
                    place=Place(self.path),
                    evidence={"missing": missing},
                )
            )


def open_jets(path: Path) -> JetTable:
    """Look at a table of jets.

    Raises:
        InputError: If it is no Parquet file, or no table of jets.
    """
    with opening(path), pq.ParquetFile(path) as file:
        names, metadata = file.schema_arrow.names, file.metadata
        largest = _largest(metadata, names)
    columns = _today(names)
    layout = _layout(columns)
    texts = {key.decode(): text.decode() for key, text in (metadata.metadata or {}).items()}
    told = own_notes({LABEL: texts[LABEL]} if LABEL in texts else {})[LABEL]
    scaling = told.get("scaling") or _assumed(layout, largest)
    table = JetTable(path, layout, metadata.num_rows, columns, scaling, told)
    table.require([*JET, "label"])
    return table


def jets_in(source: Path | JetTable) -> JetSet:
    """All jets of a table, in memory.

    Raises:
        InputError: If it is no table of jets.
    """
    table = source if isinstance(source, JetTable) else open_jets(source)
    parts = list(table.jets())
    return JetSet.concatenated(parts) if parts else empty()


def tables_in(paths: Path | Iterable[Path]) -> tuple[JetTable, ...]:
    """The tables of jets of files, and of all files of folders by name.

    Raises:
        InputError: If one is no table of jets.
    """
    given = [paths] if isinstance(paths, Path) else list(paths)
    files = [
        file
        for path in given
        for file in (sorted(path.rglob("*.parquet")) if path.is_dir() else [path])
    ]
    return tuple(open_jets(file) for file in files)


def empty() -> JetSet:
    """No jets."""
    none = np.zeros(0)
    return JetSet(
        np.zeros((0, len(JET)), np.float32),
        {
            stream.name: RaggedObjects(
                np.zeros((0, len(stream.columns)), np.float32), np.zeros(1, np.int64)
            )
            for stream in STREAMS
        },
        none.astype(np.int8),
        none,
        np.zeros((0, 2), np.float32),
        none.astype(np.uint64),
        none.astype(np.uint64),
    )


def require_jets(names: Iterable[str], path: Path) -> None:
    """Refuse columns that are not those of jets.

    Raises:
        InputError: If one that a network sees is missing.
    """
    columns = _today(list(names))
    layout = _layout(columns)
    table = JetTable(path, layout, 0, columns, UNSCALED, {})
    table.require([*JET, "label", *_stream_columns(layout, STREAMS)])


def _layout(columns: Iterable[str]) -> Layout:
    return "flat" if f"{STREAMS[0].columns[0]}_0" in columns else "lists"


def _today(names: Sequence[str]) -> dict[str, str]:
    """Columns by the name they have today; a column that has it in the file goes first."""
    kept = [name for name in names if not name.startswith(NOT_READ)]
    renamed = {_renamed(name): name for name in reversed(kept)}
    return {_renamed(name): renamed[_renamed(name)] for name in kept} | {
        name: name for name in kept if name in renamed
    }


def _renamed(name: str) -> str:
    """A column's name today: pT is pt, and some prefixes and short names are gone."""
    for prefix in ("nn_", "aux_"):
        name = name.removeprefix(prefix)
    if name.endswith("_pT"):
        name = name.removesuffix("_pT") + "_pt"
    return OLD_NAMES.get(name, name.replace("_pT_", "_pt_"))


def _stream_columns(layout: Layout, streams: Sequence[Stream]) -> Iterator[str]:
    for stream in streams:
        if layout == "lists":
            yield from stream.columns
        else:
            for row in range(stream.rows):
                yield from (f"{name}_{row}" for name in stream.columns)


def _largest(metadata: Any, names: Sequence[str]) -> float | None:
    """The largest momentum of a jet, as the file's statistics have it; None if they do not."""
    wanted = [place for place, name in enumerate(names) if _renamed(name) == JET[0]]
    if not wanted or not metadata.num_row_groups:
        return None
    parts = [
        metadata.row_group(group).column(column).statistics
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
        if metadata.row_group(group).column(column).path_in_schema == names[wanted[0]]
    ]
    values = [part.max for part in parts if part is not None and part.has_min_max]
    return max(values, default=None)


def _assumed(layout: Layout, largest: float | None) -> Mapping[str, Any]:
    """The scaling of a table that does not tell it."""
    if layout == "flat" and largest is not None and largest < SCALED_BELOW:
        return {**UPSTREAM_SCALING, "assumed": True}
    return UNSCALED


def _column(column: Any, *, clean: bool) -> Column:
    """An Arrow column as numbers, or as lists of numbers."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        counts = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
        return ak.unflatten(column.flatten().to_numpy(zero_copy_only=False), counts)
    values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    if clean and values.dtype.kind == "f":
        return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    return values


def _jets(
    batch: Mapping[str, Column],
    table: JetTable,
    streams: Sequence[Stream],
    source: int,
    start: int,
) -> JetSet:
    rows = len(batch["label"])
    flat = table.layout == "flat"
    masses = [batch.get(name, np.zeros(rows)) for name in MASSES]
    event = {name: _whole(batch[name]) for name in EVENT if name in batch}
    position = {
        "source": np.full(rows, source, np.uint64),
        "entry": np.arange(start, start + rows),
    }
    row = {name: np.asarray(batch[name]) for name in ROW if name in batch}
    row = row if len(row) == len(ROW) else position
    return JetSet(
        jet=_together([batch[name] for name in JET], rows),
        streams={
            stream.name: _flat(batch, stream) if flat else _lists(batch, stream, table.path)
            for stream in streams
        },
        label=np.asarray(batch["label"]).astype(np.int8),
        weight=np.asarray(batch.get(WEIGHT, np.ones(rows)), np.float64),
        mass=_together(masses, rows),
        event=group_ids(event or row).view(np.uint64),
        row=group_ids(row).view(np.uint64),
    )


def _together(columns: Sequence[Column], rows: int) -> NDArray[np.float32]:
    """Columns side by side, with shape (N, columns)."""
    table = np.empty((rows, len(columns)), np.float32)
    for place, column in enumerate(columns):
        table[:, place] = column
    return table


def _whole(column: Column) -> NDArray[Any]:
    """Numbers of events, which old files have as floats."""
    values = np.asarray(column)
    return values if values.dtype.kind in "iu" else np.rint(values).astype(np.int64)


def _flat(batch: Mapping[str, Column], stream: Stream) -> RaggedObjects:
    """Constituents of columns `x_i`; a place that is 0 in all of them holds none."""
    rows = len(batch[f"{stream.columns[0]}_0"])
    values = np.empty((rows, stream.rows, len(stream.columns)), np.float32)
    for row in range(stream.rows):
        for place, name in enumerate(stream.columns):
            values[:, row, place] = batch[f"{name}_{row}"]
    present = (values != 0).any(axis=2)
    return RaggedObjects.of(values[present], present.sum(axis=1))


def _lists(batch: Mapping[str, Column], stream: Stream, path: Path) -> RaggedObjects:
    """Constituents of columns of lists, the first `Stream.rows` of each jet."""
    first = stream.columns[0]
    counts = ak.num(batch[first]).to_numpy()
    columns = []
    for name in stream.columns:
        own = ak.num(batch[name]).to_numpy()
        if not np.array_equal(own, counts):
            raise InputError(_unequal(name, own, first, counts, path))
        columns.append(ak.flatten(batch[name]).to_numpy())
    whole = RaggedObjects.of(_together(columns, int(counts.sum())), counts)
    whole.values[~np.isfinite(whole.values)] = np.nan
    if counts.max(initial=0) <= stream.rows:
        return whole
    return RaggedObjects.from_padded(whole.padded(slice(None), stream.rows))


def _unequal(name: str, own: NDArray[Any], first: str, counts: NDArray[Any], path: Path) -> Finding:
    row = int(np.argmax(own != counts))
    return LENGTHS.finding(
        f"a jet has {counts[row]} values of `{first}` and {own[row]} of `{name}`",
        place=Place(path),
        suggestion="write the table again",
    )
