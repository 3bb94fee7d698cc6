"""What computes a model's scores: the library it was trained with, or its export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from quarkline.learning.models.artifact import load_model, model_key, read_description
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.scoring.scorer import Classifier


def load_classifier(place: Path, runtime: str) -> tuple[Classifier, str]:
    """A classifier and its content key.

    Args:
        place: The folder of a model, or of its export.
        runtime: A name in `RUNTIMES`.

    Raises:
        InputError: If there is no such model, or it is damaged.
    """
    return RUNTIMES[runtime](place)


def load_trained(place: Path) -> tuple[Classifier, str]:
    """A trained model: folds of one, or one alone, which scores all events."""
    if read_description(place)["kind"] == EventModel.kind:
        model = FoldedModel.alone(load_model(place, EventModel))
    else:
        model = load_model(place, FoldedModel)
    return model, model_key(place)


def load_export(place: Path) -> tuple[Classifier, str]:
    """A model that was exported, as a whole or one file of it."""
    from quarkline.learning.scoring.onnx_runtime import load_exported

    return load_exported(place)


RUNTIMES: dict[str, Callable[[Path], tuple[Classifier, str]]] = {
    "torch": load_trained,
    "onnx": load_export,
}
"""How models are loaded, by the name of the runtime."""
