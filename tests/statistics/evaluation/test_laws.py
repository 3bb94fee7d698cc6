"""What holds for all results: they come back from JSON, and the names are a contract."""

from __future__ import annotations

import numpy as np

import quarkline.statistics.evaluation as floor
from quarkline.engine.core.results import canonical_json, result_from_json
from quarkline.statistics.evaluation import (
    Bootstrap,
    VariedEvents,
    WeightedSample,
    binned_significance,
    calibration,
    confusion_matrix,
    feature_agreement,
    feature_correlation,
    overtraining,
    roc_curves,
    score_shifts,
    significance_scan,
)


def test_results_come_back_from_json(made):
    events, few = made(200, signed=True), Bootstrap(3)
    row = np.arange(200, dtype=np.uint64)
    given = {"x": WeightedSample(events.signal_score, np.abs(events.weight))}
    for result in (
        roc_curves(events, bootstrap=few),
        confusion_matrix(events, bootstrap=few),
        significance_scan(events, bootstrap=few),
        binned_significance(events, bootstrap=few),
        overtraining(events, made(100, seed=2), bootstrap=few),
        calibration(events, bootstrap=few),
        score_shifts(events, row, [VariedEvents("a", "up", events, row)], bootstrap=few),
        feature_correlation("all", ("a", "b", "c"), events.score, events.signal_score),
        feature_agreement({"x": WeightedSample(events.signal_score)}, {"mc": given}),
    ):
        again = result_from_json(result.as_json())
        assert type(again) is type(result)
        assert canonical_json(again) == canonical_json(result)


def test_the_names_are_a_contract():
    assert all(hasattr(floor, name) for name in floor.__all__)
    assert sorted(floor.__all__) == floor.__all__
    functions = [name for name in floor.__all__ if name.islower()]
    assert functions == [
        "automatic_edges",
        "binned_significance",
        "calibration",
        "confusion_matrix",
        "default_edges",
        "feature_agreement",
        "feature_correlation",
        "hist_stack",
        "overtraining",
        "roc_curves",
        "score_shifts",
        "score_thresholds",
        "scored_events",
        "significance_scan",
    ]
