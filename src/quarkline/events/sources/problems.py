"""What can be wrong with a file of events, and the choice of one of its tables."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.findings import (
    InputError,
    Place,
    QuarklineError,
    Rule,
    WorkError,
    did_you_mean,
)

DAMAGED = Rule(
    "QL-EVENTS-003",
    "a file of events is whole",
    "The file's structure contradicts itself, or its compressed data do not unpack. Copy or make "
    "the file again. No value of the damaged part has been handed on.",
)
NO_TREE = Rule(
    "QL-EVENTS-005",
    "a file of events holds a table",
    "The file was read and holds no table of events: a ROOT file with histograms only, one whose "
    "job wrote no tree, or a kind of table that is not read.",
)
SEVERAL_TREES = Rule(
    "QL-EVENTS-006",
    "which tree to read is never guessed",
    "A file with several trees (in NPZ: arrays of several lengths) needs the name of the one "
    "that is meant: `--tree NAME`, or `tree: NAME` in a config.",
)
UNKNOWN_TREE = Rule(
    "QL-EVENTS-009",
    "a tree that is asked for exists",
    "Trees are named as `quarkline inspect FILE` lists them, with their folder inside the file "
    "and without the cycle. Parquet and CSV files are one table without a name.",
)
AGAIN = "copy or make the file again"


@dataclass(frozen=True)
class TreeInfo:
    """A table in a file.

    Attributes:
        name: Its name, "" where the format has none.
        entries: Number of events, None if unknown.
        columns: Number of branches or columns, None if unknown.
        problem: Why it cannot be read, "" if it can.
    """

    name: str
    entries: int | None
    columns: int | None
    problem: str = ""


def in_short(error: BaseException) -> str:
    """An exception's message on one line, without what uproot says about the place."""
    text = " ".join(re.split(r"\s+in file ", str(error))[0].split())
    return (text[:200] + "...") if len(text) > 200 else text or type(error).__name__


@contextlib.contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn whatever a library says about a damaged file into one finding."""
    with _reported(InputError, "cannot be opened", Place(file=path)):
        yield


@contextlib.contextmanager
def reading(path: Path, column: str, tree: str | None) -> Iterator[None]:
    """Turn whatever a library says about damaged values into one finding."""
    place = Place(file=path, label=f"tree `{tree}`" if tree else None)
    with _reported(WorkError, f"`{column}` cannot be read", place):
        yield


@contextlib.contextmanager
def _reported(kind: type[QuarklineError], what: str, place: Place) -> Iterator[None]:
    try:
        yield
    except QuarklineError:
        raise
    except Exception as error:
        finding = DAMAGED.finding(f"{what}: {in_short(error)}", place=place, suggestion=AGAIN)
        raise kind(finding) from error


def choose_tree(path: Path, tree: str | None, listing: Sequence[TreeInfo]) -> str:
    """The table that was asked for, or the only one there is.

    Raises:
        InputError: If there is none, or the choice is not clear.
    """
    place = Place(file=path)
    readable = {info.name: info for info in listing if not info.problem}
    if tree is not None and tree in readable:
        return tree
    for info in listing:
        if info.problem and (info.name == tree or (tree is None and not readable)):
            raise InputError(NO_TREE.finding(f"`{info.name}` is {info.problem}", place=place))
    if not readable:
        raise InputError(NO_TREE.finding("there is no tree in this file", place=place))
    if tree is not None:
        hint = did_you_mean(tree, readable, what="trees")
        raise InputError(
            UNKNOWN_TREE.finding(f"there is no tree `{tree}`", place=place, suggestion=hint)
        )
    if len(readable) > 1:
        names = ", ".join(f"`{info.name}` ({info.entries} entries)" for info in readable.values())
        names += "".join(f"; `{info.name}` is {info.problem}" for info in listing if info.problem)
        raise InputError(
            SEVERAL_TREES.finding(
                f"the file holds {len(readable)} trees: {names}",
                place=place,
                suggestion="name one: `--tree NAME`, or `tree: NAME` in a config",
                evidence={"trees": {info.name: info.entries for info in readable.values()}},
            )
        )
    return next(iter(readable))


def refuse_tree(path: Path, tree: str | None, kind: str) -> None:
    """Refuse the name of a tree for a format that is one table."""
    if tree is not None:
        raise InputError(
            UNKNOWN_TREE.finding(
                f"there is no tree `{tree}`: {kind} is one table without a name",
                place=Place(file=path),
                suggestion="leave the tree out",
            )
        )
