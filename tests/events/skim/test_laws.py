"""The content of a skim does not depend on how the work is cut up, or on the order of files."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import awkward as ak
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarkline.events.skim import loop, survey
from quarkline.events.sources import open_source
from quarkline.tools.skim import skim
from tests.events.skim.farm import Here, config_of, contents

KEYS = {"select": ["jets_pt > 40", "weight > 0"], "weight": "weight", "merge": "sample"}


def run(ntuples: Path, folder: Path, **keys: object) -> tuple[ak.Array, object]:
    """The events of a merged skim, and what was found."""
    outcome = skim(config_of(ntuples, folder, **KEYS | keys), executor=Here())
    with open_source(folder / "skim.root") as source:
        return source.read(list(source.schema.columns)), outcome.result.samples["skim"]


@pytest.fixture(scope="module")
def whole(ntuples, tmp_path_factory):
    """The skim in one range a file and one piece a range."""
    return run(ntuples, tmp_path_factory.mktemp("whole") / "out")


def test_a_range_of_a_few_pieces_is_as_a_whole_one(ntuples, whole, equal, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "STEP_ROWS", 37)
    monkeypatch.setattr(survey, "FEWEST_ROWS", 90)
    events, found = run(ntuples, tmp_path / "out", task_size=8000)
    assert equal(events, whole[0])
    counts = [[step.events for step in f.trees["nominal"].flow.steps] for f in (found, whole[1])]
    assert counts[0] == counts[1]


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(task_size=st.integers(500, 60_000), step=st.integers(1, 500), fewest=st.integers(1, 300))
def test_ranges_and_pieces_change_nothing(ntuples, whole, equal, task_size, step, fewest):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(loop, "STEP_ROWS", step)
        patch.setattr(survey, "FEWEST_ROWS", fewest)
        events, found = run(ntuples, Path(folder) / "out", task_size=task_size)
    assert equal(events, whole[0])
    flow, expected = (item.trees["nominal"].flow for item in (found, whole[1]))
    assert [step.events for step in flow.steps] == [step.events for step in expected.steps]
    assert math.isclose(flow.steps[-1].sum_weights, expected.steps[-1].sum_weights, rel_tol=1e-12)


@pytest.mark.parametrize("merge", ["none", "sample"])
def test_the_order_of_files_is_that_of_merged_events_and_nothing_else(ntuples, tmp_path, merge):
    files = sorted(map(str, ntuples.rglob("*.root")))
    for name, given_files in (("one", files), ("two", files[::-1])):
        config = config_of(
            ntuples, tmp_path / name, **KEYS | {"merge": merge, "files": given_files}
        )
        skim(config, executor=Here())
    first, second = (contents(tmp_path / name) for name in ("one", "two"))
    same = {name for name in first if first[name] == second[name]}
    events = {name for name in first if name.endswith(".root")}
    assert same & events == (events if merge == "none" else set())


def test_several_ranges_of_a_large_file_end_where_its_baskets_end(ntuples, tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "FEWEST_ROWS", 10)
    here = Here()
    path = ntuples / "mc20a" / "3.root"  # written 100 entries at a time
    config = config_of(ntuples, tmp_path / "out", files=str(path), task_size=8000)
    skim(config, executor=here)
    ranges = [name.partition("[")[2].rstrip(")") for name in here.worked if "[" in name]
    assert len(ranges) > 2
    assert {int(end) for text in ranges for end in text.split(", ")} <= {0, 100, 200, 300, 400, 411}
