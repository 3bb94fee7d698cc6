"""Jobs combined and compared."""

from __future__ import annotations

from pathlib import Path

import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.trexfitter.outputs.fits import read_fit
from quarkline.trexfitter.outputs.rankings import read_ranking

SIGNAL = "SigXsecOverSM"
MULTI = """\
MultiFit: "both"
  Label: "both"
  Combine: TRUE
  Compare: TRUE
  ComparePulls: TRUE
  ComparePOI: TRUE
  CompareLimits: {limits}
  PlotCombCorrMatrix: TRUE
  POIName: "SigXsecOverSM"
  POITitle: "#mu"
  LumiLabel: "300 fb^{{-1}}"
  CmeLabel: "13 TeV"
  CombiLabel: "Combined"
  OutputDir: "out/both"

Fit: "first"
  ConfigFile: configs/first.config
  Label: "First"
  Directory: out/first

Fit: "second"
  ConfigFile: configs/second.config
  Label: "Second"
  Directory: out/second
"""


def part(text: str, name: str, *, without: str) -> str:
    """FitExample with another name, and without one of its regions."""
    blocks = text.replace('Job: "FitExample"', f'Job: "{name}"\n  OutputDir: "out"').split("\n\n")
    kept = [block for block in text_blocks(blocks) if f'Region: "{without}"' not in block]
    joined = "\n\n".join(kept).replace("Min: ", "Min: ")
    return joined.replace(
        "Regions: SR_1,VR", "Regions: VR" if without == "SR_1" else "Regions: SR_1"
    )


def text_blocks(blocks: list[str]) -> list[str]:
    """Blocks, where the source has a blank of spaces between two of them."""
    return [part for block in blocks for part in block.split("\n  \n")]


@pytest.fixture
def jobs(official: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two jobs with one region each, which are the regions of FitExample."""
    text = (official / "configs" / "FitExample.config").read_text()
    for name, without in (("first", "SR_2"), ("second", "SR_1")):
        (official / "configs" / f"{name}.config").write_text(part(text, name, without=without))
    (official / "configs" / "both.config").write_text(MULTI.format(limits="FALSE"))
    (official / "configs" / "limits.config").write_text(MULTI.format(limits="TRUE"))
    monkeypatch.chdir(official)
    return official / "configs"


def test_a_combination_is_the_fit_of_all_regions_at_once(jobs, run, drawn):
    for name in ("first", "second"):
        run("hf", jobs / f"{name}.config")
    whole = run("hfr", jobs / "FitExample.config")
    both = run("mwfr", jobs / "both.config")
    expected = read_fit(whole.folder / "Fits" / "FitExample.txt").by_name
    found = read_fit(both.folder / "Fits" / "both.txt").by_name
    assert found.keys() == expected.keys()
    for name, line in expected.items():
        assert found[name].value == pytest.approx(line.value, abs=2e-4 * line.error), name
        assert found[name].error == pytest.approx(line.error, rel=2e-3), name
    ranked = {
        line.name: line for line in read_ranking(whole.folder / "Fits" / f"NPRanking_{SIGNAL}.txt")
    }
    for line in read_ranking(both.folder / "Fits" / f"NPRanking_{SIGNAL}.txt"):
        assert line.shifts == pytest.approx(ranked[line.name].shifts, abs=2e-3)
    names = {stem.name for stem in drawn}
    assert {"NuisPar_comp", "NormFactors_comp", f"POI_{SIGNAL}", "CorrMatrix_comb"} <= names
    assert (both.folder / "ws_combined.json").is_file()


def test_limits_are_compared_and_combined(jobs, run, drawn):
    for name in ("first", "second"):
        run("hfl", jobs / f"{name}.config")
    both = run("mfl", jobs / "limits.config")
    path = both.folder / "Limits" / "asymptotics" / "myLimit_CL95.root"
    with uproot.open(path) as file:
        combined = file["stats"]["exp_upperlimit"].array()[0]
    alone = []
    for name in ("first", "second"):
        limit = jobs.parent / "out" / name / "Limits" / "asymptotics" / "myLimit_CL95.root"
        with uproot.open(limit) as file:
            alone.append(file["stats"]["exp_upperlimit"].array()[0])
    assert combined < min(alone)
    assert "Limits" in {stem.name for stem in drawn}
    text = (jobs / "limits.config").read_text()
    (jobs / "asimov.config").write_text(
        text.replace("LumiLabel", 'DataName: "asimovData"\n  LumiLabel')
    )
    blind = run("l", jobs / "asimov.config")
    assert " observed" not in blind.headline
    assert (both.folder / "Limits" / "asymptotics" / "myLimit_BLIND_CL95.root").is_file()


def test_jobs_that_were_not_run_are_told(jobs, run, drawn):
    with pytest.raises(InputError, match="run action `h` first"):
        run("mwf", jobs / "both.config")


def test_regions_in_two_jobs_are_refused(jobs, run, drawn):
    text = (jobs / "second.config").read_text()
    (jobs / "second.config").write_text(text.replace('Region: "SR_2"', 'Region: "SR_1"'))
    for name in ("first", "second"):
        run("h", jobs / f"{name}.config")
    with pytest.raises(InputError, match="channel `SR_1` is in first and second"):
        run("mwf", jobs / "both.config")
