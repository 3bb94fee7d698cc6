"""Which formats are written, told by the ending of the file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.events.sinks import csv, hdf5, parquet, rntuple, root, root_file
from quarkline.events.sinks.base import Sink
from quarkline.events.sinks.compression import BAD_COMPRESSION, parse_compression

UNKNOWN_OUTPUT = Rule(
    "QL-EVENTS-040",
    "the ending of an output's name is that of a format that is written",
    "Events are written as Parquet (`.parquet`, `.pq`), ROOT (`.root`), HDF5 (`.h5`, `.hdf5`, "
    "`.hdf`) or CSV (`.csv`, `.tsv`), chosen by the ending. A ROOT file holds a TTree, or an "
    "RNTuple where the format `rntuple` is asked for.",
)


@dataclass(frozen=True)
class OutputFormat:
    """A format events are written in.

    Attributes:
        suffixes: Endings of its files.
        open: Opens a sink.
        has_trees: Whether its tables have names.
        several: Whether a file may hold several of them, through `beside` of its sink.
        compressions: What its files can be compressed with.
    """

    suffixes: tuple[str, ...]
    open: Callable[..., Sink]
    has_trees: bool = False
    several: bool = False
    compressions: tuple[str, ...] = ("zstd", "lz4", "zlib", "none")


SINKS: dict[str, OutputFormat] = {
    "parquet": OutputFormat(parquet.SUFFIXES, parquet.ParquetSink),
    "root": OutputFormat(root_file.SUFFIXES, root.RootSink, has_trees=True, several=True),
    "rntuple": OutputFormat(root_file.SUFFIXES, rntuple.NtupleSink, has_trees=True, several=True),
    "hdf5": OutputFormat(
        hdf5.SUFFIXES, hdf5.Hdf5Sink, has_trees=True, compressions=("zlib", "none")
    ),
    "csv": OutputFormat(csv.SUFFIXES, csv.CsvSink, compressions=("none",)),
}
"""Formats by name; of several with one ending the first is taken unless another is named."""


def open_sink(
    path: str | Path,
    *,
    tree: str = "Events",
    metadata: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002
    compression: str | None = None,
) -> Sink:
    """Open a file to write events to.

    Args:
        path: The file; one that exists is replaced on success.
        tree: Name of the tree, in formats that have trees.
        metadata: What the file says about its table, as JSON values. CSV has no place for it.
        format: A name in `SINKS`; None takes the format of the file's ending.
        compression: Such as `zstd:5`, `lz4:4`, `zlib:1` or `none`; None takes the format's own.

    Raises:
        InputError: If the ending or the format is of none that is written, they do not fit, or
            the format has no such compression.
    """
    path = Path(path)
    form = _by_ending(path) if format is None else _by_name(format, path)
    named = {"tree": tree} if form.has_trees else {}
    chosen = parse_compression(compression) if compression is not None else None
    if chosen and chosen.name not in form.compressions:
        raise InputError(
            BAD_COMPRESSION.finding(
                f"`{chosen}` is no compression of {path.suffix} files",
                place=Place(file=path),
                suggestion="it has " + ", ".join(f"`{name}`" for name in form.compressions),
            )
        )
    return form.open(path, metadata, compression=chosen, **named)


def _by_ending(path: Path) -> OutputFormat:
    for form in SINKS.values():
        if path.suffix.lower() in form.suffixes:
            return form
    endings = dict.fromkeys(suffix for form in SINKS.values() for suffix in form.suffixes)
    raise InputError(
        UNKNOWN_OUTPUT.finding(
            f"`{path.suffix}` is not the ending of a format that is written",
            place=Place(file=path),
            suggestion="endings are " + ", ".join(f"`{suffix}`" for suffix in endings),
        )
    )


def _by_name(name: str, path: Path) -> OutputFormat:
    if name not in SINKS:
        raise InputError(
            UNKNOWN_OUTPUT.finding(
                f"`{name}` is no format that is written",
                place=Place(file=path),
                suggestion=did_you_mean(name, SINKS, what="formats"),
            )
        )
    form = SINKS[name]
    if path.suffix.lower() not in form.suffixes:
        raise InputError(
            UNKNOWN_OUTPUT.finding(
                f"`{path.suffix}` is not the ending of the format `{name}`",
                place=Place(file=path),
                suggestion="its endings are " + ", ".join(f"`{item}`" for item in form.suffixes),
            )
        )
    return form
