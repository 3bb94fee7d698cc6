"""TTrees of ROOT files, read by uproot."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from quarkline.engine.core.findings import Place, WorkError
from quarkline.events.schema import LABEL, Column, Schema
from quarkline.events.sources.base import UNREADABLE_COLUMN, BlockSource, Window
from quarkline.events.sources.baskets import Baskets, holds_numbers
from quarkline.events.sources.layout import Member, UnreadableError, columns_of
from quarkline.events.sources.problems import in_short, opening, reading
from quarkline.events.sources.root_file import own_metadata

MISFIT = "wrong number of bytes"  # what uproot says of a basket that is no whole number of objects


class TreeSource(BlockSource):
    """One TTree of a ROOT file."""

    def __init__(self, path: Path, file: Any, name: str) -> None:
        self.path = path
        self._file = file
        self._branches: dict[str, Any] = {}
        self._members: dict[str, Member] = {}
        try:
            with opening(path):
                self._tree = file[name]
                self.schema = self._describe(name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read entries [start, stop) of one branch."""
        branch = self._branches[unit]
        if holds_numbers(branch):
            return self._baskets(unit).slice(start, stop)
        with reading(self.path, unit, self.schema.tree):
            self._check_entries(branch)
            end = _end_of_reading(branch, stop)
            with self._objects_fit(branch):
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

    def window(self, unit: str) -> Window:
        """What a sweep sees of one branch: of numbers only the baskets that hold what it takes."""
        return self._baskets(unit) if holds_numbers(self._branches[unit]) else super().window(unit)

    def _baskets(self, unit: str) -> Baskets:
        with reading(self.path, unit, self.schema.tree):
            self._check_entries(self._branches[unit])
            return Baskets(self._branches[unit], self.path, self.schema.tree)

    def _check_entries(self, branch: Any) -> None:
        stored = branch.entry_offsets[-1]
        if stored != self.schema.entries:
            msg = f"the branch holds {stored} entries of the tree's {self.schema.entries}"
            raise ValueError(msg)

    @contextlib.contextmanager
    def _objects_fit(self, branch: Any) -> Iterator[None]:
        """Tell objects whose size is not that of their class from damage."""
        try:
            yield
        except ValueError as error:
            if MISFIT not in str(error) or "Model_" not in str(branch.interpretation):
                raise
            finding = UNREADABLE_COLUMN.finding(
                f"`{branch.name}` cannot be read: its {branch.typename} are stored in another way "
                "than the file describes",
                place=Place(file=self.path, label=f"tree `{self.schema.tree}`"),
                suggestion="leave it out; if other branches fail too, copy the file again",
            )
            raise WorkError(finding) from error

    def _describe(self, name: str) -> Schema:
        columns: dict[str, Column] = {}
        unreadable: dict[str, str] = {}
        counters: dict[str, str] = {}
        told = own_metadata(self._file)
        units = told[LABEL].get("units", {})
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
        facts = {"unreadable": unreadable, "counters": counters, **told}
        return Schema(columns, int(self._tree.num_entries), name, facts)


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
