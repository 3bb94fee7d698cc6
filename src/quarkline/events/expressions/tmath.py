"""ROOT's functions that are written with their namespace: `TMath::`, `TVector2::`."""

from __future__ import annotations

import math

import numpy as np

from quarkline.events.expressions.arithmetic import Values, angle, whole
from quarkline.events.expressions.kinds import Function, ResultKind
from quarkline.events.expressions.special import special

INTEGER, BOOLEAN = ResultKind.INTEGER, ResultKind.BOOLEAN

_gamma_below, _chi2_above = special("gammainc"), special("chdtrc")
_log_gamma = special("gammaln")
_FACTORIALS = np.cumprod(np.arange(171, dtype=np.float64) + (np.arange(171) == 0))
FARTHEST = 39.0


def _not_larger(left: Values, right: Values) -> Values:
    return np.where(left <= right, left, right)


def _not_smaller(left: Values, right: Values) -> Values:
    return np.where(left >= right, left, right)


def _within(low: Values, high: Values, values: Values) -> Values:
    return np.where(values < low, low, np.where(values > high, high, values))


def _even(values: Values) -> Values:
    return np.where(whole(values)[0] & 1, 0.0, 1.0)


def _odd(values: Values) -> Values:
    return 1.0 - _even(values)


def _nearest(values: Values) -> Values:
    """The nearest 32-bit integer, halves to even; NaN where there is none."""
    rounded = np.rint(values) + 0.0
    return np.where(np.abs(rounded) < 2.0**31, rounded, np.nan)


def _gauss(
    values: Values,
    mean: Values | float = 0.0,
    sigma: Values | float = 1.0,
    normalised: Values | float = 0.0,
) -> Values:
    """A Gaussian of height 1, or of area 1; 0 beyond 39 standard deviations, 1e30 of width 0."""
    pull = (values - mean) / sigma
    height = np.where(np.abs(pull) > FARTHEST, 0.0, np.exp(-0.5 * pull * pull))
    scaled = np.where(normalised != 0, height / (math.sqrt(2 * math.pi) * sigma), height)
    return np.where(sigma == 0, 1e30, scaled)


def _breit_wigner(
    values: Values, mean: Values | float = 0.0, gamma: Values | float = 1.0
) -> Values:
    """The non-relativistic Breit-Wigner density."""
    offset = values - mean
    density: Values = gamma / (offset * offset + gamma * gamma / 4) / (2 * math.pi)
    return density


def _inverse_erf(values: Values) -> Values:
    """The inverse of the error function, and 0 where it has none."""
    return np.where(np.abs(values) < 1, special("erfinv")(values), 0.0)


def _student(values: Values, ndf: Values) -> Values:
    """Student's density, 0 for less than one degree of freedom."""
    half = 0.5 * ndf
    gamma = special("gamma")
    below = np.sqrt(ndf * math.pi) * gamma(half) * (1 + values * values / ndf) ** (half + 0.5)
    return np.where(ndf < 1, 0.0, gamma(half + 0.5) / below)


def _beta(first: Values, second: Values) -> Values:
    """Euler's beta function."""
    found: Values = np.exp(_log_gamma(first) + _log_gamma(second) - _log_gamma(first + second))
    return found


def _beta_density(values: Values, first: Values, second: Values) -> Values:
    """The density of the beta distribution, 0 outside of [0, 1] and for parameters not above 0."""
    below, above = np.power(values, first - 1), np.power(1 - values, second - 1)
    density = below * above / _beta(first, second)
    outside = (values < 0) | (values > 1) | (first <= 0) | (second <= 0)
    return np.where(outside, 0.0, density)


def _chi2_probability(chi2: Values, ndf: Values) -> Values:
    """The probability of a larger chi2: 0 without degrees of freedom, or of a negative one."""
    inside = np.where(chi2 > 0, _chi2_above(ndf, chi2), np.where(chi2 < 0, 0.0, 1.0))
    return np.where(ndf <= 0, 0.0, inside)


def _gamma(first: Values, x: Values | None = None) -> Values:
    """Euler's function, or with two arguments the lower incomplete one over it."""
    if x is None:
        found: Values = special("gamma")(first)
        return found
    return np.where(first <= 0, 1.0, np.where(x <= 0, 0.0, _gamma_below(first, x)))


def _factorial(values: Values) -> Values:
    number = np.clip(whole(values)[0], 0, len(_FACTORIALS))
    return np.append(_FACTORIALS, np.inf)[number]


def _poisson(values: Values, mean: Values) -> Values:
    """The Poisson probability, for numbers between the integers too."""
    general = np.exp(values * np.log(mean) - _log_gamma(values + 1) - mean)
    inside = np.where(values == 0, np.exp(-mean), general)
    return np.where(mean < 0, np.nan, np.where(values < 0, 0.0, inside))


def _poisson_of_integers(values: Values, mean: Values) -> Values:
    return _poisson(np.floor(values), mean)


