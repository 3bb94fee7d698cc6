"""Reads a host with its friends as one table, refusing friends that do not line up."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Place, Rule, WorkError
from quarkline.events.friends.proof import (
    OTHER_HOST,
    FriendProof,
    block_hash,
    blocks,
    check_identity,
    has_proof,
    host_id,
    key_rows,
    told_proof,
)
from quarkline.events.friends.write import TAKEN
from quarkline.events.identity import group_ids
from quarkline.events.schema import Schema
from quarkline.events.sources import Source, Sweep, open_source
from quarkline.events.sources.base import record_array
from quarkline.events.sources.problems import SEVERAL_TREES

BY_KEY = Rule(
    "QL-EVENTS-074",
    "joined by key, every entry of the host has one row of the friend",
    "An entry without a row has no value, and one with two rows has no single one. Events that "
    "the detector simulation used more than once need a further identity column.",
)


UNPROVED = "unproved"
"""What a joined table calls the friends that were joined without proof, in its metadata."""


class With(StrEnum):
    """How rows of a friend find their entries.

    Attributes:
        POSITION: Row i belongs to entry i, proved block by block.
        KEY: A row belongs to the entry with equal identity columns.
    """

    POSITION = "position"
    KEY = "key"


def with_friends(
    host: Source,
    friends: Sequence[str | Path],
    *,
    by: With = With.POSITION,
    names: Sequence[str] = (),
    unproved: bool = False,
) -> Source:
    """A host's table with the columns of its friends.

    Closing it closes the host, too. Friends are verified where they are read: each block once.

    Args:
        host: The host, open.
        friends: Friend files.
        by: How rows find their entries.
        names: Name of each friend, in front of its columns as in `NAME.score`; "" for none. Empty
            if none has one.
        unproved: Whether friends that tell nothing of a host, as other programs make them, are
            joined entry by entry if they have as many; where both have a column, the host's counts.

    Raises:
        InputError: If a friend is another file's, tells nothing of a host, or has a column of
            the host's or another friend's.
    """
    if not friends:
        return host
    named = zip(friends, names or [""] * len(friends), strict=True)
    named_paths = [(Path(path), name) for path, name in named]
    return _JoinedSource(host, named_paths, With(by), unproved=unproved)


class _JoinedSource(Source):
    def __init__(
        self, host: Source, named: Sequence[tuple[Path, str]], by: With, *, unproved: bool
    ) -> None:
        self.path, self._host = host.path, host
        self._stack = ExitStack()
        self._stack.callback(host.close)
        join = _ByPosition if by is With.POSITION else _ByKey
        try:
            self._friends = [
                join.of(self._stack, host, path, name, unproved=unproved) for path, name in named
            ]
            self.schema = self._joined()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close host and friends."""
        self._stack.close()

    @property
    def source_id(self) -> int:
        """That of the host, whose entries these are."""
        return self._host.source_id

    def sweep(self) -> Sweep:
        """Begin to read forwards, decoding every block of host and friends at most once."""
        return _JoinedSweep(self, self._host, self._friends)

    def _joined(self) -> Schema:
        columns = dict(self._host.schema.columns)
        for friend in self._friends:
            for name, own in friend.columns.items():
                if name in columns:
                    raise InputError(
                        TAKEN.finding(
                            f"there is a column `{name}` in the host or another friend already",
                            place=Place(friend.source.path),
                            suggestion="name the friend, as in `--friend NAME=FILE`",
                        )
                    )
                columns[name] = replace(friend.source.schema[own], name=name)
        schema = self._host.schema
        told = {UNPROVED: [str(x.source.path) for x in self._friends if isinstance(x, _Unproved)]}
        return Schema(columns, schema.entries, schema.tree, {**schema.metadata, **told})

    def _arrays(self, columns: Sequence[str], start: int, stop: int) -> Mapping[str, ak.Array]:
        own = [name for name in columns if name in self._host.schema]
        table = self._host.read(own, start, stop)
        arrays = {name: table[name] for name in own}
        for friend in self._friends:
            if asked := [name for name in columns if name in friend.columns]:
                found = friend.read([friend.columns[name] for name in asked], start, stop)
                arrays |= {name: found[friend.columns[name]] for name in asked}
        return {name: arrays[name] for name in columns}


