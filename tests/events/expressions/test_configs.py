"""Expressions of real analyses: all of them are read, and give the yields ROOT gives."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from quarkline.events.expressions import Batch, Expression, compile_expression, parse
from quarkline.events.expressions.compiled import joint_scope
from quarkline.events.sources import open_source
from tests.events.expressions import configs, record_yields

pytestmark = pytest.mark.xdist_group("config-yields")  # they share what is drawn

RECORDED = json.loads(record_yields.TABLE.read_text(encoding="utf-8"))


def test_every_expression_of_the_configs_is_read(data_folder: Path):
    texts = configs.expressions(data_folder)
    assert len(texts) > 250
    assert not [text for text in texts if "XXX_" in text]
    for text in texts:
        assert parse(str(parse(text))) == parse(text)


def drawn(expression: Expression, batch: Batch) -> np.ndarray:
    """The weights that are not 0."""
    scope = joint_scope(batch, [expression])
    weights = scope.values(expression.tree)
    return weights[weights != 0]


@pytest.fixture(scope="module")
def found(data_folder: Path) -> dict[str, dict[str, np.ndarray]]:
    """By hash of the expression and file, what is drawn; for the expressions that are recorded."""
    texts = {*configs.expressions(data_folder), *record_yields.weighted_regions(data_folder)}
    recorded = {*RECORDED["summed"], *RECORDED["regions"]}
    texts_by_key = {record_yields.key(text): text for text in texts}
    assert recorded <= set(texts_by_key), "the configs have changed: record the yields again"
    bound: dict[str, Expression] = {}
    weights: dict[str, dict[str, np.ndarray]] = {key: {} for key in recorded}
    for path in record_yields.ntuples(data_folder):
        with open_source(path, tree="nominal") as source:
            bound = bound or {
                key: compile_expression(texts_by_key[key], source.schema) for key in recorded
            }
            columns = sorted({name for item in bound.values() for name in item.columns})
            batch = Batch(source.read(columns))
        for key, expression in bound.items():
            name = path.relative_to(data_folder).as_posix()
            weights[key][name] = drawn(expression, batch)
    return weights


def test_yields_of_every_expression_are_roots(found):
    assert len(RECORDED["summed"]) >= 40
    for key, (count, total, squares) in RECORDED["summed"].items():
        weights = np.concatenate(list(found[key].values()))
        assert len(weights) == count
        assert math.fsum(weights) == pytest.approx(total, rel=1e-12, abs=1e-12)
        assert math.fsum(weights * weights) == pytest.approx(squares, rel=1e-12)


def test_weighted_yields_of_each_region_and_file_are_roots(found):
    regions = RECORDED["regions"]
    assert len(regions) >= 1
    for key, files in regions.items():
        assert set(files) == set(found[key])
        for name, (count, total, squares) in files.items():
            weights = found[key][name]
            assert len(weights) == count
            assert math.fsum(weights) == pytest.approx(total, rel=1e-12, abs=1e-15)
            assert math.fsum(weights * weights) == pytest.approx(squares, rel=1e-12)
