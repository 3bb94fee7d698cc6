"""What a classifier is worth: from scored events to result values, with weights of any sign."""

from __future__ import annotations

from quarkline.statistics.evaluation.agreement import (
    Agreement,
    FeatureAgreement,
    default_edges,
    feature_agreement,
)
from quarkline.statistics.evaluation.binned import (
    BinnedSignificance,
    BinnedSignificances,
    automatic_edges,
    binned_significance,
)
from quarkline.statistics.evaluation.bootstrap import Bootstrap
from quarkline.statistics.evaluation.calibration import (
    Calibration,
    ClassCalibration,
    calibration,
)
from quarkline.statistics.evaluation.confusion import ConfusionMatrix, confusion_matrix
from quarkline.statistics.evaluation.correlation import FeatureCorrelation, feature_correlation
from quarkline.statistics.evaluation.curves import ClassRoc, RocCurves, roc_curves
from quarkline.statistics.evaluation.events import ScoredEvents, scored_events
from quarkline.statistics.evaluation.importance import (
    Attribution,
    FeatureAttribution,
    FeatureImportance,
    PermutationImportance,
)
from quarkline.statistics.evaluation.overtraining import (
    ClassOvertraining,
    Overtraining,
    ScoreShape,
    overtraining,
)
from quarkline.statistics.evaluation.shifts import (
    ScoreShift,
    ScoreShifts,
    VariedEvents,
    score_shifts,
)
from quarkline.statistics.evaluation.stack import HistStack, StackPart, WeightedSample, hist_stack
from quarkline.statistics.evaluation.thresholds import (
    BestThreshold,
    MeritScan,
    SignificanceScan,
    score_thresholds,
    significance_scan,
)

__all__ = [
    "Agreement",
    "Attribution",
    "BestThreshold",
    "BinnedSignificance",
    "BinnedSignificances",
    "Bootstrap",
    "Calibration",
    "ClassCalibration",
    "ClassOvertraining",
    "ClassRoc",
    "ConfusionMatrix",
    "FeatureAgreement",
    "FeatureAttribution",
    "FeatureCorrelation",
    "FeatureImportance",
    "HistStack",
    "MeritScan",
    "Overtraining",
    "PermutationImportance",
    "RocCurves",
    "ScoreShape",
    "ScoreShift",
    "ScoreShifts",
    "ScoredEvents",
    "SignificanceScan",
    "StackPart",
    "VariedEvents",
    "WeightedSample",
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
