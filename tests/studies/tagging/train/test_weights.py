"""Weights of jets in the losses: shares of classes and sides, caps, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import WorkError
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.weights import capped, control_weights, main_weights

DRAW = np.random.default_rng(1)
LABEL = DRAW.integers(0, 3, 300)
WEIGHT = np.where(LABEL == 0, 10.0 ** DRAW.uniform(-9, -3, 300), 1.0)
OUT = np.arange(300) % 5 == 0


def test_classes_weigh_the_same_and_a_scale_of_one_of_them_changes_nothing() -> None:
    found = main_weights(LABEL, WEIGHT, OUT, TrainConfig())
    totals = np.bincount(LABEL[~OUT], found[~OUT])
    np.testing.assert_allclose(totals, totals.mean())
    assert found[~OUT].mean() == pytest.approx(1.0)
    for label in range(3):
        own = label == LABEL
        np.testing.assert_allclose(found[own] / found[own].sum(), WEIGHT[own] / WEIGHT[own].sum())
    larger = np.where(LABEL == 0, 1e6 * WEIGHT, WEIGHT)
    np.testing.assert_allclose(main_weights(LABEL, larger, OUT, TrainConfig()), found)


def test_no_weight_is_above_the_cap() -> None:
    found = capped(LABEL, WEIGHT, ~OUT, 3.0)
    mean = WEIGHT[(LABEL == 0) & ~OUT].mean()
    np.testing.assert_allclose(found[LABEL == 0], np.minimum(WEIGHT, 3 * mean)[LABEL == 0])
    np.testing.assert_array_equal(found[LABEL > 0], WEIGHT[LABEL > 0])
    np.testing.assert_array_equal(capped(LABEL, -WEIGHT, ~OUT, 3.0), -found)


def test_upstreams_weights_are_the_jets_own() -> None:
    config = TrainConfig.model_validate({"compatibility": "upstream"})
    np.testing.assert_array_equal(main_weights(LABEL, WEIGHT, OUT, config), WEIGHT)
    side = (LABEL == 2).astype(np.int64)
    found = control_weights(side, WEIGHT, OUT, config)
    np.testing.assert_array_equal(found[side == 1], WEIGHT[side == 1])
    assert found[side == 0].sum() == pytest.approx(found[side == 1].sum())


def test_simulation_adds_up_to_data_in_training() -> None:
    side = (LABEL == 2).astype(np.int64)
    found = control_weights(side, WEIGHT, OUT, TrainConfig())
    sums = np.bincount(side[~OUT], found[~OUT])
    assert sums[0] == pytest.approx(sums[1])
    assert found[~OUT].mean() == pytest.approx(1.0)
    other = np.where(OUT, 7 * WEIGHT, WEIGHT)
    np.testing.assert_allclose(control_weights(side, other, OUT, TrainConfig())[~OUT], found[~OUT])


@pytest.mark.parametrize("side", [0, 1])
def test_a_control_region_of_one_side_is_refused(side: int) -> None:
    name = ("data", "simulation")[side]
    with pytest.raises(WorkError, match=f"{name} of the control region"):
        control_weights(np.full(300, side), WEIGHT, OUT, TrainConfig())