class _JoinedSweep(Sweep):
    """Goes through the host and through friends that lie beside it, entry by entry."""

    def __init__(self, source: Source, host: Source, friends: Sequence[_Friend]) -> None:
        super().__init__(source)
        self._ways = [_Way(host.sweep(), {name: name for name in host.schema.columns})]
        self._ways += [_Way(friend.sweep(), friend.columns) for friend in friends]

    def read(self, columns: Sequence[str], start: int, stop: int) -> ak.Array:
        names = self._source.checked(columns)
        return self._put_together(names, stop - start, lambda way, own: way.read(own, start, stop))

    def take(self, columns: Sequence[str], entries: NDArray[np.int64]) -> ak.Array:
        names = self._source.checked(columns)
        return self._put_together(names, len(entries), lambda way, own: way.take(own, entries))

    def _put_together(
        self, names: Sequence[str], rows: int, read: Callable[[Sweep, list[str]], ak.Array]
    ) -> ak.Array:
        arrays: dict[str, ak.Array] = {}
        for way in self._ways:
            if asked := [name for name in names if name in way.columns]:
                found = read(way.sweep, [way.columns[name] for name in asked])
                arrays |= {name: found[way.columns[name]] for name in asked}
        return record_array({name: arrays[name] for name in names}, rows)


@dataclass(frozen=True)
class _Way:
    """A sweep through one of several files, and its own names of its columns."""

    sweep: Sweep
    columns: Mapping[str, str]


