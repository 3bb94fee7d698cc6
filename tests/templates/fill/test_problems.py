"""What is refused or told, and what is left out."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.templates.fill import Allowed, HistRequest, fill
from tests.templates.fill.conftest import SMALL, events

SIGNAL = HistRequest("signal", "SR")
VARIED = HistRequest("signal", "SR", "tree:up")


def test_missing_files_are_refused_unless_they_are_allowed(small, folder):
    (folder / "b.root").unlink()
    with pytest.raises(InputError, match=r"1 files are not there: .*b\.root"):
        fill([SIGNAL], small)
    filled = fill([SIGNAL], small, allowed=Allowed(missing=1))
    assert [path.name for path in filled.missing] == ["b.root"]
    assert filled.histograms[SIGNAL].entries > 0


def test_a_sample_without_files_is_empty(small, folder):
    for name in "ab":
        (folder / f"{name}.root").unlink()
    filled = fill([SIGNAL, VARIED], small, allowed=Allowed(missing=None))
    assert filled.histograms[SIGNAL].integral == 0
    assert filled.histograms[VARIED].integral == 0
    assert len(filled.missing) == 2


def test_bad_files_are_refused_unless_they_are_allowed(small, folder):
    whole = (folder / "b.root").read_bytes()
    (folder / "b.root").write_bytes(whole[:-1000])
    with pytest.raises(InputError, match=r"1 files cannot be read: .*b\.root: the file ends after"):
        fill([SIGNAL], small)
    filled = fill([SIGNAL], small, allowed=Allowed(bad=1))
    assert [path.name for path in filled.bad] == ["b.root"]


def test_a_file_without_its_friend_cannot_be_read(load):
    text = SMALL.replace("trees: nominal}", "trees: nominal, friends: scores}")
    alone = load(text.replace("names: [a, b]}", "names: [a, b]}, use_friends: true"))
    with pytest.raises(InputError, match=r"ntuples/a\.root: its friend .*scores/a\.root is not"):
        fill([SIGNAL], alone)


def test_a_variation_of_fewer_files_takes_the_nominal_histogram(load, folder):
    other = load(SMALL.replace("{files: {trees: shifted}}", "{files: {folders: shifted}}"))
    shutil.copytree(folder, folder.parent / "shifted")
    (folder.parent / "shifted" / "b.root").unlink()
    filled = fill([SIGNAL, VARIED], other, allowed=Allowed(missing=1))
    assert filled.histograms[VARIED] is filled.histograms[SIGNAL]
    (finding,) = filled.findings
    assert (finding.code, finding.message) == (
        "QL-FILL-002",
        "sample `signal` in region `SR`, tree:up has not all files",
    )


def test_an_expression_that_does_not_fit_names_what_is_there(load):
    wrong = load(SMALL.replace("variable: n,", "variable: nn,"))
    with pytest.raises(InputError, match="no column `nn`"):
        fill([HistRequest("data", "count")], wrong)


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("variable: n,", 'variable: "n|pt",', r"region `count` draws two variables: `n\|pt`"),
        ("variable: n, ", "", "region `count` has no variable"),
        ("binning: {kind: uniform, bins: 4, low: 0, high: 4}, ", "", "`count` has no bins"),
    ],
)
def test_regions_that_cannot_be_filled(load, was, becomes, message):
    wrong = load(SMALL.replace(was, becomes, 1))
    with pytest.raises(InputError, match=message):
        fill([HistRequest("data", "count")], wrong)


def test_weights_that_are_no_numbers_are_counted(small, folder):
    table = events(500, 0)
    table["weight_pu"][[0, 1, 40]] = [np.nan, np.inf, -np.inf]
    passed = (table["quality"] != 0) & (table["n"] > 1)
    number = int(passed[[0, 1, 40]].sum())
    assert number
    with uproot.recreate(folder / "a.root") as file:
        file["nominal"] = table
    with pytest.raises(WorkError, match=rf"a\.root: the weight of {number} events that pass"):
        fill([SIGNAL], small)


def test_a_weight_counts_only_where_the_event_does(load, folder):
    table = events(400, 3)
    table["weight_mc"][table["n"] <= 1] = np.nan
    with uproot.recreate(folder / "b.root") as file:
        file["nominal"] = table
    some = load()
    found = fill([HistRequest("ghost", "SR")], some).histograms[HistRequest("ghost", "SR")]
    assert np.isfinite(found.sums).all()
    assert found.entries == ((table["quality"] != 0) & (table["n"] > 1)).sum()


def test_variables_that_are_no_numbers_go_nowhere(small, folder):
    table = events(400, 3)
    table["pt"][:50] = np.nan
    with uproot.recreate(folder / "data.root") as file:
        file["nominal"] = table
    request = HistRequest("data", "SR")
    filled = fill([request], small)
    passed = (table["quality"] != 0) & (table["n"] > 1)
    assert filled.histograms[request].sums.sum() == passed[50:].sum()
    (finding,) = filled.findings
    assert finding.code == "QL-FILL-004"
    assert finding.evidence == {"entries": passed[:50].sum()}


def test_blinded_data_are_not_read(load, folder):
    blind = load(SMALL.replace("role: control\n", "role: control\n    blind: true\n"))
    (folder / "data.root").write_bytes(b"nobody may look")
    hidden = HistRequest("data", "CR")
    filled = fill([hidden, SIGNAL], blind)
    assert filled.hidden == (hidden,)
    assert list(filled.histograms) == [SIGNAL]
    with pytest.raises(InputError, match="cannot be read"):
        fill([hidden], blind, unblind=True)


def test_an_empty_tree_is_told(small, folder):
    with uproot.recreate(folder / "data.root") as file:
        file["nominal"] = {name: array[:0] for name, array in events(5, 1).items()}
    filled = fill([HistRequest("data", "SR")], small)
    assert [finding.code for finding in filled.findings] == ["QL-FILL-007"]
    assert filled.histograms[HistRequest("data", "SR")].entries == 0
