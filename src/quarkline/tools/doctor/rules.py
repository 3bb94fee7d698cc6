"""What `quarkline doctor` finds in inputs, beside what reading them already says."""

from __future__ import annotations

from quarkline.engine.core.findings import Rule, Severity

MISSING_COLUMN = Rule(
    "QL-CHECK-001",
    "files hold the columns that are needed",
    "A column that the config, the weight or the identity needs is not in a file. Names are "
    "case-sensitive; the finding lists near ones.",
)
NOT_FINITE = Rule(
    "QL-CHECK-002",
    "columns hold numbers",
    "NaN and infinities pass no comparison, make every sum they enter NaN, and stop a training. "
    "Find out which step of the production divides by zero or takes a root of a negative number, "
    "or cut them away by name.",
    Severity.WARNING,
)
HUGE_VALUE = Rule(
    "QL-CHECK-003",
    "values are of a physical size",
    "A value beyond 1e9 that is no event number is usually memory that was never filled, or a "
    "division by almost zero. Scales and histograms that are made from a column with such values "
    "are wrong.",
    Severity.WARNING,
)
CONSTANT_COLUMN = Rule(
    "QL-CHECK-004",
    "columns vary",
    "A column with one value in all events of a sample carries no information: often it was never "
    "filled, or the preselection fixed it. As a feature it is useless.",
    Severity.NOTE,
)
MIXED_SENTINEL = Rule(
    "QL-CHECK-005",
    "values that stand for missing ones are known",
    "Numbers such as -999 and -99 stand for a missing value and lie among real ones. Cuts by order "
    "pass or fail them by accident, and means and trainings take them for measurements: ask for "
    "`x != -999` first, or give them a value of their own.",
    Severity.NOTE,
)
NO_EVENTS = Rule(
    "QL-CHECK-006",
    "files hold events",
    "A file without events is read without complaint and adds nothing. That is right for a skim "
    "that nothing passed, and wrong for a job that failed after it opened its output.",
    Severity.WARNING,
)
OTHER_SCHEMA = Rule(
    "QL-CHECK-007",
    "files of one sample hold the same columns",
    "A file whose columns are not those of the other files of its sample was often made by another "
    "version of a program. What reads the sample stops there, or takes a column for another.",
    Severity.WARNING,
)
BAD_WEIGHT = Rule(
    "QL-CHECK-008",
    "weights are numbers that do not vanish",
    "A weight that is NaN or infinite makes every yield so; weights that are all 0, or add up to "
    "0, scale a sample away. Look at what the weight is made of.",
)
LARGE_WEIGHT = Rule(
    "QL-CHECK-009",
    "no event decides a yield alone",
    "One event has more than a tenth of the sum of weights of its sample. What is measured with "
    "it is then the fate of this event: look at its weight, or leave it out on purpose.",
    Severity.WARNING,
)
NEGATIVE_WEIGHT = Rule(
    "QL-CHECK-050",
    "negative weights are expected",
    "Generators beyond leading order give some events negative weights, which is right for yields. "
    "A training has to be told what to do with them, and many of them make statistical errors "
    "larger than the number of events suggests.",
    Severity.NOTE,
)
CONSTANT_WEIGHT = Rule(
    "QL-CHECK-051",
    "the weights of a sample differ",
    "All events of a sample count the same, although their weight is made of columns. Some of "
    "these may never have been filled.",
    Severity.NOTE,
)
