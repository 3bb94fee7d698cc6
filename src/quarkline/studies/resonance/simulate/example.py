"""What `quarkline simulate upsilon` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import awkward as ak
import numpy as np

from quarkline.studies.resonance.simulate.events import (
    PUBLISHED_SIZE,
    DimuonSize,
    dimuon_blocks,
    sized,
)
from quarkline.studies.resonance.simulate.processes import BACKGROUND, UPSILON

TREE = "Events"

DEFAULT_EVENTS = sum(PUBLISHED_SIZE)

UNITS = {"pt": "GeV", "mass": "GeV", "phi": "rad"} | dict.fromkeys(
    ("dxy", "dxyErr", "dz", "dzErr", "ip3d"), "cm"
)


def default_signal(events: int) -> int:
    """Upsilons among so many events."""
    return sized(events).signal


def blocks(events: int, signal: int, seed: int) -> Iterator[ak.Array]:
    """The events of a sample, in blocks; see `simulate_dimuons`."""
    return dimuon_blocks(DimuonSize(events - signal, signal), seed=seed)


def composition(block: ak.Array) -> Mapping[str, int]:
    """Number of events of each process, by name."""
    code = np.asarray(block["Gen_process"])
    return {item.name: int((code == item.code).sum()) for item in (*BACKGROUND, *UPSILON)}


def units(columns: list[str]) -> Mapping[str, str]:
    """Units of those columns that have one."""
    found = {name: UNITS.get(name.partition("_")[2], "") for name in columns}
    return {name: unit for name, unit in found.items() if unit}
