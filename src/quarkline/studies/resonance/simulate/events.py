"""Simulated dimuon events in the NanoAOD layout, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.rng import rng
from quarkline.studies.resonance.simulate import detector, kinematics
from quarkline.studies.resonance.simulate.jets import Jets, draw_jets
from quarkline.studies.resonance.simulate.processes import (
    Floats,
    Origin,
    draw_background,
    draw_upsilons,
)

BLOCK = 100_000
"""Events drawn at a time: bounds the memory, and is part of what a seed means."""

SOFT_MUON_SHARE = 0.08

Draws = Callable[[str], np.random.Generator]
"""A generator for each purpose."""

DrawOrigin = Callable[[NDArray[np.bool_], Draws], Origin]
"""Draws where the pairs of a block come from, given which are signal."""

EVENTS_PER_LUMINOSITY_BLOCK = 1000


class DimuonSize(NamedTuple):
    """How many events to simulate: `background` pairs and `signal` Upsilons."""

    background: int
    signal: int


PUBLISHED_SIZE = DimuonSize(background=30_670, signal=230)
"""Leaves about 12,330 opposite-sign and 7,190 same-sign pairs after the cuts of arXiv:2502.14036.

The cuts: two tight muons, `HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx`, pt >= 17 and 8 GeV, both
pfRelIso04_all >= 0.55, 5 <= m < 16 GeV. About 97 pairs are Upsilons, the excess seen there."""


def sized(events: int) -> DimuonSize:
    """Split a number of events into background and signal in the ratio of `PUBLISHED_SIZE`."""
    signal = round(events * PUBLISHED_SIZE.signal / sum(PUBLISHED_SIZE))
    return DimuonSize(events - signal, signal)


def simulate_dimuons(n_background: int, n_signal: int, *, seed: int = 1) -> ak.Array:
    """Simulate dimuon events as a NanoAOD `Events` tree holds them.

    Args:
        n_background: Background pairs of both signs, simulated with masses of 4.5 to 17 GeV.
        n_signal: Upsilons, mixed among them at random places.
        seed: Equal seeds and sizes give equal events.

    Returns:
        Record array of length n_background + n_signal with fields `run`, `event`, `Muon_pt`, ...
        (`docs/reference/simulation.md` lists them), in GeV, cm and rad.
    """
    return ak.concatenate(list(dimuon_blocks(DimuonSize(n_background, n_signal), seed=seed)))


def dimuon_blocks(size: DimuonSize, *, seed: int = 1) -> Iterator[ak.Array]:
    """The events of `simulate_dimuons` in blocks of at most `BLOCK`; at least one block."""
    return blocks_of(_origin, size, seed)


def blocks_of(draw_origin: DrawOrigin, size: DimuonSize, seed: int) -> Iterator[ak.Array]:
    """Events of any origin, in blocks of at most `BLOCK`; at least one block.

    Args:
        draw_origin: Given which pairs of a block are signal and a source of generators by purpose,
            draws where they come from.
        size: Number of events; signal stands at random places.
        seed: Equal seeds and sizes give equal events.
    """
    n = sum(size)
    is_signal = rng(seed, "dimuons", "order").permutation(n) < size.signal
    for start in range(0, max(n, 1), BLOCK):
        yield _block(draw_origin, is_signal[start : start + BLOCK], start, seed)


def _block(
    draw_origin: DrawOrigin, is_signal: NDArray[np.bool_], start: int, seed: int
) -> ak.Array:
    """Simulate one block of events, numbered from `start`."""

    def draws(purpose: str) -> np.random.Generator:
        return rng(seed, "dimuons", purpose, start)

    origin = draw_origin(is_signal, draws)
    pairs = kinematics.draw_muons(origin, draws("kinematics"))
    muons = kinematics.add_soft_muon(pairs, draws("soft muon"))
    isolation = detector.isolation(origin, muons, draws("isolation"))
    around = isolation["pfRelIso04_all"] * muons.pt
    jets = draw_jets(origin, muons, around, draws("jets"))
    columns = {
        "pt": muons.pt,
        "eta": muons.eta,
        "phi": muons.phi,
        "mass": np.full(muons.pt.shape, kinematics.MUON_MASS),
        "charge": muons.charge,
        **isolation,
        "jetRelIso": _jet_isolation(muons.pt, isolation["pfRelIso04_all"], jets),
        **detector.impact_parameters(origin, muons, draws("impact")),
        **detector.identification(muons.pt.shape, draws("identification")),
        "jetIdx": jets.muon_jet,
    }
    present = np.ones(muons.pt.shape, dtype=bool)
    present[:, 2] = draws("multiplicity").random(len(is_signal)) < SOFT_MUON_SHARE
    jet_columns = {**jets.columns, "nMuons": _muons_in_jets(jets.muon_jet, present)}
    number = start + np.arange(len(is_signal), dtype=np.uint64)
    return ak.zip(
        {
            "run": np.ones(len(number), dtype=np.uint32),
            "luminosityBlock": (number // EVENTS_PER_LUMINOSITY_BLOCK + 1).astype(np.uint32),
            "event": number + 1,
            **_jagged("Muon", columns, present),
            **_jagged("Jet", jet_columns, jets.kept),
            **detector.triggers(muons, draws("trigger")),
            "Gen_process": origin.code,
        },
        depth_limit=1,
    )


def _origin(is_signal: NDArray[np.bool_], draws: Draws) -> Origin:
    """Background and Upsilons, each at their places."""
    background = draw_background(int((~is_signal).sum()), draws("background"))
    upsilons = draw_upsilons(int(is_signal.sum()), draws("signal"))
    return placed(is_signal, background, upsilons)


def placed(is_signal: NDArray[np.bool_], background: Origin, signal: Origin) -> Origin:
    """Background and signal pairs, each at their places."""
    place = np.empty(len(is_signal), dtype=np.int64)
    place[~is_signal] = np.arange(len(background.mass))
    place[is_signal] = len(background.mass) + np.arange(len(signal.mass))
    return Origin(
        code=np.concatenate([background.code, signal.code])[place],
        mass=np.concatenate([background.mass, signal.mass])[place],
        same_sign=np.concatenate([background.same_sign, signal.same_sign])[place],
    )


def _jet_isolation(pt: Floats, isolation: Floats, jets: Jets) -> Floats:
    """Momentum of a muon's jet over its own, less one; the isolation for a muon outside jets."""
    jet_pt = np.take_along_axis(jets.columns["pt"], np.maximum(jets.muon_jet, 0), axis=1)
    return np.where(jets.muon_jet >= 0, np.maximum(jet_pt / pt - 1, 0.0), isolation)


def _muons_in_jets(muon_jet: NDArray[np.int32], present: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Number of stored muons in each jet, with shape (N, 3)."""
    belongs = (muon_jet[:, :, None] == np.arange(3)) & present[:, :, None]
    counts: NDArray[np.int32] = np.sum(belongs, axis=1, dtype=np.int32)
    return counts


def _jagged(
    prefix: str, columns: Mapping[str, NDArray[Any]], kept: NDArray[np.bool_]
) -> dict[str, Any]:
    """Branches `prefix_*` with the kept objects of each event, and their counter."""
    counts = kept.sum(axis=1, dtype=np.int32)
    return {
        f"n{prefix}": counts,
        **{f"{prefix}_{k}": ak.unflatten(_stored(v[kept]), counts) for k, v in columns.items()},
    }


def _stored(values: NDArray[Any]) -> NDArray[Any]:
    """NanoAOD keeps real numbers in 32 bits."""
    return values.astype(np.float32) if values.dtype == np.float64 else values
