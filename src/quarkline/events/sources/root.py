"""ROOT files: TTrees read by uproot."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from quarkline.engine.core.findings import InputError, Place, Rule, WorkError
from quarkline.events.schema import Column, Schema
from quarkline.events.sources.base import BlockSource, TreeInfo
from quarkline.events.sources.layout import Member, UnreadableError, columns_of
from quarkline.events.sources.problems import DAMAGED, choose_tree, first_line

MAGIC = b"root"
TREES = frozenset({"TTree", "TNtuple", "TNtupleD"})
RNTUPLE = "ROOT::RNTuple"

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
        try:
            name = choose_tree(path, tree, _listing(self._file))
            self._tree = self._file[name]
            self._branches: dict[str, Any] = {}
            self._members: dict[str, Member] = {}
            self.schema = self._describe(name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _describe(self, name: str) -> Schema:
        columns: dict[str, Column] = {}
        unreadable: dict[str, str] = {}
        counters: dict[str, str] = {}
        for label, branch in _leaf_branches(self._tree):
            try:
                found = columns_of(label, label, _form(branch), title=branch.title)
            except UnreadableError as reason:
                unreadable[label] = str(reason)
                continue
            self._branches[label] = branch
            for column, member in found:
                columns[column.name], self._members[column.name] = column, member
            if counter := _counter(branch):
                counters.update({column.name: counter for column, _ in found})
        facts = {"unreadable": unreadable, "counters": counters}
        return Schema(columns, int(self._tree.num_entries), name, facts)

    def block_end(self, unit: str, entry: int) -> int:
        offsets = self._branches[unit].entry_offsets
        return int(offsets[min(np.searchsorted(offsets, entry), len(offsets) - 1)])

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        branch = self._branches[unit]
        try:
            if branch.entry_offsets[-1] != self.schema.entries:
                msg = f"it holds {branch.entry_offsets[-1]} of {self.schema.entries} entries"
                raise ValueError(msg)
            array = branch.array(entry_start=start, entry_stop=stop, library="ak")
            if len(array) != stop - start:
                msg = f"entries [{start}, {stop}) gave {len(array)} values"
                raise ValueError(msg)
        except Exception as error:
            raise WorkError(
                DAMAGED.finding(
                    f"branch `{unit}` cannot be read: {first_line(error)}",
                    place=Place(file=self.path, label=f"tree `{self.schema.tree}`"),
                    suggestion="copy or make the file again",
                )
            ) from error
        return array


def trees(path: Path) -> list[TreeInfo]:
    """The trees of a ROOT file; an RNTuple is listed with the reason it is not read."""
    with _open(path) as file:
        return _listing(file)


def matches(head: bytes) -> bool:
    """Whether a file's first bytes are those of a ROOT file."""
    return head.startswith(MAGIC)


def _open(path: Path) -> Any:
    _check_length(path)
    try:
        return uproot.open(path, array_cache=None, object_cache=None)
    except Exception as error:
        raise InputError(
            DAMAGED.finding(
                f"cannot be opened as a ROOT file: {first_line(error)}",
                place=Place(file=path),
                suggestion="copy or make the file again",
            )
        ) from error


def _check_length(path: Path) -> None:
    """Compare the length with `fEND` of the file header (ROOT's TFile documentation)."""
    with path.open("rb") as stream:
        head = stream.read(20)
    size = path.stat().st_size
    stated = 0
    if len(head) == 20:
        (version,) = struct.unpack(">i", head[4:8])
        stated = struct.unpack(">q" if version >= 1_000_000 else ">i4x", head[12:20])[0]
    if len(head) < 20 or size < stated:
        raise InputError(
            TRUNCATED.finding(
                f"the file ends after {size} bytes" + f" of {stated}" * bool(stated),
                place=Place(file=path),
                suggestion="copy or make the file again",
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
            found.append(TreeInfo(name, None, None, "an RNTuple, which is not read yet"))
    return found


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


def _form(branch: Any) -> Any:
    try:
        return branch.interpretation.awkward_form(branch.file)
    except Exception as error:
        msg = f"type {branch.typename} ({first_line(error)})"
        raise UnreadableError(msg) from error


def _counter(branch: Any) -> str | None:
    counter = branch.count_branch
    return None if counter is None else str(counter.name)
