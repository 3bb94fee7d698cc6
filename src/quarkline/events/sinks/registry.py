"""Which formats are written, told by the ending of the file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.events.sinks import csv, hdf5, parquet, rntuple, root, root_file
from quarkline.events.sinks.base import Sink

UNKNOWN_OUTPUT = Rule(
    "QL-EVENTS-040",
    "the ending of an output's name is that of a format that is written",
    "Events are written as Parquet (`.parquet`, `.pq`), ROOT (`.root`), HDF5 (`.h5`, `.hdf5`, "
    "`.hdf`) or CSV (`.csv`, `.tsv`), chosen by the ending. A ROOT file holds a TTree, or an "
    "RNTuple where the format `rntuple` is asked for.",
)


@dataclass(frozen=True)
class OutputFormat:
    """A format events are written in: the endings of its files, and what opens one."""

    suffixes: tuple[str, ...]
    open: Callable[..., Sink]
    has_trees: bool = False


SINKS: dict[str, OutputFormat] = {
    "parquet": OutputFormat(parquet.SUFFIXES, parquet.ParquetSink),
    "root": OutputFormat(root_file.SUFFIXES, root.RootSink, has_trees=True),
    "rntuple": OutputFormat(root_file.SUFFIXES, rntuple.NtupleSink, has_trees=True),
    "hdf5": OutputFormat(hdf5.SUFFIXES, hdf5.Hdf5Sink, has_trees=True),
    "csv": OutputFormat(csv.SUFFIXES, csv.CsvSink),
}
"""Formats by name; of several with one ending the first is taken unless another is named."""


def open_sink(
    path: str | Path,
    *,
    tree: str = "Events",
    metadata: Mapping[str, Any] | None = None,
    format: str | None = None,  # noqa: A002
) -> Sink:
    """Open a file to write events to.

    Args:
        path: The file; one that exists is replaced on success.
        tree: Name of the tree, in formats that have trees.
        metadata: What the file says about its table, as JSON values. CSV has no place for it.
        format: A name in `SINKS`; None takes the format of the file's ending.

    Raises:
        InputError: If the ending or the format is of none that is written, or they do not fit.
    """
    path = Path(path)
    form = _by_ending(path) if format is None else _by_name(format, path)
    named = {"tree": tree} if form.has_trees else {}
    return form.open(path, metadata, **named)


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
