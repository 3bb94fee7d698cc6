"""Result values of a whole-spectrum search."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics import SpectrumScanResult


@dataclass(frozen=True)
class KnownResonance:
    """A resonance named in the mask, and the window centred closest to its mass.

    Attributes:
        name: Its name.
        mass: Its mass in GeV (Particle Data Group).
        low: Lower edge of the window in GeV.
        high: Upper edge.
        signal: Signal in the window.
        background: Background in the window.
        z_local: Local significance; NaN where the window was not searched.
        z_control: The same in the control; NaN where the window was not searched.
        status: What became of the window.
    """

    name: str
    mass: float
    low: float
    high: float
    signal: Quantity
    background: Quantity
    z_local: float
    z_control: float
    status: str


@dataclass(frozen=True)
class SpectrumSearch(Result, kind="resonance-spectrum"):
    """The scan of the searched pairs, that of the control, and the known resonances in them.

    Attributes:
        scan: The searched pairs.
        control: Pairs of the other sign.
        known: The resonances named in the mask that lie in a window, by mass.
    """

    scan: SpectrumScanResult
    control: SpectrumScanResult
    known: tuple[KnownResonance, ...]
