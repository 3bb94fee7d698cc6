"""Files that cannot be used: counted, listed with the reason, and allowed only by number."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.tools.skim import skim
from tests.events.skim.farm import Here, config_of, write_ntuple

NO_BRANCHES = Path(__file__).parent / "no_branches.root"
"""Made by ROOT: `TTree nominal("nominal", "never filled")` with `SetEntries(5)`."""


@pytest.fixture
def farm(tmp_path):
    """Two good files, and four of the kinds that a farm leaves behind."""
    folder = tmp_path / "in"
    good = write_ntuple(folder / "good.root", 50, 1)
    write_ntuple(folder / "second.root", 20, 2)
    (folder / "cut.root").write_bytes(good.read_bytes()[:3000])
    with uproot.recreate(folder / "histograms.root") as file:
        file["h"] = np.histogram(np.zeros(3))
    with uproot.recreate(folder / "other.root") as file:
        file["nominal"] = {"weight": np.zeros(3)}
    damaged = bytearray(good.read_bytes())
    with uproot.open(good) as file:
        branch = file["nominal"]["flag"]
        start, size = branch.basket_key(0).data_cursor.index, branch.basket(0).compressed_bytes
    damaged[start + 9 : start + size] = bytes(size - 9)
    (folder / "damaged.root").write_bytes(damaged)
    return folder


KEYS = {"select": "flag == 1", "weight": "weight"}
REASONS = {
    "cut.root": "the file ends after 3000 of",
    "histograms.root": "there is no tree `nominal`",
    "other.root": "tree `nominal` has no column `flag`",
    "damaged.root": "`flag` cannot be read",
}


def test_what_is_good_is_kept_and_the_rest_listed(farm, tmp_path, here):
    outcome = skim(config_of(farm, tmp_path / "out", **KEYS), executor=here)
    assert set(outcome.made) == {"good", "second"}
    assert set(outcome.bad) == set(REASONS)
    for name, reason in REASONS.items():
        assert outcome.bad[name].startswith(reason)
        assert str(tmp_path) not in outcome.bad[name]
    assert len(outcome.failures) == 4
    assert not (tmp_path / "out" / "skim.json").exists()
    again = Here()
    repeated = skim(config_of(farm, tmp_path / "out", **KEYS), executor=again)
    assert set(repeated.bad) == set(REASONS)
    assert [name.split()[1] for name in again.worked] == ["damaged.root"]  # tried, and only that


@pytest.mark.parametrize("merge", ["none", "all"])
def test_as_many_as_are_allowed_are_left_out_and_recorded(farm, tmp_path, merge):
    keys = KEYS | {"max_bad_files": 4, "merge": merge}
    outcome = skim(config_of(farm, tmp_path / "out", **keys), executor=Here())
    assert outcome.failures == ()
    sample = outcome.result.samples["skim"]
    assert (sample.files, set(sample.bad)) == (2, set(REASONS))
    assert sample.trees["nominal"].flow.events == 70
    told = json.loads((tmp_path / "out" / "skim.json").read_text())["results"]["skim"]
    assert set(told["samples"]["skim"]["bad"]) == set(REASONS)
    here = Here()
    assert skim(config_of(farm, tmp_path / "out", **keys), executor=here).result == outcome.result
    assert here.worked == []


def test_one_fewer_is_allowed(farm, tmp_path, here):
    out = tmp_path / "out"
    assert skim(config_of(farm, out, max_bad_files=4, **KEYS), executor=here).failures == ()
    outcome = skim(config_of(farm, out, max_bad_files=3, **KEYS), executor=here)
    assert set(outcome.bad) == set(REASONS)
    assert len(outcome.failures) == 4


def test_merged_outputs_are_not_written_without_files_that_are_not_allowed(farm, tmp_path, here):
    outcome = skim(config_of(farm, tmp_path / "out", merge="all", **KEYS), executor=here)
    assert outcome.made == {}
    assert not list((tmp_path / "out").glob("*.root"))


def test_a_file_that_was_mended_joins(farm, tmp_path, here):
    keys = KEYS | {"max_bad_files": 4, "merge": "all"}
    skim(config_of(farm, tmp_path / "out", **keys), executor=here)
    write_ntuple(farm / "cut.root", 7, 5)
    outcome = skim(config_of(farm, tmp_path / "out", **keys), executor=here)
    assert outcome.made == {"skim": "1 of 6 inputs are new or have changed"}
    assert outcome.result.samples["skim"].trees["nominal"].flow.events == 77


def test_what_every_file_lacks_is_a_mistake_in_the_config(farm, tmp_path, here):
    with pytest.raises(InputError, match="has no column `flags`") as error:
        skim(config_of(farm, tmp_path / "out", select="flags == 1"), executor=here)
    assert str(error.value.findings[0].place).endswith("damaged.root  cut `flags == 1`")
    assert not (tmp_path / "out").exists()


def test_a_branch_kept_by_name_that_one_file_lacks(tmp_path, here):
    write_ntuple(tmp_path / "in" / "a.root", 10, 1)
    with uproot.recreate(tmp_path / "in" / "b.root") as file:
        file["nominal"] = {"weight": np.zeros(3)}
    config = config_of(tmp_path / "in", tmp_path / "out", keep=["weight", "flag"])
    outcome = skim(config, executor=here)
    assert outcome.bad == {"b.root": "tree `nominal` has no branch `flag`"}


def test_a_file_that_changes_after_the_plan_is_not_used(farm, tmp_path):
    class Changes(Here):
        def map(self, task, items, *, retries=0):
            with (farm / "good.root").open("ab") as file:
                file.write(b"more")
            return super().map(task, items, retries=retries)

    keys = {"files": f"{farm}/[gs]*.root"} | KEYS
    outcome = skim(config_of(farm, tmp_path / "out", **keys), executor=Changes())
    assert list(outcome.bad) == ["good.root"]
    assert "bytes instead of" in outcome.bad["good.root"]


@pytest.mark.parametrize("select", [[], ["weight > 0"]])
def test_a_tree_without_branches(tmp_path, here, select):
    write_ntuple(tmp_path / "in" / "a.root", 10, 1)
    shutil.copy(NO_BRANCHES, tmp_path / "in" / "b.root")
    outcome = skim(config_of(tmp_path / "in", tmp_path / "out", select=select), executor=here)
    assert outcome.bad == {"b.root": "tree `nominal` has no branches"}
