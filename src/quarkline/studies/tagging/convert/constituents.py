"""Which clusters, tracks and muon segments belong to which jet, and where they lie in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Members:
    """Constituents of jets, jet by jet.

    Attributes:
        counts: Number of constituents of each jet, with shape (N,).
        index: Their places among all constituents, with shape (sum of `counts`,).
    """

    counts: Ints
    index: Ints

    def first(self, rows: int) -> Members:
        """Only the first so many of each jet."""
        return Members(np.minimum(self.counts, rows), self.index[self.places < rows])

    @property
    def places(self) -> Ints:
        """The place of each constituent in its jet, from 0."""
        return np.arange(len(self.index)) - self.leading()

    @property
    def jet(self) -> Ints:
        """The jet of each constituent."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def leading(self) -> Ints:
        """For each constituent, the first one of its jet, as a place in `index`."""
        return np.repeat(np.cumsum(self.counts) - self.counts, self.counts)


def members(
    jets: tuple[Ints, Ints],
    claims: tuple[Ints, Ints, Ints],
    *,
    falling: Floats | None = None,
) -> Members:
    """The constituents of each jet.

    Args:
        jets: Event and index in it of each jet, with shape (N,); a jet may come twice.
        claims: Event, index of the jet and constituent of each claim that a constituent belongs to
            a jet, with shape (M,); a negative index is none, a repeated claim counts once.
        falling: Orders the constituents of a jet from large to small, with a value for each of all
            constituents; None keeps their order.

    Returns:
        Constituents in the order of the jets.
    """
    width = 1 + int(jets[1].max(initial=0))
    wanted = jets[0] * width + jets[1]
    key, constituent = _claims_of(wanted, claims, width)
    rank = constituent if falling is None else -falling[constituent].astype(np.float64)
    order = np.lexsort((constituent, rank, key))
    key, constituent = key[order], constituent[order]
    new = np.ones(len(key), bool)
    new[1:] = (key[1:] != key[:-1]) | (constituent[1:] != constituent[:-1])
    key, constituent = key[new], constituent[new]
    start = np.searchsorted(key, wanted, "left")
    counts = np.searchsorted(key, wanted, "right") - start
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return Members(counts, constituent[np.repeat(start, counts) + place])


def _claims_of(wanted: Ints, claims: tuple[Ints, Ints, Ints], width: int) -> tuple[Ints, Ints]:
    """Claims to jets that are wanted, which few of all jets are; what they claim, and for which."""
    event, jet, constituent = claims
    last = max(event.max(initial=0), wanted.max(initial=0) // width)
    is_wanted = np.zeros((last + 1) * width, bool)
    is_wanted[wanted] = True
    key = event * width + jet
    possible = (jet >= 0) & (jet < width)
    kept = possible & is_wanted[np.where(possible, key, 0)]
    return key[kept], constituent[kept]


def wrapped(angle: Floats) -> Floats:
    """An angle in [-pi, pi), in rad."""
    whole: Floats = np.mod(angle + np.pi, 2 * np.pi)
    return whole - np.pi
