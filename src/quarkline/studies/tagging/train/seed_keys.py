"""The CalRatio trainer's training config as a config of this study, key by key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from quarkline.engine.core.addresses import spelt
from quarkline.engine.core.config import Config, ConfigFile, ConfigPath
from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.core.results import pretty_json
from quarkline.engine.core.yaml_file import KeyPath, Text

NOT_POSSIBLE = Rule(
    "QL-TAG-040",
    "what a training config of the CalRatio trainer asks for can be said in our keys",
    "Its keys are taken, in YAML and as options, and translated. A value that never worked there, "
    "or that contradicts another, is refused with what to write instead.",
)

Widths = tuple[Annotated[int, Field(ge=1)], ...]
HIDDEN = (512, 64)
STREAMS = ("constit", "track", "MSeg")


def _without_scheme(value: Any) -> Any:
    """`file:///a/b` as `/a/b`; other texts as they are."""
    if not isinstance(value, str) or not value.startswith("file://"):
        return value
    path = value.removeprefix("file://")
    return Text(path, value.file, value.place) if isinstance(value, Text) else path


TableFile = Annotated[ConfigPath, BeforeValidator(_without_scheme)]


class SeedKeys(Config):
    """The keys of a training config of the CalRatio trainer, with its defaults."""

    model_name: str = Field("default", description="Name of the runs' folder.")
    lr_values: float = Field(8e-4, gt=0, description="Learning rate.")
    filters_cnn_constit: Widths = Field((64, 32, 32, 16), min_length=1)
    filters_cnn_track: Widths = Field((64, 32, 32, 16), min_length=1)
    filters_cnn_MSeg: Widths = Field((32, 16, 8), min_length=1)  # noqa: N815
    nodes_constit_lstm: int = Field(10, ge=0, description="Width of the LSTM over clusters.")
    nodes_track_lstm: int = Field(10, ge=0, description="Width of the LSTM over tracks.")
    nodes_MSeg_lstm: int = Field(  # noqa: N815
        5, ge=0, description="Width of the LSTM over muon segments."
    )
    layers_list: int = Field(1, ge=1, description="LSTMs of each stream.")
    reg_values: float = Field(1e-11, ge=0, description="Weight of |w| + w^2.")
    dropout_array: float = Field(0.2, ge=0, lt=1, description="Share of activations left out.")
    hidden_layer_fraction: float = Field(1.0, gt=0, description="Scales layers of 512 and 64.")
    adversary_weight: float = Field(10.0, ge=0, description="Weight of the adversary; 0: none.")
    frac_list: float = Field(0.5, gt=0, le=1, description="Fraction of both files that is used.")
    epochs: int = Field(100, ge=1, description="Epochs; after --continue so many more.")
    num_splits: int = Field(50, ge=1, description="Batches of an epoch.")
    batch_size: int = Field(512, ge=1, description="Jets in a batch.")
    mH_parametrization: bool = Field(False, description="Tell the network mH.")  # noqa: N815
    mS_parametrization: bool = Field(False, description="Tell the network mS.")  # noqa: N815
    include_low_mass: bool = Field(True, description="Learn from signal up to mH = 200 GeV.")
    include_high_mass: bool = Field(True, description="Learn from signal from mH = 400 GeV.")
    main_training_file: TableFile | None = Field(None, description="Jets of known classes.")
    cr_training_file: TableFile | None = Field(None, description="Jets of the control region.")


@dataclass(frozen=True)
class TranslatedKey:
    """What became of a key.

    Attributes:
        key: The key of the CalRatio trainer.
        value: Its value.
        became: Our key and value; empty if nothing.
        why: What to know about it.
    """

    key: str
    value: Any
    became: str
    why: str = ""


@dataclass
class Translation:
    """A config of this study made from the trainer's keys.

    Attributes:
        data: The config.
        keys: What became of each key, in the trainer's order.
        origin: By dotted key of ours, the trainer's key it comes from.
    """

    data: dict[str, Any] = field(default_factory=dict)
    keys: list[TranslatedKey] = field(default_factory=list)
    origin: dict[tuple[str, ...], str] = field(default_factory=dict)

    def put(self, source: str, value: Any, to: str, became: Any, why: str = "") -> None:
        """Note a value of ours that a key of theirs stands for."""
        at = tuple(to.split("."))
        place = self.data
        for part in at[:-1]:
            place = place.setdefault(part, {})
        place[at[-1]] = became
        self.origin[at] = source
        self.keys.append(TranslatedKey(source, value, f"{to}: {_spelt(became)}", why))

    def leave(self, source: str, value: Any, why: str) -> None:
        """Note a key that has no effect."""
        self.keys.append(TranslatedKey(source, value, "", why))


def is_seed_config(data: Mapping[str, Any]) -> bool:
    """Whether a YAML file is the trainer's: it names no study, and at least one of its keys."""
    return "study" not in data and bool(data.keys() & SeedKeys.model_fields.keys())


