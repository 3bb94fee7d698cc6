"""The fit doctor: pathologies of a likelihood and its fit, each with numbers and advice."""

from quarkline.statistics.likelihood.doctor.examine import diagnosis, examine
from quarkline.statistics.likelihood.doctor.patient import Patient

__all__ = ["Patient", "diagnosis", "examine"]
