"""How collision data differ from simulation, in named quantities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quarkline.studies.tagging.simulate.config import ShiftConfig
from quarkline.studies.tagging.simulate.geometry import ECAL, Floats
from quarkline.studies.tagging.simulate.truth import Ints

STRIPS = 2
"""How many layers lie before the middle one of the electromagnetic calorimeter."""


@dataclass(frozen=True)
class Shift:
    """The difference, as large as it is; `Shift()` is none.

    Attributes:
        time_offset: Added to times of clusters, in ns.
        time_smear: Further spread of times in ns, once a jet and once a cluster.
        strips: Relative change of energies before the middle layer.
        hadronic: Relative change of energies in hadronic layers.
        track_loss: Fraction of tracks that are not found.
        soft_clusters: Relative change of the number of soft clusters.
        segments: Relative change of the number of muon segments of background.
    """

    time_offset: float = 0.0
    time_smear: float = 0.0
    strips: float = 0.0
    hadronic: float = 0.0
    track_loss: float = 0.0
    soft_clusters: float = 0.0
    segments: float = 0.0

    def layer(self, number: int) -> np.float32:
        """Factor of the energy in the layer of that number in `geometry.LAYERS`."""
        change = self.hadronic if number >= ECAL else self.strips * (number < STRIPS)
        return np.float32(1 + change)

    def times(self, time: Floats, jet: Ints, jets: int, draw: np.random.Generator) -> Floats:
        """Times of clusters in data, given those in simulation."""
        if not self.time_offset and not self.time_smear:
            return time
        common = self.time_offset + self.time_smear * draw.standard_normal(jets, np.float32)
        own = self.time_smear * draw.standard_normal(len(time), np.float32)
        shifted: Floats = time + common[jet] + own
        return shifted


def shift_of(config: ShiftConfig) -> Shift:
    """The difference that a config plants."""
    sizes = config.model_dump(exclude={"strength"})
    return Shift(**{name: config.strength * size for name, size in sizes.items()})
