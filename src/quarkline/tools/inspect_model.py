"""What is in a trained model: its inputs, its outputs and its layers with their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import InputError, QuarklineError
from quarkline.engine.workflow.runs import RUN, find_run
from quarkline.learning.models.artifact import DESCRIPTION, load_model, model_key, read_description
from quarkline.tools.models import KERAS, RUNS, FoundModel, find_model

if TYPE_CHECKING:
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.models.layers import Layer


@dataclass(frozen=True)
class ModelSummary:
    """What a model is.

    Attributes:
        place: Where it was found, in words.
        kind: Kind of what was trained.
        key: Its content key; empty for weights that another program wrote.
        models: How many models it is made of; the layers are those of the first.
        classes: Its outputs.
        inputs: What it takes: names of numbers, and of objects with their most and their numbers.
        layers: Layers with parameters; none for trees.
    """

    place: str
    kind: str
    key: str
    models: int
    classes: tuple[str, ...]
    inputs: tuple[str, ...]
    layers: tuple[Layer, ...]

    @property
    def trained(self) -> int:
        """Parameters that a training moves."""
        return sum(layer.trained for layer in self.layers)

    @property
    def fixed(self) -> int:
        """Other ones."""
        return sum(layer.fixed for layer in self.layers)


def is_model_address(text: str, root: Path = RUNS) -> bool:
    """Whether a text means a model or a run, and no file of events."""
    path = Path(text)
    if path.suffix in KERAS and path.is_file():
        return True
    if (path / DESCRIPTION).exists() or (path / RUN).exists():
        return True
    if path.exists() or "://" in text:
        return False
    runs = (text, text.rpartition("/")[0], text.partition(":")[0])
    return any(name and _is_run(name, root) for name in runs)


def _is_run(text: str, root: Path) -> bool:
    try:
        find_run(text, root)
    except QuarklineError:
        return False
    return True


def inspect_model(text: str, *, root: Path = RUNS) -> ModelSummary:
    """Describe a model.

    Args:
        text: A run, a stage or fold of it, a model's folder or key, or Keras's weights of the
            CalRatio trainer's network.
        root: Folder of all runs.

    Raises:
        InputError: If there is none.
    """
    if missing := missing_extra("train"):
        raise InputError(*missing)
    from quarkline.tools.taggers import is_tagger, load_tagger

    if is_tagger(text, root):
        tagger = load_tagger(text, root)
        return _summary(tagger.place, tagger.key, tagger.model, 1)
    return _found(find_model(text, root))


def _found(found: FoundModel) -> ModelSummary:
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.models.folded import FoldedModel

    key = model_key(found.folder)
    if read_description(found.folder)["kind"] == EventModel.kind:
        return _summary(found.place, key, load_model(found.folder, EventModel), 1)
    members = [one for fold in load_model(found.folder, FoldedModel).members for one in fold]
    return _summary(found.place, key, members[0], len(members))


def _summary(place: str, key: str, model: EventModel, number: int) -> ModelSummary:
    from quarkline.learning.models.layers import layers_of
    from quarkline.learning.models.networks import Network

    spec, predictor = model.spec, model.predictor
    flat = [feature.name for feature in (*spec.continuous, *spec.categorical)]
    inputs = [f"{len(flat)} numbers: {', '.join(flat)}"] if flat else []
    inputs += [
        f"{group.name}: {group.length} of {', '.join(one.name for one in group.features)}"
        for group in spec.objects
    ]
    layers = layers_of(predictor.module) if isinstance(predictor, Network) else []
    return ModelSummary(
        place, model.config.kind, key, number, model.classes, tuple(inputs), tuple(layers)
    )