@dataclass(frozen=True)
class _Friend(abc.ABC):
    """A friend that was opened beside its host."""

    host: Source
    source: Source
    proof: FriendProof
    name: str = ""

    @classmethod
    def of(
        cls, stack: ExitStack, host: Source, path: Path, name: str, *, unproved: bool
    ) -> _Friend:
        source = stack.enter_context(_open(path, host.schema.tree))
        if unproved and not has_proof(source):
            friend: _Friend = _Unproved(host, source, _NOTHING, name)
        else:
            friend = cls(host, source, told_proof(source), name)
        friend.check()
        return friend

    @cached_property
    def columns(self) -> dict[str, str]:
        """What the friend adds to its host: its own name of each column by the joined one."""
        before = f"{self.name}." if self.name else ""
        names = self.source.schema.columns
        return {before + name: name for name in names if name not in self.proof.identity}

    @abc.abstractmethod
    def check(self) -> None:
        """Refuse a friend that cannot be the host's, before anything is read."""

    @abc.abstractmethod
    def read(self, columns: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        """The values for the host's entries [start, stop)."""

    @abc.abstractmethod
    def sweep(self) -> Sweep:
        """Begin to read forwards, by the friend's own names of its columns."""

    def refuse(self, what: str, suggestion: str) -> None:
        raise InputError(
            OTHER_HOST.finding(what, place=Place(self.source.path), suggestion=suggestion)
        )


def _open(path: Path, tree: str | None) -> Source:
    """Open a friend; in a file of several, the one of that tree."""
    try:
        return open_source(path)
    except InputError as error:
        if tree is None or error.findings[0].code != SEVERAL_TREES.code:
            raise
        return open_source(path, tree=tree)


class _ByPosition(_Friend):
    @cached_property
    def _verified(self) -> set[int]:
        return set()

    def check(self) -> None:
        proof, schema = self.proof, self.host.schema
        join = "join by key, or make the friend for this file"
        if proof.entries != schema.entries:
            what = f"it has {proof.entries} entries, {self.host.path} has {schema.entries}"
            self.refuse(what, join)
        if proof.tree != (schema.tree or ""):
            self.refuse(f"it belongs to a tree `{proof.tree}`, not `{schema.tree}`", join)
        if not proof.identity and proof.host != host_id(self.host):
            what = f"it was made for another file than {self.host.path}, and names no columns"
            self.refuse(f"{what} that identify an event", "make the friend for this file")
        check_identity(self.host, proof.identity)

    def read(self, columns: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        self.verify(start, stop, self.host)
        table = self.source.read(columns, start, stop)
        return {name: table[name] for name in columns}

    def sweep(self) -> Sweep:
        return _ProvedSweep(self)

    def verify(self, start: int, stop: int, host: Source | Sweep) -> None:
        """See that entries [start, stop) are the host's, block by block and each block once."""
        if self.proof.identity:
            for number, first, end in blocks(start, stop, self.proof):
                if number not in self._verified:
                    self._verify(number, first, end, host)
                    self._verified.add(number)

    def _verify(self, number: int, start: int, stop: int, host: Source | Sweep) -> None:
        identity = self.proof.identity
        rows = key_rows(host.read(identity, start, stop), identity)
        if block_hash(rows) == self.proof.hashes[number]:
            return
        told = key_rows(self.source.read(identity, start, stop), identity)
        different = np.flatnonzero((rows != told).any(axis=1))
        if not different.size:
            what = f"its proof does not fit its own entries {start} to {stop}: it is damaged"
            raise WorkError(OTHER_HOST.finding(what, place=Place(self.source.path)))
        entry = start + int(different[0])
        here, there = (_spelt(identity, values[different[0]]) for values in (rows, told))
        what = f"entry {entry} is ({here}) in {self.host.path} and ({there}) in the friend"
        raise WorkError(
            OTHER_HOST.finding(
                what,
                place=Place(self.source.path),
                suggestion="join by key, or make the friend for this file",
                evidence={"entry": entry},
            )
        )


class _ProvedSweep(Sweep):
    """Goes through a friend, and through its host beside it to see that they line up."""

    def __init__(self, friend: _ByPosition) -> None:
        self._friend, self._own, self._host = friend, friend.source.sweep(), friend.host.sweep()

    def read(self, columns: Sequence[str], start: int, stop: int) -> ak.Array:
        self._friend.verify(start, stop, self._host)
        return self._own.read(columns, start, stop)

    def take(self, columns: Sequence[str], entries: NDArray[np.int64]) -> ak.Array:
        if len(entries):
            self._friend.verify(int(entries[0]), int(entries[-1]) + 1, self._host)
        return self._own.take(columns, entries)


_NOTHING = FriendProof("", "", 0, (), 1, (), "")


class _Unproved(_Friend):
    """A friend of another program, of which nothing is known but its number of entries."""

    @cached_property
    def columns(self) -> dict[str, str]:
        own = self.host.schema
        return {name: told for name, told in super().columns.items() if name not in own}

    def check(self) -> None:
        here, there = self.source.schema.entries, self.host.schema.entries
        if here != there:
            what = f"it has {here} entries, {self.host.path} has {there}"
            self.refuse(what, "make the friend for this file")

    def read(self, columns: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        table = self.source.read(columns, start, stop)
        return {name: table[name] for name in columns}

    def sweep(self) -> Sweep:
        return self.source.sweep()


class _ByKey(_Friend):
    def check(self) -> None:
        if not self.proof.identity:
            self.refuse("it names no columns that identify an event", "join by position")
        check_identity(self.host, self.proof.identity)

    @cached_property
    def _index(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Keys of the friend's rows sorted by hash: hashes, rows they stand for, the keys."""
        identity = self.proof.identity
        keys = key_rows(self.source.read(identity), identity)
        hashes = _hashed(keys, identity)
        order = np.argsort(hashes, kind="stable")
        again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
        if again.size:
            row = int(order[again[0] + 1])
            what = f"({_spelt(identity, keys[row])}) is in the friend more than once, at row {row}"
            raise WorkError(
                BY_KEY.finding(
                    what,
                    place=Place(self.source.path),
                    suggestion="make the friend with a further identity column",
                )
            )
        return hashes[order], order, keys

    def read(self, columns: Sequence[str], start: int, stop: int) -> dict[str, ak.Array]:
        identity = self.proof.identity
        hashes, order, keys = self._index
        wanted = key_rows(self.host.read(identity, start, stop), identity)
        place = np.searchsorted(hashes, _hashed(wanted, identity))
        rows = order[np.minimum(place, max(len(order) - 1, 0))] if len(order) else place * 0
        found = np.zeros(len(wanted), bool)
        if len(order):
            found = (keys[rows] == wanted).all(axis=1)
        if not found.all():
            lost = int(np.flatnonzero(~found)[0])
            what = f"entry {start + lost} ({_spelt(identity, wanted[lost])}) has no row"
            raise WorkError(
                BY_KEY.finding(
                    f"{what}; {int((~found).sum())} of entries [{start}, {stop}) have none",
                    place=Place(self.source.path),
                    suggestion=f"make the friend for {self.host.path}",
                )
            )
        table = self._table(tuple(columns))
        return {name: table[name][rows] for name in columns}

    def sweep(self) -> Sweep:
        return _KeySweep(self)

    def _table(self, columns: tuple[str, ...]) -> ak.Array:
        """All rows of some columns: a join by key needs them in any order."""
        known: dict[tuple[str, ...], ak.Array] = self.__dict__.setdefault("_tables", {})
        if columns not in known:
            known[columns] = self.source.read(columns)
        return known[columns]


class _KeySweep(Sweep):
    """Looks the host's entries up in a friend."""

    def __init__(self, friend: _ByKey) -> None:
        self._friend = friend

    def read(self, columns: Sequence[str], start: int, stop: int) -> ak.Array:
        return record_array(self._friend.read(columns, start, stop), stop - start)


def _hashed(rows: NDArray[np.int64], identity: Sequence[str]) -> NDArray[np.int64]:
    return group_ids({name: rows[:, i] for i, name in enumerate(identity)})


def _spelt(identity: Sequence[str], values: NDArray[np.int64]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(identity, values, strict=True))


def mirrored(path: Path, base: Path, target: Path, *, suffix: str | None = None) -> Path:
    """Where the friend of a file lies: at the same place below `target` as it has below `base`.

    Raises:
        ValueError: If the file is not below `base`.
    """
    place = target / path.resolve().relative_to(base.resolve())
    return place if suffix is None else place.with_suffix(suffix)
