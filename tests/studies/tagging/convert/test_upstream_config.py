"""The trainer's own configs are read, with a word on what they mean; slips are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.tools.convert_ntuples import load_conversion

CONFIG = """
input_files:
  - input_file: data/sig_*.root
    data_type: sig
    output_dir: signal
    llp_mH: 600
    llp_mS: 275
  - input_file: data/bib.root
    data_type: bib
output_path: tables
min_jet_pt: 30
llp_mH: 125
signal_branches: [jet_pT, my_branch]
rename_branches: {jet_pT: jet_pt, cluster_jetIndex: clus_jetIndex, clus_pt: energy}
"""


def read(tmp_path: Path, text: str, **keys: object):
    path = tmp_path / "convert.yaml"
    path.write_text(text)
    return load_conversion(path, keys=keys)


def test_its_keys_mean_ours(tmp_path: Path) -> None:
    config, words = read(tmp_path, CONFIG, max_jet_pt=400.0)
    signal, bib = config.ntuples
    assert (signal.files, signal.kind) == ([tmp_path / "data/sig_*.root"], "sig")
    assert (signal.folder, signal.masses) == ("signal", (600, 275))
    assert (bib.kind, bib.folder, bib.masses) == ("bib", "", (125, 0))
    assert config.output == tmp_path / "tables"
    assert (config.min_jet_pt, config.max_jet_pt) == (30, 400)
    told = "\n".join(word.message for word in words)
    assert "`input_files` is `ntuples` here" in told
    assert "not read: `my_branch`" in told
    assert "read all the same: `jet_eta`" in told
    assert "not done: `clus_pt: energy`" in told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("llp_mS: 275", "mS: 275", "`mS`"),
        ("data_type: bib", "data_typ: bib", "`data_type`"),
        ("data_type: bib", "data_type: BIB", "BIB"),
        ("min_jet_pt: 30", "min_jet_pT: 30", "`min_jet_pt`"),
    ],
)
def test_slips_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, CONFIG.replace(old, new))


OURS = """
schema: 1
ntuples:
  - files: data/*.root
    kind: qcd
output: tables
"""


def test_our_own_config(tmp_path: Path) -> None:
    config, words = read(tmp_path, OURS)
    assert words == ()
    assert config.ntuples[0].files == [tmp_path / "data/*.root"]
    with pytest.raises(InputError, match="did you mean `ntuples`"):
        read(tmp_path, OURS.replace("ntuples", "ntuple"))
    with pytest.raises(InputError, match="not below the folder"):
        read(tmp_path, OURS.replace("kind: qcd", "folder: ../x"))
    with pytest.raises(InputError, match="no jet is between"):
        read(tmp_path, OURS + "min_jet_pt: 600\n")


def test_files_of_the_command_replace_those_of_the_config(tmp_path: Path) -> None:
    config, _ = read(tmp_path, CONFIG, ntuples=[{"files": ["x.root"], "kind": "qcd"}])
    assert [item.kind for item in config.ntuples] == ["qcd"]
    assert config.min_jet_pt == 30
