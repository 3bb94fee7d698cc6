"""Training configs of lq-asym as settings of a search's `train`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config, ConfigFile
from quarkline.engine.core.findings import (
    Finding,
    InputError,
    Place,
    Rule,
    Severity,
    did_you_mean,
)
from quarkline.engine.core.yaml_file import KeyPath, ParsedFile, read_yaml

NO_PARENT = Rule(
    "QL-PRESET-001",
    "a preset extends presets that are there",
    "`extend: resnets/resnet-6` means the file `resnets/resnet-6.yaml` in the nearest folder above "
    "the preset that has one. No preset extends itself on the way.",
)
NO_COUNTERPART = Rule(
    "QL-PRESET-002",
    "what a preset asks for can be said in our keys",
    "A few settings of lq-asym need something that the preset does not know, such as the samples "
    "of an analysis. Write them in the config, and leave them out of the preset.",
)
NO_MEANING = Rule(
    "QL-PRESET-003",
    "some keys of a preset mean nothing here",
    "Where data come from, what is drawn, and who watches the training is said elsewhere, or "
    "always done.",
    Severity.NOTE,
)
SLOT = re.compile(r"(jets_\w+?)_(\d+)")
ELSEWHERE = {
    "use_wandb": "trackers are listed under `tracking`",
    "project_name": "W&B's project is `tracking: [{kind: wandb, project: NAME}]`",
    "tags": "W&B's tags are `tracking: [{kind: wandb, tags: [...]}]`",
    "data_path": "events come from the files of the samples",
    "evaluations": "every evaluation is made",
    "checkpoints_dir": "checkpoints are in the run's folder",
    "require_cuda": "the device is chosen by `--device`",
    "seed": "the seed of an analysis is its key `seed`",
}


class PublishedConfig(Config):
    """The keys of a training config of lq-asym, parents merged."""

    model: Literal["resnet", "transformer"]
    n_blocks: int = Field(ge=1)
    n_embed: int = Field(ge=1)
    n_heads: int | None = Field(None, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    use_embedding: bool = False
    n_embed_categorical: int = Field(8, ge=1)
    use_nan_w: bool = False
    features: list[str] | None = Field(None, min_length=1)
    classes: list[str] | None = Field(None, min_length=2)
    cuts: Literal["apply", "discard"] = "apply"
    fraction: float = Field(1.0, gt=0, le=1)
    trn_split: float = Field(0.8, gt=0, lt=1)
    use_binary: bool = False
    use_weights: bool = False
    batch_size: int = Field(1024, ge=1)
    epochs: int = Field(100, ge=1)
    compile: bool = False
    use_half: bool = True
    repeat: int = Field(1, ge=1)
    seed: int = Field(0, ge=0)
    use_wandb: bool = True
    project_name: str = ""
    tags: list[str] = Field(default_factory=list)
    data_path: str = ""
    evaluations: list[str] = Field(default_factory=list)
    checkpoints_dir: str | None = None
    require_cuda: bool = False

    @model_validator(mode="after")
    def _heads(self) -> Self:
        if self.model == "transformer" and self.n_heads is None:
            message = "a transformer needs `n_heads`"
            raise ValueError(message)
        return self


@dataclass(frozen=True)
class Preset:
    """A training config of lq-asym in our keys.

    Attributes:
        train: Keys of `train`, as YAML has them: `model`, `fit`, `members`, and where the preset
            says so `features`, `classes` and `beyond`.
        notes: What has no counterpart.
    """

    train: Mapping[str, Any]
    notes: tuple[Finding, ...]


def read_preset(path: Path) -> Preset:
    """Read a training config of lq-asym with all it extends.

    Raises:
        InputError: If it extends a file that is absent, has unknown keys or values, or asks for
            what has no counterpart.
    """
    file = _with_parents(read_yaml(path), (path.resolve(),))
    published = file.validate(PublishedConfig)
    if refused := list(_refused(published, file)):
        raise InputError(*refused)
    return Preset(dict(_train(published)), tuple(_notes(published, file)))


def with_preset(train: Mapping[str, Any], preset: Preset) -> dict[str, Any]:
    """The keys of `train` over those of a preset: maps merge, unless they are of another kind."""
    return _laid_over(preset.train, train)


def _laid_over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _together(below, value)
        else:
            merged[key] = value
    return merged


def _together(below: Mapping[str, Any], above: Mapping[str, Any]) -> Mapping[str, Any]:
    """Two maps as one; another `kind` replaces the whole map."""
    other = "kind" in above and above["kind"] != below.get("kind")
    return above if other else _laid_over(below, above)


def _with_parents(file: ParsedFile, seen: tuple[Path, ...]) -> ConfigFile:
    """A preset with the keys of its parents, where it does not say them itself."""
    own = dict(file.data)
    name = own.pop("extend", None)
    if name is None:
        return ConfigFile(file.path, file.text, own, file.places)
    place = file.places["extend",]
    parent = _parent(str(name), file.path, place)
    if parent.resolve() in seen:
        chain = " -> ".join(item.stem for item in (*seen, parent))
        raise InputError(NO_PARENT.finding(f"circle of `extend`: {chain}", place=place))
    above = _with_parents(read_yaml(parent), (*seen, parent.resolve()))
    places: dict[KeyPath, Place] = {**above.places, **file.places}
    return ConfigFile(file.path, file.text, {**above.data, **own}, places)


def _parent(name: str, path: Path, place: Place) -> Path:
    folders = path.absolute().parents
    for folder in folders:
        if (found := folder / f"{name}.yaml").is_file():
            return found
    near = {str(item.relative_to(folder).with_suffix("")) for folder, item in _siblings(name, path)}
    raise InputError(
        NO_PARENT.finding(
            f"`extend: {name}` names no file: there is no `{name}.yaml` above `{path.name}`",
            suggestion=did_you_mean(name, near, what="presets"),
            place=place,
        )
    )


def _siblings(name: str, path: Path) -> Iterator[tuple[Path, Path]]:
    """Presets in folders where the one named would be, each with the folder above."""
    for folder in path.absolute().parents:
        inner = (folder / name).parent
        yield from ((folder, item) for item in inner.glob("*.yaml") if item.is_file())


def _refused(published: PublishedConfig, file: ConfigFile) -> Iterator[Finding]:
    if published.use_binary:
        yield NO_COUNTERPART.finding(
            "`use_binary` merges all classes but the signal, which a preset does not know",
            suggestion="write `train: {classes: {SIGNAL: [...], other: [...]}}` instead",
            place=file.place("use_binary"),
        )
    if published.cuts == "apply" and published.fraction < 1:
        yield NO_COUNTERPART.finding(
            f"`fraction: {published.fraction:g}` with `cuts: apply` trains on a part of the region",
            suggestion="take fewer events of everything, `inputs: {fraction: ...}`",
            place=file.place("fraction"),
        )


def _notes(published: PublishedConfig, file: ConfigFile) -> Iterator[Finding]:
    for key in file.data:
        if key in ELSEWHERE:
            yield NO_MEANING.finding(
                f"`{key}` of the preset is not taken over",
                suggestion=ELSEWHERE[key],
                place=file.place(key),
            )
    if published.cuts == "discard" and published.fraction < 1:
        yield NO_MEANING.finding(
            f"`fraction: {published.fraction:g}` thins the events outside the region; all events "
            "inside are trained on, where lq-asym thinned them, too",
            place=file.place("fraction"),
        )


def _train(published: PublishedConfig) -> Iterator[tuple[str, Any]]:
    yield "model", _model(published)
    yield "fit", _fit(published)
    yield "members", published.repeat
    if published.features:
        yield "features", _features(published.features)
    if published.classes:
        yield "classes", list(published.classes)
    if published.cuts == "discard":
        yield "beyond", {"selection": "1", "fraction": published.fraction}


def _model(published: PublishedConfig) -> dict[str, Any]:
    """The published network: jets place by place, the transformer read at its first token."""
    shared = {
        "blocks": published.n_blocks,
        "width": published.n_embed,
        "dropout": published.dropout,
        "missing": "learned" if published.use_nan_w else "mean",
        "objects": "slots",
    }
    if published.model == "transformer":
        own = {"kind": "ft-transformer", "heads": published.n_heads, "readout": "first"}
    else:
        own = {
            "kind": "resnet",
            "categories": "embed" if published.use_embedding else "number",
            "embedding": published.n_embed_categorical,
        }
    return {**own, **shared}


def _fit(published: PublishedConfig) -> dict[str, Any]:
    """The published training: a found rate that stays, all epochs, the best by the signal's AUC."""
    return {
        "epochs": published.epochs,
        "batch_size": published.batch_size,
        "learning_rate": "find",
        "find": {"choose": "minimum"},
        "schedule": {"kind": "constant"},
        "weight_decay": 0.01,
        "clip": None,
        "monitor": "auc",
        "patience": None,
        "validation": round(1 - published.trn_split, 9),
        "weights": "signed" if published.use_weights else "none",
        "balance": "none",
        "precision": "16-mixed" if published.use_half else "32",
        "compile": published.compile,
    }


def _features(names: list[str]) -> dict[str, Any]:
    """Names as a subset, in which `jets_pt_0` to `jets_pt_5` are `jets_pt` of six jets."""
    slots = {name: found for name in names if (found := SLOT.fullmatch(name))}
    plain = dict.fromkeys(slots[name][1] if name in slots else name for name in names)
    if not slots:
        return {"subset": list(plain)}
    inner = list(dict.fromkeys(found[1] for found in slots.values()))
    length = 1 + max(int(found[2]) for found in slots.values())
    return {"subset": list(plain), "objects": {"jets": {"features": inner, "length": length}}}
