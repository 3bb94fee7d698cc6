"""Families of ROC curves: signal against QCD and BIB, behind cuts on another output, by m_H."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.arrays import Bools, Floats
from quarkline.statistics.ks import effective_size
from quarkline.statistics.roc import roc_curve
from quarkline.statistics.tagging.classes import BIB, CLASSES, QCD, SIGNAL
from quarkline.statistics.tagging.rates import mixture_weights

CUTS = (0.0, 0.0316, 0.1)
"""Shares of the third class that the cut on its output removes."""

POINTS = 800
ROUNDING = 1e-12


@dataclass(frozen=True)
class TaggerCurve:
    """Signal efficiency against background efficiency, both after a cut on another output.

    Attributes:
        name: "cut 0.0316" or "mH 600".
        status: "ok", or why there is no curve.
        fraction: Share of the third class that the cut removes.
        cut: Jets whose third output lies below it are kept; None without a cut.
        mass: m_H of the signal in GeV; None for all.
        kept: Shares of signal and background that the cut leaves: where the curve ends.
        area: Below the curve, from no background to all that the cut leaves; an error only
            without a cut.
        background: Efficiencies of the background, rising, with shape (points,).
        signal: Efficiencies of the signal.
        effective: Effective numbers of jets of signal and background.
    """

    name: str
    status: str
    fraction: float
    cut: float | None
    mass: float | None
    kept: tuple[float, float]
    area: Quantity
    background: tuple[float, ...]
    signal: tuple[float, ...]
    effective: tuple[float, float]


@dataclass(frozen=True)
class TaggerCurves(Result, kind="tagger-curves"):
    """All families.

    Attributes:
        third: The class whose output is cut and which counts a tenth: "BIB" or "QCD".
        cuts: One curve a cut, for all signal.
        masses: One curve a mass of the heavy boson, without cut.
    """

    third: str
    cuts: tuple[TaggerCurve, ...]
    masses: tuple[TaggerCurve, ...]


def tagger_curves(
    scores: ArrayLike,
    label: ArrayLike,
    weight: ArrayLike,
    mass: ArrayLike,
    *,
    cuts: Sequence[float] = CUTS,
    third: int = BIB,
    upstream: bool = False,
) -> TaggerCurves:
    """Draw signal against QCD and BIB by the signal's output.

    Weights of a class add up to its number of jets; those of the third class to a tenth of it.

    Args:
        scores: Outputs, with shape (N, 3).
        label: Class of each jet, with shape (N,).
        weight: Weights, with shape (N,).
        mass: m_H and m_S in GeV, with shape (N, 2); of background jets any.
        cuts: Shares of the third class that a cut on its output removes; 0 for no cut.
        third: BIB or QCD.
        upstream: Scale the background's efficiency by what the cut leaves of the class that is
            not the third, as upstream does, and not by what it leaves of all background.
    """
    outputs, true = np.asarray(scores, dtype=np.float64), np.asarray(label)
    jets = _Jets(outputs, true, mixture_weights(true, weight, scaled=third), third, upstream)
    heavy = np.asarray(mass, dtype=np.float64).reshape(-1, 2)[:, 0]
    everyone = np.ones(true.size, np.bool_)
    masses = [
        jets.curve(f"mH {value:g}", 0.0, (true != SIGNAL) | (heavy == value), float(value))
        for value in np.unique(heavy[true == SIGNAL])
    ]
    return TaggerCurves(
        CLASSES[third],
        tuple(jets.curve(f"cut {fraction:g}", fraction, everyone, None) for fraction in cuts),
        tuple(masses),
    )


def cut_removing(score: ArrayLike, fraction: float, weight: ArrayLike | None = None) -> float:
    """The score at and above which a share of a sample lies.

    Of the sample's scores it is the one where the share of the weights up to and including it is
    nearest to what is kept.

    Args:
        score: With shape (N,), N > 0.
        fraction: Share to remove, within [0, 1).
        weight: Weights; None for one each.
    """
    values = np.asarray(score, dtype=np.float64)
    weights = np.ones(values.size) if weight is None else np.asarray(weight, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return float(values[order][np.abs(sums - (1.0 - fraction) * sums[-1]).argmin()])


@dataclass(frozen=True, eq=False)
class _Jets:
    scores: Floats
    label: Floats
    weight: Floats
    third: int
    upstream: bool

    def curve(self, name: str, fraction: float, rows: Bools, mass: float | None) -> TaggerCurve:
        """One curve of some rows behind a cut."""
        status = self._status(rows)
        if status != "ok":
            nothing = (np.nan, np.nan)
            return TaggerCurve(
                name, status, fraction, None, mass, nothing, Quantity(np.nan), (), (), nothing
            )
        cut, passed = self._cut(fraction)
        signal, background = (rows & side for side in self._sides())
        kept = self._kept(signal, passed), self._kept(self._scaled_by(background), passed)
        curve = roc_curve(
            self.scores[signal & passed, SIGNAL],
            self.scores[background & passed, SIGNAL],
            signal_weight=self.weight[signal & passed],
            background_weight=self.weight[background & passed],
        )
        whole = kept[0] * kept[1]
        return TaggerCurve(
            name,
            "ok",
            fraction,
            cut,
            mass,
            kept,
            Quantity(curve.auc.value * whole, *_errors(curve.auc, cut is None)),
            *_points(
                _rounded(curve.background_efficiency) * kept[1],
                _rounded(curve.signal_efficiency) * kept[0],
            ),
            (effective_size(self.weight[signal]), effective_size(self.weight[background])),
        )

    def _sides(self) -> Iterator[Bools]:
        yield self.label == SIGNAL
        yield self.label != SIGNAL

    def _status(self, rows: Bools) -> str:
        for name, side in zip(("signal", "background"), self._sides(), strict=True):
            if not self.weight[rows & side].sum() > 0.0:
                return f"no jets of {name}"
        if not np.isfinite(self.scores[rows]).all():
            return "outputs are not finite"
        return "ok"

    def _cut(self, fraction: float) -> tuple[float | None, Bools]:
        """The cut on the third output, and the jets that pass it."""
        chosen, output = self.label == self.third, self.scores[:, self.third]
        if fraction <= 0.0 or not chosen.any():
            return None, np.ones(self.label.size, np.bool_)
        cut = cut_removing(output[chosen], fraction, self.weight[chosen])
        return cut, output < cut

    def _scaled_by(self, background: Bools) -> Bools:
        other = QCD if self.third == BIB else BIB
        return background & (self.label == other) if self.upstream else background

    def _kept(self, rows: Bools, passed: Bools) -> float:
        total = self.weight[rows].sum()
        return float(self.weight[rows & passed].sum() / total) if total > 0.0 else 0.0


def _rounded(efficiencies: Sequence[float]) -> Floats:
    """Zero where only the rounding of sums is left, which would be a large rejection."""
    known = np.asarray(efficiencies, dtype=np.float64)
    return np.where(known < ROUNDING, 0.0, known)


def _points(background: Floats, signal: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """At most `POINTS` points: even steps of the signal, and of the logarithm of the background."""
    places = np.arange(signal.size)
    if signal.size > POINTS:
        places = np.unique(
            [
                *np.searchsorted(signal, np.linspace(0.0, signal[-1], POINTS // 2)),
                *np.searchsorted(background, np.geomspace(1e-6, background[-1], POINTS // 2 - 1)),
                0,
            ]
        )
    return tuple(background[places].tolist()), tuple(signal[places].tolist())


def _errors(area: Quantity, known: bool) -> tuple[float | None, float | None]:
    return (area.up, area.down) if known else (None, None)
