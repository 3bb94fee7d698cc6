"""What is kept of a training: weights of epochs, the best network, the state to go on from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.store.atomic import atomic_path
from quarkline.studies.tagging.watch.quantities import KS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from quarkline.learning.adversary.network import DecorrelatedNetwork
    from quarkline.learning.models.event_model import EventModel

MODEL, WEIGHTS, STATE = "model", "weights", "checkpoint.pt"
STAGE, TRAININGS = "train", "trainings"

NOT_KEPT = Rule(
    "QL-TAG-042",
    "an epoch is used whose weights were kept",
    "`train: {epoch_weights: ...}` says which epochs' weights a training keeps: `best`, `all`, or "
    "those with K-S distances below a limit.",
)
NO_STATE = Rule(
    "QL-TAG-043",
    "a training goes on from one that finished, network for network",
    "A finished training keeps its exact state: weights, both optimisers, averages. A new run goes "
    "on from it with the same network, adversary, optimiser and number of seeds.",
)


def training_folder(trainings: Path, seed: int) -> Path:
    """Where one training is kept, below the stage's output."""
    return trainings / f"{seed:03d}"


def training_folders(trainings: Path) -> list[Path]:
    """The folders of all trainings, by seed."""
    return sorted(path for path in trainings.iterdir() if path.is_dir())


def weights_path(folder: Path, epoch: int) -> Path:
    """Where the weights of an epoch are, below the folder of a training; epochs count from 0."""
    return folder / WEIGHTS / f"{epoch:03d}.safetensors"


def kept_epochs(folder: Path) -> list[int]:
    """Numbers of the epochs whose weights are kept, from 0."""
    return sorted(int(path.stem) for path in (folder / WEIGHTS).glob("*.safetensors"))


def write_weights(folder: Path, epoch: int, classifier: nn.Module) -> None:
    """Keep the weights of the network as they are; the same bytes when called again."""
    from safetensors.torch import save_file

    path = weights_path(folder, epoch)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        weights = {name: value.detach().cpu() for name, value in classifier.state_dict().items()}
        save_file({name: value.contiguous() for name, value in weights.items()}, temporary)


def epoch_model(folder: Path, epoch: int) -> EventModel:
    """The network of one epoch.

    Args:
        folder: Of the training.
        epoch: Number of the epoch, from 0.

    Raises:
        InputError: If its weights were not kept.
    """
    from dataclasses import replace

    from safetensors.torch import load_file

    from quarkline.learning.models.artifact import load_model
    from quarkline.learning.models.event_model import EventModel
    from quarkline.learning.models.networks import Network, build_network

    path = weights_path(folder, epoch)
    if not path.exists():
        known = ", ".join(map(str, kept_epochs(folder)))
        raise InputError(
            NOT_KEPT.finding(
                f"the weights of epoch {epoch} were not kept; those of {known} were",
                suggestion="name one of them, or train with `epoch_weights: all`",
                place=Place(path),
            )
        )
    model = load_model(folder / MODEL, EventModel)
    module = build_network(
        cast("Any", model.config), model.preprocess.geometry, len(model.classes), seed=0
    )
    module.load_state_dict(load_file(path))
    return replace(model, predictor=Network(module.eval()))


OTHER_SPLIT = Rule(
    "QL-TAG-046",
    "a training goes on with the split of events that it began with",
    "`seed`, `features.validation` and `features.test` say which events are for the test. With "
    "others, events that the earlier training learned from would be among those of the new test.",
)


def parent_states(run: Path) -> dict[int, Path]:
    """The states of a finished run's trainings, by seed.

    Args:
        run: The run's folder.

    Raises:
        InputError: If it has none.
    """
    from quarkline.engine.workflow.runs import RUN, read_run

    found: dict[int, Path] = {}
    if (run / RUN).exists():
        opened = read_run(run)
        if STAGE in opened.stages:
            folder = opened.record(STAGE).files[TRAININGS]
            found = {int(path.name): path / STATE for path in training_folders(folder)}
    lacking = [path for path in found.values() if not path.exists()]
    if lacking or not found:
        raise InputError(
            NO_STATE.finding(
                f"{run} has no finished training to go on from",
                suggestion="`quarkline list` shows all runs; finish its stage `train` first",
                place=Place(lacking[0] if lacking else run),
            )
        )
    return found


def states_of(run: Path, seeds: int) -> tuple[Path, ...]:
    """The states that so many trainings go on from.

    Raises:
        InputError: If the run has fewer, or none.
    """
    states = parent_states(run)
    if lacking := [seed for seed in range(seeds) if seed not in states]:
        raise InputError(
            NO_STATE.finding(
                f"`train: {{seeds: {seeds}}}`, but {run.name} has {len(states)}",
                suggestion=f"write `seeds: {len(states)}`",
                place=Place(run),
                evidence={"lacking": lacking},
            )
        )
    return tuple(states[seed] for seed in range(seeds))


def check_split(run: Path, split: Mapping[str, float]) -> None:
    """Refuse to go on with other events for the test than a run had.

    Args:
        run: The run's folder.
        split: `seed`, `validation` and `test` of the new run.

    Raises:
        InputError: If they differ.
    """
    from quarkline.engine.workflow.runs import RESOLVED

    told = json.loads((run / RESOLVED).read_text())
    before = {"seed": told["seed"], **told["features"]}
    if changed := [name for name in split if before[name] != split[name]]:
        raise InputError(
            OTHER_SPLIT.finding(
                ", ".join(f"`{name}` is {split[name]}, and was {before[name]}" for name in changed),
                suggestion="leave them as they were, or train anew without `start`",
                place=Place(run / RESOLVED),
            )
        )


@dataclass(frozen=True)
class KeptWeights:
    """Keeps the weights of epochs as a training goes: a `Watch` of `fit`.

    Attributes:
        folder: Of the training.
        every: Keep every epoch's.
        ks_limit: Keep those of epochs whose K-S sums are all below; None for none.
    """

    folder: Path
    every: bool
    ks_limit: float | None

    def epoch(
        self,
        number: int,
        module: nn.Module,
        outputs: Mapping[str, NDArray[Any]],  # noqa: ARG002
        metrics: Mapping[str, float],
    ) -> None:
        """Keep the weights of an epoch, if they are wanted."""
        sums = [metrics[name] for name in KS.values() if name in metrics]
        below = self.ks_limit is not None and bool(sums) and max(sums) < self.ks_limit
        if self.every or below:
            write_weights(self.folder, number, cast("DecorrelatedNetwork", module).classifier)
