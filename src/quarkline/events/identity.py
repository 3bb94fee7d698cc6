"""Who is who: row ids, event keys, groups a split must not separate, and folds.

A row id is (source, tree, entry, object): which file by its content key, which tree, which entry
in it, which object in the entry. It is made when a row is read and carried through every table.
Event and group keys are integer columns of the user's. A fold is a pure function of the seed and
the group key, so it does not depend on files, order, chunks or workers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity
from quarkline.engine.store.filekeys import FileKey, file_key
from quarkline.events.sources import Chunk, open_source

EVENT_KEY = ("runNumber", "eventNumber")
SIMULATION_KEY = (*EVENT_KEY, "mcChannelNumber")
EXAMPLES = 3

INTEGER_KEYS = Rule(
    "QL-EVENTS-031",
    "event and group keys are integers",
    "Keys decide which events belong together and into which fold they go. Floats that print "
    "alike may differ in the last bit, and event numbers above 2^24 (float32) or 2^53 (float64) "
    "are not exact in them: two events would share a key, or one event would have two.",
)
SAME_CONTENT = Rule(
    "QL-EVENTS-032",
    "no two input files hold the same bytes",
    "The source part of a row id is the file's content key. Two files of equal content would give "
    "different rows equal ids, and every event in them would count twice. Files without events "
    "are let pass.",
)
DUPLICATE_EVENTS = Rule(
    "QL-EVENTS-030",
    "an event key names one event",
    "Rows with equal event keys are the same event read twice (overlapping files or datasets), "
    "several objects of one event, or a key that needs another column, such as the sample's "
    "number in simulation. They always share a fold; joining friends by key needs the object "
    "index.",
    severity=Severity.WARNING,
)


@dataclass(frozen=True)
class RowIds:
    """Row ids of N rows of one table of one file.

    Attributes:
        source: First 8 bytes of the file's content key.
        tree: Name of the tree, None where the format has none.
        entry: Entry numbers in the file, with shape (N,).
        object: Index of the object in its entry, with shape (N,); 0 where a row is an event.
    """

    source: int
    tree: str | None
    entry: NDArray[np.uint64]
    object: NDArray[np.uint16]

    def columns(self) -> dict[str, NDArray[Any]]:
        """The reserved columns `_source`, `_entry` and `_object`."""
        source = np.full(len(self.entry), self.source, np.uint64)
        return {"_source": source, "_entry": self.entry, "_object": self.object}

    def __getitem__(self, chosen: Any) -> RowIds:
        """The ids of some rows, by mask, index or slice; a row may be chosen several times."""
        return RowIds(self.source, self.tree, self.entry[chosen], self.object[chosen])


def row_ids(chunk: Chunk, tree: str | None = None) -> RowIds:
    """The row ids of a chunk of events, one row an event."""
    entry = np.arange(chunk.start, chunk.start + len(chunk.array), dtype=np.uint64)
    return RowIds(chunk.source_id, tree, entry, np.zeros(len(entry), np.uint16))


def object_ids(chunk: Chunk, counts: ArrayLike, tree: str | None = None) -> RowIds:
    """The row ids of a chunk's objects, one row an object.

    Args:
        chunk: The chunk, of N events.
        counts: Number of objects in each event, with shape (N,).
        tree: Name of the tree.
    """
    numbers = np.asarray(counts, np.int64)
    first = np.repeat(np.cumsum(numbers) - numbers, numbers)
    index = (np.arange(len(first)) - first).astype(np.uint16)
    events = row_ids(chunk, tree)
    return RowIds(events.source, tree, np.repeat(events.entry, numbers), index)


def source_keys(paths: Sequence[Path], *, tree: str | None = None) -> dict[Path, FileKey]:
    """The content key of every input file, refusing copies.

    Raises:
        InputError: If two files with events hold the same bytes.
    """
    keys = {path: file_key(path) for path in paths}
    first: dict[str, Path] = {}
    copies = [
        SAME_CONTENT.finding(
            f"the file holds the same bytes as {first[key.digest]}",
            place=Place(file=path),
            suggestion="name one of the two",
        )
        for path, key in keys.items()
        if first.setdefault(key.digest, path) != path and _has_events(path, tree)
    ]
    if copies:
        raise InputError(*copies)
    return keys


def fold_of(key: Mapping[str, ArrayLike], *, seed: int, folds: int) -> NDArray[np.int16]:
    """The fold of each row: blake2b-64(seed, group values) mod `folds`.

    The hash is over the seed and the values of the key columns in their order, each as int64 in
    little-endian bytes, and is itself read little endian. Unsigned values from 2^63 on enter as
    their two's complement, so a column gives equal folds as uint64 and as int64.

    Args:
        key: Columns of the group key by name, integers with shape (N,).
        seed: The analysis seed.
        folds: Number of folds, k.

    Returns:
        Fold in [0, k) of each row, with shape (N,).

    Raises:
        InputError: If a column does not hold integers.
    """
    if not 0 < folds < 2**15:
        msg = f"cannot make {folds} folds"
        raise ValueError(msg)
    prefix = int(seed).to_bytes(8, "little", signed=True)
    hashes = _hash_rows(integer_key(key), prefix)
    return (hashes % np.uint64(folds)).astype(np.int16)


def group_ids(key: Mapping[str, ArrayLike]) -> NDArray[np.int64]:
    """One number for each group: blake2b-64 of the group values, for the column `_group`.

    Args:
        key: Columns of the group key by name, integers with shape (N,).

    Raises:
        InputError: If a column does not hold integers.
    """
    return _hash_rows(integer_key(key), b"").view(np.int64)


def duplicate_events(key: Mapping[str, ArrayLike]) -> Finding | None:
    """A warning that counts rows whose event key was seen before, or None if there are none.

    Args:
        key: Columns of the event key by name, integers with shape (N,).

    Raises:
        InputError: If a column does not hold integers.
    """
    rows = integer_key(key)
    groups = _groups(rows)
    times = np.bincount(groups.inverse, minlength=len(groups.rows))
    repeated = int((times - 1).sum())
    if not repeated:
        return None
    first = np.sort(groups.first[times > 1])[:EXAMPLES]
    arrays = {name: np.asarray(column) for name, column in key.items()}
    examples = [{name: int(column[row]) for name, column in arrays.items()} for row in first]
    shown = "; ".join(
        ", ".join(f"{name} {value}" for name, value in example.items()) for example in examples
    )
    return DUPLICATE_EVENTS.finding(
        f"{repeated} of {len(rows)} rows repeat an event key ({', '.join(key)}), first: {shown}",
        suggestion="look for overlapping files, or add a column to the event key",
        evidence={"repeated": repeated, "rows": len(rows), "examples": examples},
    )


def integer_key(key: Mapping[str, ArrayLike]) -> NDArray[np.int64]:
    """The columns of a key side by side as int64, with shape (N, columns).

    Raises:
        InputError: If a column does not hold integers.
    """
    if not key:
        msg = "a key needs at least one column"
        raise ValueError(msg)
    columns = {name: np.asarray(column) for name, column in key.items()}
    wrong = [
        INTEGER_KEYS.finding(
            f"key column `{name}` holds {column.dtype}, not integers",
            suggestion="name integer columns; keep event numbers as integers when files are made",
        )
        for name, column in columns.items()
        if column.dtype.kind not in "iub" or column.ndim != 1
    ]
    if wrong:
        raise InputError(*wrong)
    return np.stack([column.astype(np.int64) for column in columns.values()], axis=1)


@dataclass(frozen=True)
class _Groups:
    rows: NDArray[np.int64]  # one row a group, (groups, columns)
    first: NDArray[np.intp]  # first row of the table that belongs to the group
    inverse: NDArray[np.intp]  # group of each row of the table


def _has_events(path: Path, tree: str | None) -> bool:
    with open_source(path, tree=tree) as source:
        return source.schema.entries > 0


def _groups(rows: NDArray[np.int64]) -> _Groups:
    """Equal rows together; a stable sort keeps the first row of each group first."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    starts = np.ones(len(rows), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    inverse = np.empty(len(rows), np.intp)
    inverse[order] = np.cumsum(starts) - 1
    return _Groups(ordered[starts], order[starts], inverse)


def _hash_rows(rows: NDArray[np.int64], prefix: bytes) -> NDArray[np.uint64]:
    """blake2b-64 of `prefix` and each row, computed once for each distinct row."""
    groups = _groups(rows)
    width = 8 * rows.shape[1]
    data = groups.rows.astype("<i8").tobytes()
    start = hashlib.blake2b(prefix, digest_size=8)
    digests = bytearray()
    for offset in range(0, len(data), width):
        state = start.copy()
        state.update(data[offset : offset + width])
        digests += state.digest()
    return np.frombuffer(bytes(digests), "<u8").astype(np.uint64)[groups.inverse]
