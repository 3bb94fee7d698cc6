"""Skims by ROOT's own `TTree::CopyTree` on real files: the same events, values and sums."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import pytest
import uproot

from quarkline.events.sources import open_source
from quarkline.events.table import TableMetadata
from quarkline.tools.skim import skim
from tests.events.skim.farm import Here, config_of

LQ = "lq_ntuples/mc20a/p6266/545824.root"
TTBAR = "lq_ntuples/mc20d/p5855/410470.root"
REGION = (
    "l2SS_1tau && lep_Pt_0 >= 10e3 && lep_Pt_1 >= 10e3 && fabs(lep_Eta_0) <= 2.5 && "
    "fabs(lep_Eta_1) <= 2.5 && fabs(Mll01 - 91.2e3) > 10e3"
)
WEIGHT = "weight_pileup*weight_mc*xs/totalEventsWeighted"
CASES = [
    (LQ, "nominal", REGION, WEIGHT),
    (TTBAR, "nominal", REGION, WEIGHT),
    (TTBAR, "nominal", "jets_pt > 100e3 && abs(jets_eta) < 1", WEIGHT),
    (TTBAR, "nominal", "jets_pt[1] > 50e3 || met_met > 200e3", WEIGHT),
    ("root_samples/uproot-HZZ.root", "events", "Muon_Px > 10 && NJet >= 2", "EventWeight"),
    ("root_samples/uproot-Zmumu.root", "events", "pt1 > 40 && M > 80", "1"),
    ("root_samples/nanoAOD_2015_CMS_Open_Data_ttbar.root", "Events", "Jet_pt > 60", "genWeight"),
    ("root_samples/uproot-issue60.root", "", "1 == 1", "1"),
]


@pytest.fixture(scope="module")
def root() -> Any:
    return pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)


def copied(root: Any, path: Path, tree: str, cut: str, output: Path) -> int:
    """Write ROOT's own skim; the number of its entries."""
    file = root.TFile.Open(str(path))
    made = root.TFile.Open(str(output), "RECREATE")
    small = file.Get(tree).CopyTree(cut)
    entries = int(small.GetEntries())
    small.Write()
    made.Close()
    file.Close()
    return entries


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "tree", "cut", "weight"), CASES)
def test_a_skim_is_that_of_root(root, data_folder, tmp_path, name, tree, cut, weight):
    path = data_folder / name
    tree = tree or next(key.split(";")[0] for key in uproot.open(path).keys())  # noqa: SIM118
    config = config_of(
        path.parent, tmp_path / "out", files=str(path), tree=tree, select=cut, weight=weight
    )
    outcome = skim(config, executor=Here())
    (file,) = outcome.result.outputs
    theirs = tmp_path / "root.root"
    assert file.entries[tree] == copied(root, path, tree, cut, theirs)
    ours = tmp_path / "out" / file.file
    expected, found = uproot.open(theirs)[tree], uproot.open(ours)[tree]
    assert set(expected.keys()) <= set(found.keys())
    for branch in expected.keys():  # noqa: SIM118
        left, right = expected[branch].array(), found[branch].array()
        assert ak.array_equal(left, right, equal_nan=True, dtype_exact=False), branch
    check_sums(root, path, ours, tree, cut, weight)


def check_sums(root: Any, path: Path, ours: Path, tree: str, cut: str, weight: str) -> None:
    """The sums of weights before and after the cut, as ROOT draws them from both files."""
    with open_source(ours, tree=tree) as source:
        told = TableMetadata.from_json(source.schema.metadata["quarkline"])
    before, after = drawn(root, path, tree, weight), drawn(root, ours, tree, weight)
    assert told.sum_of_weights == pytest.approx(before, rel=1e-9)
    assert told.cut_flow.steps[-1].sum_weights == pytest.approx(after, rel=1e-9)


def drawn(root: Any, path: Path, tree: str, weight: str) -> float:
    """Sum of a weight over all events, by `TTree::Draw`."""
    file = root.TFile.Open(str(path))
    found = file.Get(tree)
    found.SetEstimate(found.GetEntries() + 1)
    entries = found.Draw(weight, "", "goff")
    total = sum(found.GetV1()[row] for row in range(entries))
    file.Close()
    return total


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_root_reads_every_tree_of_a_skim_and_loops_over_its_lists(root, data_folder, tmp_path):
    folder = data_folder / "lq_ntuples" / "mc20a" / "p6266"
    keys = {"select": REGION, "merge": "sample", "files": f"{folder}/*.root"}
    skim(config_of(folder, tmp_path / "out", **keys), executor=Here())
    chain = root.TChain("nominal")
    for path in sorted(folder.glob("*.root")):
        chain.Add(str(path))
    frame = root.RDataFrame(chain).Filter(REGION)
    ours = root.RDataFrame("nominal", str(tmp_path / "out" / "skim.root"))
    assert ours.Count().GetValue() == frame.Count().GetValue() > 0
    for column in ("lep_Pt_0", "HT", "weight_mc"):
        assert ours.Sum(column).GetValue() == pytest.approx(frame.Sum(column).GetValue(), rel=1e-12)
    njets = "njets_high"
    counted = "Sum(jets_pt > 50e3)"
    pair = [f.Define(njets, counted).Sum(njets).GetValue() for f in (ours, frame)]
    assert pair[0] == pair[1] > 0
