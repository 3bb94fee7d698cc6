"""Kinematics of pairs against an independent library."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.studies.resonance.pairs import delta_phi, jet_variables, pair_variables, unit
from quarkline.studies.resonance.particles import RESONANCES, known_resonance, pdg_mass

vector = pytest.importorskip("vector")

MUON = 0.1056583755


@pytest.fixture
def muons() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    return {
        "pt": generator.uniform(3, 60, (500, 2)),
        "eta": generator.uniform(-2.4, 2.4, (500, 2)),
        "phi": generator.uniform(-np.pi, np.pi, (500, 2)),
    }


def test_pairs_agree_with_vector(muons: dict[str, np.ndarray]) -> None:
    first, second = (
        vector.array({name: muons[name][:, i] for name in muons} | {"mass": np.full(500, MUON)})
        for i in (0, 1)
    )
    both, found = first + second, pair_variables(muons, MUON)
    assert found["dimu_mass"] == pytest.approx(both.mass, rel=1e-9)
    assert found["dimu_pt"] == pytest.approx(both.pt, rel=1e-9)
    assert found["dimu_eta"] == pytest.approx(both.eta, rel=1e-9, abs=1e-9)
    assert found["dimu_phi"] == pytest.approx(both.phi, rel=1e-9, abs=1e-9)
    assert found["mumu_deltaR"] == pytest.approx(first.deltaR(second), rel=1e-9)
    assert found["mumu_deltapT"] == pytest.approx(muons["pt"][:, 0] - muons["pt"][:, 1])


def test_collinear_muons_have_twice_their_mass() -> None:
    one = {"pt": [[20.0, 20.0]], "eta": [[2.0, 2.0]], "phi": [[1.0, 1.0]]}
    found = pair_variables({name: np.array(value) for name, value in one.items()}, MUON)
    assert found["dimu_mass"][0] == pytest.approx(2 * MUON, rel=1e-4)


def test_azimuthal_distances_wrap_around() -> None:
    assert delta_phi(np.array([3.1]), np.array([-3.1])) == pytest.approx(2 * np.pi - 6.2)


def test_an_event_without_jets_has_no_jet_variables() -> None:
    pair = {"dimu_eta": np.zeros(2), "dimu_phi": np.zeros(2)}
    jets = {name: np.array([30.0, np.nan]) for name in ("btag", "pt", "eta", "phi", "mass")}
    found = jet_variables(pair, jets)
    assert np.isfinite(found["dimujet_deltaR"][0])
    assert np.isnan(found["dimujet_deltaR"][1])


@pytest.mark.parametrize(
    ("variable", "expected"),
    [("mu0_pt", "GeV"), ("dimu_mass", "GeV"), ("mu1_ip3d", "cm"), ("mu0_iso04", "")],
)
def test_variables_have_units(variable: str, expected: str) -> None:
    assert unit(variable) == expected


@pytest.mark.parametrize(
    ("name", "mass"),
    [("J/psi(1S)", 3.0969), ("Upsilon(1S)", 9.4604), ("Z0", 91.188), ("omega(782)", 0.78266)],
)
def test_masses_are_those_of_the_particle_data_group(name: str, mass: float) -> None:
    assert pdg_mass(name) == pytest.approx(mass, rel=1e-4)


@pytest.mark.parametrize("name", RESONANCES)
def test_every_known_resonance_lies_in_its_window(name: str) -> None:
    known = known_resonance(name.upper())
    low, high = known.window
    assert known.range[0] < low < high < known.range[1]
    assert all(low < mass < high for mass in known.masses.values())
