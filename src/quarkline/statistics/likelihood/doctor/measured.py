"""The measured parameter: whether it is measured at all, and what limits its error."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from quarkline.engine.core.findings import Finding, Rule, Severity, did_you_mean
from quarkline.statistics.likelihood.doctor.patient import Patient

CONSTANT = Rule(
    "QL-FITDOCTOR-020",
    "the measured parameter is free",
    "The parameter that is to be measured is declared constant, so the fit only moves the others, "
    "and there is no error, ranking or impact.",
    Severity.WARNING,
)
NO_EFFECT = Rule(
    "QL-FITDOCTOR-021",
    "the measured parameter changes the expectation",
    "No fitted region expects anything else if the measured parameter moves: its sample is empty "
    "there or not in these regions, the factor is on another sample, or no parameter is measured.",
    Severity.WARNING,
)
INSENSITIVE = Rule(
    "QL-FITDOCTOR-022",
    "the data can see the signal",
    "The error of the measured parameter is more than ten times its nominal value: a signal as "
    "large as expected is a tenth of a standard deviation. Check the scale of the signal, the "
    "regions and their bins.",
    Severity.NOTE,
)
SIMULATION = Rule(
    "QL-FITDOCTOR-023",
    "data limit the measurement, not simulation",
    "What the size of the simulated samples adds to the error is more than the statistical error "
    "of the data. More data would not help; more simulated events, or fewer bins in which they are "
    "few, would.",
    Severity.WARNING,
)

INVISIBLE = 10.0  # error over the nominal value


def measured(patient: Patient) -> Iterator[Finding]:
    """What is wrong with the measured parameter."""
    at, poi = patient.poi_index, patient.model.spec.poi
    if at is None or poi is None:
        factors = [row.name for row in patient.model.spec.parameters if row.role == "norm-factor"]
        yield NO_EFFECT.finding(
            "no parameter of the likelihood is measured",
            suggestion=did_you_mean("", factors, what="norm factors"),
            severity=Severity.NOTE,
        )
        return
    row = patient.fitted.by_name[poi]
    if patient.model.spec.parameters[at].fixed:
        yield CONSTANT.finding(
            f"`{poi}` is to be measured and is constant at {row.value:g}",
            suggestion=f"free `{poi}`",
            evidence={"parameter": poi, "value": row.value},
        )
    if not patient.nominal_information[:, at].any():
        yield NO_EFFECT.finding(
            f"`{poi}` changes nothing in any fitted region",
            suggestion="let its samples be in a fitted region, and look whether they are empty",
            evidence={"parameter": poi},
        )
        return
    nominal = abs(float(patient.nominal[at]))
    if at in patient.inside and row.error > INVISIBLE * nominal:
        yield INSENSITIVE.finding(
            f"`{poi}` has the error {row.error:.3g}; the signal as simulated is {nominal:g}",
            suggestion="check the cross-section and luminosity of the signal and its regions",
            evidence={"parameter": poi, "error": row.error, "nominal": nominal},
        )
    if at in patient.inside:
        yield from _simulation(patient, at, poi)


def gamma_impacts(patient: Patient) -> dict[str, float]:
    """What one error of each gamma shifts the measured parameter by, over its own error.

    By the covariance of the fit: the magnitude of their correlation.
    """
    at, inside = patient.poi_index, patient.inside
    gammas = [one for one in inside if patient.model.spec.parameters[one].role == "gamma"]
    if at is None or at not in inside or not gammas:
        return {}
    try:
        covariance = np.linalg.inv(patient.hessian[np.ix_(inside, inside)])
    except np.linalg.LinAlgError:
        return {}
    with np.errstate(invalid="ignore"):
        widths = np.sqrt(np.diag(covariance))
    row = np.abs(covariance[inside.index(at)]) / widths / widths[inside.index(at)]
    return {patient.model.names[one]: float(row[inside.index(one)]) for one in gammas}


def _simulation(patient: Patient, at: int, poi: str) -> Iterator[Finding]:
    """Compare the parts of the error as grouped impacts do, with the curvature at the fit."""
    rows = patient.model.spec.parameters
    without = [one for one in patient.inside if rows[one].role != "gamma"]
    free = [one for one in patient.inside if rows[one].constraint is None]
    if len(without) == len(patient.inside):
        return
    total, less, data = (patient.variance(kept, at) for kept in (patient.inside, without, free))
    if any(map(math.isnan, (total, less, data))):
        return
    simulation = math.sqrt(max(total - less, 0.0))
    if simulation <= math.sqrt(data):
        return
    impacts = gamma_impacts(patient)
    largest = sorted(impacts, key=lambda name: -impacts[name])[:3]
    yield SIMULATION.finding(
        f"the size of the simulation adds {simulation:.3g} to the error of `{poi}`, data "
        f"{math.sqrt(data):.3g}; the largest part is of {', '.join(f'`{x}`' for x in largest)}",
        suggestion="simulate more events, or merge the bins these belong to",
        evidence={
            "parameter": poi,
            "simulation": simulation,
            "statistical": math.sqrt(data),
            "total": math.sqrt(total),
            "impacts": {name: impacts[name] for name in largest},
        },
    )
