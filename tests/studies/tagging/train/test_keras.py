"""An epoch with `compatibility: upstream` equals one of Keras, weight by weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from quarkline.learning.adversary.network import Adversary, BatchNorm
from quarkline.learning.adversary.task import CONTROL, Decorrelation
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.keras_layers import keras_weights, load_keras_weights
from quarkline.learning.models.streams import StreamNetwork
from quarkline.learning.training.fit import fit
from quarkline.learning.training.rows import MAIN
from quarkline.studies.tagging.train.config import TrainConfig
from quarkline.studies.tagging.train.data import mirrored
from quarkline.studies.tagging.train.fitting import MIRRORED, fit_config, new_network, penalised
from quarkline.studies.tagging.upstream import INPUTS
from tests.studies.tagging.train import keras_case as case

GROUPS = list(case.LENGTHS)


def _config() -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "compatibility": "upstream",
            "num_splits": case.SPLITS,
            "penalty": case.PENALTY,
            "fit": {"epochs": 1},
            "model": {
                "streams": [
                    {"filters": case.FILTERS[name], "nodes": case.NODES[name]} for name in GROUPS
                ],
                "hidden": case.HIDDEN,
                "dropout": 0.0,
            },
        }
    )


def _rows(jets: dict[str, NDArray[Any]]) -> list[torch.Tensor]:
    """Tensors of jets as the network takes them."""
    rows = len(jets["jet"])
    parts = [jets["jet"], np.zeros((rows, 3), bool), np.zeros((rows, 0), np.int64)]
    for name in GROUPS:
        parts += [jets[name], (jets[name] != 0).any(axis=2)]
    parts += [jets["target"].astype(np.int64), jets["weight"]]
    return [torch.from_numpy(part) for part in parts]


def _load_adversary(adversary: Adversary) -> None:
    """Take over the weights of the case."""
    layers = [one for one in adversary if not isinstance(one, torch.nn.Tanh)]
    with torch.no_grad():
        for layer, values in zip(layers, case.adversary_weights(), strict=True):
            for target, value in zip(_parts(layer), values, strict=True):
                target.copy_(torch.from_numpy(value))


def _parts(layer: torch.nn.Module) -> list[torch.Tensor]:
    """Numbers of a layer in Keras's order and layout; writing there writes the layer's."""
    if isinstance(layer, BatchNorm):
        return [layer.weight, layer.bias, layer.running_mean, layer.running_var]
    dense = cast("torch.nn.Linear", layer)
    return [dense.weight.t(), dense.bias]


def test_an_epoch_of_upstreams_procedure_is_kerass() -> None:
    told = json.loads(Path(__file__).with_name("keras_steps.json").read_text())
    config = _config()
    network = new_network(config, Preprocess.none(INPUTS), seed=1)
    classifier = cast("StreamNetwork", network.classifier)
    load_keras_weights(classifier, GROUPS, case.classifier_weights())
    _load_adversary(cast("Adversary", network.adversary))
    main, control = (_rows(jets) for jets in case.case())
    there = torch.from_numpy(mirrored(case.CONTROL, case.MAIN))
    task = Decorrelation(
        config.adversary,
        inputs=9,
        epoch_rows=case.MAIN,
        against=MIRRORED,
        penalty=config.penalty,
        penalised=penalised(classifier),
    )
    rows = {MAIN: main, CONTROL: control, MIRRORED: [one[there] for one in control]}
    held_out = {MAIN: main, CONTROL: control}
    found = fit(network, rows, held_out, fit_config(config), task=task, seed=1, devices=1)
    (metrics,) = found.history.epochs
    assert metrics["train_loss"] == pytest.approx(_mean(np.array(told["losses"][2::3])), rel=1e-5)
    before = case.classifier_weights()
    after = keras_weights(classifier, GROUPS)
    for name, weight in after.items():
        expected = np.array(told["classifier"][name]).reshape(weight.shape)
        assert np.abs(expected - before[name]).max() > 1e-3, name
        # Keras's optimiser counts arrays of weights in its own order, which its first step shows
        np.testing.assert_allclose(weight, expected, rtol=0, atol=3e-5, err_msg=name)
    layers = [
        one for one in cast("Adversary", network.adversary) if not isinstance(one, torch.nn.Tanh)
    ]
    for layer, values in zip(layers, told["adversary"], strict=True):
        for part, value in zip(_parts(layer), values, strict=True):
            np.testing.assert_allclose(part.detach().numpy().ravel(), value, rtol=0, atol=5e-6)


def _mean(losses: NDArray[np.float64]) -> float:
    """Mean of the pieces' losses, by their jets."""
    sizes = [len(part) for part in np.array_split(np.arange(case.MAIN), case.SPLITS)]
    return float(np.average(losses, weights=sizes))


def test_the_control_region_is_mirrored_as_numpy_pads() -> None:
    for rows, length in ((64, 160), (5, 23), (7, 7), (9, 4)):
        padded = np.pad(np.arange(rows), (0, max(length - rows, 0)), mode="symmetric")[:length]
        np.testing.assert_array_equal(mirrored(rows, length), padded)
