"""The trainings of a run: their histories, and the network of any epoch whose weights were kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quarkline.learning.models.event_model import EventModel
from quarkline.studies.tagging.analyze.history import TrainingHistory, read_history
from quarkline.studies.tagging.train.kept import epoch_model, kept_epochs, training_folders


@dataclass(frozen=True)
class Training:
    """One training.

    Attributes:
        name: Number of its seed, from 0.
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
    def kept(self) -> list[int]:
        """The epochs whose weights there are."""
        return kept_epochs(self.folder)

    def model(self, epoch: int) -> EventModel:
        """The network of an epoch.

        Raises:
            InputError: If its weights were not kept.
        """
        return epoch_model(self.folder, epoch)


def trainings_in(folder: Path) -> list[Training]:
    """The trainings of a folder, in the order of their numbers."""
    return [Training(str(int(path.name)), path) for path in training_folders(folder)]
