"""Built-in simulation of the resonance study: dimuon events with unisolated Upsilons."""

from quarkline.studies.resonance.simulate.events import (
    PUBLISHED_SIZE,
    DimuonSize,
    dimuon_blocks,
    simulate_dimuons,
    sized,
)

__all__ = ["PUBLISHED_SIZE", "DimuonSize", "dimuon_blocks", "simulate_dimuons", "sized"]
