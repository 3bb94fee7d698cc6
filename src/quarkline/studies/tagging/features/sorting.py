"""Jets of many tables in the order of their row numbers, without all of them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.store.atomic import remove_folder
from quarkline.studies.tagging.jets import JetSet, JetWriter
from quarkline.studies.tagging.tables import JetTable

JETS_AT_ONCE = 200_000
MOST_PARTS = 48
"""Each part is a folder of a dozen open files."""


def sorted_jets(
    tables: Sequence[JetTable],
    kept: NDArray[np.bool_],
    folder: Path,
    *,
    at_once: int = JETS_AT_ONCE,
) -> SortedJets:
    """Sort jets by row number on disk.

    A row number is a hash, so the order is a random one that does not depend on the order of the
    tables.

    Args:
        tables: Tables of jets.
        kept: Which of their jets, with one value for each row of all tables.
        folder: Takes the jets until they are read; made, and emptied first.
        at_once: About how many jets are in memory.
    """
    parts = min(MOST_PARTS, 1 + int(kept.sum()) // at_once)
    remove_folder(folder)
    folders = [folder / f"{part}" for part in range(parts)]
    with ExitStack() as stack:
        writers = [stack.enter_context(JetWriter(path)) for path in folders]
        start = 0
        for jets in (batch for table in tables for batch in table.jets()):
            chosen = jets[kept[start : start + len(jets)]]
            start += len(jets)
            part = _part(chosen.row, parts)
            for number in np.unique(part):
                writers[number].append(chosen[part == number])
    return SortedJets(folders)


class SortedJets:
    """Parts of jets, each of higher row numbers than the one before."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def __iter__(self) -> Iterator[JetSet]:
        for folder in self._folders:
            jets = JetSet.load(folder)
            # One row that is given twice differs, if at all, in its weight.
            yield jets[np.lexsort((jets.weight, jets.row))]


def _part(row: NDArray[np.uint64], parts: int) -> NDArray[np.int64]:
    """The part of each row; parts are ranges of row numbers."""
    high = row >> np.uint64(32)
    return ((high * np.uint64(parts)) >> np.uint64(32)).astype(np.int64)
