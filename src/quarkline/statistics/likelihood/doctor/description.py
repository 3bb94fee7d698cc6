"""Whether the model describes the data: the fit as a whole, and single bins."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.stats import poisson

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.statistics.likelihood.doctor.patient import LEAST, Patient
from quarkline.statistics.likelihood.goodness import goodness_of_fit

POOR = Rule(
    "QL-FITDOCTOR-050",
    "the model describes the data",
    "The saturated model describes the data better by more than chance allows (p below 1 %). "
    "Errors of a fit mean little if its model is wrong. With few events the p-value by the "
    "chi-square law is only a guide; toys give it exactly.",
    Severity.WARNING,
)
OUTSIDE = Rule(
    "QL-FITDOCTOR-051",
    "no bin is far from the fit",
    "A count has a chance below 0.3 % after the fit, as the most extreme of all bins. A sample is "
    "missing there, or a variation that would cover it.",
    Severity.WARNING,
)

POOR_P = 0.01
OUTSIDE_P = 0.0027  # three standard deviations
WORST = 3


def description(patient: Patient) -> Iterator[Finding]:
    """What the model does not describe."""
    if not patient.fitted.quality.converged:
        return
    yield from _poor(patient)
    yield from _outside(patient)


def _poor(patient: Patient) -> Iterator[Finding]:
    found = patient.goodness or goodness_of_fit(patient.model, patient.data, patient.fitted)
    p = found.p if found.p_toys is None else found.p_toys
    if math.isnan(p) or p >= POOR_P:
        return
    pulls = (patient.data.counts - patient.expected) / np.sqrt(np.maximum(patient.expected, LEAST))
    bins = sorted(patient.seen(), key=lambda one: -abs(pulls[one[2]]))[:WORST]
    listed = ", ".join(
        f"`{channel}` bin {bin_ + 1}: {pulls[at]:+.1f}" for channel, bin_, at in bins
    )
    yield POOR.finding(
        f"goodness of fit: {found.statistic:.1f} for {found.degrees} degrees of freedom, p = "
        f"{p:.2g}; worst ({listed})",
        suggestion="look at these bins before and after the fit; toys give the p-value exactly",
        evidence={
            "statistic": found.statistic,
            "degrees": found.degrees,
            "p": p,
            "worst": [
                {"region": channel, "bin": bin_ + 1, "pull": float(pulls[at])}
                for channel, bin_, at in bins
            ],
        },
    )


def _outside(patient: Patient) -> Iterator[Finding]:
    counts, expected = patient.data.counts, np.maximum(patient.expected, LEAST)
    p = 2 * np.minimum(poisson.sf(counts - 1, expected), poisson.cdf(counts, expected))
    for channel, bin_, at in patient.seen():
        if p[at] * len(counts) < OUTSIDE_P:
            yield OUTSIDE.finding(
                f"`{channel}` bin {bin_ + 1} counts {counts[at]:g} where {expected[at]:.3g} "
                f"are expected after the fit (p = {p[at]:.2g})",
                suggestion="look for a sample or a variation that is missing there",
                evidence={
                    "region": channel,
                    "bin": bin_ + 1,
                    "count": float(counts[at]),
                    "expected": float(expected[at]),
                    "p": float(p[at]),
                },
            )
