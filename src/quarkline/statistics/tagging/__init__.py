"""What a tagger of displaced jets is worth: its outputs for QCD, signal and BIB in, results out."""

from __future__ import annotations

from quarkline.statistics.tagging.agreement import (
    PT_EDGES,
    KsSummary,
    OutputAgreement,
    OutputKs,
    bin_names,
    bin_rows,
    output_agreement,
)
from quarkline.statistics.tagging.classes import (
    BIB,
    CLASSES,
    OUTPUTS,
    QCD,
    SIGNAL,
    arg_max_fractions,
    balanced_weights,
)
from quarkline.statistics.tagging.curves import (
    TaggerCurve,
    TaggerCurves,
    cut_removing,
    tagger_curves,
)
from quarkline.statistics.tagging.merit import MeritCurve, TaggerMerit, tagger_merit
from quarkline.statistics.tagging.outputs import (
    OutputHistogram,
    OutputPart,
    output_histograms,
)
from quarkline.statistics.tagging.rates import (
    TaggedShare,
    TaggedShares,
    rejection,
    signal_efficiency,
    tagged_shares,
)

__all__ = [
    "BIB",
    "CLASSES",
    "OUTPUTS",
    "PT_EDGES",
    "QCD",
    "SIGNAL",
    "KsSummary",
    "MeritCurve",
    "OutputAgreement",
    "OutputHistogram",
    "OutputKs",
    "OutputPart",
    "TaggedShare",
    "TaggedShares",
    "TaggerCurve",
    "TaggerCurves",
    "TaggerMerit",
    "arg_max_fractions",
    "balanced_weights",
    "bin_names",
    "bin_rows",
    "cut_removing",
    "output_agreement",
    "output_histograms",
    "rejection",
    "signal_efficiency",
    "tagged_shares",
    "tagger_curves",
    "tagger_merit",
]
