"""Files read as one table, batch by batch, with expressions that fit each of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from quarkline.events.expressions import Batch, Entries
from quarkline.events.schema import Schema
from quarkline.events.sources import open_source
from quarkline.tools.friend_files import NO_FRIENDS, Friends


class Bound(Protocol):
    """Expressions that fit a table."""

    @property
    def columns(self) -> Collection[str]:
        """Names of the columns they read."""

    @property
    def names(self) -> Collection[str]:
        """All names in them."""


B = TypeVar("B", bound=Bound)


def read_batches(
    paths: Sequence[Path],
    tree: str | None,
    step: int,
    compiled: Callable[[Schema], B],
    friends: Friends = NO_FRIENDS,
) -> Iterator[tuple[B, Batch, float]]:
    """Read the columns of expressions from files, in order.

    Args:
        paths: The files.
        tree: The tree, where a file has several.
        step: Events read at a time.
        compiled: Fits the expressions to the columns of a file.
        friends: What is read beside the files.

    Yields:
        The expressions as they fit the file, events with their entry numbers, and the fraction
        of all that has been read.
    """
    before, total = 0, None
    for number, path in enumerate(paths):
        with friends.open(path, tree) as source:
            bound, entries = compiled(source.schema), source.schema.entries
            if number == 0 and "Entries$" in bound.names:
                total = entries + sum(_entries(other, tree) for other in paths[1:])
            for chunk in source.chunks(sorted(bound.columns), step=step):
                read = (chunk.start + len(chunk.array)) / max(1, entries)
                place = Entries(chunk.start, entries, before, total)
                yield bound, Batch(chunk.array, place), (number + read) / len(paths)
            before += entries


def _entries(path: Path, tree: str | None) -> int:
    with open_source(path, tree=tree) as source:
        return source.schema.entries
