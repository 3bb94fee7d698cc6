"""Expressions that share their parts give what each gives by itself, to the last bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.expressions import Batch, Entries, Expression, compile_expression
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.expressions.evaluate import Scope
from quarkline.events.expressions.shared import SharedSteps, SharedValues, is_shared
from quarkline.events.schema import Schema
from quarkline.events.sources import open_source
from tests.events.expressions.root_cases import SMALL

HERE = Path(__file__).parent
CASES = json.loads((HERE / "root_values.json").read_text(encoding="utf-8"))["cases"]
ROWS = np.array([1, 2, 5, 7])


def texts(file: str) -> set[str]:
    """Expressions and selections that were recorded of a file."""
    mine = [case for case in CASES if "values" in case and case["file"].startswith(file)]
    return {case[key] for case in mine for key in ("expression", "select") if case[key]}


def expressions(file: str, schema: Schema) -> Iterator[Expression]:
    for text in sorted(texts(file)):
        try:
            found = compile_expression(text, schema, numbered=True)
        except InputError:
            continue
        if is_shared(found):
            yield found


@pytest.fixture(params=[SMALL, "nested.root"])
def opened(request, small_file):
    path = small_file if request.param == SMALL else HERE / request.param
    tree = next(case["file"] for case in CASES if case["file"].startswith(request.param))
    with open_source(path, tree=tree.rpartition(":")[2]) as source:
        yield request.param, source


@pytest.mark.parametrize("some", [False, True])
def test_values_are_those_of_each_expression(opened, some):
    file, source = opened
    schema = source.schema
    found = list(expressions(file, schema))
    assert len(found) > (250 if file == SMALL else 40)
    names = {name for item in found for name in item.columns}
    batch = Batch(source.read(sorted(names)), Entries(0, schema.entries, in_all=schema.entries))
    if some:
        batch = batch.taken(ROWS, names)
    steps = SharedSteps()
    numbers = [steps.add(item) for item in found]
    values = SharedValues(steps, {0: batch})
    for item, number in zip(found, numbers, strict=True):
        scope = joint_scope(batch, [item])
        exists = np.isin(np.arange(batch.rows), scope.frame.events)
        expected = scope.values(item.tree)
        told = values.exists(number)
        np.testing.assert_array_equal(told if told is not None else np.ones_like(exists), exists)
        np.testing.assert_array_equal(values.values(number)[exists], expected, err_msg=item.text)
        np.testing.assert_array_equal(
            np.flatnonzero(values.true(number)), scope.frame.events[expected != 0]
        )


def test_a_common_part_is_read_once(small_file, monkeypatch):
    read = []
    usual = Scope.__init__

    def counted(self, batch, trees, leaves):
        read.extend(map(str, trees))
        usual(self, batch, trees, leaves)

    monkeypatch.setattr(Scope, "__init__", counted)
    with open_source(small_file) as source:
        steps = SharedSteps()
        numbers = [
            steps.add(compile_expression(text, source.schema))
            for text in ("i*j > 2 && f > 0", "(i*j)*2", "2*(i * j)", "Sum$(i) + i*j")
        ]
        values = SharedValues(steps, {0: Batch(source.read(["i", "j", "f"]))})
        for number in numbers:
            values.values(number)
    assert sorted(read) == ["Sum$(i)", "f", "i", "i", "j"]  # once inside `Sum$`


def test_a_second_batch_is_read_where_it_differs(schema):
    arrays = {"a": np.arange(4.0), "b": np.ones(4)}
    batches = {0: Batch(arrays), 1: Batch({"a": arrays["a"] + 10})}  # has no `b` to read
    steps = SharedSteps()
    item = compile_expression("a * 2 + b", schema)
    numbers = [steps.add(item, batch=batch, own=frozenset({"a"})) for batch in batches]
    values = SharedValues(steps, batches)
    found = [values.values(number).tolist() for number in numbers]
    assert found == [[1, 3, 5, 7], [21, 23, 25, 27]]
