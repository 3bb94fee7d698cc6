"""`quarkline export` of one model by itself: C++ programs get a network that was checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("torch")

from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.artifact import model_key, save_model
from quarkline.learning.models.keras_layers import keras_weights
from quarkline.learning.models.networks import build_network
from quarkline.learning.models.streams import StreamNetwork
from quarkline.studies.tagging.upstream import INPUTS, NETWORK, upstream_model
from quarkline.tools.export import export
from tests.learning.models.conftest import folded_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The CalRatio trainer's network with weights that nobody trained."""
    module = build_network(NETWORK, Preprocess.none(INPUTS).geometry, 3, seed=1)
    groups = [group.name for group in INPUTS.objects]
    weights = keras_weights(cast("StreamNetwork", module), groups)
    return save_model(upstream_model(weights), tmp_path / "model")


def test_a_network_goes_to_both_dialects_of_frugally_deep(model: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["export", str(model), "--format", "frugally-deep", "-o", str(tmp_path / "out")]
    )
    assert done.exit_code == 0, done.output
    files = {path.name: json.loads(path.read_text()) for path in (tmp_path / "out").iterdir()}
    assert files.keys() == {"model_keras2.json", "model_keras3.json"}
    assert all(len(held["tests"]) == 8 for held in files.values())
    assert "read again and computed as torch does, within 1e-05" in " ".join(done.output.split())


def test_a_header_names_the_model_it_was_made_of(model: Path, tmp_path: Path) -> None:
    done = export(str(model), "cpp", tmp_path / "out")
    assert [path.name for path in done.files] == ["model.h", "test_model.cpp"]
    assert f"// Model {model_key(model)}." in done.files[0].read_text()
    assert "./test_model" in done.headline


@pytest.mark.parametrize("kind", ["cpp", "frugally-deep"])
def test_a_set_of_folds_is_refused(kind: str, tmp_path: Path) -> None:
    folder = save_model(folded_model("lstm-streams", folds=2), tmp_path / "folds")
    with pytest.raises(InputError, match="is a set of several models"):
        export(str(folder), kind, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="categorical features"):  # a fold is taken, and looked at
        export(str(folder / "fold-0"), kind, tmp_path / "out")


def test_an_unknown_format_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no export to `frugaly-deep`"):
        export(str(model), "frugaly-deep", tmp_path / "out")
