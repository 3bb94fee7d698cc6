"""Content keys: equal content, equal key; and nothing in them that depends on where it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarkline.engine.store.keys import content_key, stage_key

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("abé", max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_the_key_is_blake2b_of_the_canonical_json() -> None:
    # printf '{"a":[1,2.5,null],"b":"\xc3\xa9"}' | b2sum -l 128
    assert content_key({"b": "é", "a": (1, 2.5, None)}) == "90adee927e01caf39ef9781e1c85a688"


@given(values, values)
def test_equal_content_is_equal_keys_and_other_content_other_keys(one: Any, other: Any) -> None:
    assert (content_key(one) == content_key(other)) == (typed(one) == typed(other))


def typed(value: Any) -> Any:
    """The value with its JSON types: 1, 1.0 and true are equal in Python and differ in JSON."""
    if isinstance(value, list):
        return [typed(item) for item in value]
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    return (type(value), value)


@pytest.mark.parametrize(
    "content",
    [math.nan, {"a": [1.0, {"b": math.inf}]}, np.array([1.0, np.nan]), (1, -math.inf)],
)
def test_numbers_that_are_not_finite_are_refused(content: Any) -> None:
    with pytest.raises(ValueError, match="cannot be part of a content key"):
        content_key(content)


def test_paths_are_refused_with_their_place() -> None:
    with pytest.raises(
        ValueError, match=r"`fit\.files\[1\]` = a/b cannot be part of a content key"
    ):
        content_key({"fit": {"files": ["x", Path("a/b")]}})


BASE: dict[str, Any] = {"stage": "fit", "version": 1, "config": {"a": 1}, "inputs": {"x": "k"}}


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "fitt"},
        {"version": 2},
        {"config": {"a": 2}},
        {"config": {"a": 1, "b": None}},
        {"config": {"b": 1}},
        {"config": {"a": "1"}},
        {"inputs": {"x": "l"}},
        {"inputs": {"y": "k"}},
        {"inputs": {"x": ["k"]}},
    ],
)
def test_every_part_of_a_stage_is_in_its_key(change: dict[str, Any]) -> None:
    assert stage_key(**BASE) != stage_key(**(BASE | change))


def test_the_order_of_a_config_is_not_in_the_key() -> None:
    one = stage_key("fit", 1, {"a": 1, "b": {"c": 2, "d": 3}}, {"x": "1", "y": "2"})
    other = stage_key("fit", 1, {"b": {"d": 3, "c": 2}, "a": 1}, {"y": "2", "x": "1"})
    assert one == other
