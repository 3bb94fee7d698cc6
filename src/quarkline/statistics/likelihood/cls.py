"""CLs from the test statistic and its Asimov value, by the formulae of large samples.

Cowan, Cranmer, Gross and Vitells, Eur. Phys. J. C 71 (2011) 1554, arXiv:1007.1727; CLs by A. Read,
J. Phys. G 28 (2002) 2693.
"""

from __future__ import annotations

import math

from scipy.special import log_ndtr, ndtr, ndtri

from quarkline.statistics.likelihood.results import Numbers

BANDS = (-2, -1, 0, 1, 2)
"""Standard deviations of the expected limits, as results list them."""


def observed_cls(q: float, q_asimov: float) -> float:
    """CLs of q-tilde, the ratio of the tail probabilities with and without signal.

    With s the root of the Asimov value q_A, CLs+b = 1 - Phi(t + s) and CLb = 1 - Phi(t), where
    t = sqrt(q) - s for q <= q_A and t = (q - q_A) / (2 s) beyond (eqs. 65 and 66 of
    arXiv:1007.1727). Without sensitivity (q_A = 0) it is 1.

    Args:
        q: Test statistic of the data.
        q_asimov: That of the Asimov data without signal.
    """
    s = math.sqrt(q_asimov)
    if s == 0.0:
        return 1.0
    t = math.sqrt(q) - s if q <= q_asimov else (q - q_asimov) / (2.0 * s)
    return _ratio(t, s)


def expected_cls(q_asimov: float) -> Numbers:
    """CLs at -2, -1, 0, 1 and 2 standard deviations of the data without signal.

    Data without signal that fluctuate by n standard deviations upwards have t = -n (section 4.3 of
    arXiv:1007.1727).
    """
    s = math.sqrt(q_asimov)
    return tuple(_ratio(-float(n), s) for n in BANDS)


def asimov_root(n: int, level: float) -> float:
    """The root s of the Asimov value at the expected limit of band `n`.

    It solves 1 - Phi(s - n) = (1 - level) Phi(n).

    Args:
        n: Standard deviations.
        level: Confidence level of the limit.
    """
    return float(n - ndtri((1.0 - level) * ndtr(float(n))))


def _ratio(t: float, s: float) -> float:
    """(1 - Phi(t + s)) / (1 - Phi(t)), also where both are too small for numbers."""
    return float(math.exp(log_ndtr(-(t + s)) - log_ndtr(-t)))
