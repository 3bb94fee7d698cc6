"""What can be wrong with the filling of histograms."""

from __future__ import annotations

from quarkline.engine.core.findings import Rule, Severity

BAD_FILES = Rule(
    "QL-FILL-001",
    "files are there, readable, and hold what the analysis uses",
    "A file that is not there or cannot be read means missing events. Say how many may be left "
    "out, if that is meant; they are listed with the result.",
)
NO_VARIATION = Rule(
    "QL-FILL-002",
    "a variation has the files that its nominal histogram has",
    "A variation of fewer files than the nominal histogram would show the missing events as its "
    "effect. It takes the nominal histogram instead, as if the systematic had no effect.",
    Severity.WARNING,
)
BROKEN_WEIGHT = Rule(
    "QL-FILL-003",
    "the weight of an event is a finite number",
    "An event whose weight is NaN or infinite cannot be counted, and one of them spoils its bin. "
    "Mend the weight, or cut the events away.",
)
NO_VALUE = Rule(
    "QL-FILL-004",
    "the variable of an event is a number",
    "An event whose variable is NaN belongs to no bin. It is left out and counted here; ROOT puts "
    "it into the overflow, which is the last bin where that is merged.",
    Severity.WARNING,
)
NO_BINS = Rule(
    "QL-FILL-005",
    "a region has a variable of one dimension, and bins",
    "Ntuples need `variable` and `binning` of each region. `X|Y`, the correlation of two "
    "variables, is not filled.",
)
NO_HISTOGRAM = Rule(
    "QL-FILL-006",
    "a histogram that is named is there",
    "An analysis of histograms adds those of every folder, file and name of a sample. Each of them "
    "is a one-dimensional histogram of ROOT with the same bins.",
)
NO_EVENTS = Rule(
    "QL-FILL-007",
    "a tree that is read has events",
    "A tree without entries adds nothing. It may be what a job without passing events leaves.",
    Severity.NOTE,
)
NO_PROOF = Rule(
    "QL-FILL-008",
    "friends say whose friends they are",
    "A friend that another program made tells nothing of its host. It is joined entry by entry "
    "where both have as many, which does not prove that they belong together.",
    Severity.NOTE,
)
CHANGED = Rule(
    "QL-FILL-009",
    "a file stays as it is while it is read",
    "A file has another number of entries than when the work was planned. Run it again.",
)
