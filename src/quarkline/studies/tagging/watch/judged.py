"""What the network of the chosen epoch is worth on jets that chose nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.results import Result
from quarkline.statistics.tagging import (
    OutputAgreement,
    OutputHistogram,
    TaggedShares,
    TaggerCurves,
    TaggerMerit,
    output_histograms,
    tagged_shares,
    tagger_curves,
    tagger_merit,
)
from quarkline.statistics.tagging.outputs import CONTROL, FINE, LINEAR
from quarkline.studies.tagging.watch.config import WatchConfig
from quarkline.studies.tagging.watch.quantities import WatchedJets
from quarkline.studies.tagging.watch.watcher import control_agreement


@dataclass(frozen=True)
class JudgedTagger(Result, kind="judged-tagger"):
    """All that the final figures show.

    Attributes:
        fine: The three outputs of the classes, in bins for logarithmic axes.
        linear: The same in 29 equal bins.
        control: The three outputs of data and simulation; empty without a control region.
        agreement: K-S tests on the control region; None without one.
        shares: Efficiencies by mass, and false positives.
        curves: Families of ROC curves.
        merit: S/sqrt(B) scans.
    """

    fine: tuple[OutputHistogram, ...]
    linear: tuple[OutputHistogram, ...]
    control: tuple[OutputHistogram, ...]
    agreement: OutputAgreement | None
    shares: TaggedShares
    curves: TaggerCurves
    merit: TaggerMerit


@dataclass(frozen=True, eq=False)
class JudgedJets:
    """Jets of one stream with their outputs.

    Attributes:
        scores: Outputs, with shape (N, 3).
        jets: What is known of the jets.
        mass: m_H and m_S in GeV, with shape (N, 2).
    """

    scores: NDArray[np.floating]
    jets: WatchedJets
    mass: NDArray[np.floating]


def judged_tagger(
    main: JudgedJets, control: JudgedJets | None, config: WatchConfig, *, seed: int = 1
) -> JudgedTagger:
    """Evaluate outputs on test jets.

    Args:
        main: Jets of the three classes.
        control: Jets of the control region; None without one.
        config: Bins of jet pT, permutations and compatibility.
        seed: Seed of the permutations.
    """
    upstream = config.compatibility == "upstream"
    arrays = (main.scores, main.jets.label, main.jets.weight)
    fine, linear = (output_histograms(*arrays, edges=edges) for edges in (FINE, LINEAR))
    return JudgedTagger(
        fine,
        linear,
        _control_histograms(control),
        None
        if control is None
        else control_agreement(control.scores, control.jets, config, seed=seed),
        tagged_shares(main.scores, main.jets.label, main.mass),
        tagger_curves(*arrays, main.mass, upstream=upstream),
        tagger_merit(*arrays, main.mass),
    )


def _control_histograms(control: JudgedJets | None) -> tuple[OutputHistogram, ...]:
    if control is None:
        return ()
    return output_histograms(
        control.scores, control.jets.label, control.jets.weight, names=CONTROL, edges=FINE
    )
