"""A measurement in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from quarkline.statistics.likelihood.results import (
    CLsLimit,
    DiscoverySignificance,
    FittedParameter,
)
from quarkline.templates.measure import Measured
from quarkline.templates.measure.data import Sources

MEDIAN = 2
DISCOVERED = 5.0
"""Significance from which on an upper limit is no headline."""


def sentence(
    found: Measured, poi: FittedParameter | None, parts: Mapping[str, float], sources: Sources
) -> str:
    """What was measured in one sentence; without the limit if the signal is beyond doubt.

    Args:
        found: What was found.
        poi: The measured parameter after the fit; None if it is not to be told.
        parts: Its error by cause.
        sources: What regions are fitted to.
    """
    told = []
    if found.fit is not None and not found.fit.quality.converged:
        told.append(f"the fit did not converge: {found.fit.quality.note}")
    if poi is not None:
        told.append(f"{poi.name} = {interval(poi)}{_causes(poi, parts)}")
        if found.statistics_only is not None:
            alone = found.statistics_only.by_name[poi.name]
            told.append(f"{interval(alone)} with all but free factors fixed")
    if found.significance is not None:
        told.append(significance_words(found.significance))
    if found.limit is not None and not _discovered(found.significance):
        told.append(limit_words(found.limit))
    words = " · ".join(told) or "a fit without a measured parameter"
    return f"{_data_words(sources)}{words}"


def _discovered(found: DiscoverySignificance | None) -> bool:
    return found is not None and found.z is not None and found.z >= DISCOVERED


def _data_words(sources: Sources) -> str:
    """What is fitted, unless it is data alone."""
    if sources.kind == "observed":
        return ""
    where = ", ".join(f"`{name}`" for name in sources.asimov)
    return f"with mixed data, Asimov data in {where}: " if sources.mixed else "with Asimov data: "


def interval(parameter: FittedParameter) -> str:
    """A value with its errors, two digits of the smaller one."""
    up = parameter.error if parameter.up is None else parameter.up
    down = parameter.error if parameter.down is None else parameter.down
    digits = _digits(min(up, down))
    value = f"{parameter.value:.{digits}f}"
    if f"{up:.{digits}f}" == f"{down:.{digits}f}":
        return f"{value} ± {up:.{digits}f}"
    return f"{value} +{up:.{digits}f} -{down:.{digits}f}"


def _digits(error: float) -> int:
    if not math.isfinite(error) or error <= 0:
        return 3
    return max(0, 1 - math.floor(math.log10(error)))


def _causes(poi: FittedParameter, parts: Mapping[str, float]) -> str:
    digits = _digits(poi.error)
    told = ", ".join(f"{name} {error:.{digits}f}" for name, error in parts.items())
    return f" ({told})" if told else ""


def significance_words(found: DiscoverySignificance) -> str:
    """A significance in words."""
    expected = f"{found.z_expected:.2g} σ expected"
    return expected if found.z is None else f"{found.z:.2g} σ ({expected})"


def limit_words(found: CLsLimit) -> str:
    """A limit in words."""
    median = found.expected[MEDIAN]
    expected = f"{found.poi} < {'?' if median is None else f'{median:.3g}'} expected"
    level = f"at {100 * found.level:g} % CL"
    if found.observed is None:
        return f"{expected} {level}"
    return f"{found.poi} < {found.observed:.3g} ({expected}) {level}"
