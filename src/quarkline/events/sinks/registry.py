"""Which formats are written, told by the ending of the file's name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.sinks import parquet, root
from quarkline.events.sinks.base import Sink

UNKNOWN_OUTPUT = Rule(
    "QL-EVENTS-040",
    "the ending of an output's name is that of a format that is written",
    "Events are written as Parquet (`.parquet`, `.pq`) or ROOT (`.root`), chosen by the ending.",
)


@dataclass(frozen=True)
class OutputFormat:
    """A format events are written in: the endings of its files, and what opens one."""

    suffixes: tuple[str, ...]
    open: Callable[..., Sink]
    has_trees: bool = False


SINKS: dict[str, OutputFormat] = {
    "parquet": OutputFormat(parquet.SUFFIXES, parquet.ParquetSink),
    "root": OutputFormat(root.SUFFIXES, root.RootSink, has_trees=True),
}
"""Formats by name."""


def open_sink(
    path: str | Path, *, tree: str = "Events", metadata: Mapping[str, Any] | None = None
) -> Sink:
    """Open a file to write events to.

    Args:
        path: A `.parquet`, `.pq` or `.root` file; one that exists is replaced on success.
        tree: Name of the tree, in formats that have trees.
        metadata: What the file says about its table, as JSON values.

    Raises:
        InputError: If the ending is of no format that is written.
    """
    path = Path(path)
    for form in SINKS.values():
        if path.suffix.lower() in form.suffixes:
            named = {"tree": tree} if form.has_trees else {}
            return form.open(path, metadata, **named)
    endings = ", ".join(f"`{suffix}`" for form in SINKS.values() for suffix in form.suffixes)
    raise InputError(
        UNKNOWN_OUTPUT.finding(
            f"`{path.suffix}` is not the ending of a format that is written",
            place=Place(file=path),
            suggestion=f"endings are {endings}",
        )
    )
