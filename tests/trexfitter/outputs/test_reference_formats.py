"""TRExFitter's own files, read and written again, are the same bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.trexfitter.outputs import fits, pruning, rankings, tables

FITS = (
    "FitExample/Fits/FitExample.txt",
    "FitExampleNtuple/Fits/FitExampleNtuple.txt",
    "FitExampleStatOnly/Fits/FitExampleStatOnly.txt",
    "FitExampleStatOnly/Fits/FitExampleStatOnly_statOnly.txt",
)
PRUNING = ("FitExample/PruningText.txt", "FitExampleNtuple/PruningText.txt")


@pytest.fixture
def reference(data_folder: Path) -> Path:
    return data_folder / "trexfitter_configs" / "official_tests" / "reference"


@pytest.mark.parametrize("name", FITS)
def test_fits_are_read_and_written(reference, name):
    read = fits.read_fit(reference / name)
    assert str(read) == (reference / name).read_text()
    assert np.allclose(read.correlation, read.correlation.T, atol=2e-6)
    assert np.allclose(np.diag(read.correlation), 1)


def test_the_matrix_is_read_the_right_way_round(reference):
    read = fits.read_fit(reference / FITS[1])
    names = [line.name for line in read.lines]
    jvt, pileup = names.index("ATLAS_JVT"), names.index("ATLAS_PRW_DATASF")
    assert read.correlation[jvt, pileup] == -0.0016701
    mu, ttb = names.index("mu_XS_ttH"), names.index("tt_norm")
    assert read.correlation[mu, ttb] == -0.710066 == read.correlation[ttb, mu]


def test_rankings_are_read_and_written(reference):
    path = reference / "FitExample" / "Fits" / "NPRanking_SigXsecOverSM.txt"
    lines = rankings.read_ranking(path)
    assert rankings.written(lines) == path.read_text()
    assert lines[0].shifts == (2.16181e-09, 2.33678e-07, 8.46806e-10, 0.798478)


def test_impacts_are_read_and_written(reference):
    path = reference / "FitExampleNtuple" / "Fits" / "GroupedImpact.txt"
    lines = rankings.read_impacts(path)
    assert {line.name: line.error for line in lines}["FullSyst"] == 0.405563
    assert rankings.written(lines) == path.read_text()


@pytest.mark.parametrize("name", PRUNING)
def test_pruning_is_read_and_written(reference, name):
    found = pruning.read_pruning(reference / name)
    assert pruning.pruning_text(found) == (reference / name).read_text()


def test_tables_are_read_and_written(reference):
    files = sorted(reference.glob("*/Tables/*.txt"))
    assert len(files) == 14
    for path in files:
        read = tables.read_effects if "_syst" in path.name else tables.read_yields
        assert str(read(path)) == path.read_text(), path


def test_yields_hold_the_numbers(reference):
    table = tables.read_yields(reference / "FitExample" / "Tables" / "Yields.txt")
    assert table.regions == ("Signal Region 1", "Signal Region 2", "Validation region")
    total = table.rows[2]
    assert (total.title, total.values[2], total.errors[2]) == ("Total", 825.52, 91.0585)
    assert table.rows[3].errors is None


BROKEN = {
    "no matrix": ("NUISANCE_PARAMETERS\nmu  1 +0.1 -0.1\n\n\nNLL\n3\n", "CORRELATION_MATRIX"),
    "no numbers": (
        "NUISANCE_PARAMETERS\nmu  one +0.1 -0.1\n\n\nCORRELATION_MATRIX\n1   1\n1   \n\n\nNLL\n3\n",
        "expected a name, a value and its errors",
    ),
    "a row too few": (
        "NUISANCE_PARAMETERS\na  1 +1 -1\nb  1 +1 -1\n\nCORRELATION_MATRIX\n2   2\n0 1\n\nNLL\n3\n",
        "2 rows of correlations",
    ),
    "cut off": ("NUISANCE_PARAMETERS\n\nCORRELATION_MATRIX\n0   0\n\nNLL\n", "the likelihood"),
}


@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_broken_fits_are_refused_with_their_line(tmp_path, broken):
    text, message = BROKEN[broken]
    (tmp_path / "fit.txt").write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        fits.read_fit(tmp_path / "fit.txt")
    assert caught.value.findings[0].code == "QL-TREX-060"
    assert caught.value.findings[0].place.line is not None


def test_absent_files_name_the_letter_that_makes_them(tmp_path):
    with pytest.raises(InputError, match="run action `f` first"):
        fits.read_fit(tmp_path / "fit.txt")
    with pytest.raises(InputError, match="run action `r` first"):
        rankings.read_ranking(tmp_path / "ranking.txt")


@pytest.mark.parametrize("value", [0.25, -1.5, 3.000125, 12.0, -0.0, 999.25])
def test_hidden_numbers_are_not_seen_and_come_back(value):
    text = fits.hidden_number(value)
    assert f"{value:g}" not in text
    assert fits.shown_number(text) == pytest.approx(value, abs=1e-6)


def test_hidden_parameters_are_read_from_a_file(tmp_path):
    text = fits.FitText((fits.FitLine("mu", 1.25, 0.5, 0.25, hidden=True),), np.eye(1), 1.0)
    (tmp_path / "fit.txt").write_text(str(text))
    assert "1.25" not in str(text)
    assert fits.read_fit(tmp_path / "fit.txt").lines == text.lines
