"""TRExFitter's own examples end to end, compared with what TRExFitter itself has written."""

from __future__ import annotations

import pytest

from quarkline.trexfitter.compare import compare_folders
from quarkline.trexfitter.outputs.fits import read_fit

DIGITS = 5e-6
"""TRExFitter adds up floats of single precision: the sixth digit may differ by one."""


def files(comparison):
    return {file.name: file for file in comparison.files}


def test_fit_example_ntuple(official, reference, run, drawn):
    done = run("nwfdpi", official / "configs" / "FitExampleNtuple.config")
    found = files(compare_folders(reference / "FitExampleNtuple", done.folder))
    pruning = found["PruningText.txt"]
    assert pruning.alike == pruning.entries == 48
    _printed_digits(found["Tables/Yields.txt"])
    for region in ("ljets_5j3b_HT", "ljets_6j4b_BDT"):
        assert found[f"Tables/{region}_syst.txt"].largest_shift < 3e-5
    fitted = found["Fits/FitExampleNtuple.txt"]
    assert len(fitted.numbers) == 21  # with the likelihood
    assert fitted.largest_shift < 0.01
    assert fitted.largest_error_change < 0.01
    after = found["Tables/Yields_postFit.txt"]
    # errors of parameters are missing in the reference: its tables of systematics are empty there
    assert max(abs(row.shift) for row in after.numbers if row.their_error) < 0.01
    impacts = found["Fits/GroupedImpact.txt"]
    assert {row.name for row in impacts.numbers} == {
        "FullSyst", "Gammas", "Instrumental", "NormFactors", "Theory"
    }  # fmt: skip
    assert impacts.largest_shift < 0.005
    poi = read_fit(done.folder / "Fits" / "FitExampleNtuple.txt").by_name["mu_XS_ttH"]
    assert (poi.value, poi.up, poi.down) == pytest.approx((0.610568, 0.461898, 0.475113), rel=2e-3)


def test_fit_example(official, reference, run, drawn):
    done = run("hwfdpr", official / "configs" / "FitExample.config")
    found = files(compare_folders(reference / "FitExample", done.folder))
    assert found["PruningText.txt"].words == ()
    _printed_digits(found["Tables/Yields.txt"])
    for region in ("SR_1", "SR_2", "VR"):
        assert found[f"Tables/{region}_syst.txt"].largest_shift < 2e-6
    fitted = found["Fits/FitExample.txt"]
    assert len(fitted.numbers) == 13
    assert fitted.largest_shift < 1e-3
    assert fitted.largest_error_change < 0.01
    ranking = found["Fits/NPRanking_SigXsecOverSM.txt"]
    assert len(ranking.numbers) == 44
    assert ranking.largest_shift < 0.005
    assert "ranking: `SigXsecOverSM` ended at its bound" in done.headline
    after = {row.name: row for row in found["Tables/Yields_postFit.txt"].numbers}
    assert abs(after["Total, Signal Region 1"].shift) < 1e-3


def test_fit_example_of_statistics_alone(official, reference, run, drawn):
    done = run("hwfdp", official / "configs" / "FitExampleStatOnly.config")
    run("f", official / "configs" / "FitExampleStatOnly.config", "StatOnlyFit=TRUE")
    found = files(compare_folders(reference / "FitExampleStatOnly", done.folder))
    assert len(found) == 2
    for file in found.values():
        poi, likelihood = file.numbers
        assert likelihood.ours == pytest.approx(likelihood.theirs, rel=1e-3)
        assert abs(poi.shift) < 0.01
        assert abs(poi.error_change) < 0.01
    line = read_fit(done.folder / "Fits" / "FitExampleStatOnly.txt").by_name["SigXsecOverSM"]
    assert line.down == pytest.approx(0, abs=1e-6)


def _printed_digits(file):
    assert file.only == ()
    for row in file.numbers:
        assert row.ours == pytest.approx(row.theirs, rel=DIGITS), row.name
        if row.their_error is not None:
            assert row.our_error == pytest.approx(row.their_error, rel=DIGITS), row.name
    assert file.alike >= file.entries - 1
