"""`quarkline inspect` of models: layers and parameters."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from torch import nn
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.learning.models.artifact import model_key, save_model
from quarkline.learning.models.layers import layers_of
from quarkline.tools.inspect_model import inspect_model, is_model_address
from tests.learning.models.conftest import folded_model


def test_the_real_network_has_the_parameters_that_upstream_counts(data_folder: Path) -> None:
    file = data_folder / "calratio" / "model" / "final_model_weights_1.keras"
    found = inspect_model(str(file))
    assert (found.trained, found.fixed) == (60_067, 0)
    assert [layer.trained for layer in found.layers] == [
        *(832, 2080, 1056, 528, 1080),
        *(704, 2080, 1056, 528, 1080),
        *(224, 528, 136, 280),
        *(14848, 32832, 195),
    ]
    assert found.classes == ("qcd", "signal", "bib")


def test_running_means_are_parameters_that_are_not_trained() -> None:
    """The adversary of the CalRatio trainer: 661 parameters, of which 571 are trained."""
    layers = [nn.BatchNorm1d(3), nn.Linear(3, 24), nn.BatchNorm1d(24), nn.Linear(24, 12)]
    layers += [nn.BatchNorm1d(12), nn.Linear(12, 6), nn.BatchNorm1d(6), nn.Linear(6, 1)]
    found = layers_of(nn.Sequential(*layers))
    assert sum(layer.trained for layer in found) == 571
    assert sum(layer.fixed for layer in found) == 90
    layers[1].requires_grad_(False)
    assert layers_of(nn.Sequential(*layers))[1].trained == 0


def test_a_set_of_folds_shows_the_first_and_counts_all(tmp_path: Path) -> None:
    folder = save_model(folded_model("resnet", folds=2), tmp_path / "folds")
    found = inspect_model(str(folder))
    assert (found.kind, found.models, found.key) == ("resnet", 2, model_key(folder))
    done = CliRunner().invoke(app, ["inspect", str(folder), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["trained"] == found.trained > 0
    done = CliRunner().invoke(app, ["inspect", str(folder)])
    assert f"{found.trained:,} trained parameters" in done.output
    assert "the first of 2 models" in done.output


def test_a_file_of_events_is_no_model(tmp_path: Path, data_folder: Path) -> None:
    assert not is_model_address(str(data_folder / "calratio" / "root" / "bib.root"), tmp_path)
    assert not is_model_address("nowhere.root", tmp_path)
    assert not is_model_address("root://host//file.root", tmp_path)
