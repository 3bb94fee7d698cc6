"""What the detector is told of jets: how hard, where their showers begin, how late they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from quarkline.studies.tagging.simulate.geometry import Floats

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Draws = Callable[[str], np.random.Generator]
"""A generator for each purpose."""


@dataclass(frozen=True)
class TrueJets:
    """Jets before the detector, each with shape (N,).

    Attributes:
        event: Number of the event, rising.
        pt: Measured transverse momentum in GeV.
        eta: Pseudorapidity.
        phi: Azimuth in rad.
        em: Share of electromagnetic clusters.
        depth: Where showers begin, in interaction lengths across the layers.
        length: Scale of the length of electromagnetic showers, in the same unit.
        clusters: Mean number of hard clusters beside the hardest.
        spread_eta: Width of the jet in pseudorapidity.
        spread_phi: Width in azimuth, in rad.
        split: Distance of the two prongs in eta and phi, 0 if there is one.
        delay: How late it is, in ns.
        charged: Share of the momentum that prompt tracks carry.
        leak: Momentum beyond the calorimeters in GeV.
        halo: Whether a muon along the beam made it.
    """

    event: Ints
    pt: Floats
    eta: Floats
    phi: Floats
    em: Floats
    depth: Floats
    length: Floats
    clusters: Floats
    spread_eta: Floats
    spread_phi: Floats
    split: Floats
    delay: Floats
    charged: Floats
    leak: Floats
    halo: Bools

    def __len__(self) -> int:
        return len(self.event)

    def take(self, rows: Ints | Bools) -> TrueJets:
        """Some of the jets."""
        return TrueJets(**{item.name: getattr(self, item.name)[rows] for item in fields(self)})


@dataclass(frozen=True)
class TrueEvents:
    """Events before the detector.

    Attributes:
        number: How many there are.
        jets: Their jets.
        weight: Weight of each event, with shape (number,).
        llps: Columns `llp_*` of the long-lived particles, two an event; none of background.
    """

    number: int
    jets: TrueJets
    weight: Floats
    llps: Mapping[str, NDArray[np.float64]]

    def first(self, number: int) -> TrueEvents:
        """Only the first events."""
        return TrueEvents(
            number,
            self.jets.take(self.jets.event < number),
            self.weight[:number],
            {name: values[: 2 * number] for name, values in self.llps.items()},
        )


def together(parts: list[TrueEvents]) -> TrueEvents:
    """Events of several parts, one after the other."""
    jets, first = [], 0
    for part in parts:
        jets.append({name: getattr(part.jets, name) for name in _NAMES})
        jets[-1]["event"] = part.jets.event + first
        first += part.number
    return TrueEvents(
        first,
        TrueJets(**{name: np.concatenate([jet[name] for jet in jets]) for name in _NAMES}),
        np.concatenate([part.weight for part in parts]),
        {name: np.concatenate([part.llps[name] for part in parts]) for name in parts[0].llps},
    )


def turned(phi: Floats) -> Floats:
    """An angle in [-pi, pi)."""
    angle: Floats = (phi + np.pi) % (2 * np.pi) - np.pi
    return angle


_NAMES = tuple(item.name for item in fields(TrueJets))
