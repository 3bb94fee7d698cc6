"""The simulated dimuon events: layout, physics, yields, and a background without structure."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from numpy.typing import NDArray

from quarkline.studies.resonance.simulate import (
    PUBLISHED_SIZE,
    DimuonSize,
    events,
    kinematics,
    processes,
    simulate_dimuons,
    sized,
)

pytestmark = pytest.mark.xdist_group("dimuons")  # one process makes what they share

TRIGGER = "HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx"
REGIONS = (5.0, 9.0, 10.6, 16.0)
PUBLISHED = {True: (6924, 1692, 3716), False: (3868, 989, 2311)}  # by opposite sign; 2502.14036
UPSILONS = {553: 9.4604, 100553: 10.0234, 200553: 10.3551}  # GeV, Particle Data Group


def mass(pt, eta, phi):
    """Mass of two muons by E^2 - p^2; arrays of shape (N, 2)."""
    momenta = np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])
    energy = np.sqrt(0.1056583755**2 + (momenta**2).sum(axis=0)).sum(axis=1)
    return np.sqrt(energy**2 - (momenta.sum(axis=2) ** 2).sum(axis=0))


def selected(array: ak.Array) -> dict[str, NDArray]:
    """The published selection, in plain NumPy: quantities of the first two tight muons."""
    array = array[ak.sum(array.Muon_tightId, axis=1) >= 2]
    muon = {
        name: ak.to_numpy(array[f"Muon_{name}"][array.Muon_tightId][:, :2]).astype(float)
        for name in ("pt", "eta", "phi", "charge", "pfRelIso04_all", "ip3d")
    }
    m = mass(muon["pt"], muon["eta"], muon["phi"])
    passes = (
        ak.to_numpy(array[TRIGGER])
        & (muon["pt"] >= (17, 8)).all(axis=1)
        & (muon["pfRelIso04_all"] >= 0.55).all(axis=1)
        & (m >= 5)
        & (m < 16)
    )
    opposite = muon["charge"].prod(axis=1) < 0
    columns = {"m": m, "opposite": opposite, "code": ak.to_numpy(array.Gen_process)}
    return {name: values[passes] for name, values in {**muon, **columns}.items()}


@pytest.fixture(scope="module")
def background():
    return simulate_dimuons(200_000, 0, seed=7)


@pytest.fixture(scope="module")
def signal():
    return simulate_dimuons(0, 20_000, seed=7)


@pytest.fixture(scope="module")
def passing(background):
    return selected(background)


@pytest.fixture(scope="module")
def upsilons(signal):
    return selected(signal)


def test_a_record_has_the_types_of_nanoaod(signal):
    types = {name: str(signal[name].type.content) for name in signal.fields}
    assert types["run"] == types["luminosityBlock"] == "uint32"
    assert types["event"] == "uint64"
    for name in ("Muon_pt", "Muon_ip3d", "Muon_pfRelIso04_all", "Jet_pt", "Jet_btagDeepFlavB"):
        assert types[name] == "var * float32"
    for name in ("nMuon", "nJet"):
        assert types[name] == "int32"
    for name in ("Muon_charge", "Muon_jetIdx", "Jet_nConstituents", "Jet_nMuons"):
        assert types[name] == "var * int32"
    assert types["Muon_tightId"] == "var * bool"
    assert types[TRIGGER] == "bool"
    assert types["Gen_process"] == "int32"


def test_the_composition_is_exactly_what_was_asked_for():
    array = simulate_dimuons(1900, 100, seed=3)
    assert len(array) == 2000
    assert ak.sum(array.Gen_process >= 553) == 100
    assert len(np.unique(array.event)) == 2000


@pytest.mark.parametrize("size", [(0, 0), (1, 0), (0, 1)])
def test_tiny_samples_work(size):
    assert len(simulate_dimuons(*size)) == sum(size)


def test_the_default_share_of_signal_is_that_of_the_published_size():
    assert sized(sum(PUBLISHED_SIZE)) == PUBLISHED_SIZE
    assert sized(1000) == DimuonSize(993, 7)


def test_a_seed_fixes_every_number():
    once, again = (simulate_dimuons(500, 50, seed=4) for _ in range(2))
    other = simulate_dimuons(500, 50, seed=5)
    assert ak.almost_equal(once, again, rtol=0, atol=0)
    assert not np.isin(*(ak.to_numpy(ak.flatten(a.Muon_pt)) for a in (once, other))).any()


def test_blocks_differ_and_event_numbers_run_through(monkeypatch):
    monkeypatch.setattr(events, "BLOCK", 100)
    array = simulate_dimuons(240, 10, seed=4)
    assert array.event.tolist() == list(range(1, 251))
    assert ak.sum(array.Gen_process >= 553) == 10
    assert len(np.unique(ak.flatten(array.Muon_pt[:, :2]))) == 500


def test_decays_conserve_four_momentum(monkeypatch):
    monkeypatch.setattr(kinematics, "pt_resolution", lambda pt, eta: 0.0)
    generator = np.random.default_rng(1)
    origin = processes.draw_background(2000, generator)
    muons = kinematics.draw_muons(origin, generator)
    np.testing.assert_allclose(mass(muons.pt, muons.eta, muons.phi), origin.mass, rtol=1e-9)


def test_stored_objects_keep_their_relations(signal):
    for array in (signal, simulate_dimuons(20_000, 0, seed=8)):
        assert ak.all(array.nMuon == ak.num(array.Muon_pt))
        assert ak.all(array.nJet == ak.num(array.Jet_pt))
        assert ak.all(array.Muon_pt[:, :-1] >= array.Muon_pt[:, 1:])
        assert ak.all(array.Jet_pt[:, :-1] >= array.Jet_pt[:, 1:])
        assert ak.all(array.Jet_pt > 18)
        assert ak.all(array.Muon_jetIdx < ak.num(array.Jet_pt))
        assert ak.all(ak.sum(array.Muon_jetIdx >= 0, axis=1) == ak.sum(array.Jet_nMuons, axis=1))
        along = array.Muon_dz / np.cosh(array.Muon_eta)
        ip3d = np.sqrt(array.Muon_dxy**2 + along**2)
        np.testing.assert_allclose(ak.flatten(array.Muon_ip3d), ak.flatten(ip3d), rtol=1e-5)
        assert ak.all(array.Muon_pfRelIso03_all <= array.Muon_pfRelIso04_all)
        assert not ak.any(array.Muon_tightId & ~array.Muon_mediumId)
        assert 0.07 < np.mean(ak.num(array.Muon_pt) == 3) < 0.09


@pytest.mark.parametrize(("code", "expected"), UPSILONS.items())
def test_upsilons_peak_at_their_masses_with_the_stated_resolution(upsilons, code, expected):
    m = upsilons["m"][upsilons["code"] == code]
    low, middle, high = np.quantile(m, [0.1587, 0.5, 0.8413])
    width = (high - low) / 2
    assert middle == pytest.approx(expected, abs=5 * width / len(m) ** 0.5)
    assert width / expected == pytest.approx(0.09 / 9.46, rel=0.15)


@pytest.mark.parametrize("opposite", [True, False])
def test_yields_per_region_are_those_published(background, passing, signal, upsilons, opposite):
    found = np.zeros(3)
    samples = ((background, passing), (signal, upsilons))
    for (array, pairs), size in zip(samples, PUBLISHED_SIZE, strict=True):
        counts = np.histogram(pairs["m"][pairs["opposite"] == opposite], REGIONS)[0]
        found += counts * size / len(array)
    np.testing.assert_allclose(found, PUBLISHED[opposite], rtol=0.03)
    assert found.sum() == pytest.approx(sum(PUBLISHED[opposite]), rel=0.015)


def test_two_events_in_three_pass(background, passing):
    assert 0.60 < len(passing["m"]) / len(background) < 0.70


def test_about_a_hundred_upsilons_hide_in_the_window_and_are_prompt(passing, signal, upsilons):
    window = (passing["m"] >= 9) & (passing["m"] < 10.6) & passing["opposite"]
    scale = PUBLISHED_SIZE.signal / len(signal)
    assert len(upsilons["m"]) * scale == pytest.approx(97, rel=0.05)
    prompt = (upsilons["ip3d"] < 60e-4).all(axis=1).mean()
    fakes = (passing["ip3d"][window] < 60e-4).all(axis=1).mean()
    assert prompt > 0.85
    assert 0.02 < fakes < 0.05


def sideband_pull(m: NDArray, degree: int = 5) -> float:
    """(count - fit) / error in 9-10.6 GeV, from least squares on the sidebands, 11 bins there."""
    width = 1.6 / 11
    low = 9 - width * np.arange(27, -1, -1)
    high = 10.6 + width * np.arange(38)
    counts = np.concatenate([np.histogram(m, edges)[0] for edges in (low, high)])
    centres = np.concatenate([(edges[1:] + edges[:-1]) / 2 for edges in (low, high)])
    rows = np.polynomial.legendre.legvander((centres - 10.5) / 5.5, degree)
    inside = (9 + width * (np.arange(1600) + 0.5) / 1600 * 11 - 10.5) / 5.5
    sums = np.polynomial.legendre.legvander(inside, degree).mean(axis=0) * 11
    expected = counts.astype(float)
    for _ in range(10):  # weights from the fit itself, as counts would bias it
        normal = rows.T @ (rows / expected[:, None])
        fit = np.linalg.solve(normal, rows.T @ (counts / expected))
        expected = rows @ fit
    observed = ((m >= 9) & (m < 10.6)).sum()
    return (observed - sums @ fit) / np.sqrt(observed + sums @ np.linalg.solve(normal, sums))


@pytest.mark.parametrize(
    "cut", [np.inf, 300e-4, 100e-4, 60e-4], ids=["all", "300 um", "100 um", "60 um"]
)
@pytest.mark.parametrize("opposite", [True, False])
def test_a_quintic_describes_the_background_under_the_window(passing, cut, opposite):
    keep = (passing["ip3d"] < cut).all(axis=1) & (passing["opposite"] == opposite)
    assert abs(sideband_pull(passing["m"][keep])) < 3.5


@pytest.mark.parametrize("spectrum", [processes.OPPOSITE_SIGN_MASS, processes.SAME_SIGN_MASS])
def test_the_background_law_itself_has_no_structure(spectrum):
    span = processes.MASS_RANGE[1] - processes.MASS_RANGE[0]
    m = np.linspace(5, 16, 2201)
    falling = np.exp(-(m - processes.MASS_RANGE[0]) / spectrum.scale) / spectrum.scale
    falling /= 1 - np.exp(-span / spectrum.scale)
    density = (1 - spectrum.floor) * falling + spectrum.floor / span
    side, x = (m < 9) | (m >= 10.6), (m - 10.5) / 5.5
    fit = np.polynomial.legendre.legfit(x[side], density[side], 5, w=density[side] ** -0.5)
    inside = np.polynomial.legendre.legval(x[~side], fit).sum() / density[~side].sum()
    assert inside == pytest.approx(1, abs=5e-4)


@pytest.mark.parametrize("feature", ["pt", "ip3d", "pfRelIso04_all"])
def test_features_do_not_jump_in_the_window(passing, feature):
    place = np.digitize(passing["m"], [7.4, 9.0, 10.6, 12.2])
    value = np.log(passing[feature]).mean(axis=1)
    mean, error = np.array(
        [(v.mean(), v.std() / len(v) ** 0.5) for v in (value[place == i] for i in (1, 2, 3))]
    ).T
    bend = mean[1] - (mean[0] + mean[2]) / 2
    assert abs(bend) < 4 * np.hypot(error[1], np.hypot(error[0], error[2]) / 2) + 0.003
