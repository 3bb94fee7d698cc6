"""Files of frugally-deep: those of a real network equal the golden ones, and tell when damaged."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.learning.export.frugally_deep.evaluate import scores
from quarkline.learning.export.frugally_deep.export import check, export_frugally_deep
from quarkline.learning.export.frugally_deep.network import layered_network
from quarkline.learning.export.frugally_deep.read import parse, read_frugally_deep
from quarkline.learning.export.frugally_deep.write import frugally_deep_json
from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup
from quarkline.learning.models.config import StreamConfig, StreamNetworkConfig
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.keras_layers import load_keras_weights, read_keras_weights
from quarkline.learning.models.networks import Network, build_network
from quarkline.learning.models.streams import StreamNetwork
from quarkline.studies.tagging.upstream import examples, upstream_model
from tests.learning.models.conftest import event_model

GOLDEN = {
    "keras2": "epoch1_fdeep_keras2_v015.json",
    "keras3": "epoch1_fdeep_keras3_v020.json",
}
every_dialect = pytest.mark.parametrize("dialect", GOLDEN)
SPEC = FeatureSpec(
    (Feature("pt", "pt"),),
    objects=(
        ObjectGroup("cells", 4, (Feature("e", "e"), Feature("t", "t"))),
        ObjectGroup("hits", 3, (Feature("x", "x"),)),
    ),
)
CONFIG = StreamNetworkConfig(
    streams=(StreamConfig(filters=(4, 3), nodes=2, layers=2), StreamConfig(filters=(3,), nodes=0)),
    hidden=(5,),
    absent="zeros",
)


@pytest.fixture(scope="module")
def folder(data_folder: Path) -> Path:
    return data_folder / "calratio" / "model"


@pytest.fixture(scope="module")
def real(folder: Path) -> EventModel:
    return upstream_model(read_keras_weights(folder / "final_model_weights_1.keras"))


def small(config: StreamNetworkConfig = CONFIG, spec: FeatureSpec = SPEC) -> EventModel:
    draw = np.random.default_rng(6)
    preprocess = Preprocess.none(spec)
    module = build_network(config, preprocess.geometry, 2, seed=1)
    objects = {}
    for group in spec.objects:
        shape = (6, group.length, len(group.features))
        values = draw.normal(size=shape).astype(np.float32)
        present = np.arange(group.length) < np.arange(6)[:, None]
        values[~present] = np.nan
        objects[group.name] = Objects(values, present)
    numbers = draw.normal(size=(6, len(spec.continuous))).astype(np.float32)
    arrays = FeatureArrays(numbers, np.zeros((6, 0), np.int64), objects)
    return EventModel(config, ("a", "b"), preprocess, Network(module.eval()), arrays)


def content(model: EventModel | None = None, dialect: str = "keras2") -> dict[str, Any]:
    text = frugally_deep_json(layered_network(model or small()), cast("Any", dialect))
    return cast("dict[str, Any]", json.loads(text))


@every_dialect
def test_the_file_of_a_real_network_is_the_golden_one(
    real: EventModel, folder: Path, tmp_path: Path, dialect: str
) -> None:
    """Layers, their order and every weight, to the last bit; the real library loaded the golden."""
    files = {path.name: path for path in export_frugally_deep(real, tmp_path)}
    ours = json.loads(files[f"model_{dialect}.json"].read_text())
    golden = json.loads((folder / GOLDEN[dialect]).read_text())
    assert ours.keys() == golden.keys()
    for key in golden.keys() - {"tests", "hash"}:
        assert ours[key] == golden[key], key
    assert len(ours["tests"]) == len(golden["tests"]) == 8


@every_dialect
def test_the_reader_computes_the_scores_in_the_golden_file(folder: Path, dialect: str) -> None:
    network = read_frugally_deep(folder / GOLDEN[dialect])
    assert check(network, folder) < 1e-6
    with np.load(folder / "epoch1_reference_scores.npz") as held:
        inputs = [held[name] for name in ("constit", "track", "MSeg", "jet")]
        assert scores(network, inputs) == pytest.approx(held["scores"], abs=1e-9)


def test_weights_come_back_from_a_file(real: EventModel, folder: Path) -> None:
    weights = read_frugally_deep(folder / GOLDEN["keras3"]).keras_weights()
    given = examples(20)
    assert np.array_equal(upstream_model(weights).probabilities(given), real.probabilities(given))


@every_dialect
def test_stacked_lstms_and_means_are_those_of_torch(dialect: str) -> None:
    network = parse(content(dialect=dialect))
    assert [layer.kind for layer in network.layers if layer.kind.startswith(("L", "G"))] == [
        "LSTM",
        "LSTM",
        "GlobalAveragePooling1D",
    ]
    assert check(network, Path()) < 1e-6
    again = cast("StreamNetwork", build_network(CONFIG, Preprocess.none(SPEC).geometry, 2, seed=5))
    load_keras_weights(again, ("cells", "hits"), network.keras_weights())
    model = replace(small(), predictor=Network(again.eval()))
    assert np.array_equal(
        model.probabilities(model.examples), small().probabilities(model.examples)
    )


def test_the_hash_tells_networks_apart(real: EventModel) -> None:
    assert content()["hash"] == content(dialect="keras3")["hash"] != content(real)["hash"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"absent": "skipped"}, "`absent: skipped` needs masks, which the format does not have"),
        ({"bidirectional": True}, "no reader of ours has checked it"),
    ],
    ids=["masks", "both-ways"],
)
def test_what_it_cannot_express_is_refused(
    change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    model = small(CONFIG.model_copy(update=change))
    with pytest.raises(InputError, match=reason):
        export_frugally_deep(model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_scaling_kinds_and_other_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`kind: resnet` is not made of its layers"):
        export_frugally_deep(event_model("resnet"), tmp_path)
    scaled = event_model("lstm-streams")
    with pytest.raises(InputError) as refused:
        export_frugally_deep(scaled, tmp_path)
    for reason in ("masks", "categorical features", "scaling of `ht` and 3 more has bounds"):
        assert reason in str(refused.value)


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        place: Any = data
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return change


def _layer(name: str, *path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: dict[str, Any]) -> None:
        layers = data["architecture"]["config"]["layers"]
        (layer,) = [item for item in layers if item["name"] == name]
        _set(*path, to=to)(layer)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_layer("dropout", "class_name", to="Masking"), "`dropout` is a Masking"),
        (_layer("lstm", "config", "recurrent_activation", to="hard_sigmoid"), "'hard_sigmoid'"),
        (_layer("lstm", "config", "go_backwards", to=True), "`go_backwards` is True"),
        (_layer("lstm", "config", "units", to=3), "`lstm` has 16 numbers for the shape"),
        (_layer("conv1d", "config", "kernel_size", to=[3]), "`kernel_size` is"),
        (_layer("dense_1", "config", "activation", to="gelu"), "activation `gelu` is not known"),
        (_layer("lstm", "inbound_nodes", to=[[["dense_1", 0, 0, {}]]]), "not stand before"),
        (_set("image_data_format", to="channels_first"), "channels_first"),
        (_set("trainable_params", "lstm_7", to={}), "weights of `lstm_7`"),
        (_set("trainable_params", "lstm", to={}), "`lstm` has the weights none"),
        (_set("trainable_params", "dense_1", "bias", to=[0, 1, 2, 3, float("nan")]), "not finite"),
        (_set("trainable_params", "dense_1", "bias", to=["%%"]), "refused"),
        (_set("input_shapes", 0, to=[5, 2]), "`input_shapes` is"),
        (lambda data: data.pop("architecture"), "`architecture` is missing"),
    ],
)
def test_other_files_are_refused(change: Any, message: str, tmp_path: Path) -> None:
    data = content()
    change(data)
    (tmp_path / "model.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match=message):
        read_frugally_deep(tmp_path / "model.json")


def test_a_changed_weight_is_noticed(tmp_path: Path) -> None:
    data = content()
    (text,) = data["trainable_params"]["main_output"]["bias"]
    bias = np.frombuffer(base64.b64decode(text), "<f4") + np.array([0.01, 0])
    data["trainable_params"]["main_output"]["bias"] = [float(value) for value in bias]
    with pytest.raises(WorkError, match="a score differs by"):
        check(parse(data), tmp_path)


def test_inputs_of_another_shape_are_refused(folder: Path) -> None:
    network = read_frugally_deep(folder / GOLDEN["keras2"])
    with pytest.raises(ValueError, match=r"`constit_input_cr` takes \[30, 12\]"):
        scores(network, [np.zeros((1, 20, 10)), *[np.zeros((1, 1))] * 3])
