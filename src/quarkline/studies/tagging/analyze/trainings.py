"""The trainings of a run: their histories, and the network of any epoch whose weights were kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.learning.models.artifact import load_model
from quarkline.learning.models.event_model import EventModel
from quarkline.studies.tagging.analyze.history import TrainingHistory, read_history

MODEL, WEIGHTS = "model", "weights"

NO_WEIGHTS = Rule(
    "QL-TAG-062",
    "an epoch is named whose weights were kept",
    "`train.epoch_weights` says which are: `all`, `best`, or those below a K-S such as `ks<0.3`. "
    "Epochs are counted from 0.",
)


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        name: Which one it is; its seed's number, from 1.
        folder: Holds the records of epochs, weights, and the network of its own best epoch.
    """

    name: str
    folder: Path

    def history(self, name: str = "") -> TrainingHistory:
        """Its history, under its own name or another one.

        Raises:
            InputError: If there is none.
        """
        return read_history(name or self.name, self.folder)

    @property
    def weights(self) -> Mapping[int, Path]:
        """The files of weights by epoch."""
        paths = sorted((self.folder / WEIGHTS).glob("*.safetensors"))
        return {int(path.stem): path for path in paths}

    def model(self, epoch: int) -> EventModel:
        """The network of an epoch.

        Raises:
            InputError: If its weights were not kept.
        """
        if epoch not in self.weights:
            kept = ", ".join(map(str, self.weights)) or "none"
            raise InputError(
                NO_WEIGHTS.finding(
                    f"training {self.name} has no weights of epoch {epoch}",
                    suggestion=f"kept are: {kept}",
                    place=Place(self.folder),
                )
            )
        return model_of(self.folder / MODEL, self.weights[epoch])


def trainings_in(folder: Path) -> list[Training]:
    """The trainings of a folder, in the order of their numbers."""
    names = sorted((path.name for path in folder.iterdir() if path.is_dir()), key=int)
    return [Training(name, folder / name) for name in names]


def model_of(folder: Path, weights: Path) -> EventModel:
    """A network with other weights of the same training.

    Args:
        folder: The network of one epoch.
        weights: The weights of another one.
    """
    from safetensors.torch import load_file

    from quarkline.learning.models.networks import Network, build_network

    model = load_model(folder, EventModel)
    geometry = model.preprocess.geometry
    module = build_network(model.config, geometry, len(model.classes), seed=0)  # type: ignore[arg-type]
    module.load_state_dict(load_file(weights))
    return replace(model, predictor=Network(module.eval()))
