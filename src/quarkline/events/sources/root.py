"""ROOT files: TTrees, read by uproot."""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.schema import Column, Schema
from quarkline.events.sources.base import BlockSource
from quarkline.events.sources.layout import Member, UnreadableError, columns_of
from quarkline.events.sources.problems import (
    AGAIN,
    TreeInfo,
    choose_tree,
    in_short,
    opening,
    reading,
)

NAME = "ROOT"
SUFFIXES = (".root",)
MAGIC = b"root"
TREES = frozenset({"TTree", "TNtuple", "TNtupleD"})
RNTUPLE = "ROOT::RNTuple"
LABEL = "quarkline"  # our own metadata: a TObjString beside the tree

TRUNCATED = Rule(
    "QL-EVENTS-004",
    "a ROOT file is as long as its header says",
    "A ROOT file states its length in its header. A shorter file was cut off: a copy that broke, "
    "a full disk, or a job that died. Copy or make it again; what lies before the cut is not "
    "read, because nothing says how much of it is missing.",
)


class RootSource(BlockSource):
    """One TTree of a ROOT file; of several cycles the highest."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        self.path = path
        self._file = _open(path)
        self._branches: dict[str, Any] = {}
        self._members: dict[str, Member] = {}
        try:
            with opening(path):
                name = _choose(self._file, path, tree)
                self._tree = self._file[name]
                self.schema = self._describe(name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read entries [start, stop) of one branch."""
        branch, entries = self._branches[unit], self.schema.entries
        with reading(self.path, unit, self.schema.tree):
            stored = branch.entry_offsets[-1]
            if stored != entries:
                msg = f"the branch holds {stored} entries of the tree's {entries}"
                raise ValueError(msg)
            end = _end_of_reading(branch, stop)
            array = branch.array(entry_start=start, entry_stop=end, library="ak")
            if len(array) != end - start:
                msg = f"entries [{start}, {end}) hold {len(array)} values"
                raise ValueError(msg)
            if problem := ak.validity_error(array):  # damaged offsets would point anywhere
                raise ValueError(problem)
        return array[: stop - start]

    def block_end(self, unit: str, entry: int) -> int:
        """The first end of a basket at or after `entry`."""
        with reading(self.path, unit, self.schema.tree):
            ends = self._branches[unit].entry_offsets
        return int(ends[min(np.searchsorted(ends, entry), len(ends) - 1)])

    def _describe(self, name: str) -> Schema:
        columns: dict[str, Column] = {}
        unreadable: dict[str, str] = {}
        counters: dict[str, str] = {}
        told = _metadata(self._file)
        units = told.get("units", {})
        for label, branch in _leaf_branches(self._tree):
            try:
                found = columns_of(
                    label, _form(branch), unit=units.get(label, ""), title=branch.title
                )
            except UnreadableError as reason:
                unreadable[label] = str(reason)
                continue
            self._branches[label] = branch
            for column, member in found:
                columns[column.name], self._members[column.name] = column, member
                if branch.count_branch is not None:
                    counters[column.name] = str(branch.count_branch.name)
        facts = {"unreadable": unreadable, "counters": counters, LABEL: told}
        return Schema(columns, int(self._tree.num_entries), name, facts)


def trees(path: Path) -> list[TreeInfo]:
    """The trees of a ROOT file; an RNTuple is listed with the reason it is not read."""
    with _open(path) as file, opening(path):
        return _listing(file)


def matches(_path: Path, head: bytes) -> bool:
    """Whether a file's first bytes are those of a ROOT file."""
    return head.startswith(MAGIC)


def _open(path: Path) -> Any:
    _check_length(path)
    with opening(path):
        return uproot.open(
            path,
            handler=uproot.MultithreadedFileSource,
            num_workers=1,
            array_cache=None,
            object_cache=None,
        )


def _check_length(path: Path) -> None:
    """Compare the file's length with `fEND` in its header (layout: ROOT's TFile reference)."""
    with path.open("rb") as stream:
        head = stream.read(20)
    size = path.stat().st_size
    stated = None
    if len(head) == 20:
        (version,) = struct.unpack(">i", head[4:8])
        stated = struct.unpack(">q" if version >= 1_000_000 else ">i4x", head[12:20])[0]
    if stated is None or size < stated:
        whole = "" if stated is None else f" of {stated}"
        raise InputError(
            TRUNCATED.finding(
                f"the file ends after {size}{whole} bytes",
                place=Place(file=path),
                suggestion=AGAIN,
                evidence={"size": size, "stated": stated},
            )
        )


def _listing(file: Any) -> list[TreeInfo]:
    found = []
    for name, kind in file.classnames(cycle=False).items():
        if kind in TREES:
            tree = file[name]
            found.append(TreeInfo(name, int(tree.num_entries), len(tree.branches)))
        elif kind == RNTUPLE:
            found.append(_rntuple(name))
    return found


def _rntuple(name: str) -> TreeInfo:
    return TreeInfo(name, None, None, "an RNTuple, which is not read yet")


def _choose(file: Any, path: Path, tree: str | None) -> str:
    """The tree that is meant; all trees are looked into only to say what there is."""
    kinds = file.classnames(cycle=False)
    names = [name for name, kind in kinds.items() if kind in TREES]
    if tree is None and len(names) == 1:
        return str(names[0])
    if tree is not None and tree in names:
        return tree
    if kinds.get(tree) == RNTUPLE:
        return choose_tree(path, tree, [_rntuple(str(tree))])
    return choose_tree(path, tree, _listing(file))


def _metadata(file: Any) -> Mapping[str, Any]:
    """What our own sink wrote beside the tree; nothing if it is absent or not ours."""
    if file.classnames(recursive=False, cycle=False).get(LABEL) != "TObjString":
        return {}
    try:
        told = json.loads(str(file[LABEL]))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _leaf_branches(tree: Any) -> Iterator[tuple[str, Any]]:
    """Branches that hold values, by name; a name that occurs twice is spelt with its path."""
    branches = [
        (path, branch)
        for path, branch in tree.iteritems(recursive=True, full_paths=True)
        if not branch.branches
    ]
    times = Counter(branch.name for _, branch in branches)
    for path, branch in branches:
        yield (path if times[branch.name] > 1 else branch.name), branch


def _end_of_reading(branch: Any, stop: int) -> int:
    """Where reading up to `stop` has to end.

    Of fixed-size objects uproot 5.7 needs a range that does not end where a basket begins.
    """
    end = stop
    if isinstance(branch.interpretation, uproot.AsStridedObjects):
        while end in branch.entry_offsets[1:-1]:
            end += 1
    return end


def _form(branch: Any) -> Any:
    """The awkward form of a branch's values.

    Objects that ROOT stored whole, each with a length of its own, are refused: uproot rebuilds
    such classes from the file's own description, and where that is incomplete it takes arbitrary
    bytes for lengths and asks for that much memory.
    """
    interpretation = branch.interpretation
    if isinstance(interpretation, uproot.AsObjects) and "Model_" in str(interpretation):
        msg = f"objects of type {branch.typename}, stored whole"
        raise UnreadableError(msg)
    try:
        return interpretation.awkward_form(branch.file)
    except Exception as error:
        msg = f"type {branch.typename} ({in_short(error)})"
        raise UnreadableError(msg) from error
