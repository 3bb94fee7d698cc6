"""Known resonances by name, with masses of the Particle Data Group and default windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from particle import Particle

from quarkline.engine.core.findings import InputError, Rule, did_you_mean

UNKNOWN_RESONANCE = Rule(
    "QL-RES-001",
    "a resonance is known by name, or given by its window and range",
    "Names bring default windows in the dimuon mass. For anything else write "
    "`resonance: {window: [LOW, HIGH], range: [LOW, HIGH]}` with masses in GeV.",
)


@dataclass(frozen=True)
class Resonance:
    """A known resonance.

    Attributes:
        name: What a config calls it.
        states: Name of each state in the window, for the lines in figures.
        window: Signal region in GeV.
        range: Fit range in GeV.
    """

    name: str
    states: tuple[str, ...]
    window: tuple[float, float]
    range: tuple[float, float]

    @property
    def masses(self) -> dict[str, float]:
        """Mass of each state in GeV."""
        return {state: pdg_mass(state) for state in self.states}


RESONANCES = {
    item.name: item
    for item in (
        Resonance("eta", ("eta",), (0.525, 0.569), (0.3, 0.72)),
        Resonance("rho-omega", ("rho(770)0", "omega(782)"), (0.72, 0.84), (0.58, 0.96)),
        Resonance("phi", ("phi(1020)",), (0.98, 1.06), (0.84, 1.4)),
        Resonance("J/psi", ("J/psi(1S)",), (2.95, 3.25), (2.0, 3.55)),
        Resonance("psi(2S)", ("psi(2S)",), (3.55, 3.82), (3.25, 5.0)),
        Resonance(
            "Upsilon", ("Upsilon(1S)", "Upsilon(2S)", "Upsilon(3S)"), (9.0, 10.6), (5.0, 16.0)
        ),
        Resonance("Z", ("Z0",), (80.0, 102.0), (60.0, 120.0)),
    )
}


def known_resonance(name: str) -> Resonance:
    """The resonance of that name, whatever its case.

    Raises:
        InputError: If there is none.
    """
    by_folded = {known.casefold(): item for known, item in RESONANCES.items()}
    if name.casefold() not in by_folded:
        raise InputError(
            UNKNOWN_RESONANCE.finding(
                f"unknown resonance `{name}`",
                suggestion=did_you_mean(name, RESONANCES, what="known resonances"),
            )
        )
    return by_folded[name.casefold()]


@cache
def pdg_mass(name: str) -> float:
    """Mass in GeV of the particle with that name, such as `J/psi(1S)`."""
    mass = Particle.findall(name=name)[0].mass
    if mass is None:
        msg = f"the particle table gives no mass of {name}"
        raise LookupError(msg)
    return float(mass) / 1000.0


def typeset(particle: str) -> str:
    """A particle's name with Greek letters and its charge raised: `rho(770)0` as in a table."""
    greek = re.sub(r"(?<![A-Za-z])(Upsilon|psi|phi|rho|omega|eta)", r"$\\\1$", particle)
    return re.sub(r"(?<=[)Z])0$", "$^0$", greek.replace("(1S)", "") if "J/" in greek else greek)
