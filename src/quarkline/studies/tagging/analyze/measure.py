"""What an epoch is worth: its scores of test jets and of the control region in, numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quarkline.statistics.tagging import CLASSES, rejection, signal_efficiency
from quarkline.studies.tagging.analyze.config import AnalyzeConfig
from quarkline.studies.tagging.analyze.results import JudgedEpoch, WorkingPoint
from quarkline.studies.tagging.watch.judged import JudgedJets, JudgedTagger


def judged_epoch(
    training: str,
    epoch: int,
    main: JudgedJets,
    tagger: JudgedTagger,
    config: AnalyzeConfig,
    *,
    reasons: Sequence[str] = (),
    metrics: Mapping[str, float] | None = None,
) -> JudgedEpoch:
    """The numbers of an epoch.

    Args:
        training: Which training it is of.
        epoch: Its number, from 0.
        main: Test jets with its outputs.
        tagger: What `judged_tagger` says of them and of the control region.
        config: At which efficiencies.
        reasons: Why it is looked at.
        metrics: What its history says.
    """
    sample = (main.scores, main.jets.label, main.jets.weight)
    return JudgedEpoch(
        training,
        epoch,
        tuple(reasons),
        dict(metrics or {}),
        tagger.curves.cuts[0].area,
        tuple(WorkingPoint(at, rejection(*sample, at)) for at in config.efficiencies),
        tuple(WorkingPoint(at, signal_efficiency(*sample, at)) for at in config.mistags),
        tagger.shares,
        tagger.merit.curves[0].maximum,
        tagger.agreement.worst if tagger.agreement else None,
    )


def class_counts(main: JudgedJets) -> dict[str, int]:
    """Jets by class."""
    return {name: int(np.sum(main.jets.label == place)) for place, name in enumerate(CLASSES)}


def control_counts(control: JudgedJets | None) -> dict[str, int]:
    """Jets of simulation and of data; none without a control region."""
    if control is None:
        return {}
    data = int(np.sum(control.jets.label == 1))
    return {"simulation": len(control.jets.label) - data, "data": data}
