"""How a fit and its scans ended: convergence, bounds, intervals, smoothness."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.doctor.patient import Patient
from quarkline.statistics.likelihood.results import LikelihoodScan

NOT_CONVERGED = Rule(
    "QL-FITDOCTOR-001",
    "a fit converges",
    "No minimum was found, or the curvature there is not positive, so that values and errors mean "
    "nothing. Mostly two parameters do the same, a parameter does nothing, or a template is "
    "negative; other findings say which.",
    Severity.WARNING,
)
AT_BOUND = Rule(
    "QL-FITDOCTOR-002",
    "parameters end inside their bounds",
    "The likelihood still rises at the bound, so the value is the bound's and the error is no "
    "interval. Widen the bounds, or give a limit if the bound is physical.",
    Severity.WARNING,
)
LOPSIDED = Rule(
    "QL-FITDOCTOR-003",
    "asymmetric errors are like the symmetric one",
    "An end of the interval by the profiled likelihood is away from the symmetric error by more "
    "than half of it, or was not found: the likelihood is no parabola there. Quote the asymmetric "
    "errors, and do not use the symmetric one or covariances in what follows.",
    Severity.NOTE,
)
ROUGH = Rule(
    "QL-FITDOCTOR-004",
    "scans of the likelihood are smooth and have one minimum",
    "A profiled likelihood of histograms is smooth. A jump, a second minimum, a point below the "
    "fit or a failed point means that fits ended in another minimum or not at all: look at "
    "variations whose sides go the same way, and at degenerate parameters.",
    Severity.WARNING,
)

LOPSIDED_BY = 0.5  # of the symmetric error: twice what third-order terms of usual fits make
DIP = 0.1  # depth of a second minimum in 2 Δ ln L, far above the fits' tolerance of 1e-5
JUMP = 0.05  # deviation from a curve through the neighbours in 2 Δ ln L that no fit's tolerance has
STEEP = 0.05  # the same, of the height: spacing is coarse far from the minimum
BELOW = 1e-3  # height below the fit in 2 Δ ln L, beyond rounding


def ending(patient: Patient) -> Iterator[Finding]:
    """What is wrong with the end of a fit."""
    yield from _convergence(patient)
    yield from _bounds(patient)
    yield from _intervals(patient)
    for scan in patient.scans:
        yield from roughness(scan)


def _convergence(patient: Patient) -> Iterator[Finding]:
    quality = patient.fitted.quality
    if quality.converged:
        return
    yield NOT_CONVERGED.finding(
        f"the fit did not converge: {quality.note or 'no minimum was found'}",
        suggestion="mend what the other findings name; begin with parameters that do nothing or "
        "the same, and fix one of them",
        evidence={
            "attempts": list(quality.attempts),
            "distance": quality.distance,
            "calls": quality.calls,
        },
    )


def _bounds(patient: Patient) -> Iterator[Finding]:
    for name in patient.fitted.quality.at_limit:
        at = patient.model.index(name)
        value, low, high = (
            float(each[at]) for each in (patient.values, patient.model.low, patient.model.high)
        )
        side, bound = ("lower", "min") if value <= low else ("upper", "max")
        yield AT_BOUND.finding(
            f"`{name}` ended at its {side} bound {value:g}",
            suggestion="if the bound is physical, give a limit instead; else widen it",
            evidence={
                "parameter": name,
                "value": value,
                "low": low,
                "high": high,
                "bound": bound,
            },
        )


def _intervals(patient: Patient) -> Iterator[Finding]:
    for row in patient.fitted.parameters:
        if (row.up is None and row.down is None) or not row.error > 0:
            continue
        sides = {"up": row.up, "down": row.down}
        lost = [side for side, end in sides.items() if end is None]
        far = [
            side
            for side, end in sides.items()
            if end is not None and abs(end / row.error - 1) > LOPSIDED_BY
        ]
        if not lost and not far:
            continue
        ends = ", ".join(
            f"{side} {'not found' if end is None else f'{end:.3g}'}" for side, end in sides.items()
        )
        yield LOPSIDED.finding(
            f"`{row.name}` has the errors {ends}; by the curvature ±{row.error:.3g}",
            suggestion="quote the asymmetric errors",
            evidence={"parameter": row.name, "error": row.error, **sides},
        )


def roughness(scan: LikelihoodScan) -> Iterator[Finding]:
    """What is not smooth in a scan along one parameter."""
    failed = [x for x, height in zip(scan.values, scan.heights, strict=True) if height is None]
    known = [(x, y) for x, y in zip(scan.values, scan.heights, strict=True) if y is not None]
    x, y = (np.array([pair[axis] for pair in known]) for axis in (0, 1))
    troubles = {
        "no fit converged at": failed,
        "the likelihood is larger than at the fit at": x[y < -BELOW].tolist(),
        "there are other minima at": _dips(x, y),
        "it jumps at": _jumps(x, y),
    }
    said = [
        f"{what} {', '.join(f'{value:.3g}' for value in places[:4])}"
        for what, places in troubles.items()
        if places
    ]
    if said:
        yield ROUGH.finding(
            f"scan of `{scan.parameter}`: {'; '.join(said)}",
            suggestion="scan these places with more points, and look at the variations of the "
            "parameters that change there",
            evidence={
                "parameter": scan.parameter,
                **dict(zip(("failed", "below", "minima", "jumps"), troubles.values(), strict=True)),
            },
        )


def _dips(x: Floats, y: Floats) -> list[float]:
    """Minima other than the lowest, with a wall of at least `DIP` before it."""
    if len(y) < 3:
        return []
    lowest = int(np.argmin(y))
    found = []
    for at in range(1, len(y) - 1):
        between = y[min(at, lowest) : max(at, lowest) + 1]
        lower = y[at] < y[at - 1] and y[at] <= y[at + 1]
        if at != lowest and lower and between.max() - y[at] > DIP:
            found.append(float(x[at]))
    return found


def _jumps(x: Floats, y: Floats) -> list[float]:
    """Points off the cubic through two neighbours on each side, of equally spaced points."""
    if len(y) < 5 or not np.allclose(np.diff(x), np.diff(x)[0], rtol=1e-3):
        return []
    smooth = (-y[:-4] + 4 * y[1:-3] + 4 * y[3:-1] - y[4:]) / 6
    middle = y[2:-2]
    off = np.abs(middle - smooth) > JUMP + STEEP * np.abs(middle)
    return [float(value) for value in x[2:-2][off]]
