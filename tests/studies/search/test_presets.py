"""Training configs of lq-asym: the real ones load or are refused, with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from quarkline.engine.core.findings import InputError, Severity
from quarkline.learning.features.config import FeaturesConfig
from quarkline.learning.models.config import ModelConfig
from quarkline.learning.training.config import TrainingConfig
from quarkline.studies.search.presets import Preset, read_preset, with_preset

REFUSED = {
    "defaults": "key `model` is missing",
    "resnets/resnet-50-drop": "did you mean `resnets/resnet-8`",
    "resnets/resnet-nan-w": "`extend: resnets/resnet` names no file",
    "transformers/transformer-2-100-data-safe-5000-batch": "unknown key `barch_size`",
    "transformers/transformer-5-100-data-safe-5000-batch": "did you mean `batch_size`?",
    "transformers/transformer-5-100-data-nello-5000-batch-20-drop": "barch_size",
}


@pytest.fixture(scope="module")
def folder(data_folder: Path) -> Path:
    return data_folder / "lq" / "ml" / "configs"


def preset(folder: Path, name: str) -> Preset:
    return read_preset(folder / f"{name}.yaml")


def write(folder: Path, text: str, name: str = "own") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_preset(path)
    return str(caught.value)


def test_every_published_preset_loads_or_is_refused_with_the_reason(folder: Path) -> None:
    found = sorted(folder.rglob("*.yaml"))
    assert len(found) == 47
    for path in found:
        name = str(path.relative_to(folder).with_suffix(""))
        if name in REFUSED:
            assert REFUSED[name] in refusal(path)
        else:
            told = read_preset(path)
            assert all(note.severity is Severity.NOTE for note in told.notes)
            model = TypeAdapter(ModelConfig).validate_python(told.train["model"])
            fit = TrainingConfig.model_validate(told.train["fit"])
            assert model.model_dump(include=told.train["model"].keys()) == told.train["model"]
            assert fit.epochs == 100


def test_what_a_preset_inherits_and_overrides(folder: Path) -> None:
    told = preset(folder, "resnets/resnet-8-embed-nan-w").train
    assert told["model"] == {
        "kind": "resnet",
        "blocks": 8,
        "width": 64,
        "dropout": 0.0,
        "categories": "embed",
        "embedding": 8,
        "missing": "learned",
        "objects": "slots",
    }
    assert not {"features", "classes", "beyond"} & told.keys()
    plain = preset(folder, "resnets/resnet-6").train["model"]
    assert (plain["blocks"], plain["categories"], plain["missing"]) == (6, "number", "mean")


def test_a_transformer_with_more_data_and_larger_batches(folder: Path) -> None:
    told = preset(folder, "transformers/transformer-5-100-data-5000-batch-20-drop").train
    model = told["model"]
    assert (model["kind"], model["blocks"], model["width"]) == ("ft-transformer", 5, 256)
    assert (model["heads"], model["dropout"]) == (4, 0.2)
    assert told["beyond"] == {"selection": "1", "fraction": 1.0}
    fit = told["fit"]
    assert (fit["batch_size"], fit["epochs"], fit["validation"]) == (5000, 100, 0.2)
    assert (fit["weights"], fit["precision"], fit["compile"]) == ("none", "16-mixed", False)


def test_slots_of_jets_are_objects(folder: Path) -> None:
    features = preset(folder, "transformers/transformer-2-10-data-safe").train["features"]
    jets = ["jets_e", "jets_eta", "jets_phi", "jets_pt"]
    assert features["objects"] == {"jets": {"features": jets, "length": 6}}
    assert [name for name in features["subset"] if name.startswith("jets_")] == jets
    assert {"lep_E_0", "lep_E_1", "minDeltaR_LJ_2", "Mb0"} <= set(features["subset"])


def test_features_that_the_analysis_lacks_are_listed(folder: Path, data_folder: Path) -> None:
    use = str(data_folder / "lq" / "data_processing" / "features" / "training_features.yaml")
    told = preset(folder, "resnets/resnet-10-nello")
    with pytest.raises(InputError) as caught:
        FeaturesConfig.model_validate(with_preset({"features": {"use": use}}, told)["features"])
    message = str(caught.value)
    assert "13 features that are not listed: `DeltaR_max_lep_bjet77`, `HT_fwdJets`" in message


def test_a_subset_of_what_is_there_is_taken(data_folder: Path, tmp_path: Path) -> None:
    lists = data_folder / "lq" / "data_processing" / "features"
    path = write(
        tmp_path,
        "model: resnet\nn_blocks: 2\nn_embed: 8\n"
        "features: [HT, dilep_type, jets_pt_0, jets_pt_1, lep_Pt_0]\n",
    )
    written = {
        "use": str(lists / "training_features.yaml"),
        "categorical": str(lists / "categorical.yaml"),
    }
    train = with_preset({"features": written}, read_preset(path))
    spec = FeaturesConfig.model_validate(train["features"]).spec()
    assert [feature.name for feature in spec.continuous] == ["HT", "lep_Pt_0"]
    assert [feature.name for feature in spec.categorical] == ["dilep_type"]
    (jets,) = spec.objects
    assert (jets.length, [feature.name for feature in jets.features]) == (2, ["jets_pt"])


def test_notes_say_what_is_said_elsewhere(folder: Path) -> None:
    notes = preset(folder, "resnets/resnet-8-10-data").notes
    keys = {note.message.split("`")[1] for note in notes}
    assert keys >= {"use_wandb", "project_name", "data_path", "evaluations", "tags", "seed"}
    assert any("thins the events outside the region" in note.message for note in notes)
    assert all(note.place and note.place.line for note in notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: mlp", "`model` = 'mlp' is none of the values allowed"),
        ("model: transfomer", "did you mean `transformer`?"),
        ("model: transformer", "a transformer needs `n_heads`"),
        ("use_binary: true", "merges all classes but the signal"),
        ("fraction: 0.5", "trains on a part of the region"),
        ("cuts: dicard", "did you mean `discard`?"),
        ("dropout: 2", "less than 1"),
        ("n_blocks: many", "own.yaml:2:1"),
        ("classes: [lq]", "`classes`"),
        ("extend: own", "circle of `extend`: own -> own"),
        ("n_head: 4", "unknown key `n_head`"),
    ],
    ids=str,
)
def test_what_has_no_counterpart_is_refused(tmp_path: Path, text: str, message: str) -> None:
    base = {"model": "resnet", "n_blocks": "2", "n_embed": "8"}
    key, _, value = text.partition(": ")
    lines = [f"{name}: {own}" for name, own in (base | {key: value}).items()]
    assert message in refusal(write(tmp_path, "\n".join(lines)))


def test_parents_are_looked_for_in_the_folders_above(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    write(tmp_path, "epochs: 7\nseed: 3\n", "defaults")
    write(tmp_path / "nets", "extend: defaults\nmodel: resnet\nn_blocks: 1\nn_embed: 4\n", "small")
    path = write(tmp_path / "nets", "extend: nets/small\nn_embed: 16\nrepeat: 3\n", "wide")
    told = read_preset(path).train
    assert (told["fit"]["epochs"], told["model"]["width"], told["members"]) == (7, 16, 3)


def test_keys_of_the_analysis_win_over_those_of_a_preset() -> None:
    told = Preset({"model": {"kind": "resnet", "blocks": 6}, "fit": {"epochs": 100}}, ())
    own: dict[str, Any] = {"region": "SR", "fit": {"batch_size": 64}, "model": {"width": 8}}
    assert with_preset(own, told) == {
        "region": "SR",
        "model": {"kind": "resnet", "blocks": 6, "width": 8},
        "fit": {"epochs": 100, "batch_size": 64},
    }
    assert with_preset({"model": {"kind": "bdt"}}, told)["model"] == {"kind": "bdt"}


def test_a_preset_keeps_its_places_when_it_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, "model: resnet\nn_blocks: 2\nn_embed: 8\nepoch: 3\n", "parent")
    message = refusal(write(tmp_path, "extend: parent\n\nbatchsize: 3\n"))
    assert "parent.yaml:4:1  unknown key `epoch`" in message
    assert "own.yaml:3:1  unknown key `batchsize`" in message
