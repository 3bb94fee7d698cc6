"""Mass intervals to keep out of sidebands: known resonances by name, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quarkline.engine.core.findings import InputError, Rule
from quarkline.studies.resonance.particles import RESONANCES, Resonance, known_resonance

ALL = "known"
"""Names every resonance of the table."""

BAD_MASK = Rule(
    "QL-RES-050",
    "a mask is a known resonance or an interval",
    "`known` masks every resonance of the table, a name such as `J/psi` masks its default window, "
    "and two masses in GeV mask what lies between them.",
)


@dataclass(frozen=True)
class Masks:
    """What is masked.

    Attributes:
        intervals: Intervals in GeV, ascending.
        masses: Mass in GeV of each state that was named, for the lines in figures.
    """

    intervals: tuple[tuple[float, float], ...]
    masses: dict[str, float]


def masks(entries: Sequence[str | tuple[float, float]], mass_range: tuple[float, float]) -> Masks:
    """Turn names and intervals into what is masked.

    Args:
        entries: `known`, names of resonances, intervals in GeV, or intervals as text `LOW,HIGH`.
        mass_range: Lowest and highest mass in GeV; what lies outside is left out.

    Raises:
        InputError: If an entry is neither.
    """
    named: dict[str, Resonance] = {}
    intervals = []
    for entry in entries:
        if isinstance(entry, tuple):
            intervals.append(entry)
        elif entry.casefold() == ALL:
            named |= RESONANCES
        elif "," in entry:
            intervals.append(_interval(entry))
        else:
            known = known_resonance(entry)
            named[known.name] = known
    low, high = mass_range
    intervals += [known.window for known in named.values()]
    inside = [(start, stop) for start, stop in intervals if start < high and stop > low]
    states = {name: mass for known in named.values() for name, mass in known.masses.items()}
    masses = {name: mass for name, mass in states.items() if low < mass < high}
    return Masks(tuple(sorted(inside)), dict(sorted(masses.items(), key=lambda item: item[1])))


def _interval(text: str) -> tuple[float, float]:
    try:
        low, high = text.split(",")
        return float(low), float(high)
    except ValueError:
        message = f"mask `{text}` is not two masses"
        hint = "write LOW,HIGH, such as 2.95,3.25"
        raise InputError(BAD_MASK.finding(message, suggestion=hint)) from None