def translate(keys: SeedKeys, *, upstream: bool) -> Translation:
    """Our config for the trainer's.

    Args:
        keys: Those that are given; the trainer's defaults for all others.
        upstream: Train exactly as the trainer did, not only with its settings.

    Raises:
        InputError: If they ask for what cannot be done.
    """
    _check(keys)
    found = Translation({"schema": 1, "study": "tagging"})
    for part in (_files, _jets, _network, _training, _adversary):
        part(keys, found)
    _batches(keys, found, upstream=upstream)
    order = list(SeedKeys.model_fields)
    found.keys.sort(key=lambda one: order.index(one.key))
    return found


def _check(keys: SeedKeys) -> None:
    problems = []
    if not keys.include_low_mass and not keys.include_high_mass:
        problems.append(
            (
                "neither `include_low_mass` nor `include_high_mass`: no signal is left",
                "switch one of them on; both mean all signal",
            )
        )
    problems += [
        (f"`{name}` is not given", f"write --{name.replace('_', '-')} FILE, a table of jets")
        for name in ("main_training_file", "cr_training_file")
        if getattr(keys, name) is None
    ]
    if problems:
        raise InputError(*(NOT_POSSIBLE.finding(told, suggestion=hint) for told, hint in problems))


def _files(keys: SeedKeys, found: Translation) -> None:
    found.put("model_name", keys.model_name, "name", keys.model_name)
    for source, to in (("main_training_file", "main"), ("cr_training_file", "control")):
        name = spelt(Path(getattr(keys, source)).absolute())
        found.put(source, name, f"files.{to}", name)


def _jets(keys: SeedKeys, found: Translation) -> None:
    found.put(
        "frac_list",
        keys.frac_list,
        "features.fraction",
        keys.frac_list,
        "of the events, chosen by seed" + ("; the default halves the files" * _default(keys)),
    )
    found.data["features"]["inputs"] = "as-is"
    low, high = keys.include_low_mass, keys.include_high_mass
    masses = "all" if low and high else "low" if low else "high"
    for source, on in (("include_low_mass", low), ("include_high_mass", high)):
        found.put(source, on, "features.masses", masses, "weights stay with their jets")
    told = [name for name in ("mH", "mS") if getattr(keys, f"{name}_parametrization")]
    for name in ("mH", "mS"):
        source = f"{name}_parametrization"
        why = "it crashed there; works here" if name in told else ""
        found.put(source, getattr(keys, source), "features.mass_inputs", told, why)


def _default(keys: SeedKeys) -> bool:
    return "frac_list" not in keys.model_fields_set


def _network(keys: SeedKeys, found: Translation) -> None:
    streams = [
        {
            "filters": list(getattr(keys, f"filters_cnn_{name}")),
            "nodes": getattr(keys, f"nodes_{name}_lstm"),
            "layers": keys.layers_list,
        }
        for name in STREAMS
    ]
    found.data["train"] = {"model": {"kind": "lstm-streams", "streams": streams, "absent": "zeros"}}
    for place, name in enumerate(STREAMS):
        for source, part in ((f"filters_cnn_{name}", "filters"), (f"nodes_{name}_lstm", "nodes")):
            became = f"train.model.streams[{place}].{part}: {_spelt(streams[place][part])}"
            found.keys.append(TranslatedKey(source, getattr(keys, source), became))
            found.origin["train", "model", "streams", str(place), part] = source
    became = f"train.model.streams[..].layers: {keys.layers_list}"
    found.keys.append(TranslatedKey("layers_list", keys.layers_list, became))
    share = keys.hidden_layer_fraction
    hidden = [max(int(width * share), 1) for width in HIDDEN]
    found.put("hidden_layer_fraction", share, "train.model.hidden", hidden)
    found.put("dropout_array", keys.dropout_array, "train.model.dropout", keys.dropout_array)


