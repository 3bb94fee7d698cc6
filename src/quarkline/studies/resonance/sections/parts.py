"""What several sections of the report use: figures by name, rows of hunts."""

from __future__ import annotations

from quarkline.engine.core.results import Quantity
from quarkline.report import Results, Row, number, result_of
from quarkline.statistics import BumpHuntResult
from quarkline.studies.resonance.events import SIGN_NAMES
from quarkline.studies.resonance.results import Bump, Scan, Selection

HUNT_COLUMNS = (
    "FPR",
    "events",
    "in the window",
    "signal",
    "background",
    "q0",
    "Z local",
    "p local",
    "fit",
)


def signs(results: Results) -> tuple[str, str]:
    """The sign that is searched, and that of the control."""
    return SIGN_NAMES[result_of(results, "selection", Selection).sign]


def hunt_row(bump: Bump) -> Row:
    """One hunt of a scan in HUNT_COLUMNS."""
    return [
        number(bump.rate),
        number(bump.events),
        number(bump.n_window),
        number(without_unit(bump.signal)),
        number(without_unit(bump.background)),
        number(bump.q0),
        number(bump.z_local),
        number(bump.p_local),
        bump.status,
    ]


def quoted_row(rate: float, events: int, hunt: BumpHuntResult) -> Row:
    """A hunt with toys in HUNT_COLUMNS."""
    return [
        number(rate),
        number(events),
        number(int(hunt.n_window)),
        number(without_unit(hunt.signal)),
        number(without_unit(hunt.background)),
        number(hunt.q0),
        number(hunt.z_local),
        number(hunt.p_local),
        str(hunt.status),
    ]


def without_unit(quantity: Quantity | None) -> Quantity | None:
    """A quantity for a column whose head says what it counts."""
    return quantity and Quantity(quantity.value, quantity.up, quantity.down)


def plus_minus(quantity: Quantity) -> str:
    """A quantity with its error in a sentence."""
    return number(without_unit(quantity)).text


def selection_name(rate: float) -> str:
    """A cut of this rate in a table; all events pass that of rate one."""
    return f"FPR {rate:g}" if rate < 1 else "no cut"


def cut_on(scan: Scan) -> str:
    """What a scan cuts on, as code."""
    return f"`{scan.method}`"
