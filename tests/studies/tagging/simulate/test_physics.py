"""Simulated jets obey the laws they were made by, checked by other routes."""

from __future__ import annotations

from functools import partial

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.rng import rng
from quarkline.statistics.ks import ks_two_sample
from quarkline.studies.tagging.convert.matching import in_calorimeter
from quarkline.studies.tagging.simulate import decays, multijets
from quarkline.studies.tagging.simulate.beam import arrival
from quarkline.studies.tagging.simulate.config import MassPoint, SimulateConfig
from quarkline.studies.tagging.simulate.control import Shift
from quarkline.studies.tagging.simulate.geometry import LAYERS
from quarkline.studies.tagging.simulate.layers import TIME_MEAN, draw_clusters
from quarkline.studies.tagging.simulate.segments import draw_segments
from quarkline.studies.tagging.simulate.tracks import draw_tracks

ANY = (1e-6, 1e9)
POINT = MassPoint(mH=125, mS=55, lifetime=1.1)
LIGHT = 299.792458  # mm / ns


def draws(seed: int):
    return partial(rng, seed, "physics")


def ragged(part, name: str) -> ak.Array:
    return ak.unflatten(part.columns[name], part.counts)


def test_decays_are_those_of_free_flight() -> None:
    """Both particles fly freely, and events with a decay in the calorimeters are picked."""
    events = decays.draw_decays(60_000, POINT, ANY, draws(1))
    length, eta, pt = (events.llps[name] for name in ("llp_Lxy", "llp_eta", "llp_pT"))
    inside = in_calorimeter(eta, length, events.llps["llp_Lz"]) & (abs(eta) < 2.4)
    free = decays._scalars(120_000, POINT, np.random.default_rng(2))
    flight = np.random.default_rng(3).exponential(1100 * free.boost)
    across, along = flight / np.cosh(free.eta), flight * np.tanh(free.eta)
    picked = in_calorimeter(free.eta, across, along) & (abs(free.eta) < 2.4)
    assert len(length[inside]) > 3_000
    for one, other in ((length, across), (pt, free.pt), (eta, free.eta)):
        assert ks_two_sample(one[inside], other[picked]).p_value > 1e-3
    both = inside.reshape(-1, 2).all(axis=1).sum() / inside.reshape(-1, 2).any(axis=1).sum()
    expected = picked.all(axis=1).sum() / picked.any(axis=1).sum()
    assert both == pytest.approx(expected, rel=0.1)


def test_jets_are_as_late_as_their_particles_are_slow() -> None:
    events = decays.draw_decays(20_000, POINT, (40, 500), draws(4))
    jets = events.jets
    single = np.flatnonzero(np.bincount(jets.event) == 1)
    chosen = np.isin(jets.event, single)
    particles = {name: values.reshape(-1, 2)[:, 0] for name, values in events.llps.items()}
    row = jets.event[chosen]
    momentum = particles["llp_pT"] * np.cosh(particles["llp_eta"])
    beta = momentum / np.hypot(momentum, POINT.mS)
    length = np.hypot(particles["llp_Lxy"], particles["llp_Lz"])
    late = length / LIGHT * (1 / beta - 1)
    clusters = draw_clusters(jets, 0.0, Shift(), draws(5))
    leading = ak.argmax(ragged(clusters, "clus_pt"), axis=1, keepdims=True)
    time = ak.flatten(ragged(clusters, "clus_time")[leading]).to_numpy(allow_missing=False)[chosen]
    assert np.median(late[row]) > 0.5
    assert np.median(time - late[row]) == pytest.approx(TIME_MEAN, abs=0.05)
    assert np.corrcoef(time, late[row])[0, 1] > 0.6


def test_nothing_is_measured_before_the_decay() -> None:
    events = decays.draw_decays(40_000, POINT, (40, 500), draws(6))
    jets = events.jets.take(np.bincount(events.jets.event)[events.jets.event] == 1)
    lengths = events.llps["llp_Lxy"].reshape(-1, 2)[jets.event, 0]
    clusters = draw_clusters(jets, 0.0, Shift(), draws(7))
    energy = {name: ak.sum(ragged(clusters, name), axis=1).to_numpy() for name in LAYERS}
    total = sum(energy.values())
    em = sum(energy[name] for name in LAYERS[:4]) / total
    barrel = (abs(jets.eta) < 1.3) & (total > 20_000)
    late, early = barrel & (lengths > 2_400), barrel & (lengths < 1_450)
    assert np.quantile(em[late], 0.99) < 0.05
    assert np.median(em[early]) > 0.4
    first = energy["clus_l2hcal"] / total
    assert np.quantile(first[barrel & (lengths > 2_750)], 0.99) < 0.05


def test_late_decays_leave_segments_behind_them_and_no_tracks() -> None:
    events = decays.draw_decays(40_000, POINT, (40, 500), draws(8))
    jets = events.jets
    segments = draw_segments(jets, 0.0, Shift(), draws(9)).counts
    leak = jets.leak > np.quantile(jets.leak, 0.9)
    assert segments[leak].mean() > 3 * segments[~leak].mean()
    tracks = draw_tracks(jets, 0.0, Shift(), draws(10))
    carried = ak.sum(ragged(tracks, "track_pT"), axis=1).to_numpy() / jets.pt
    assert np.median(carried) < 0.05


@pytest.mark.parametrize("fall", [multijets.FALL, multijets.PRESCALED])
def test_weights_of_slices_make_up_a_falling_spectrum(fall: float) -> None:
    slices = SimulateConfig().slices
    draw = np.random.default_rng(1)
    pt, weight = multijets._sliced(400_000, slices, fall, draw)
    for low, high in ((40, 50), (70, 80), (100, 140), (200, 300), (450, 700)):
        inside = (pt >= low) & (pt < high)
        expected = (low ** (1 - fall) - high ** (1 - fall)) / (fall - 1) * 100 ** (fall - 1)
        found = weight[inside].sum() / len(pt) / multijets.WEIGHT
        error = np.sqrt((weight[inside] ** 2).sum()) / len(pt) / multijets.WEIGHT
        assert found == pytest.approx(expected, abs=5 * error)
    data = multijets._falling(50_000, slices[0].min_pt, slices[-1].max_pt, fall, draw)
    assert ks_two_sample(pt, data, first_weight=weight).p_value > 1e-3


def test_muons_along_the_beam_are_early_by_the_path_they_do_not_fly() -> None:
    """Golden numbers by hand: 3 m along and 4 m across are 5 m of flight for the collision."""
    along, across = np.array([3000.0, -3000.0, 3000.0, 0.0]), np.array([4000.0, 4000.0, 0.0, 2300])
    outgoing = arrival(along, across, np.zeros(4, bool))
    assert outgoing * LIGHT == pytest.approx([-2000, -2000, 0, -2300])
    incoming = arrival(along[:2], across[:2], np.ones(2, bool))
    assert incoming * LIGHT == pytest.approx([-8000, -8000])
