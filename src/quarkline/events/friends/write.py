"""Writes a friend: columns for every entry of a host, and the proof beside them."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import awkward as ak
import numpy as np

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.friends.proof import (
    BLOCK,
    NO_PROOF,
    NOTE,
    TREES,
    FriendProof,
    block_hash,
    check_identity,
    host_id,
    key_rows,
)
from quarkline.events.sinks import Sink, open_sink
from quarkline.events.sinks.root_file import RootFileSink
from quarkline.events.sources import Source
from quarkline.events.sources.base import record_array

TAKEN = Rule(
    "QL-EVENTS-073",
    "a friend's columns have names of their own",
    "ROOT takes a column that the host and its friend both have from the host, so a friend's "
    "column of such a name would never be read.",
)


ONE_TREE = Rule(
    "QL-EVENTS-075",
    "friends of several trees share a file where that holds several trees",
    "A ROOT file holds any number of trees, and so may their friends'. Parquet and HDF5 files "
    "hold the friend of one tree.",
)


class FriendSink:
    """A friend on its way into one file, chunk by chunk in the order of the host's entries.

    Use it as a context manager: the file appears complete or not at all. It is an ordinary tree
    of the host tree's name and length, so ROOT reads it through `TTree::AddFriend`.
    """

    def __init__(
        self,
        path: Path,
        host: Source,
        *,
        identity: Sequence[str],
        producer: str,
        metadata: Mapping[str, Any] | None = None,
        beside: FriendSink | None = None,
    ) -> None:
        """Open a friend.

        Args:
            path: A `.root`, `.parquet` or `.h5` file.
            host: The host, open.
            identity: The host's columns that identify an event; empty if it has none.
            producer: What makes the friend.
            metadata: What the file says about its table, such as units.
            beside: The friend of another tree of the host's file, which goes into the same ROOT
                file. All its columns must be written, and it must be closed after this one.

        Raises:
            InputError: If an identity column is not a flat integer column of the host, or the
                format has no place for the proof.
        """
        self._identity = tuple(identity)
        check_identity(host, self._identity)
        self._host, self._producer = host, producer
        self._proofs: dict[str, Any] = {} if beside is None else beside._proofs  # noqa: SLF001
        self._beside = beside is not None
        if beside is None:
            self._sink = open_sink(path, tree=host.schema.tree or "Events", metadata=metadata)
        else:
            self._sink = _another_table(beside._sink, host)  # noqa: SLF001
        if not self._sink.tells:
            raise InputError(
                NO_PROOF.finding(
                    "a file of this format has no place for the proof that a friend carries",
                    place=Place(path),
                    suggestion="write ROOT, Parquet or HDF5",
                )
            )
        self._stack = contextlib.ExitStack()
        self._entries = 0
        self._hashes: list[str] = []
        self._rows = np.zeros((0, len(self._identity)), np.int64)

    def write(self, columns: Mapping[str, Any]) -> None:
        """Append the columns of the host's next entries.

        Args:
            columns: Arrays by name, each of the same length.

        Raises:
            InputError: If the host has a column of such a name.
            ValueError: If lengths differ, or there are more rows than the host has.
        """
        arrays = {name: _array(values) for name, values in columns.items()}
        (length,) = {len(array) for array in arrays.values()}
        if taken := [name for name in arrays if name in self._host.schema]:
            raise InputError(
                TAKEN.finding(
                    f"the host has a column `{taken[0]}`, too",
                    place=Place(self._host.path),
                    suggestion=f"name it `{taken[0]}_new`",
                )
            )
        start, stop = self._entries, self._entries + length
        if stop > self._host.schema.entries:
            msg = f"{stop} rows for a host of {self._host.schema.entries} entries"
            raise ValueError(msg)
        own = self._host.read(self._identity, start, stop)
        self._prove(key_rows(own, self._identity) if self._identity else None)
        self._entries = stop
        self._sink.write(record_array({n: own[n] for n in self._identity} | arrays, length))

    def _prove(self, rows: Any) -> None:
        if rows is None:
            return
        self._rows = np.concatenate([self._rows, rows])
        while len(self._rows) >= BLOCK:
            self._hashes.append(block_hash(self._rows[:BLOCK]))
            self._rows = self._rows[BLOCK:]

    def _finish(self) -> None:
        if self._entries != self._host.schema.entries:
            msg = f"{self._entries} rows for a host of {self._host.schema.entries} entries"
            raise ValueError(msg)
        last = [block_hash(self._rows)] if len(self._rows) else []
        proof = FriendProof(
            host=host_id(self._host),
            tree=self._host.schema.tree or "",
            entries=self._entries,
            identity=self._identity,
            block=BLOCK,
            hashes=(*self._hashes, *last),
            producer=self._producer,
        )
        others = {TREES: self._proofs} if self._proofs else {}
        if self._beside:
            self._proofs[proof.tree] = proof.as_json()
        else:
            self._sink.notes[NOTE] = proof.as_json() | others

    def __enter__(self) -> Self:
        self._stack.enter_context(self._sink)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._finish()


def _another_table(sink: Sink, host: Source) -> Sink:
    """A further table in a friend's file."""
    if not isinstance(sink, RootFileSink):
        raise InputError(
            ONE_TREE.finding(
                f"`{sink.path.suffix}` files hold the friend of one tree",
                place=Place(host.path, label=f"tree `{host.schema.tree}`"),
                suggestion="write ROOT files, or each tree's friends to a folder of their own",
            )
        )
    return sink.beside(host.schema.tree or "Events")


def _array(values: Any) -> ak.Array:
    return values if isinstance(values, ak.Array) else ak.from_numpy(np.asarray(values))
