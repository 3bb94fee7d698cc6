"""The whole-spectrum study at its smallest: simulated events, known resonances, report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import canonical_json
from quarkline.events.table import read_table
from quarkline.statistics import SpectrumGrid, scan_spectrum
from quarkline.studies.resonance.masks import masks
from quarkline.studies.resonance.particles import RESONANCES, typeset
from quarkline.studies.resonance.results import Selection
from quarkline.studies.resonance.spectrum.results import SpectrumSearch
from quarkline.tools.run import RunOutcome, load_analysis, plan, run
from quarkline.tools.simulate import simulate

pytestmark = pytest.mark.xdist_group("spectrum-run")

CONFIG = """\
schema: 1
study: spectrum
name: whole
inputs: {files: "events/*.root", tree: Events}
pair: {cuts: "mu0_pt >= 17"}
scan: {range: [2.3, 20], resolution: 0.012, mask: [J/psi, psi(2S), Upsilon], toys: 60}
seed: 3
compute: {workers: 1}
"""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    simulate("spectrum", folder / "events", events=20_000, signal=5000, seed=2, files=2)
    (folder / "whole.yaml").write_text(CONFIG)
    return folder


@pytest.fixture(scope="module")
def finished(sample: Path) -> RunOutcome:
    overrides = [f"roots.runs={sample / 'runs'}"]
    return run(load_analysis(sample / "whole.yaml", overrides=overrides))


@pytest.fixture(scope="module")
def search(finished: RunOutcome) -> SpectrumSearch:
    found = finished.run.results()["search"]
    assert isinstance(found, SpectrumSearch)
    return found


def test_known_resonances_are_found_in_opposite_signs_alone(search: SpectrumSearch) -> None:
    z = {known.name: known.z_local for known in search.known}
    assert list(z) == ["J/psi(1S)", "psi(2S)", "Upsilon(1S)", "Upsilon(2S)", "Upsilon(3S)"]
    assert z["J/psi(1S)"] > 30
    assert z["Upsilon(1S)"] > 10
    assert z["psi(2S)"] > 4
    assert max(known.z_control for known in search.known) < 4
    assert search.scan.candidate is not None
    assert search.control.candidate is not None
    assert max(search.scan.candidate.z_local, search.control.candidate.z_local) < 4.5


def test_the_scan_is_that_of_the_selected_masses(
    finished: RunOutcome, search: SpectrumSearch
) -> None:
    table = read_table(finished.run.record("select").files["pairs"]).array
    mass, control = np.asarray(table["dimu_mass"]), np.asarray(table["control"])
    assert ((mass >= 2.3) & (mass < 20)).all()
    grid = SpectrumGrid((2.3, 20), 0.012, search.scan.mask)
    again = scan_spectrum(grid, mass[~control], n_toys=0)
    np.testing.assert_array_equal(again.z_local, search.scan.z_local)
    selection = finished.run.results()["selection"]
    assert isinstance(selection, Selection)
    assert selection.regions == (0, (~control).sum(), 0)
    assert sum(search.scan.counts) == (~control).sum()


def test_headline_figures_and_report(finished: RunOutcome) -> None:
    assert finished.headline is not None
    assert finished.headline.startswith("best unknown window ")
    assert "found: J/psi(1S), psi(2S), Upsilon(1S)" in finished.headline
    folder = finished.run.record("figures").files["figures"]
    assert {path.name for path in folder.iterdir()} == {
        f"{name}.{kind}"
        for name in ("spectrum", "control", "cut_flow")
        for kind in ("pdf", "png", "svg", "json")
    }
    drawn = json.loads((folder / "spectrum.json").read_text())
    assert [table["name"] for table in drawn["tables"]] == ["Scan", "Spectrum"]
    assert finished.report is not None
    page = finished.report.read_text(encoding="utf-8")
    assert "Same sign as control" in page
    assert "Upsilon(2S)" in page


def test_workers_change_nothing(search: SpectrumSearch, sample: Path, tmp_path: Path) -> None:
    overrides = [f"roots.runs={tmp_path}"]
    analysis = load_analysis(
        sample / "whole.yaml", overrides=overrides, compute={"workers": 2, "device": "cpu"}
    )
    again = run(analysis, until="scan").run.results()["search"]
    assert canonical_json(again) == canonical_json(search)


def test_mistakes_are_told_before_anything_is_read(sample: Path) -> None:
    def refused(*overrides: str) -> str:
        with pytest.raises(InputError) as caught:
            plan(load_analysis(sample / "whole.yaml", overrides=overrides))
        return str(caught.value)

    assert "there are no logarithmic windows between 0 and 20" in refused("scan.range=[0, 20]")
    assert "did you mean `J/psi`" in refused("scan.mask=[J/ps]")
    assert "degree 11 does not suit 12 sideband cells" in refused("scan.degree=11")
    assert "there is no trigger flag `HLT_Mu17`" in refused("inputs.trigger=HLT_Mu17")
    assert "mu0_ptt" in refused("pair.cuts=mu0_ptt > 3")


def test_masks_by_name_by_numbers_and_all() -> None:
    everything = masks(["Known"], (0.3, 120.0))
    assert everything.intervals == tuple(sorted(item.window for item in RESONANCES.values()))
    assert list(everything.masses)[:2] == ["eta", "rho(770)0"]
    some = masks(["j/psi", (5.0, 6.0), "7,8.5", "Z"], (1.0, 20.0))
    assert some.intervals == ((2.95, 3.25), (5.0, 6.0), (7.0, 8.5))
    assert list(some.masses) == ["J/psi(1S)"]


def test_names_are_typeset() -> None:
    names = ["J/psi(1S)", "psi(2S)", "Upsilon(3S)", "rho(770)0", "Z0", "eta"]
    shown = [r"J/$\psi$", r"$\psi$(2S)", r"$\Upsilon$(3S)", r"$\rho$(770)$^0$", "Z$^0$", r"$\eta$"]
    assert [typeset(name) for name in names] == shown
