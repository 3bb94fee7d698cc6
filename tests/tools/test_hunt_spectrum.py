"""`quarkline hunt --scan --log`: whole spectra of any table, known resonances, plain refusals."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import canonical_json
from quarkline.statistics import SpectrumGrid, scan_spectrum
from quarkline.tools.hunt_spectrum import hunt_spectrum

WHOLE = ["--range", 2, 8, "--scan", "--log"]
CMS_MASS = "sqrt(2*pt1*pt2*(cosh(eta1-eta2)-cos(phi1-phi2)))"


@pytest.fixture(scope="module")
def mass() -> np.ndarray:
    random = np.random.default_rng(1)
    background = 2.0 * (4.0 ** random.uniform(size=20_000))
    return np.append(background, random.normal(3.0969, 0.031, 3000))


@pytest.fixture
def table(tmp_path, mass):
    path = tmp_path / "events.npz"
    np.savez(path, m=mass, twice=2 * mass, broken=np.where(mass > 7, np.nan, mass))
    return path


def run(*words, code=0):
    outcome = CliRunner().invoke(app, ["hunt", *map(str, words)])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


def refused(*arguments, **options) -> str:
    with pytest.raises(InputError) as caught:
        hunt_spectrum(*arguments, **{"mass_range": (2.0, 8.0)} | options)
    return str(caught.value)


def test_it_is_the_scan_of_the_statistics(table, mass):
    words = [table, "--mass", "twice/2", *WHOLE, "--mask", "J/psi", "--toys", 100, "--seed", 3]
    found = json.loads(run(*words, "--json"))
    grid = SpectrumGrid((2.0, 8.0), 0.01, ((2.95, 3.25),))
    scan = scan_spectrum(grid, mass, n_toys=100, seed=3)
    assert found["scan"] == json.loads(canonical_json(scan))
    assert found["known"] == {"J/psi(1S)": pytest.approx(3.0969, abs=1e-3)}
    assert found["n_in_range"] == mass.size
    assert run(*words, "--json", "--workers", 2) == run(*words, "--json")


def test_files_and_chunks_are_one_table(tmp_path, mass, table):
    for number, part in enumerate(np.array_split(mass[::-1], 3)):
        np.savez(tmp_path / f"part_{number}.npz", m=part)
    options = {"mass_range": (2.0, 8.0), "mask": ["J/psi"], "toys": 0}
    split = hunt_spectrum([tmp_path / "part_*.npz"], "m", **options)
    whole = hunt_spectrum([table], "m", **options)
    assert split.files == 3
    assert canonical_json(split.scan) == canonical_json(whole.scan)


def test_the_text_names_what_is_known_and_says_what_the_rest_is_worth(table):
    text = run(table, "--mass", "m", *WHOLE, "--mask", "J/psi", "--mask", "psi(2S)", "--toys", 100)
    lines = text.splitlines()
    (jpsi,) = [line for line in lines if line.endswith("J/psi(1S)")]
    assert float(jpsi.split()[6]) > 40.0
    assert any(line.endswith("psi(2S)") for line in lines)
    assert "masked: 2.95 to 3.25, 3.55 to 3.82" in text
    assert "windows outside the mask *:" in text
    assert "global Z" in text
    assert "by upcrossings" in text
    assert max(len(line) for line in lines) <= 100


def test_an_unmasked_peak_costs_windows_and_the_message_says_so(table):
    text = run(table, "--mass", "m", *WHOLE, "--toys", 0)
    assert "QL-STAT-041  no background describes the sidebands of " in text
    assert "mask the peak in them by `--mask LO,HI` or its name" in text
    assert "QL-STAT-041" not in run(table, "--mass", "m", *WHOLE, "--toys", 0, "--mask", "2.9,3.3")


def test_a_plot_is_written(table, tmp_path):
    run(table, "--mass", "m", *WHOLE, "--toys", 10, "--mask", "known", "--plot", tmp_path / "all")
    assert {path.name for path in tmp_path.glob("all*")} == {"all.pdf", "all.png", "all.json"}


def test_options_that_do_not_belong_together_are_refused():
    def usage(*words):
        command = [sys.executable, "-c", "from quarkline.cli.main import main; main()", "hunt"]
        place = ["none.npz", "--mass", "m", "--range", "2", "8"]
        done = subprocess.run([*command, *place, *words], capture_output=True, text=True)
        assert done.returncode == 2
        return " ".join(done.stderr.replace("│", " ").split())

    assert "--log is a way to scan: add --scan" in usage("--log")
    assert "--log and --window cannot be used together" in usage(
        "--scan", "--log", "--window", "3", "4"
    )
    assert "where to look is missing: give --window LO HI, or --scan --log" in usage()
    assert "--resolution and --mask belong to --scan --log" in usage(
        "--window", "3", "4", "--mask", "Z"
    )


def test_bad_input_is_one_finding(table):
    assert refused([table], "m", mass_range=(0.0, 8.0)).startswith("QL-STAT-040")
    assert refused([table], "m", degree=40).startswith("QL-STAT-005")
    assert "did you mean `Upsilon`" in refused([table], "m", mask=["upsilom"])
    assert "write LOW,HIGH, such as 2.95,3.25" in refused([table], "m", mask=["3,"])
    assert refused([table], "broken").startswith("QL-STAT-002")
    assert refused([table], "m", mass_range=(20.0, 80.0)).startswith("QL-STAT-030")
    nothing = refused([table], "m", select="m > 7.99")
    assert nothing.startswith("QL-STAT-042")
    assert "one-sided" in nothing


def test_real_events_show_the_z(data_folder):
    """CMS 2011, 10,583 pairs with masses computed from momenta, which end at 60 and 120 GeV."""
    file = data_folder / "root_samples" / "cms_Zmumu_Run2011A.csv"
    found = hunt_spectrum([file], CMS_MASS, mass_range=(0.3, 120.0), mask=["Z"], toys=100)
    best = found.scan.best
    assert found.n_in_range == 10_583
    assert found.scan.low[best.index] < 91.19 < found.scan.high[best.index]
    assert best.z_local > 50.0
    assert found.scan.candidate.z_local < 4.0
    assert found.scan.candidate.best_z_global < 2.0
    assert "53.28 to 67.6" in found.warnings[0]["message"]
