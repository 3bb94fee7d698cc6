"""Our values against those ROOT itself gave, for every recorded expression."""

from __future__ import annotations

import functools
import json
import math
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from quarkline.events.expressions import Batch, Entries
from quarkline.events.selection import Instances, compile_query
from quarkline.events.sources import Source, open_source
from tests.events.expressions import record_root
from tests.events.expressions.root_cases import SMALL
from tests.events.expressions.root_loops import NESTED

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "root_values.json").read_text(encoding="utf-8"))
CASES = RECORDED["cases"]
VALUES = [case for case in CASES if "values" in case]
AGGREGATES = [case for case in CASES if "sum" in case]
ROUNDING = 4e-15  # functions of NumPy and of the C library may differ in the last bits


def spelling(case: dict) -> str:
    return f"{case['expression']} ; {case['select']}"


@pytest.fixture(scope="module")
def opened():
    """Open each file once; some have thousands of branches."""
    with ExitStack() as stack:
        yield functools.cache(lambda path, tree: stack.enter_context(open_source(path, tree=tree)))


def instances(source: Source, case: dict) -> Instances:
    query = compile_query(
        source.schema, case["expression"], select=case["select"] or None, numbered=True
    )
    entries = source.schema.entries
    batch = Batch(source.read(query.columns), Entries(0, entries, in_all=entries))
    return query.instances(batch)


def test_the_table_is_large_enough_to_mean_something():
    assert len(VALUES) >= 600
    assert len(AGGREGATES) >= 100
    assert not [case for case in CASES if "error" in case]


@pytest.mark.parametrize("case", VALUES, ids=spelling)
def test_values_are_roots(case: dict, small_file: Path, opened):
    name, _, tree = case["file"].rpartition(":")
    ours = instances(opened((small_file if name == SMALL else HERE / name), tree), case)
    expected = np.array([float(value) for value in case["values"]])
    weights = np.array([float(value) for value in case["weights"]])
    np.testing.assert_allclose(ours.values, expected, rtol=ROUNDING)
    np.testing.assert_array_equal(ours.weights, weights)


@pytest.mark.parametrize("case", AGGREGATES, ids=spelling)
def test_aggregates_on_published_files_are_roots(case: dict, data_folder: Path, opened):
    name, _, tree = case["file"].rpartition(":")
    ours = instances(opened(data_folder / name, tree), case)
    known = ~np.isnan(ours.values) & ~np.isnan(ours.weights)
    values, weights = ours.values[known], ours.weights[known]
    assert len(values) == case["n"]
    assert (~known).sum() == case["nan"]
    assert math.fsum(weights) == pytest.approx(case["sum_weights"], rel=1e-13)
    assert math.fsum(values * weights) == pytest.approx(case["sum"], rel=1e-12, abs=1e-9)
    assert math.fsum(values * values * weights) == pytest.approx(case["sum2"], rel=1e-12)
    if len(values):
        assert values.min() == pytest.approx(case["min"], rel=1e-15, abs=1e-15)
        assert values.max() == pytest.approx(case["max"], rel=1e-15, abs=1e-15)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_an_installed_root_gives_what_was_recorded(small_file: Path):
    root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    root.gROOT.SetBatch(True)
    folders = {SMALL: small_file.parent, NESTED: HERE}
    for case in CASES:
        if folder := folders.get(case["file"].partition(":")[0]):
            answer = record_root.answer(root, folder, case)
            assert answer == {name: case[name] for name in answer}, case["expression"]
