"""A folder that the stage `features` wrote: jets, what each is for, and how they are scaled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.store.npy import load_mapped
from quarkline.learning.features.preprocess import Preprocess
from quarkline.studies.tagging.features.choice import Split
from quarkline.studies.tagging.jets import JetSet

PREPROCESS = "preprocess.json"
SPLIT, MOMENTA = "split.npy", "jet_pt.npy"


@dataclass(frozen=True)
class ScaledJets:
    """N jets as a network takes them, memory-mapped.

    Attributes:
        jets: The jets; their inputs are scaled.
        split: What each of them is for, a `Split`, with shape (N,).
        momenta: Transverse momenta in GeV, with shape (N,).
    """

    jets: JetSet
    split: NDArray[np.int8]
    momenta: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path) -> ScaledJets:
        """The jets of output `main` or `control` of the stage.

        Raises:
            FileNotFoundError: If it is not such a folder.
        """
        split, momenta = load_mapped(folder / SPLIT), load_mapped(folder / MOMENTA)
        return cls(JetSet.load(folder), split, momenta)

    def rows(self, split: Split) -> NDArray[np.int64]:
        """The jets that are for one purpose, as rising numbers."""
        return np.flatnonzero(np.asarray(self.split) == split)


def read_preprocess(path: Path) -> Preprocess:
    """The scaling, output `preprocess` of the stage."""
    return Preprocess.from_json(json.loads(path.read_text()))
