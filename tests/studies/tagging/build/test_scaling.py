"""Laws of the scaling of jets, and weights that give momenta a wanted distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quarkline.studies.tagging.build.block import JetBlock
from quarkline.studies.tagging.build.scaling import scaled
from quarkline.studies.tagging.build.weights import binned, effective, matched_weights
from quarkline.studies.tagging.columns import LAYERS, STREAMS

MIRRORED = ("eta", "etaPos", "etaDir", "z0", "Lz")


def block(rows: int = 200, seed: int = 1) -> JetBlock:
    """Random jets, the first of them empty."""
    draw = np.random.default_rng(seed)
    present, streams = {}, {}
    for stream in STREAMS:
        counts = draw.integers(0, stream.rows + 1, rows)
        counts[0] = 0
        there = np.arange(stream.rows) < counts[:, None]
        present[stream.name] = there
        streams[stream.name] = {
            name: np.where(there, draw.normal(0, 30, there.shape), 0.0) for name in stream.stored
        }
    values = {"label": np.ones(rows, np.int64), "jet_pt": draw.uniform(40, 500, rows)}
    values |= {"jet_eta": draw.normal(size=rows), "llp_eta": draw.normal(size=rows)}
    return JetBlock(values | {"llp_Lz": draw.normal(size=rows)}, streams, present)


def mirrored(jets: JetBlock) -> JetBlock:
    """The jets on the other side of the detector."""

    def turned(columns: dict[str, Any]) -> dict[str, Any]:
        return {
            name: -column if name.rpartition("_")[2] in MIRRORED else column
            for name, column in columns.items()
        }

    streams = {name: turned(dict(columns)) for name, columns in jets.streams.items()}
    return JetBlock(turned(dict(jets.values)), streams, jets.present)


def test_mirrored_jets_are_scaled_alike() -> None:
    jets = block()
    jets = jets[jets.present["constit"].any(axis=1)]  # without clusters a jet has no side
    one, other = scaled(jets, 0, 500), scaled(mirrored(jets), 0, 500)
    for name, column in one.values.items():
        np.testing.assert_array_equal(column, other.values[name], err_msg=name)
    for stream, columns in one.streams.items():
        for name, column in columns.items():
            np.testing.assert_array_equal(column, other.streams[stream][name], err_msg=name)


def test_shares_of_layers_are_shares() -> None:
    clusters = scaled(block(), 0, 500).streams["constit"]
    shares = np.stack([clusters[name] for name in LAYERS])
    assert ((shares >= 0) & (shares <= 1)).all()
    total = shares.sum(axis=0)
    assert np.all(np.isclose(total, 1) | (total == 0))


def test_places_without_constituents_stay_empty() -> None:
    jets = block()
    made = scaled(jets, 40, 500)
    for stream, there in made.present.items():
        for name, column in made.streams[stream].items():
            assert (column[~there] == 0).all(), name


def test_wild_times_are_bounded_or_missing() -> None:
    jets = block()
    jets.streams["MSeg"]["MSeg_t0"][5, :2] = [1e5, -1000.0]
    jets.streams["constit"]["clus_time"][5, 0] = 1e5
    made = scaled(jets, 0, 500)
    assert np.isnan(made.streams["MSeg"]["MSeg_t0"][5, :2]).all()
    assert made.streams["constit"]["clus_time"][5, 0] == 50
    assert np.isfinite(made.streams["constit"]["clus_time"]).all()


@pytest.mark.parametrize("seed", range(3))
def test_matched_weights_give_the_wanted_shares(seed: int) -> None:
    draw = np.random.default_rng(seed)
    momenta, weight = draw.exponential(80, 5000), draw.exponential(1, 5000)
    edges = (20.0, 50.0, 100.0, 400.0)
    wanted = np.array([1.0, 2.0, 5.0])
    factors = matched_weights(momenta, weight, wanted, edges)
    found = binned(momenta, weight * factors, edges)
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), rtol=1e-12)
    assert (weight * factors).sum() == pytest.approx(weight.sum(), rel=1e-12)
    outside = (momenta < 20) | (momenta >= 400)
    assert (factors[outside] == 1).all()
    assert effective(weight * factors) < 5000
