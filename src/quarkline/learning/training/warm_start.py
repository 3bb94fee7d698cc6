"""Starts a training from another one's weights; its optimiser, schedule and history are new."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from quarkline.engine.core.findings import InputError, Rule, Severity
from quarkline.engine.store.filekeys import file_key
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.spec import FeatureSpec
from quarkline.learning.models.artifact import model_key
from quarkline.learning.models.event_model import PREPROCESS
from quarkline.learning.training.state import CHECKPOINT

log = logging.getLogger(__name__)

WEIGHTS = "weights.safetensors"

NOTHING_FITS = Rule(
    "QL-TRAIN-017",
    "a warm start fits the network",
    "A warm start copies the weights whose names and shapes agree and leaves the others as drawn: "
    "other classes, for example, mean another last layer. Weights of which none agree are those "
    "of another network.",
)
NO_WEIGHTS = Rule(
    "QL-TRAIN-018",
    "a warm start names a model or a training's state",
    "Weights are read from the folder of a model, from a `.safetensors` file, or from the "
    f"`{CHECKPOINT}` that a training keeps in its folder.",
)
OTHER_FEATURES = Rule(
    "QL-TRAIN-019",
    "a warm start reads the same features",
    "Weights have learned what each place of their input means, in the parent's scales and codes. "
    "A classifier that starts from them takes these over, so its features must be the same, in "
    "the same order.",
)


@dataclass(frozen=True)
class WarmStart:
    """Weights to start from.

    Attributes:
        weights: The weights by name.
        parent: Content key of what they were read from.
        preprocess: The scales and codes that belong to them, if they are a classifier's.
    """

    weights: Mapping[str, Tensor]
    parent: str
    preprocess: Preprocess | None = None


@dataclass(frozen=True)
class Warmed:
    """What a warm start did.

    Attributes:
        parent: Content key of what the weights were read from.
        loaded: Names of the weights that were taken over.
        skipped: The others of the network and of the parent, each with its shapes.
    """

    parent: str
    loaded: tuple[str, ...]
    skipped: tuple[str, ...]


def read_warm_start(path: Path) -> WarmStart:
    """Read weights from a model's folder, a `.safetensors` file or a training's state.

    Raises:
        InputError: If there are none.
    """
    file = path / WEIGHTS if path.is_dir() else path
    try:
        if file.suffix == ".safetensors":
            weights = load_file(file)
        else:
            weights = torch.load(file, map_location="cpu", weights_only=True)["best"]
    except (OSError, SafetensorError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            NO_WEIGHTS.finding(
                f"no weights at {path}: {error}",
                suggestion=f"name a model's folder, a `.safetensors` file or a `{CHECKPOINT}`",
            )
        ) from error
    if not path.is_dir():
        return WarmStart(weights, file_key(file).digest)
    made = path / PREPROCESS
    scales = Preprocess.from_json(json.loads(made.read_text())) if made.exists() else None
    return WarmStart(weights, model_key(path), scales)


def preprocess_from(start: WarmStart, spec: FeatureSpec) -> Preprocess | None:
    """The scales and codes of a warm start; None if it has none.

    Raises:
        InputError: If they are of other features.
    """
    if start.preprocess is not None and start.preprocess.spec != spec:
        here, there = (_names(item) for item in (spec, start.preprocess.spec))
        changed = [f"`{name}`" for name in sorted(set(here) ^ set(there))]
        raise InputError(
            OTHER_FEATURES.finding(
                "the warm start reads other features: "
                + (", ".join(changed) or "the same names in another order or by other expressions"),
                suggestion="use its features, or start without it",
            )
        )
    return start.preprocess


def _names(spec: FeatureSpec) -> list[str]:
    objects = (feature for group in spec.objects for feature in group.features)
    return [feature.name for feature in (*spec.continuous, *spec.categorical, *objects)]


def warm_up_from(module: nn.Module, start: WarmStart) -> Warmed:
    """Copy the weights whose names and shapes agree; tell of the others in a warning.

    Raises:
        InputError: If none agree.
    """
    own = module.state_dict()
    loaded = {
        name: value
        for name, value in start.weights.items()
        if name in own and own[name].shape == value.shape
    }
    names = [*own, *(name for name in start.weights if name not in own)]
    skipped = tuple(_difference(name, own, start.weights) for name in names if name not in loaded)
    if skipped:
        finding = NOTHING_FITS.finding(
            f"the warm start fits {len(loaded)} of {len(own)} weights; not: {'; '.join(skipped)}",
            suggestion="start from a model of the same kind, width and features",
            severity=Severity.WARNING if loaded else Severity.ERROR,
        )
        if not loaded:
            raise InputError(finding)
        log.warning("%s", finding)
    module.load_state_dict({**own, **loaded})
    return Warmed(start.parent, tuple(loaded), skipped)


def _difference(name: str, own: Mapping[str, Tensor], parent: Mapping[str, Tensor]) -> str:
    """A weight with its shape here and in the parent."""
    here, there = (
        "absent" if name not in side else f"({', '.join(map(str, side[name].shape))})"
        for side in (own, parent)
    )
    return f"{name} is {here} here, {there} there"
