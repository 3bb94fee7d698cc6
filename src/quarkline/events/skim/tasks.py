"""The two tasks of a skim: cut one range of one tree, and write an output from its ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak

from quarkline.engine.core.findings import Place, QuarklineError, Rule, WorkError
from quarkline.engine.store.filekeys import FileKey, file_key, source_id
from quarkline.engine.store.remote import file_size
from quarkline.events.sinks import Sink, open_sink
from quarkline.events.sinks.root_file import RootFileSink
from quarkline.events.skim.loop import skim_range
from quarkline.events.skim.results import TreeResult, sum_weights
from quarkline.events.skim.survey import bind, weights_of
from quarkline.events.sources import open_source

PART = "part.parquet"
DEFAULT_TREE = "Events"  # name of a tree whose events come from a format without names
PART_COMPRESSION = "zstd:1"
READ_ROWS = 50_000
SHARE = 16  # a chunk of an output is at most this part of a file of the target size

CHANGED = Rule(
    "QL-SKIM-005",
    "an input does not change while it is skimmed",
    "The file has another size than when the skim was planned. Wait until its writer has "
    "finished, and run the skim again.",
)


def cut_range(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Cut one range of one tree of a file.

    Args:
        args: `digest` and `size` of the file, `tree`, `start`, `stop`, `keep`, and the cuts,
            weight and sums with their names.
        inputs: The file as `events`.
        folder: Takes the events that pass.

    Returns:
        The `TreeResult` of the range.
    """
    try:
        return _cut_range(args, inputs["events"], folder)
    except QuarklineError as error:
        raise BadRangeError(error.findings[0].message) from error


class BadRangeError(Exception):
    """A range cannot be cut; the message says why, without the place of the file."""


def _cut_range(args: Mapping[str, Any], path: Path, folder: Path) -> Any:
    if file_size(path) != args["size"]:
        message = f"{file_size(path)} bytes instead of {args['size']}"
        raise WorkError(CHANGED.finding(message, place=Place(path)))
    with open_source(path, tree=args["tree"] or None) as source:
        source.source_id = source_id(FileKey(args["digest"]))
        cuts = bind(source.schema, dict(args["cuts"]), args["weight"], dict(args["sums"]))
        with open_sink(folder / PART, compression=PART_COMPRESSION) as sink:
            flow = skim_range(
                source,
                cuts.by_name,
                cuts.weight,
                args["keep"],
                args["start"],
                args["stop"],
                sink,
            )
        sums = sum_weights(source, weights_of(cuts), args["start"], args["stop"])
    return TreeResult(flow, sums)


def write_output(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Write an output from its parts, as one file or several.

    Args:
        args: `format`, `compression`, `ending`, `max_size` and `tables`: of each its `tree`,
            whether it is `copied`, its `parts` as keys of `inputs`, `counters` and `metadata`.
        inputs: The parts.
        folder: Takes the files, called `1.root` and so on.

    Returns:
        Of each file its name, size, content key, and number of events by tree.
    """
    main, *others = args["tables"]
    parts = [inputs[part] for part in main["parts"]]
    chunks = _chunks(parts, args["max_size"], plain=args["compression"] == "none")
    waiting: _Chunk | None = next(chunks)
    files: list[dict[str, Any]] = []
    while waiting is not None:
        path = folder / f"{len(files) + 1}{args['ending']}"
        with _open(path, main, args) as sink:
            rows, waiting = _fill(sink, waiting, chunks, args["max_size"])
            entries = {main["tree"]: rows}
            for table in others if not files else ():  # whole trees stand in the first file
                entries[table["tree"]] = _write_beside(sink, table, inputs)
        digest = file_key(path).digest
        size = path.stat().st_size
        files.append({"name": path.name, "entries": entries, "size": size, "digest": digest})
    return files


@dataclass(frozen=True)
class _Chunk:
    """Events of a part, and about what one of them will take on disk, in bytes."""

    array: ak.Array
    row_bytes: float


def _chunks(
    parts: Sequence[Path], max_size: int | None = None, *, plain: bool = False
) -> Iterator[_Chunk]:
    """The events of parts in their order, with the columns in the order of the first part.

    An event takes about as much space as in the part, which is compressed; in a `plain` file as
    much as in memory.
    """
    names: list[str] | None = None
    for path in parts:
        with open_source(path) as source:
            names = names or list(source.schema.columns)
            row_bytes = path.stat().st_size / max(1, source.schema.entries)
            rows = READ_ROWS
            if max_size:
                rows = min(rows, max(1, int(max_size / SHARE / row_bytes)))
            for chunk in source.chunks(names, step=rows):
                if plain and len(chunk.array):
                    row_bytes = ak.to_packed(chunk.array).nbytes / len(chunk.array)
                yield _Chunk(chunk.array, row_bytes)


def _open(path: Path, table: Mapping[str, Any], args: Mapping[str, Any]) -> Sink:
    sink = open_sink(
        path,
        tree=table["tree"] or DEFAULT_TREE,
        metadata=table["metadata"],
        format=args["format"],
        compression=args["compression"],
    )
    sink.counters = table["counters"]
    return sink


def _fill(
    sink: Sink, first: _Chunk, rest: Iterator[_Chunk], max_size: int | None
) -> tuple[int, _Chunk | None]:
    """Write chunks until the file has its size; the number of events, and what did not fit."""
    sink.write(first.array)
    rows = len(first.array)
    for chunk in rest:
        expected = sink.bytes_written + sink.rows_waiting * chunk.row_bytes
        if max_size and rows and expected >= max_size:
            return rows, chunk
        sink.write(chunk.array)
        rows += len(chunk.array)
    return rows, None


def _write_beside(sink: Sink, table: Mapping[str, Any], inputs: Mapping[str, Path]) -> int:
    """Write a further tree into a sink's file; its number of entries."""
    if not isinstance(sink, RootFileSink):
        msg = f"{sink.path} holds one table"
        raise TypeError(msg)
    rows = 0
    with sink.beside(table["tree"]) as other:
        other.counters = table["counters"]
        for chunk in _chunks([inputs[part] for part in table["parts"]]):
            other.write(chunk.array)
            rows += len(chunk.array)
    return rows
