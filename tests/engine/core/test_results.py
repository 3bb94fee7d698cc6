"""Results keep their values on the way through JSON, and equal values have equal text."""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
import json
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quarkline
from quarkline.engine.core.results import (
    Quantity,
    Result,
    canonical_json,
    jsonable,
    pretty_json,
    result_from_json,
)


class Status(StrEnum):
    CONVERGED = "converged"
    FAILED = "failed"


@dataclass(frozen=True)
class Bin:
    edges: tuple[float, float]
    content: Quantity


@dataclass(frozen=True)
class Inner(Result, kind="test-inner"):
    count: int


@dataclass(frozen=True)
class Outer(Result, kind="test-outer"):
    value: float
    status: Status
    bins: tuple[Bin, ...]
    labels: list[str]
    by_name: dict[str, Bin]
    by_number: Mapping[int, float]
    maybe: Quantity | None
    inner: Inner | None
    results: tuple[Result, ...]
    mode: Literal["a", "b"]
    text: str = "é"
    flag: bool = True


OUTER = Outer(
    value=-1.5,
    status=Status.FAILED,
    bins=(Bin((0.0, 1.0), Quantity(2.0, 0.5, None, "GeV")),),
    labels=["a", "b"],
    by_name={"x": Bin((1.0, 2.0), Quantity(3.0))},
    by_number={7: 1.0},
    maybe=None,
    inner=Inner(3),
    results=(Inner(1), Inner(2)),
    mode="b",
)


def test_a_nested_result_round_trips() -> None:
    data = json.loads(canonical_json(OUTER))
    assert result_from_json(data) == OUTER
    assert Outer.from_json(data) == OUTER
    assert (data["kind"], data["version"]) == ("test-outer", 1)


def test_numbers_that_are_not_finite_become_null_and_come_back_as_nan() -> None:
    bad = dataclasses.replace(OUTER, value=math.inf, maybe=Quantity(math.nan, up=math.nan))
    data = json.loads(canonical_json(bad))
    assert (data["value"], data["maybe"]["value"]) == (None, None)
    again = Outer.from_json(data)
    assert math.isnan(again.value)
    assert again.maybe is not None
    assert math.isnan(again.maybe.value)
    assert again.maybe.up is None


def test_another_kind_or_version_is_refused() -> None:
    data = json.loads(canonical_json(Inner(1)))
    with pytest.raises(ValueError, match=r"expected result .*test-outer.* found .*test-inner"):
        Outer.from_json(data)
    with pytest.raises(ValueError, match=r"expected result .*1.* found .*2"):
        Inner.from_json(data | {"version": 2})
    with pytest.raises(ValueError, match=r"unknown result kind 'nope'; known: .*test-inner"):
        result_from_json(data | {"kind": "nope"})


def test_a_kind_is_declared_once() -> None:
    with pytest.raises(ValueError, match="result kind 'test-inner' is declared twice"):
        type("Other", (Result,), {}, kind="test-inner")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [1, 2.5, None]}, '{"a":[1,2.5,null],"b":1}'),
        ({2: "x"}, '{"2":"x"}'),
        ({"é": Status.FAILED}, '{"é":"failed"}'),
        ((1, (2, 3)), "[1,[2,3]]"),
        ({3, 1, 2}, "[1,2,3]"),
        (True, "true"),
        (np.float64(0.1), "0.1"),
        (np.array([[1, 2], [3, 4]]), "[[1,2],[3,4]]"),
        (np.bool_(True), "true"),
        (np.array([1.0, np.nan]), "[1.0,null]"),
        (-0.0, "0.0"),
        (1e-300, "1e-300"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_canonical_json(value: Any, text: str) -> None:
    assert canonical_json(value) == text


@pytest.mark.parametrize("value", [Path("a"), b"ab", object(), 1j, {"a": Path("b")}])
def test_what_has_no_json_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot write a"):
        canonical_json(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(json_values)
def test_both_texts_hold_the_value(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value
    assert json.loads(pretty_json(value)) == value
    assert pretty_json(value).endswith("\n")


@given(st.dictionaries(st.text("abcdef", max_size=3), st.integers(), max_size=6), st.data())
def test_the_order_of_keys_does_not_show(value: dict[str, int], data: st.DataObject) -> None:
    keys = data.draw(st.permutations(list(value)))
    assert canonical_json({key: value[key] for key in keys}) == canonical_json(value)


def result_classes() -> list[type[Result]]:
    """Every result of the package; modules that define one say `kind=` in its class line."""
    root = Path(quarkline.__file__).parent
    classes = []
    for file in sorted(root.rglob("*.py")):
        if names := re.findall(r"^class (\w+)\(Result, kind=", file.read_text(), re.MULTILINE):
            parts = file.relative_to(root.parent).with_suffix("").parts
            module = importlib.import_module(".".join(parts).removesuffix(".__init__"))
            classes += [getattr(module, name) for name in names]
    return classes


def values_of(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotated type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {typing.Union, types.UnionType}:
        return st.one_of([values_of(member) for member in arguments])
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values_of(member) for member in arguments))
    if origin in {list, Sequence}:
        return st.lists(values_of(arguments[0]), max_size=3)
    if origin in {dict, Mapping}:
        return st.dictionaries(values_of(arguments[0]), values_of(arguments[1]), max_size=3)
    if origin is Literal:
        return st.sampled_from(arguments)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from(list(annotation))
    if annotation is Result:
        return instances(Inner)
    if dataclasses.is_dataclass(annotation):
        return instances(typing.cast("type", annotation))
    plain = {
        float: st.floats(allow_nan=False, allow_infinity=False),
        int: st.integers(-(2**63), 2**64 - 1),
        str: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        bool: st.booleans(),
        type(None): st.none(),
        Any: st.integers() | st.text("abc"),
    }
    return plain[annotation]


@functools.cache
def instances(cls: type) -> st.SearchStrategy[Any]:
    def build() -> st.SearchStrategy[Any]:
        hints = typing.get_type_hints(cls)
        fields = {field.name: values_of(hints[field.name]) for field in dataclasses.fields(cls)}
        return st.builds(cls, **fields)

    return st.deferred(build)  # a class may hold itself


@pytest.mark.parametrize("cls", [Outer, *result_classes()], ids=lambda cls: cls.kind)
def test_every_kind_of_result_round_trips(cls: type[Result]) -> None:
    @settings(max_examples=15, deadline=None)
    @given(instances(cls))
    def check(result: Result) -> None:
        text = canonical_json(result)
        again = result_from_json(json.loads(text))
        assert type(again) is cls
        assert canonical_json(again) == text
        assert again == result

    check()


def test_jsonable_keeps_results_apart_from_plain_data() -> None:
    assert jsonable(Inner(2)) == {"kind": "test-inner", "version": 1, "count": 2}
    assert jsonable(Quantity(1.0)) == {"value": 1.0, "up": None, "down": None, "unit": ""}