def _into_half_turns(angles: Values) -> Values:
    """The angle in [-pi, pi)."""
    return np.where(
        (angles >= -math.pi) & (angles < math.pi),
        angles,
        angles - 2 * math.pi * np.floor((angles + math.pi) / (2 * math.pi)),
    )


def _into_full_turn(angles: Values) -> Values:
    """The angle in [0, 2 pi)."""
    inside = (angles >= 0) & (angles < 2 * math.pi)
    return np.where(inside, angles, angles - 2 * math.pi * np.floor(angles / (2 * math.pi)))


def _constant(value: float) -> Function:
    return Function(0, lambda: np.array(value))


NAMESPACES: dict[str, Function] = {
    "TMath::Abs": Function(1, np.abs, None),
    "TMath::Min": Function(2, _not_larger, None),
    "TMath::Max": Function(2, _not_smaller, None),
    "TMath::Range": Function(3, _within, None),
    "TMath::Sign": Function(2, np.copysign, None),
    "TMath::Sq": Function(1, np.square, None),
    "TMath::Sqrt": Function(1, np.sqrt),
    "TMath::Power": Function(2, np.power),
    "TMath::Exp": Function(1, np.exp),
    "TMath::Log": Function(1, np.log),
    "TMath::Log2": Function(1, np.log2),
    "TMath::Log10": Function(1, np.log10),
    "TMath::Sin": Function(1, np.sin),
    "TMath::Cos": Function(1, np.cos),
    "TMath::Tan": Function(1, np.tan),
    "TMath::ASin": Function(1, np.arcsin),
    "TMath::ACos": Function(1, np.arccos),
    "TMath::ATan": Function(1, np.arctan),
    "TMath::ATan2": Function(2, angle),
    "TMath::SinH": Function(1, np.sinh),
    "TMath::CosH": Function(1, np.cosh),
    "TMath::TanH": Function(1, np.tanh),
    "TMath::ASinH": Function(1, np.arcsinh),
    "TMath::ACosH": Function(1, np.arccosh),
    "TMath::ATanH": Function(1, np.arctanh),
    "TMath::Hypot": Function(2, np.hypot),
    "TMath::Floor": Function(1, np.floor, INTEGER),
    "TMath::Ceil": Function(1, np.ceil, INTEGER),
    "TMath::Nint": Function(1, _nearest, INTEGER),
    "TMath::FloorNint": Function(1, lambda values: _nearest(np.floor(values)), INTEGER),
    "TMath::CeilNint": Function(1, lambda values: _nearest(np.ceil(values)), INTEGER),
    "TMath::Odd": Function(1, _odd, BOOLEAN),
    "TMath::Even": Function(1, _even, BOOLEAN),
    "TMath::IsNaN": Function(1, np.isnan, BOOLEAN),
    "TMath::Finite": Function(1, np.isfinite, BOOLEAN),
    "TMath::Erf": Function(1, special("erf")),
    "TMath::Erfc": Function(1, special("erfc")),
    "TMath::ErfInverse": Function(1, _inverse_erf),
    "TMath::Student": Function(2, _student),
    "TMath::Beta": Function(2, _beta),
    "TMath::BetaDist": Function(3, _beta_density),
    "TMath::Freq": Function(1, special("ndtr")),
    "TMath::Gaus": Function(1, _gauss, optional=3),
    "TMath::BreitWigner": Function(1, _breit_wigner, optional=2),
    "TMath::Prob": Function(2, _chi2_probability),
    "TMath::Poisson": Function(2, _poisson),
    "TMath::PoissonI": Function(2, _poisson_of_integers),
    "TMath::Gamma": Function(1, _gamma, optional=1),
    "TMath::LnGamma": Function(1, _log_gamma),
    "TMath::Factorial": Function(1, _factorial),
    "TMath::Binomial": Function(2, special("binom")),
    "TMath::Pi": _constant(math.pi),
    "TMath::TwoPi": _constant(2 * math.pi),
    "TMath::PiOver2": _constant(math.pi / 2),
    "TMath::PiOver4": _constant(math.pi / 4),
    "TMath::InvPi": _constant(1 / math.pi),
    "TMath::DegToRad": _constant(math.pi / 180),
    "TMath::RadToDeg": _constant(180 / math.pi),
    "TMath::E": _constant(math.e),
    "TMath::Sqrt2": _constant(math.sqrt(2)),
    "TMath::Ln10": _constant(math.log(10)),
    "TMath::LogE": _constant(math.log10(math.e)),
    "TMath::C": _constant(299_792_458.0),
    "TMath::Infinity": _constant(math.inf),
    "TMath::QuietNaN": _constant(math.nan),
    "TVector2::Phi_mpi_pi": Function(1, _into_half_turns),
    "TVector2::Phi_0_2pi": Function(1, _into_full_turn),
}
