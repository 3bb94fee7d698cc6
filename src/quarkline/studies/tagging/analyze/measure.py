"""What an epoch is worth: its scores of test jets and of the control region in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.statistics.tagging import (
    CLASSES,
    OutputAgreement,
    TaggerCurves,
    TaggerMerit,
    output_agreement,
    rejection,
    signal_efficiency,
    tagged_shares,
    tagger_curves,
    tagger_merit,
)
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.results import JudgedEpoch, WorkingPoint

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredJets:
    """Test jets with the outputs of an epoch.

    Attributes:
        scores: With shape (N, 3).
        label: With shape (N,).
        weight: With shape (N,).
        mass: m_H and m_S in GeV, with shape (N, 2); 0 for background.
    """

    scores: Floats
    label: NDArray[np.int8]
    weight: Floats
    mass: Floats

    @property
    def counts(self) -> dict[str, int]:
        """Jets by class."""
        return {name: int((self.label == place).sum()) for place, name in enumerate(CLASSES)}


@dataclass(frozen=True)
class ScoredControl:
    """Jets of the control region with the outputs of an epoch.

    Attributes:
        scores: With shape (M, 3).
        is_data: With shape (M,).
        weight: With shape (M,).
        jet_pt: In GeV, with shape (M,).
    """

    scores: Floats
    is_data: NDArray[np.bool_]
    weight: Floats
    jet_pt: Floats

    @property
    def counts(self) -> dict[str, int]:
        """Jets of simulation and of data."""
        return {"simulation": int((~self.is_data).sum()), "data": int(self.is_data.sum())}


@dataclass(frozen=True)
class Measured:
    """All that is measured of an epoch.

    Attributes:
        judged: Its numbers.
        curves: Its ROC curves.
        merit: Its scans of S/sqrt(B).
        agreement: Its K-S tests.
    """

    judged: JudgedEpoch
    curves: TaggerCurves
    merit: TaggerMerit
    agreement: OutputAgreement


def measure(
    training: str,
    epoch: int,
    jets: ScoredJets,
    control: ScoredControl,
    config: AnalyzeConfig,
    *,
    reasons: Sequence[str] = (),
    metrics: Mapping[str, float] | None = None,
    permutations: int = 0,
    seed: int = 1,
) -> Measured:
    """Measure an epoch.

    Args:
        training: Which training it is of.
        epoch: Its number.
        jets: Test jets.
        control: Test jets of the control region.
        config: At which efficiencies.
        reasons: Why it is looked at.
        metrics: What its history says.
        permutations: Behind the p-values of K-S tests.
        seed: Of the permutations.
    """
    sample = (jets.scores, jets.label, jets.weight)
    curves = tagger_curves(*sample, jets.mass)
    merit = tagger_merit(*sample, jets.mass)
    agreement = output_agreement(
        control.scores,
        control.is_data,
        control.weight,
        control.jet_pt,
        permutations=permutations,
        seed=seed,
    )
    judged = JudgedEpoch(
        training,
        epoch,
        tuple(reasons),
        dict(metrics or {}),
        curves.cuts[0].area,
        tuple(WorkingPoint(at, rejection(*sample, at)) for at in config.efficiencies),
        tuple(WorkingPoint(at, signal_efficiency(*sample, at)) for at in config.mistags),
        tagged_shares(jets.scores, jets.label, jets.mass),
        merit.curves[0].maximum,
        agreement.worst,
    )
    return Measured(judged, curves, merit, agreement)
