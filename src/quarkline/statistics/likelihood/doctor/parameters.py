"""Parameters after a fit: constrained, pulled, degenerate, dead."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.doctor.patient import Patient

CONSTRAINED = Rule(
    "QL-FITDOCTOR-010",
    "systematics keep the errors that were put in",
    "The data leave less than half of the error that the auxiliary measurement had: they know the "
    "parameter better than the calibration it stands for. That is right for a free background that "
    "a control region measures. For a calibration it says that the variation is too large or too "
    "coarse, and that one part of the phase space fixes another; decorrelate it or split it.",
    Severity.WARNING,
)
PULLED = Rule(
    "QL-FITDOCTOR-011",
    "parameters stay where they were measured",
    "The fit moved a parameter by more than 1.5 of its errors, or by more than chance allows. If "
    "the model is right, the shift over sqrt(before² - after²) is normal; a warning has a p-value "
    "below 5 % after multiplication by the number of parameters. The model then uses it for "
    "something else that it lacks.",
    Severity.WARNING,
)
ALIKE = Rule(
    "QL-FITDOCTOR-012",
    "parameters do different things",
    "Two parameters are correlated by more than 95 %, so that only their combination is measured, "
    "and their own errors are over three times those with the other one held. Fix or merge one, or "
    "add a region that tells them apart.",
    Severity.WARNING,
)
FLAT = Rule(
    "QL-FITDOCTOR-013",
    "no combination of parameters is left open",
    "The curvature of the likelihood along a combination of three or more parameters is below 2 % "
    "of that of each alone: errors along it are over seven times as large. Fix one of them, or "
    "constrain it.",
    Severity.WARNING,
)
DEAD = Rule(
    "QL-FITDOCTOR-014",
    "parameters change something",
    "No expectation of a fitted region moves with the parameter, or by so little that the error is "
    "the same to six digits. A systematic was then read from the wrong branch, file or region, or "
    "scales a sample that is empty.",
    Severity.WARNING,
)

TIGHT = 0.5  # of the error before: data then have three times the information of the measurement
USUAL_PULL = 1.5  # errors
RARE = 0.05  # p-value times the number of parameters
LEAST_PULL = 0.5  # errors: smaller ones have a significance that rests on a tiny constraint
LEAST_LEARNT = 0.01  # of the variance, below which the shift has no expected size
ALIKE_FROM = 0.95
FLAT_BELOW = 0.02
PART = 0.2  # of the largest part of a direction, from which a parameter belongs to it
NOTHING = 1e-6  # information relative to the measurement's own


def parameters(patient: Patient) -> Iterator[Finding]:
    """What is wrong with parameters."""
    yield from _constrained(patient)
    yield from _pulled(patient)
    yield from _alike(patient)
    yield from _dead(patient)


def _constrained(patient: Patient) -> Iterator[Finding]:
    for row, before in patient.constrained("systematic", "luminosity"):
        left = row.error / before
        if not 0 < left < TIGHT or row.name in patient.fitted.quality.at_limit:
            continue
        column = patient.information[:, patient.model.index(row.name)]
        channel, share, bins = _source(patient, column)
        listed = ", ".join(str(bin_ + 1) for bin_ in bins)
        yield CONSTRAINED.finding(
            f"`{row.name}` keeps {left:.2f} of its error; {share:.0%} of what is known of it comes "
            f"from `{channel}`, most from bin{'s' * (len(bins) > 1)} {listed}",
            suggestion="decorrelate it between regions, or look whether its variation is too large",
            evidence={
                "parameter": row.name,
                "before": before,
                "after": row.error,
                "region": channel,
                "share": share,
                "bins": [bin_ + 1 for bin_ in bins],
            },
        )


def _source(patient: Patient, column: Floats) -> tuple[str, float, list[int]]:
    """The channel with the most information, its share, and its bins that have half of it."""
    sums = {name: float(column[part].sum()) for name, part in patient.model.channels.items()}
    channel = max(sums, key=lambda name: sums[name])
    inside = column[patient.model.channels[channel]]
    order = np.argsort(-inside)
    needed = int(np.searchsorted(np.cumsum(inside[order]), 0.5 * inside.sum())) + 1
    total = sum(sums.values())
    share = sums[channel] / total if total else 0.0
    return channel, share, sorted(map(int, order[:needed]))


def _pulled(patient: Patient) -> Iterator[Finding]:
    rows = list(patient.constrained())
    for row, before in rows:
        pull = (row.value - patient.centres[row.name]) / before
        learnt = 1 - (row.error / before) ** 2
        significance = abs(pull) / math.sqrt(learnt) if learnt > LEAST_LEARNT else None
        p = None if significance is None else min(1.0, 2 * norm.sf(significance) * len(rows))
        rare = p is not None and p < RARE and abs(pull) > LEAST_PULL
        if abs(pull) <= USUAL_PULL and not rare:
            continue
        sure = "" if significance is None else f", {significance:.1f} of its expected shifts"
        yield PULLED.finding(
            f"`{row.name}` is pulled by {pull:+.2f} errors{sure}",
            suggestion="see which bins want it: look at the figures before the fit in the regions "
            "it changes; fit them apart with the parameter decorrelated",
            evidence={
                "parameter": row.name,
                "pull": pull,
                "significance": significance,
                "p_of_all": p,
                "parameters": len(rows),
            },
            severity=None if rare else Severity.NOTE,
        )


def _alike(patient: Patient) -> Iterator[Finding]:
    names = [patient.model.names[at] for at in patient.inside]
    part = patient.hessian[np.ix_(patient.inside, patient.inside)]
    if not part.size or not np.isfinite(part).all() or (np.diag(part) <= 0).any():
        return
    widths = np.sqrt(np.diag(part))
    scaled = part / np.outer(widths, widths)
    told: set[frozenset[str]] = set()
    for first, second, correlation in _pairs(scaled):
        pair = frozenset((names[first], names[second]))
        told.add(pair)
        yield ALIKE.finding(
            f"`{names[first]}` and `{names[second]}` are correlated by {correlation:+.3f}",
            suggestion=f"fix `{names[second]}`, or let both have one parameter",
            evidence={"parameters": [names[first], names[second]], "correlation": correlation},
        )
    curvatures, directions = np.linalg.eigh(scaled)
    for curvature, direction in zip(curvatures, directions.T, strict=True):
        if curvature >= FLAT_BELOW:
            break
        weights = direction / np.abs(direction).max()
        chosen = [int(at) for at in np.argsort(-np.abs(weights)) if abs(weights[at]) > PART]
        if frozenset(names[at] for at in chosen) in told or len(chosen) < 2:
            continue
        parts = " ".join(f"{weights[at]:+.2f} `{names[at]}`" for at in chosen)
        yield FLAT.finding(
            f"the likelihood is almost flat along {parts}",
            suggestion=f"fix `{names[chosen[0]]}`, or constrain it",
            evidence={
                "parameters": [names[at] for at in chosen],
                "direction": [float(weights[at]) for at in chosen],
                "curvature": float(curvature),
            },
        )


def _pairs(scaled: Floats) -> Iterator[tuple[int, int, float]]:
    """Pairs of parameters that are correlated too much, by the inverse of the curvature."""
    covariance = np.linalg.pinv(scaled, hermitian=True)
    widths = np.sqrt(np.maximum(np.diag(covariance), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.nan_to_num(covariance / np.outer(widths, widths))
    if np.linalg.eigvalsh(scaled)[0] < 1e-9:  # singular: the inverse is not that of a minimum
        correlation = -scaled
    rows, columns = np.nonzero(np.triu(np.abs(correlation) > ALIKE_FROM, 1))
    for first, second in zip(rows.tolist(), columns.tolist(), strict=True):
        yield first, second, float(correlation[first, second])


def _dead(patient: Patient) -> Iterator[Finding]:
    before = {row.name: row.before for row in patient.fitted.parameters}
    most = np.maximum(patient.information.sum(axis=0), patient.nominal_information.sum(axis=0))
    for name in patient.fitted.free:
        at = patient.model.index(name)
        row = patient.model.spec.parameters[at]
        if name == patient.model.spec.poi or row.role in ("gamma", "shape-factor"):
            continue
        information = float(most[at]) * (before[name] or 1.0) ** 2
        if information < NOTHING:
            yield DEAD.finding(
                f"`{name}` changes nothing in any fitted region",
                suggestion="look at its weight, file or samples, or leave it out",
                evidence={"parameter": name, "information": information},
            )
