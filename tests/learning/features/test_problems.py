"""Suspicious values of features, and the table of what they look like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.features.problems import feature_problems
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.features.summary import FeatureSummary, summarise

SPEC = FeatureSpec(
    (Feature("x", "x"),),
    (Feature("kind", "kind"),),
    (ObjectGroup("jets", 2, (Feature("pt", "pt"),)),),
)


def events(x: list[float], kind: list[int] | None = None) -> FeatureArrays:
    number = len(x)
    kinds = [row % 2 for row in range(number)] if kind is None else kind
    present = np.arange(2) < np.arange(number)[:, None]
    jets = np.arange(2.0 * number, dtype=np.float32).reshape(number, 2, 1)
    jets[~present] = np.nan
    return FeatureArrays(
        np.array(x, dtype=np.float32)[:, None],
        np.array(kinds, dtype=np.int64)[:, None],
        {"jets": Objects(jets, present)},
    )


def messages(arrays: FeatureArrays, **told: object) -> list[str]:
    return [finding.message for finding in feature_problems(SPEC, arrays, **told)]  # type: ignore[arg-type]


def test_ordinary_features_give_no_findings() -> None:
    fold = np.array([0, 0, 1, 1], dtype=np.int16)
    assert messages(events([1, 2, np.nan, 4]), fold=fold) == []
    assert messages(events([])) == []


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([np.nan] * 3, "feature `x` is missing everywhere"),
        ([2.5, np.nan, 2.5], "feature `x` is 2.5 everywhere"),
        ([np.nan] * 298 + [1.0, 2.0], "feature `x` is missing in 99.33% of all"),
        ([-99, 1, 2, -99], "feature `x` is -99 in 2 of 4 values"),
        ([1e10, 1, 2], "feature `x` is 1e+10 in 1 of 3 values"),
    ],
    ids=["none", "constant", "rare", "marker", "large"],
)
def test_values_that_say_nothing_are_told(x: list[float], message: str) -> None:
    assert messages(events(x)) == [message]


def test_a_marker_between_other_values_is_a_value() -> None:
    assert messages(events([-150, -99, 20])) == []


def test_infinities_are_told_with_their_number() -> None:
    found = messages(events([1, np.nan, 2]), infinities={"x": 1})
    assert found == [
        "feature `x`: 1 of 3 values are infinite, or too large for float32, and count as missing"
    ]


def test_a_kind_of_one_fold_only_is_told() -> None:
    fold = np.array([0, 1, 0, 1, 1], dtype=np.int16)
    found = messages(events([1, 2, 3, 4, 5], [7, 7, 8, MISSING, 9]), fold=fold)
    assert len(found) == 2
    assert "is 8 in 1 events, all of fold 0" in found[0]
    assert "is 9 in 1 events, all of fold 1" in found[1]


def test_the_table_counts_and_averages_what_there_is() -> None:
    summary = summarise(SPEC, events([1, np.nan, 2, 6], [5, 5, MISSING, 3]), {"x": 1})
    number, kind, jets = summary.features
    assert (number.values, number.missing, number.infinities) == (4, 1, 1)
    assert (number.least, number.mean, number.largest) == (1, 3, 6)
    assert number.deviation == pytest.approx(np.sqrt(14 / 3))
    assert (kind.kinds, kind.missing) == (((3, 1), (5, 2)), 1)
    assert (jets.group, jets.values, jets.least, jets.largest) == ("jets", 5, 2, 7)
    assert FeatureSummary.from_json(json.loads(json.dumps(summary.as_json()))).events == 4
