"""Finds the runs, trainings and networks of the tagging study that a user means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import content_key
from quarkline.engine.workflow.runs import Run, find_run
from quarkline.learning.models.artifact import load_model, model_key, read_description
from quarkline.learning.models.event_model import EventModel
from quarkline.studies.tagging.analyze.trainings import Training, trainings_in
from quarkline.studies.tagging.features.results import JetFeatures
from quarkline.studies.tagging.train.kept import MODEL, STAGE, TRAININGS, weights_path
from quarkline.tools.models import KERAS, RUNS, find_model

STUDY, ANALYZE = "tagging", "analyze"
EPOCH = re.compile(r"(?P<run>.+/-?\d+)(?::(?P<training>\d+))?/(?P<epoch>\d+)")

NO_TAGGER = Rule(
    "QL-TAG-085",
    "a network of the tagging study is named by its run, by an epoch, or as a file",
    "Write a run (`calratio/3`), whose chosen epoch it is; an epoch of it (`calratio/3/17`, or "
    "`calratio/3:1/17` of the training 1 of several); a model's folder or key; or Keras's weights. "
    "Trainings and epochs are counted from 0, runs from 1 or back from -1.",
)


@dataclass(frozen=True)
class Tagger:
    """A network.

    Attributes:
        model: The network with its preprocessing.
        place: Where it was found, in words.
        key: Content key of what it was made of.
        scaling: How the tables that it was trained on are scaled; None if that is not known.
    """

    model: EventModel
    place: str
    key: str
    scaling: Mapping[str, Any] | None = None


def is_tagger(text: str, root: Path = RUNS) -> bool:
    """Whether a text means a network that only this study knows.

    That is a tagging run, an epoch of one, or Keras's weights; not a model's folder or key.
    """
    path = Path(text)
    if path.suffix in KERAS:
        return True
    return _chosen(text, root) is not None or _epoch_run(text, root) is not None


def load_tagger(text: str, root: Path = RUNS) -> Tagger:
    """Load a network.

    Args:
        text: A run, an epoch of it, a model's folder or key, or Keras's weights of the CalRatio
            trainer's default network.
        root: Folder of all runs.

    Raises:
        InputError: If there is none, or several.
    """
    path = Path(text)
    if path.suffix in KERAS:
        from quarkline.learning.models.keras_layers import read_keras_weights
        from quarkline.studies.tagging.upstream import upstream_model

        return Tagger(upstream_model(read_keras_weights(path)), text, file_key(path).digest)
    if run := _chosen(text, root):
        folder = run.record(ANALYZE).files[MODEL]
        place = f"{named(run)}, its chosen epoch"
        return Tagger(load_model(folder, EventModel), place, model_key(folder), _scaling(run))
    if found := _epoch_run(text, root):
        return _of_epoch(*found)
    other = find_model(text, root)
    if read_description(other.folder)["kind"] != EventModel.kind:
        raise InputError(NO_TAGGER.finding(f"{other.place} is a set of several models"))
    return Tagger(load_model(other.folder, EventModel), other.place, model_key(other.folder))


def _chosen(text: str, root: Path) -> Run | None:
    """The analysed run that a text names; None if it names none."""
    run = _run(text, root)
    return run if run and ANALYZE in run.stages else None


def _epoch_run(text: str, root: Path) -> tuple[Run, str | None, int] | None:
    """Run, training and epoch that a text such as `calratio/3/17` names; None if it names none."""
    parts = EPOCH.fullmatch(text)
    run = _run(parts["run"], root) if parts and not _run(text, root) else None
    return (run, parts["training"], int(parts["epoch"])) if parts and run else None


def _run(text: str, root: Path) -> Run | None:
    """The run of this study that a text names; None if there is none."""
    try:
        run = find_run(text, root)
    except InputError:
        return None
    return run if run.study == STUDY else None


def _of_epoch(run: Run, number: str | None, epoch: int) -> Tagger:
    """The network of an epoch of a training.

    Raises:
        InputError: If the run has no such training or epoch.
    """
    training = _training(run, number, epoch)
    model = training.model(epoch)
    key = content_key(
        {
            "model": model_key(training.folder / MODEL),
            "weights": file_key(weights_path(training.folder, epoch)).digest,
        }
    )
    return Tagger(model, f"{named(run)}:{training.name}/{epoch}", key, _scaling(run))


def _scaling(run: Run) -> Mapping[str, Any] | None:
    """How the tables of a run are scaled."""
    found = run.results().get("features")
    return found.scaling if isinstance(found, JetFeatures) else None


def trainings_of(run: Run) -> list[Training]:
    """The trainings of a run.

    Raises:
        InputError: If it is of another study, or has not trained yet.
    """
    if run.study != STUDY or STAGE not in run.stages:
        why = f"is of the study `{run.study}`" if run.study != STUDY else "has no finished training"
        raise InputError(
            NO_TAGGER.finding(f"run {named(run)} {why}", suggestion="`quarkline list` shows all")
        )
    return trainings_in(run.record(STAGE).files[TRAININGS])


def named(run: Run) -> str:
    """A run by name and number, as in `calratio/3`."""
    return f"{run.name}/{run.number}"


def _training(run: Run, number: str | None, epoch: int) -> Training:
    trainings = {training.name: training for training in trainings_of(run)}
    if number is None and len(trainings) == 1:
        return next(iter(trainings.values()))
    if number is None or str(int(number)) not in trainings:
        names = ", ".join(f"`{named(run)}:{name}/{epoch}`" for name in trainings)
        raise InputError(
            NO_TAGGER.finding(
                f"run {named(run)} has {len(trainings)} trainings"
                + (f", and none is number {number}" if number else ""),
                suggestion=f"name one of them: {names}",
            )
        )
    return trainings[str(int(number))]
