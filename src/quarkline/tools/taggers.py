"""Finds the network of the tagging study that a user means."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quarkline.learning.models.artifact import load_model, model_key
from quarkline.learning.models.event_model import EventModel
from quarkline.learning.models.keras_layers import read_keras_weights
from quarkline.studies.tagging.upstream import upstream_model
from quarkline.tools.models import KERAS, RUNS, find_model


@dataclass(frozen=True)
class Tagger:
    """A network.

    Attributes:
        model: The network with its preprocessing.
        place: Where it was found, in words.
        key: Its content key; empty for weights that another program wrote.
    """

    model: EventModel
    place: str
    key: str


def load_tagger(text: str, root: Path = RUNS) -> Tagger:
    """Load a network.

    Args:
        text: A run, a stage of it, a model's folder or key, or Keras's weights of the CalRatio
            trainer's default network.
        root: Folder of all runs.

    Raises:
        InputError: If there is none.
    """
    if Path(text).suffix in KERAS:
        return Tagger(upstream_model(read_keras_weights(Path(text))), text, "")
    found = find_model(text, root)
    return Tagger(load_model(found.folder, EventModel), found.place, model_key(found.folder))
