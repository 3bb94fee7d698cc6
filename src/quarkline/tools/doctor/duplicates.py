"""Events that occur twice in any number of files, found in bounded memory.

Each chunk's event keys are written as sorted 64-bit numbers. Ranges of these numbers are then
looked at one after the other over all chunks, so that only one range is in memory at a time. Two
keys share a number with a chance of 1e-6 in 6 million events; what is shown was compared in full.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.events.identity import integer_key
from quarkline.events.sources import open_source

IN_MEMORY = 2_000_000
EXAMPLES = 3
PAIRS = 10
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_STEP = np.uint64(0x9E3779B97F4A7C15)

Words = NDArray[np.uint64]


@dataclass
class Repeated:
    """Rows whose event key was in an earlier row.

    Attributes:
        rows: Number of rows.
        repeated: How many repeat a key.
        pairs: By file and file, how many rows of the second repeat one of the first.
        examples: Some: the key, and the file and entry of two rows that have it.
    """

    rows: int = 0
    repeated: int = 0
    pairs: Counter[tuple[Path, Path]] = field(default_factory=Counter)
    examples: list[tuple[dict[str, int], tuple[Path, int], tuple[Path, int]]] = field(
        default_factory=list
    )


def write_keys(path: Path, rows: NDArray[np.int64], start: int) -> None:
    """Write the keys of consecutive events: their numbers, ascending, and their entries.

    Args:
        path: A `.npy` file.
        rows: The columns of the event key side by side, with shape (N, columns).
        start: Entry of the first event.
    """
    words = mixed(rows)
    order = np.argsort(words, kind="stable")
    np.save(path, np.stack([words[order], (order + start).astype(np.uint64)]))


def mixed(rows: NDArray[np.int64]) -> Words:
    """A 64-bit number for each row, in which every bit of every column takes part (splitmix64)."""
    words = np.zeros(len(rows), np.uint64)
    for column in rows.T:
        words = (words ^ column.astype(np.uint64)) + _STEP
        words = (words ^ (words >> np.uint64(30))) * _MIX[0]
        words = (words ^ (words >> np.uint64(27))) * _MIX[1]
        words ^= words >> np.uint64(31)
    return words


def repeated_events(
    folders: Mapping[Path, Path], identity: Sequence[str], tree: str | None
) -> Repeated:
    """Count the events that occur more than once in some files.

    Args:
        folders: By file, the folder with its keys.
        identity: Columns of the event key.
        tree: The tree, where a file has several.
    """
    files = list(folders)
    parts = [
        (number, np.load(path, mmap_mode="r"))
        for number, file in enumerate(files)
        for path in sorted(folders[file].glob("keys_*.npy"))
    ]
    found = Repeated(rows=sum(part.shape[1] for _, part in parts))
    ranges = -(-found.rows // IN_MEMORY)
    limits = [(number * 2**64) // max(ranges, 1) for number in range(ranges + 1)]
    for low, high in pairwise(limits):
        _look(found, parts, (low, high - 1), files, identity, tree)
    return found


def _look(
    found: Repeated,
    parts: Sequence[tuple[int, Words]],
    limits: tuple[int, int],
    files: Sequence[Path],
    identity: Sequence[str],
    tree: str | None,
) -> None:
    """Count the repeated keys of one range of numbers."""
    taken = [_between(part, *limits) for _, part in parts]
    words = np.concatenate([part[0] for part in taken])
    entries = np.concatenate([part[1] for part in taken])
    owners = np.repeat([number for number, _ in parts], [part.shape[1] for part in taken])
    order = np.lexsort((entries, owners, words))
    words, entries, owners = words[order], entries[order], owners[order]
    again = np.flatnonzero(words[1:] == words[:-1]) + 1
    found.repeated += len(again)
    sides = np.stack([owners[again - 1], owners[again]])
    pairs, counts = np.unique(sides, axis=1, return_counts=True)
    for (one, other), count in zip(pairs.T, counts, strict=True):
        found.pairs[files[one], files[other]] += int(count)
    again = again[np.lexsort((entries[again], owners[again]))]
    for row in again[: EXAMPLES - len(found.examples)]:
        places = [(files[owners[at]], int(entries[at])) for at in (row - 1, row)]
        keys = [_key_at(*place, identity, tree) for place in places]
        if keys[0] == keys[1]:
            found.examples.append((keys[0], places[0], places[1]))


def _between(part: Words, low: int, high: int) -> Words:
    first = np.searchsorted(part[0], np.uint64(low), side="left")
    last = np.searchsorted(part[0], np.uint64(high), side="right")
    return np.asarray(part[:, first:last])


def _key_at(path: Path, entry: int, identity: Sequence[str], tree: str | None) -> dict[str, int]:
    with open_source(path, tree=tree) as source:
        table = source.read(identity, entry, entry + 1)
    (row,) = integer_key({name: ak.to_numpy(table[name]) for name in identity})
    return {name: int(value) for name, value in zip(identity, row, strict=True)}
