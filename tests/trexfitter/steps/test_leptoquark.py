"""The leptoquark analysis' own config, unchanged, on its ntuples."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quarkline.trexfitter.outputs.fits import read_fit
from quarkline.trexfitter.outputs.tables import read_yields


@pytest.fixture
def configs(data_folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(data_folder / "lq" / "trex-fitter", tmp_path / "trex-fitter")
    return tmp_path / "trex-fitter" / "configs"


@pytest.mark.slow
def test_pre_fit_config_runs_as_it_is(configs, data_folder, run, drawn):
    replace = {"XXX_NtuplePaths": str(data_folder / "lq_ntuples")}
    done = run("nwdfp", configs / "pre-fit.config", replace=replace)
    assert done.headline == "mu_lq = 1, fixed; `--free mu_lq` fits it"
    assert [one.code for one in done.findings].count("QL-TREX-068") == 1
    table = read_yields(done.folder / "Tables" / "Yields.txt")
    rows = {row.title: (row.values[0], row.errors and row.errors[0]) for row in table.rows}
    expected = {  # from the description of the ntuples
        "t#bar{t}H": (117.6, 6.8),
        "t#bar{t}": (824.5, 69.2),
        "Diboson": (933.0, 70.7),
        "lq": (132.4, 4.2),
    }
    for title, pair in expected.items():
        assert rows[title] == pytest.approx(pair, rel=0.01), title
    assert rows["Data"][0] == 2152
    assert {"lep-pt-0", "lep-pt-0_postFit", "Summary", "SignalRegions"} <= {
        stem.name for stem in drawn
    }
    freed = run("f", configs / "pre-fit.config", replace=replace, free=["mu_lq"])
    poi = read_fit(freed.folder / "Fits" / "pre-fit.txt").by_name["mu_lq"]
    assert poi.value == pytest.approx(1.0, abs=1e-4)  # Asimov data, as the config wants
    assert freed.headline.endswith(" with Asimov data")
    assert 0.05 < poi.down < poi.up < 0.2
