"""`quarkline export --format numpy` against uproot and NumPy alone, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.runs import write_run
from quarkline.studies.search.numpy_set import event_number_column
from quarkline.tools.export import export
from quarkline.tools.run import RunOutcome, load_analysis, run

pytestmark = pytest.mark.xdist_group("search")

FILES = {"lq": "mc20a/p6266/545824", "ttH": "mc20a/p5855/346344", "VV": "mc20a/p5855/364253"}
CONFIG = """\
schema: 1
study: search
name: real
roots: {{runs: {runs}}}
files: {{folders: {ntuples}, trees: nominal}}
luminosity: {{value: 140068.94}}
weights: {{pileup: weight_pileup, generator: "weight_mc * xs / totalEventsWeighted"}}
samples:
  VV: {{files: {{names: mc20a/p5855/364253}}}}
  lq: {{role: signal, files: {{names: mc20a/p6266/545824}}}}
  ttH: {{files: {{names: mc20a/p5855/346344}}}}
  data: {{role: data, files: {{names: data/data15}}}}
regions:
  SR: {{variable: score, selection: "l2SS_1tau && lep_Pt_0 >= 30e3"}}
inputs:
  identity: [mcChannelNumber, eventNumber]
  group: [mcChannelNumber, genEventID]
train:
  region: SR
  classes: {{other: [ttH, VV], lq: [lq]}}
  signal: lq
  beyond: {{selection: "nJets_OR >= 1"}}
  features:
    use: [lep_ID_0, HT, tau_Pt_0]
    categorical: [lep_ID_0]
    objects: {{jets: {{features: [jets_pt], length: 6}}}}
    missing: [-99]
  folds: 2
compute: {{workers: 1}}
"""
ORDER = ["ttH", "VV", "lq"]
"""The samples as the classes of the config list them, which is not the catalog's order."""


def plain(ntuples: Path) -> dict[str, np.ndarray]:
    """The rows of the config by hand: tree after tree, without this package."""
    found: dict[str, list[np.ndarray]] = {}
    for sample in ORDER:
        tree = uproot.open(ntuples / f"{FILES[sample]}.root")["nominal"]
        table = tree.arrays(library="ak")
        selected = (table.l2SS_1tau != 0) & (table.lep_Pt_0 >= 30e3)
        kept = table[selected | (table.nJets_OR >= 1)]
        jets = ak.fill_none(ak.pad_none(kept.jets_pt, 6, clip=True), np.nan)
        tau = np.asarray(kept.tau_Pt_0, dtype=float)
        scale = kept.weight_pileup * kept.weight_mc * kept.xs / kept.totalEventsWeighted
        columns = {
            "HT": kept.HT,
            "tau_Pt_0": np.where(tau == -99, np.nan, tau),
            "lep_ID_0": kept.lep_ID_0,
            "w": 140068.94 * scale,
            "selected": selected[selected | (table.nJets_OR >= 1)],
            "event_numbers": kept.eventNumber,
            "y": np.full(len(kept), int(sample == "lq")),
        }
        columns |= {f"jets_pt_{slot}": jets[:, slot] for slot in range(6)}
        for name, values in columns.items():
            found.setdefault(name, []).append(np.asarray(values))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def test_the_arrays_are_those_of_a_recipe_in_uproot_and_numpy(
    data_folder: Path, tmp_path: Path
) -> None:
    ntuples = data_folder / "lq_ntuples"
    (tmp_path / "real.yaml").write_text(CONFIG.format(runs=tmp_path / "runs", ntuples=ntuples))
    outcome = run(load_analysis(tmp_path / "real.yaml"), until="features")
    done = export(str(outcome.run.folder), "numpy", tmp_path / "set")
    found = {
        path.stem: np.load(path, allow_pickle=False) for path in done.files if path.suffix == ".npy"
    }
    expected = plain(ntuples)
    assert found["y_names"].tolist() == ["other", "lq"]
    for name in ("y", "selected", "event_numbers"):
        np.testing.assert_array_equal(found[name], expected[name])
    assert 0 < found["selected"].sum() < len(found["y"])
    np.testing.assert_allclose(found["w"], expected["w"], rtol=1e-6)
    names = found["x_names_continuous"].tolist()
    assert sorted(names) == sorted({"HT", "tau_Pt_0", *(f"jets_pt_{slot}" for slot in range(6))})
    for column, name in enumerate(names):
        values = found["x_continuous"][:, column] * found["std"][column] + found["mean"][column]
        np.testing.assert_allclose(values, expected[name], rtol=1e-5, atol=1)  # MeV
    kinds = json.loads((tmp_path / "set" / "map_categorical.json").read_text())["lep_ID_0"]
    for code, value in zip(found["x_categorical"][:, 0], expected["lep_ID_0"], strict=True):
        assert kinds[str(code)] == f"lep_ID_0={int(value)}"


def test_a_run_without_features_and_one_of_another_study_are_refused(
    finished: RunOutcome, tmp_path: Path
) -> None:
    records = finished.run.records()
    early, other = tmp_path / "early" / "00001", tmp_path / "other" / "00001"
    stages = {"skim": records["skim"]}
    for folder, study in ((early, "search"), (other, "resonance")):
        folder.mkdir(parents=True)
        write_run(folder, study=study, identity="1", stages=stages, complete=False)
    for name, message in (("early", "no finished stage `features`"), ("other", "`resonance`")):
        with pytest.raises(InputError, match=message) as error:
            export(name, "numpy", tmp_path / "set", root=tmp_path)
        assert error.value.findings[0].code == "QL-EXPORT-004"
    assert not (tmp_path / "set").exists()


def test_an_unknown_format_gets_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="numpi") as error:
        export("leptoquark", "numpi", tmp_path)
    assert "`numpy`" in str(error.value.findings[0].suggestion)


def test_a_run_can_be_read_before_anybody_has_named_its_study(finished: RunOutcome) -> None:
    code = "import sys; from pathlib import Path; from quarkline.engine.workflow.runs import *\n"
    code += "print(*sorted(read_run(Path(sys.argv[1])).results()))"
    words = [sys.executable, "-c", code, str(finished.run.folder)]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert set(told.split()) == set(finished.run.results())


@pytest.mark.parametrize(
    ("identity", "column"),
    [
        (["mcChannelNumber", "eventNumber"], "eventNumber"),
        (["eventNumber", "runNumber"], "eventNumber"),
        (["run", "luminosityBlock", "event"], "event"),
    ],
    ids=["lq", "turned", "cms"],
)
def test_the_event_number_is_the_column_of_that_name_or_the_last(
    identity: list[str], column: str
) -> None:
    assert event_number_column(identity) == column
