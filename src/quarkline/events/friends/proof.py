"""What a friend says of its host, and hashes of the events it was made beside.

A friend file carries the host's identity columns and, for each block of entries, a hash of them.
Whoever reads the friend hashes the same columns of the host again: equal hashes prove that row i
of one is row i of the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.engine.core.results import Result
from quarkline.events.identity import integer_key
from quarkline.events.sources import Source

NOTE = "quarkline_friend"
TREES = "trees"
"""Where the proof of a file's first tree holds those of its others, by name."""
BLOCK = 50_000

NO_PROOF = Rule(
    "QL-EVENTS-070",
    "a friend says whose friend it is",
    "A friend made by Quarkline tells its host, the identity columns and a hash of each block of "
    "them. A file without this cannot be known to line up with another, so it is not joined.",
)
OTHER_HOST = Rule(
    "QL-EVENTS-071",
    "a friend belongs to the file it is joined to",
    "Friends line up entry by entry, so a friend of a skim does not fit the full file, and one of "
    "a file that was made again may not fit either. Where both have columns that identify an "
    "event, join by key: each host entry then finds its own row.",
)
IDENTITY = Rule(
    "QL-EVENTS-072",
    "the identity columns of a friend are flat integers of its host",
    "They are what is compared: run and event number, and the sample's number in simulation.",
)


@dataclass(frozen=True)
class FriendProof(Result, kind="friend"):
    """What a friend tells of its host.

    Attributes:
        host: The host's source id, 16 hexadecimal digits.
        tree: Its tree, "" where it has none.
        entries: Its number of entries, and of the friend.
        identity: Columns that identify an event, in host and friend; none if the host has none,
            where its source id alone is the proof.
        block: Entries in a block.
        hashes: blake2b-64 of the identity columns of each block, hexadecimal.
        producer: What made the friend, such as the address of a model.
    """

    host: str
    tree: str
    entries: int
    identity: tuple[str, ...]
    block: int
    hashes: tuple[str, ...]
    producer: str


def host_id(host: Source) -> str:
    """A source's id as a friend tells it."""
    return f"{host.source_id:016x}"


def check_identity(host: Source, identity: tuple[str, ...]) -> None:
    """Refuse identity columns that are not flat integers of the host.

    Raises:
        InputError: With a finding for each.
    """
    findings = []
    for name in identity:
        column = host.schema.columns.get(name)
        if column is None:
            problem = f"there is no column `{name}`"
            hint = did_you_mean(name, host.schema.columns, what="columns")
        elif column.depth or column.shape or "int" not in column.dtype:
            problem, hint = f"`{name}` is no flat integer column: {column.dtype}", None
        else:
            continue
        findings.append(IDENTITY.finding(problem, place=Place(host.path), suggestion=hint))
    if findings:
        raise InputError(*findings)


def key_rows(table: ak.Array, identity: tuple[str, ...]) -> NDArray[np.int64]:
    """The identity columns of some events side by side, with shape (N, columns)."""
    return integer_key({name: ak.to_numpy(table[name]) for name in identity})


def block_hash(rows: NDArray[np.int64]) -> str:
    """blake2b-64 of the identity of a block's events, row by row as little-endian int64."""
    content = np.ascontiguousarray(rows, dtype="<i8").tobytes()
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def blocks(start: int, stop: int, proof: FriendProof) -> Iterator[tuple[int, int, int]]:
    """Number, first entry and end of each block that holds some of entries [start, stop)."""
    for number in range(start // proof.block, -(-stop // proof.block)):
        first = number * proof.block
        yield number, first, min(first + proof.block, proof.entries)


def has_proof(friend: Source) -> bool:
    """Whether a friend file tells anything of its host."""
    return isinstance(friend.schema.metadata.get(NOTE), Mapping)


def told_proof(friend: Source) -> FriendProof:
    """What a friend file tells.

    Raises:
        InputError: If it tells nothing, or nothing that makes sense.
    """
    told = friend.schema.metadata.get(NOTE)
    place = Place(friend.path)
    if not isinstance(told, Mapping):
        raise InputError(
            NO_PROOF.finding(
                "this file does not say whose friend it is",
                place=place,
                suggestion="make it with `quarkline`, which writes the proof beside the columns",
            )
        )
    others = told.get(TREES)
    if isinstance(others, Mapping) and friend.schema.tree in others:
        told = others[friend.schema.tree]
    try:
        proof = FriendProof.from_json(told)
        whole = -(-proof.entries // proof.block) if proof.identity else 0
    except (ValueError, TypeError, KeyError, ZeroDivisionError) as error:
        raise InputError(NO_PROOF.finding(f"its proof is damaged: {error}", place=place)) from error
    if len(proof.hashes) != whole or proof.entries != friend.schema.entries:
        what = f"its proof is of {proof.entries} entries, the file has {friend.schema.entries}"
        raise InputError(NO_PROOF.finding(what, place=place, suggestion="make the friend again"))
    return proof
