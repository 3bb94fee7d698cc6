"""The files of a simulation: which jets each holds, and how its events are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Rule, WorkError
from quarkline.engine.core.rng import rng, seed_bits
from quarkline.studies.tagging.convert.jets import Cuts, Jets, jets_of
from quarkline.studies.tagging.convert.matching import MAX_ETA
from quarkline.studies.tagging.convert.ntuple import Kind
from quarkline.studies.tagging.convert.table import Columns, own_table
from quarkline.studies.tagging.simulate.beam import draw_halo
from quarkline.studies.tagging.simulate.config import MassPoint, SimulateConfig, Source
from quarkline.studies.tagging.simulate.control import Shift, shift_of
from quarkline.studies.tagging.simulate.decays import draw_decays
from quarkline.studies.tagging.simulate.layers import draw_clusters
from quarkline.studies.tagging.simulate.multijets import FALL, PRESCALED, draw_multijets
from quarkline.studies.tagging.simulate.ntuple import events_of
from quarkline.studies.tagging.simulate.segments import draw_segments
from quarkline.studies.tagging.simulate.tracks import draw_tracks
from quarkline.studies.tagging.simulate.truth import Draws, TrueEvents, together

KINDS: Mapping[Source, Kind] = {
    "signal": "sig",
    "qcd": "qcd",
    "bib": "bib",
    "control-simulation": "qcd",
    "control-data": "data",
}
"""What an ntuple of each source is converted as."""
DATA = ("bib", "control-data")
"""Sources that are collision data."""
LEAST = 4_000
"""Decays of which so many are tried at a time, as not all of them give a jet."""
PARTS = 300
"""How often events are drawn before too few of them have a jet."""
TOO_FEW = Rule(
    "QL-TAG-050",
    "simulated events have jets of the wanted momenta",
    "Events are drawn until there are as many jets as wanted. Where light particles have to give "
    "hard jets, or the range of momenta is narrow, hardly any event has one.",
)
EVENTS = 10**6
"""Event numbers kept for a file."""


@dataclass(frozen=True)
class SimulatedFile:
    """One file.

    Attributes:
        source: What it holds.
        sample: Its sample: of signals a mass point, of others the source.
        number: Number of the file in its sample.
        jets: Jets that it holds at least.
        point: The mass point of a signal.
    """

    source: Source
    sample: str
    number: int
    jets: int
    point: MassPoint | None = None

    @property
    def name(self) -> str:
        """Path without an ending, below the folder of the simulation."""
        return f"{self.source}/{self.sample}_{self.number:03d}"

    @property
    def masses(self) -> tuple[float, float]:
        """Masses of H and S in GeV, 0 for background."""
        return (self.point.mH, self.point.mS) if self.point else (0.0, 0.0)

    @property
    def first(self) -> int:
        """Number of its first event, which no other file's events have."""
        return EVENTS * seed_bits(0, "calratio", self.sample, self.number, bits=32)


def files(config: SimulateConfig) -> list[SimulatedFile]:
    """The files of a simulation, source by source."""
    n = len(config.masses)
    shares = np.diff(np.arange(n + 1) * config.jets.signal // n)
    listed = [
        file
        for point, jets in zip(config.masses, shares, strict=True)
        for file in _shared("signal", f"mH{point.mH:g}_mS{point.mS:g}", int(jets), config, point)
    ]
    for source, jets in config.jets.backgrounds.items():
        listed += _shared(source, source, jets, config)
    return listed


def _shared(
    source: Source,
    sample: str,
    jets: int,
    config: SimulateConfig,
    point: MassPoint | None = None,
) -> list[SimulatedFile]:
    """The jets of a sample, shared among files."""
    size = config.file_jets
    return [
        SimulatedFile(source, sample, number, min(size, jets - start), point)
        for number, start in enumerate(range(0, jets, size))
    ]


def draw_events(file: SimulatedFile, config: SimulateConfig, seed: int) -> ak.Array:
    """The events of a file, with the branches of `ntuple.BRANCHES` of its kind."""
    draws: Draws = partial(rng, seed, "calratio", file.sample, file.number)
    events = _true(file, config, draws)
    data = file.source in DATA
    shift = shift_of(config.shift) if data else Shift()
    jets = events.jets
    parts = (
        draw_clusters(jets, config.pile_up, shift, draws),
        draw_tracks(jets, config.pile_up, shift, draws),
        draw_segments(jets, config.pile_up, shift, draws),
    )
    return events_of(KINDS[file.source], events, parts, file.first, draws("rest"), data=data)


def table_of(
    events: ak.Array, file: SimulatedFile, config: SimulateConfig, seed: int
) -> tuple[Columns, Jets]:
    """The jets of the events of a file as a table with row ids, as the converter makes it."""
    jets = jets_of(events, KINDS[file.source], Cuts(*config.pt))
    table = own_table(jets, file.masses)
    source = seed_bits(seed, "calratio", file.sample, file.number, bits=64)
    return table | _row_ids(jets, source), jets


def _row_ids(jets: Jets, source: int) -> dict[str, NDArray[Any]]:
    """Row ids; the object is the row's number in its event, as a jet may come twice."""
    first = np.searchsorted(jets.event, jets.event, "left")
    return {
        "_source": np.full(len(jets), source, np.uint64),
        "_entry": jets.event.astype(np.uint64),
        "_object": (np.arange(len(jets)) - first).astype(np.uint16),
    }


def _true(file: SimulatedFile, config: SimulateConfig, draws: Draws) -> TrueEvents:
    """So many events that their jets suffice, drawn in parts of a fixed size."""
    parts: list[TrueEvents] = []
    found = 0
    while found < file.jets:
        if len(parts) == PARTS:
            what = f"{file.sample}: {found} of {file.jets} jets after {PARTS} tries"
            raise WorkError(TOO_FEW.finding(what, suggestion="widen `pt`, or leave it out"))
        part = _part(file, config, partial(draws, f"part {len(parts)}"))
        parts.append(part)
        found += int(_counted(part, config).sum())
    events = together(parts)
    enough = np.cumsum(_counted(events, config))
    last = events.jets.event[np.searchsorted(enough, file.jets)] if file.jets else -1
    return events.first(int(last) + 1)


def _part(file: SimulatedFile, config: SimulateConfig, draws: Draws) -> TrueEvents:
    if file.point is not None:
        return draw_decays(max(4 * file.jets, LEAST), file.point, config.pt, draws)
    if file.source == "bib":
        return draw_halo(file.jets, config.pt, config.impurity, draws)
    fall = FALL if file.source == "qcd" else PRESCALED
    weighted = file.source != "control-data"
    return draw_multijets(file.jets, config.slices, fall, draws, weighted=weighted)


def _counted(events: TrueEvents, config: SimulateConfig) -> NDArray[np.bool_]:
    """Which jets the converter keeps."""
    pt, eta = (values.astype(np.float64) for values in (events.jets.pt, events.jets.eta))
    low, high = config.pt
    kept: NDArray[np.bool_] = (pt >= low) & (pt < high) & (np.abs(eta) <= MAX_ETA)
    return kept
