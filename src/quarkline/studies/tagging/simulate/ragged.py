"""Things that jets have any number of, flat and jet by jet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.simulate.truth import Bools, Ints


@dataclass(frozen=True)
class Constituents:
    """Constituents of N jets.

    Attributes:
        counts: Number of constituents of each jet, with shape (N,).
        columns: Their quantities, each flat.
    """

    counts: Ints
    columns: dict[str, NDArray[Any]]


def owners(counts: Ints) -> Ints:
    """The jet of each constituent."""
    return np.repeat(np.arange(len(counts)), counts)


def places(counts: Ints) -> Ints:
    """The place of each constituent in its jet, from 0."""
    return np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)


def kept(found: Constituents, mask: Bools) -> Constituents:
    """Those constituents that a mask keeps."""
    counts = np.bincount(owners(found.counts)[mask], minlength=len(found.counts))
    return Constituents(counts, {name: values[mask] for name, values in found.columns.items()})
