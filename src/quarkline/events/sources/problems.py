"""What can be wrong with a file of events, and the choice of one of its trees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.events.sources.base import TreeInfo

DAMAGED = Rule(
    "QL-EVENTS-003",
    "a file of events is whole",
    "The file's own structure contradicts itself or its compressed data do not unpack. Copy or "
    "make the file again. Nothing read from it before is affected: every value was complete.",
)
NO_TREE = Rule(
    "QL-EVENTS-005",
    "a file of events holds a table",
    "The file was read and holds no table of events: a ROOT file with histograms only, or one "
    "whose job wrote no tree.",
)
SEVERAL_TREES = Rule(
    "QL-EVENTS-006",
    "which tree to read is never guessed",
    "A file with several trees (in NPZ: arrays of several lengths) needs the name of the one "
    "that is meant: `--tree NAME`, or `tree: NAME` in a config.",
)


def first_line(error: BaseException) -> str:
    """The first line of an exception's message, or its type if it has none."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__


def choose_tree(path: Path, tree: str | None, listing: Sequence[TreeInfo]) -> str:
    """The tree that was asked for, or the only one there is.

    Raises:
        InputError: If there is none, or the choice is not clear.
    """
    readable = {info.name: info for info in listing if not info.problem}
    if tree in readable:
        return str(tree)
    for info in listing:
        if info.name == tree or (tree is None and not readable):
            raise InputError(
                NO_TREE.finding(f"`{info.name}` is {info.problem}", place=Place(file=path))
            )
    if tree is not None:
        raise InputError(
            NO_TREE.finding(
                f"there is no tree `{tree}`",
                place=Place(file=path),
                suggestion=did_you_mean(tree, readable, what="trees"),
            )
        )
    if not readable:
        raise InputError(NO_TREE.finding("there is no tree in this file", place=Place(file=path)))
    if len(readable) > 1:
        names = ", ".join(f"`{info.name}` ({info.entries} entries)" for info in readable.values())
        raise InputError(
            SEVERAL_TREES.finding(
                f"the file holds {len(readable)} trees: {names}",
                place=Place(file=path),
                suggestion="name one: `--tree NAME`, or `tree: NAME` in a config",
            )
        )
    return next(iter(readable))
