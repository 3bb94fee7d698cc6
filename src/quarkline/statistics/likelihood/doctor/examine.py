"""Every examination of the fit doctor, in the order in which findings help."""

from __future__ import annotations

from collections.abc import Sequence

from quarkline.engine.core.findings import Finding, Severity
from quarkline.statistics.likelihood.doctor.contents import contents
from quarkline.statistics.likelihood.doctor.description import description
from quarkline.statistics.likelihood.doctor.ending import ending
from quarkline.statistics.likelihood.doctor.measured import measured
from quarkline.statistics.likelihood.doctor.parameters import parameters
from quarkline.statistics.likelihood.doctor.patient import Patient
from quarkline.statistics.likelihood.doctor.variations import variations
from quarkline.statistics.likelihood.results import FitDiagnosis

EXAMINATIONS = (ending, measured, parameters, contents, variations, description)


def examine(patient: Patient) -> tuple[Finding, ...]:
    """All that is wrong with a likelihood and its fit, warnings before notes.

    Nothing is fitted again: the findings rest on the likelihood, its derivatives at the fit, and
    the results that are there.
    """
    found = [finding for look in EXAMINATIONS for finding in look(patient)]
    return tuple(sorted(found, key=lambda finding: finding.severity is Severity.NOTE))


def diagnosis(findings: Sequence[Finding]) -> FitDiagnosis:
    """Findings as a result, to be written beside the others."""
    return FitDiagnosis(tuple(finding.as_json() for finding in findings))
