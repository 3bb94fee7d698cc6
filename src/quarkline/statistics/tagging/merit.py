"""S/sqrt(B) against the cut on the signal's output, where enough background is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Result
from quarkline.statistics.arrays import Floats
from quarkline.statistics.roc import sorted_sample
from quarkline.statistics.tagging.classes import BIB, QCD, SIGNAL, balanced_weights

THRESHOLDS = np.concatenate(
    [np.geomspace(1e-5, 0.1, 100), np.linspace(0.11, 0.89, 20), np.geomspace(0.9, 1.0, 600)]
)
ENOUGH = 10.0
"""Background at or below which the scan ends: its fluctuations would be what is seen."""


@dataclass(frozen=True)
class MeritCurve:
    """S/sqrt(B) for the cuts score > t, up to the first one that leaves too little background.

    Attributes:
        name: "", "QCD only", "BIB only" or "mH600.0".
        status: "ok", or why there is no curve.
        thresholds: The cuts t, rising, with shape (points,).
        signal: Number of signal jets behind each.
        background: Background behind each: the number of BIB jets, and QCD of an equal sum.
        merit: S/sqrt(B) of each.
        best: Place of the largest; -1 without any.
        area: Below the curve of S/sqrt(B) against 1 - t ("AuS").
    """

    name: str
    status: str
    thresholds: tuple[float, ...]
    signal: tuple[float, ...]
    background: tuple[float, ...]
    merit: tuple[float, ...]
    best: int
    area: float

    @property
    def maximum(self) -> float:
        """The largest S/sqrt(B); NaN without any."""
        return self.merit[self.best] if self.best >= 0 else float("nan")


@dataclass(frozen=True)
class TaggerMerit(Result, kind="tagger-merit"):
    """All scans.

    Attributes:
        curves: Both backgrounds, QCD only, BIB only, then both for each m_H.
    """

    curves: tuple[MeritCurve, ...]


def tagger_merit(
    scores: ArrayLike, label: ArrayLike, weight: ArrayLike, mass: ArrayLike
) -> TaggerMerit:
    """Scan S/sqrt(B) along the signal's output.

    S counts signal jets. B counts BIB jets and adds QCD with weights that add up to the number of
    BIB jets; QCD alone has weights that add up to its own number.

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,); those of QCD matter.
        mass: m_H and m_S in GeV, with shape (N, 2).
    """
    true, output = np.asarray(label), np.asarray(scores, dtype=np.float64)[:, SIGNAL]
    if not np.isfinite(output).all():
        return TaggerMerit((_nothing("", "outputs are not finite"),))
    heavy = np.asarray(mass, dtype=np.float64).reshape(-1, 2)[:, 0]
    qcd_weight = balanced_weights(true, weight)[true == QCD]
    bib = _above(output[true == BIB], None)
    qcd = _above(output[true == QCD], qcd_weight)
    number = int((true == BIB).sum())
    equal = qcd * (number / qcd_weight.sum()) if number and qcd_weight.sum() > 0.0 else qcd
    signal = _above(output[true == SIGNAL], None)
    by_mass = [
        _curve(f"mH{value}", _above(output[(true == SIGNAL) & (heavy == value)], None), bib + equal)
        for value in np.unique(heavy[true == SIGNAL])
    ]
    return TaggerMerit(
        (
            _curve("", signal, bib + equal),
            _curve("QCD only", signal, qcd),
            _curve("BIB only", signal, bib),
            *by_mass,
        )
    )


def _above(scores: Floats, weight: Floats | None) -> Floats:
    """Sum of weights above each threshold."""
    values, weights = sorted_sample(scores, weight)
    sums = np.append(0.0, np.cumsum(weights))
    return np.asarray(sums[-1] - sums[np.searchsorted(values, THRESHOLDS, side="right")])


def _curve(name: str, signal: Floats, background: Floats) -> MeritCurve:
    few = background <= ENOUGH
    stop = int(few.argmax()) if few.any() else few.size
    if not stop:
        return _nothing(name, f"no cut leaves a background above {ENOUGH:g}")
    merit = signal[:stop] / np.sqrt(background[:stop])
    return MeritCurve(
        name,
        "ok",
        tuple(THRESHOLDS[:stop].tolist()),
        tuple(signal[:stop].tolist()),
        tuple(background[:stop].tolist()),
        tuple(merit.tolist()),
        int(merit.argmax()),
        float(np.trapezoid(merit[::-1], 1.0 - THRESHOLDS[:stop][::-1])),
    )


def _nothing(name: str, status: str) -> MeritCurve:
    return MeritCurve(name, status, (), (), (), (), -1, float("nan"))