def _training(keys: SeedKeys, found: Translation) -> None:
    rate = keys.lr_values
    found.put("lr_values", rate, "train.fit.learning_rate", rate, "of both optimisers")
    found.put("reg_values", keys.reg_values, "train.penalty", keys.reg_values)
    found.put("epochs", keys.epochs, "train.fit.epochs", keys.epochs)
    found.data["train"]["fit"] |= {"optimiser": "nadam", "clip": None, "patience": None}
    found.data["train"]["epoch_weights"] = "all"


def _adversary(keys: SeedKeys, found: Translation) -> None:
    weight = keys.adversary_weight
    if not weight:
        found.put("adversary_weight", weight, "train.adversary", {"kind": "none"})
        return
    way = {"kind": "alternating", "weight": weight, "steps": 2}
    why = "two steps of the adversary, one of the classifier, which gains nothing above a guess"
    found.put("adversary_weight", weight, "train.adversary", way, why)


def _batches(keys: SeedKeys, found: Translation, *, upstream: bool) -> None:
    splits, size = keys.num_splits, keys.batch_size
    if upstream:
        found.put("num_splits", splits, "train.num_splits", splits)
        found.leave("batch_size", size, "never used there; `num_splits` sets the batches")
        train = found.data["train"]
        train["compatibility"] = "upstream"
        train["fit"]["optimiser"] = "keras-nadam"
        if train["adversary"]["kind"] == "alternating":
            train["adversary"]["bound"] = None
        return
    found.put("batch_size", size, "train.fit.batch_size", size)
    found.leave("num_splits", splits, "tied batches to the file's size; `batch_size` says it here")


def translated_file(
    keys: SeedKeys, file: ConfigFile, *, upstream: bool
) -> tuple[ConfigFile, Translation]:
    """The trainer's config as a file of ours, whose findings name the trainer's keys and lines.

    Args:
        keys: The keys of the file.
        file: What was read.
        upstream: Train exactly as the trainer did.
    """
    found = translate(keys, upstream=upstream)
    data = {**found.data, **{key: file.data[key] for key in OURS if key in file.data}}
    places: dict[KeyPath, Place] = {at: file.place(source) for at, source in found.origin.items()}
    return ConfigFile(file.path, pretty_json(data), data, places, file.findings), found


def given_overrides(keys: SeedKeys, kind: str) -> list[str]:
    """The keys that are given, as `key=value` texts over a config of ours.

    Args:
        keys: The keys.
        kind: Of the adversary in that config.

    Raises:
        InputError: If one cannot be said over a config.
    """
    files = {"main_training_file": Path("-"), "cr_training_file": Path("-")}
    unset = {name: path for name, path in files.items() if getattr(keys, name) is None}
    found = translate(keys.model_copy(update=unset), upstream=False)
    given, texts = keys.model_fields_set, []
    if parts := sorted(given & IN_LISTS):
        raise InputError(
            *(
                NOT_POSSIBLE.finding(
                    f"`{name}` cannot be given beside a config of ours",
                    suggestion="write `train: {model: {streams: [...]}}` in the config",
                )
                for name in parts
            )
        )
    if "num_splits" in given:
        texts.append(f"train.num_splits={keys.num_splits}")
    if "adversary_weight" in given and keys.adversary_weight:
        way = {"kind": kind, "weight": keys.adversary_weight}
        texts.append(f"train.adversary={json.dumps(way)}")
        given = given - {"adversary_weight"}
    for at, source in found.origin.items():
        if source in given:
            value = found.data
            for part in at:
                value = value[part]
            texts.append(f"{'.'.join(at)}={json.dumps(value)}")
    return texts


IN_LISTS = frozenset(
    {f"filters_cnn_{name}" for name in STREAMS}
    | {f"nodes_{name}_lstm" for name in STREAMS}
    | {"layers_list"}
)
"""Keys of one of several streams."""
OURS = ("roots", "compute", "seed")
"""Keys of every config of ours that may stand beside the trainer's."""


def rows(keys: Iterable[TranslatedKey]) -> list[tuple[str, str, str, str]]:
    """The table of what became of each key, as texts."""
    return [(one.key, _spelt(one.value), one.became or "no effect", one.why) for one in keys]


def _spelt(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
