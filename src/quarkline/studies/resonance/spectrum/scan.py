"""Stage `scan`: both signs searched in every window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import awkward as ak
import numpy as np

from quarkline.engine.core.config import Config
from quarkline.engine.core.results import Quantity
from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.events.table import read_table
from quarkline.statistics import SpectrumScanResult, scan_spectrum
from quarkline.studies.resonance.events import CONTROL, MASS
from quarkline.studies.resonance.spectrum.config import SpectrumScanConfig
from quarkline.studies.resonance.spectrum.results import KnownResonance, SpectrumSearch


class ScanStageConfig(Config):
    """What the scans depend on."""

    scan: SpectrumScanConfig
    seed: int


def run(context: Context) -> dict[str, Any]:
    """Search the pairs and their control."""
    config: ScanStageConfig = context.config
    table = read_table(context.path("pairs"), [MASS, CONTROL]).array
    mass = np.asarray(ak.to_numpy(table[MASS]), dtype=np.float64)
    control = np.asarray(ak.to_numpy(table[CONTROL]), dtype=bool)
    scans = []
    for name, chosen in (("searched", ~control), ("control", control)):
        scans.append(
            scan_spectrum(
                config.scan.grid,
                mass[chosen],
                degree=config.scan.degree,
                n_toys=config.scan.toys,
                seed=library_seed(config.seed, "spectrum", name),
                workers=context.conditions.workers,
            )
        )
        context.progress.update(len(scans), 2, name)
    known = tuple(_known(scans[0], scans[1], config.scan.masks.masses))
    found = SpectrumSearch(scans[0], scans[1], known)
    best = found.scan.candidate
    best_z = "" if best is None else f" · best outside the mask Z = {best.z_local:.1f} local"
    context.summary(f"{found.scan.searched:,} of {len(found.scan.low):,} windows{best_z}")
    return {"search": found}


def _known(
    scan: SpectrumScanResult, control: SpectrumScanResult, masses: dict[str, float]
) -> Iterator[KnownResonance]:
    """The window of each resonance that lies in one."""
    for name, mass in masses.items():
        index = scan.window_at(mass)
        if index is not None:
            yield KnownResonance(
                name=name,
                mass=mass,
                low=scan.low[index],
                high=scan.high[index],
                signal=_events(scan.signal[index], scan.signal_error[index]),
                background=_events(scan.background[index], scan.background_error[index]),
                z_local=scan.z_local[index],
                z_control=control.z_local[index],
                status=str(scan.status[index]),
            )


def _events(value: float, error: float) -> Quantity:
    return Quantity(value, error, error, "events")
