"""What is suspicious about the values of features."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.events.expressions.sentinels import SENTINELS
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.features.lists import place_of
from quarkline.learning.features.spec import Feature, FeatureSpec
from quarkline.learning.features.summary import FeatureRow, object_values, summarise

NO_VALUES = Rule(
    "QL-FEATURES-011",
    "a feature has values",
    "A feature that is missing in all events says nothing. Models take it as 0 in every event.",
    Severity.WARNING,
)
CONSTANT = Rule(
    "QL-FEATURES-012",
    "a feature has different values",
    "A feature with the same value in all events says nothing. Models take it as 0 in every event "
    "they were trained on; an event with another value has its distance from it.",
    Severity.WARNING,
)
MOSTLY_MISSING = Rule(
    "QL-FEATURES-013",
    "a feature is there in more than one event of a hundred",
    "From a feature that hardly any event has, a model learns by heart rather than by rule.",
    Severity.NOTE,
)
INFINITE = Rule(
    "QL-FEATURES-014",
    "features are finite",
    "An infinite value, or one too large for float32, comes from a division by zero or from "
    "damage. Models take it as missing.",
    Severity.WARNING,
)
RARE_KIND = Rule(
    "QL-FEATURES-015",
    "training sees the kinds that are scored",
    "A kind that occurs in one fold only is unknown to the model that scores this fold, which "
    "takes it as missing.",
    Severity.NOTE,
)
MARKER = Rule(
    "QL-FEATURES-016",
    "values that stand for none are declared",
    "Ntuples write -99, -999, -9999 or 1e10 where there is no value. As a measurement such a "
    "number pulls mean and deviation of the feature far away from the others.",
    Severity.WARNING,
)
RARE = 0.99


def feature_problems(
    spec: FeatureSpec,
    arrays: FeatureArrays,
    *,
    infinities: Mapping[str, int] | None = None,
    fold: NDArray[np.int16] | None = None,
) -> list[Finding]:
    """What is suspicious about the features of some events, usually those of training.

    Args:
        spec: The features.
        arrays: Their values.
        infinities: Infinite values by feature, as a `FeatureReader` counts them.
        fold: Fold of each event, with shape (N,), if the models are trained on folds.
    """
    rows = {row.name: row for row in summarise(spec, arrays, infinities).features}
    found: list[Finding] = []
    for feature, values in _numbers(spec, arrays):
        found += [*_emptiness(feature, rows[feature.name]), *_markers(feature, values)]
    for column, feature in enumerate(spec.categorical):
        found += _emptiness(feature, rows[feature.name])
        if fold is not None:
            found += _rare_kinds(feature, arrays.categorical[:, column], fold)
    return found


def _numbers(
    spec: FeatureSpec, arrays: FeatureArrays
) -> Iterator[tuple[Feature, NDArray[np.float32]]]:
    yield from zip(spec.continuous, arrays.continuous.T, strict=True)
    for group in spec.objects:
        yield from zip(group.features, object_values(arrays.objects[group.name]).T, strict=True)


def _emptiness(feature: Feature, row: FeatureRow) -> Iterator[Finding]:
    """A feature without values, with one value, or with few, and what is infinite in it."""
    subject, place = f"feature `{feature.name}`", _place(feature)
    if row.infinities:
        counted = f"{row.infinities:,} of {row.values:,} values"
        yield INFINITE.finding(
            f"{subject}: {counted} are infinite, or too large for float32, and count as missing",
            suggestion="look for a division by zero: `quarkline inspect FILE --stats`",
            place=place,
            evidence={"infinities": row.infinities},
        )
    if row.values == 0:
        return
    if row.missing == row.values:
        yield NO_VALUES.finding(f"{subject} is missing everywhere", place=place)
    elif row.constant is not None:
        yield CONSTANT.finding(f"{subject} is {row.constant:g} everywhere", place=place)
    elif row.missing > RARE * row.values:
        share = row.missing / row.values
        yield MOSTLY_MISSING.finding(f"{subject} is missing in {share:.2%} of all", place=place)


def _markers(feature: Feature, values: NDArray[np.float32]) -> Iterator[Finding]:
    """Outermost values that look like those that stand for none."""
    for marker in SENTINELS:
        count = int(np.count_nonzero(values == np.float32(marker)))
        outermost = not (values < marker).any() or not (values > marker).any()
        if count and outermost:
            yield MARKER.finding(
                f"feature `{feature.name}` is {marker:g} in {count:,} of {len(values):,} values",
                suggestion=f"if that stands for none, say `missing: {{{marker:g}: "
                f"[{feature.name}]}}`, or `missing: [{marker:g}]` for all features",
                place=_place(feature),
                evidence={"value": marker, "count": count},
            )


def _rare_kinds(
    feature: Feature, column: NDArray[np.int64], fold: NDArray[np.int16]
) -> Iterator[Finding]:
    for value in np.unique(column[column != MISSING]):
        own = fold[column == value]
        if (own == own[0]).all():
            yield RARE_KIND.finding(
                f"feature `{feature.name}` is {value} in {len(own):,} events, all of fold "
                f"{own[0]}: the model that scores them takes it as missing",
                place=_place(feature),
                evidence={"value": int(value), "events": len(own), "fold": int(own[0])},
            )


def _place(feature: Feature) -> Place | None:
    return place_of(feature.expression)
