"""Exports compute what their models do, and say what they take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import onnx
import onnxruntime
import torch

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.learning.export.onnx import difficult_events, export_onnx, verify
from quarkline.learning.export.onnx_graph import _Scale
from quarkline.learning.features.arrays import MISSING
from quarkline.learning.features.scaling import FeatureScale
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.scoring.onnx_runtime import load_exported
from tests.learning.models.conftest import (
    CLASSES,
    GROUP,
    IDENTITY,
    SPEC,
    arrays,
    event_model,
    folded_model,
)

pytestmark = pytest.mark.xdist_group("onnx")  # one process makes what they share

KEY = "5" * 32


@pytest.fixture(scope="module")
def model() -> FoldedModel:
    return folded_model("resnet", folds=2)


@pytest.fixture(scope="module")
def folder(model: FoldedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("onnx")
    export_onnx(model, KEY, place)
    return place


def test_every_fold_is_that_of_the_model(model: FoldedModel, folder: Path) -> None:
    exported, _ = load_exported(folder)
    events = arrays(300, seed=8)
    fold = np.arange(300) % 2
    found = exported.probabilities(events, fold, device="cpu")
    assert found == pytest.approx(model.probabilities(events, fold), abs=1e-5)
    assert (exported.classes, exported.spec) == (CLASSES, SPEC)
    assert (exported.group, exported.identity) == (model.group, model.identity)
    assert (exported.seed, exported.folds) == (model.seed, 2)


def test_a_file_by_itself_is_enough_for_other_programs(model: FoldedModel, folder: Path) -> None:
    """Nothing but ONNX Runtime and NumPy: raw values with NaN in, probabilities out."""
    session = onnxruntime.InferenceSession(folder / "fold-1.onnx")
    inputs = {item.name: (item.type, item.shape) for item in session.get_inputs()}
    assert inputs == {
        "continuous": ("tensor(float)", ["events", 2]),
        "categorical": ("tensor(int64)", ["events", 2]),
        "jets": ("tensor(float)", ["events", 3, 2]),
        "jets_present": ("tensor(bool)", ["events", 3]),
    }
    jets = np.full((1, 3, 2), np.nan, np.float32)
    jets[0, 0] = [5e4, 0.3]
    event = {
        "continuous": np.array([[2e5, np.nan]], np.float32),
        "categorical": np.array([[2, MISSING]]),
        "jets": jets,
        "jets_present": np.array([[True, False, False]]),
    }
    (found,) = session.run(["probabilities"], event)
    events = arrays(1)
    events.continuous[:], events.categorical[:] = event["continuous"], event["categorical"]
    events.objects["jets"].values[:] = jets
    events.objects["jets"].present[:] = event["jets_present"]
    assert found == pytest.approx(model.members[1][0].probabilities(events), abs=1e-6)
    told = json.loads(session.get_modelmeta().custom_metadata_map["quarkline"])
    assert (told["model"], told["fold"], told["classes"]) == (KEY, 1, list(CLASSES))
    assert (told["folds"], told["seed"]) == (2, 7)
    assert (told["group"], told["identity"]) == (list(GROUP), list(IDENTITY))
    assert told["inputs"][0]["expression"] == "HT"


def test_one_file_scores_all_events(model: FoldedModel, folder: Path) -> None:
    exported, _ = load_exported(folder / "fold-1.onnx")
    events, fold = arrays(50, seed=8), np.zeros(50, np.int16)
    found = exported.probabilities(events, fold, device="cpu")
    assert found == pytest.approx(model.probabilities(events, fold + 1), abs=1e-5)


def test_a_file_says_nothing_of_where_it_was_made(folder: Path) -> None:
    for path in folder.glob("*.onnx"):
        content = path.read_bytes()
        assert b".py" not in content
        assert b"/site-packages" not in content
        onnx.checker.check_model(onnx.load(path))


def test_a_changed_file_is_refused(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    load_exported(tmp_path)
    (tmp_path / "fold-0.onnx").write_bytes((folder / "fold-1.onnx").read_bytes())
    with pytest.raises(InputError, match=r"fold-0\.onnx has changed"):
        load_exported(tmp_path)
    (tmp_path / "fold-1.onnx").unlink()
    with pytest.raises(InputError, match="refused"):
        load_exported(tmp_path)
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(b"no graph")
    with pytest.raises(InputError, match="refused"):
        load_exported(foreign)


def test_an_export_that_disagrees_is_refused(model: FoldedModel, folder: Path) -> None:
    other = (folder / "fold-0.onnx").read_bytes()
    with pytest.raises(WorkError, match="a probability differs by"):
        verify(other, model.members[1], folder / "fold-1.onnx")


def test_trees_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="made of boosted trees") as refused:
        export_onnx(folded_model("bdt"), KEY, tmp_path / "onnx")
    assert "trees.txt" in refused.value.findings[0].suggestion
    assert not (tmp_path / "onnx").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "ft-transformer"},
        {"kind": "ft-transformer", "objects": "slots", "readout": "first"},
        {"kind": "resnet", "objects": "slots", "categories": "number", "missing": "mean"},
        {"kind": "resnet", "categories": "one-hot"},
    ],
    ids=lambda item: "-".join(item.values()),
)
def test_every_form_of_network_is_exported(settings: dict, tmp_path: Path) -> None:
    from pydantic import TypeAdapter

    from quarkline.learning.models.config import ModelConfig
    from quarkline.learning.models.networks import Network, build_network

    base = event_model("resnet")
    config = TypeAdapter(ModelConfig).validate_python(settings)
    module = build_network(config, base.preprocess.geometry, len(CLASSES), seed=4).eval()
    model = FoldedModel.alone(replace(base, config=config, predictor=Network(module)))
    export_onnx(model, KEY, tmp_path)
    exported, _ = load_exported(tmp_path)
    events, fold = difficult_events(arrays(40, seed=6)), np.zeros(48, np.int16)
    found = exported.probabilities(events, fold, device="cpu")
    assert found == pytest.approx(model.probabilities(events, fold), abs=1e-5)


@pytest.mark.slow
def test_recurrent_networks_skip_what_is_absent_there_too(tmp_path: Path) -> None:
    """Masks, both directions and two LSTMs; `export_onnx` compares with torch."""
    model = FoldedModel.alone(event_model("lstm-streams"))
    export_onnx(model, KEY, tmp_path)
    exported, _ = load_exported(tmp_path)
    events = arrays(100, seed=3)
    assert not events.objects["jets"].present[0].any()
    found = exported.probabilities(events, np.zeros(100, np.int16), device="cpu")
    assert found == pytest.approx(model.probabilities(events, np.zeros(100, np.int16)), abs=1e-5)


def test_values_are_taken_as_they_are_where_the_network_was_trained_so() -> None:
    scales = tuple(FeatureScale.none(name) for name in "ab")
    values = np.array([[1e5, -3.25], [np.nan, np.inf], [-np.inf, 0.0]], np.float32)
    found = _Scale(scales)(torch.from_numpy(values)).numpy()
    assert np.array_equal(found, [[1e5, -3.25], [0, 0], [0, 0]])
    expected = [scale.bounded(values[:, i].astype(float)) for i, scale in enumerate(scales)]
    assert np.array_equal(found, np.stack(expected, axis=1))
