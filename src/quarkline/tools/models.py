"""Finds the trained model a user means: in a run, as a folder, or by its key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from quarkline.engine.core.findings import InputError, QuarklineError, Rule, did_you_mean
from quarkline.engine.workflow.runs import Run, find_run, list_runs
from quarkline.learning.models.artifact import DESCRIPTION, model_key

KINDS = frozenset({"event-classifier", "folded-event-classifier"})
EXPORT = "export.json"
KEY = re.compile(r"[0-9a-f]{6,32}")
RUNS = Path("runs")
KERAS = (".keras", ".h5", ".hdf5")
"""Endings of files with weights that Keras wrote."""

NO_MODEL = Rule(
    "QL-MODEL-003",
    "a model is named by its run, its folder or its key",
    "Write a run (`runs/leptoquark/00003`, `leptoquark/00003`, or `leptoquark` for the newest), a "
    "stage of it (`leptoquark/00003:train`), one fold of its models (`leptoquark/00003:train/2`), "
    "the folder of a model, an export, or six digits or more of a model's key.",
)


@dataclass(frozen=True)
class FoundModel:
    """A model that was found.

    Attributes:
        folder: Where its files are.
        place: Where that is in words: a run and stage, or the folder.
    """

    folder: Path
    place: str

    @property
    def exported(self) -> bool:
        """Whether it is an export, which ONNX Runtime computes."""
        return _is_export(self.folder)


def find_model(text: str, root: Path = RUNS) -> FoundModel:
    """The model that a text names.

    Args:
        text: `RUN`, `RUN:STAGE`, `RUN:STAGE/FOLD`, a folder, a file, or digits of a key.
        root: Folder of all runs.

    Raises:
        InputError: If there is none, or several.
    """
    path = Path(text)
    if is_model(path) or _is_export(path):
        return FoundModel(path, text)
    if KEY.fullmatch(text) and not path.exists() and (found := _by_key(text, root)):
        return found
    run_text, _, address = text.partition(":")
    run = find_run(run_text, root)
    stage, _, fold = address.partition("/")
    return _in_run(run, stage, fold)


def is_model(folder: Path) -> bool:
    """Whether a folder is that of a classifier of events."""
    try:
        return json.loads((folder / DESCRIPTION).read_text()).get("kind") in KINDS
    except (OSError, ValueError, AttributeError):
        return False


def _is_export(place: Path) -> bool:
    return place.suffix == ".onnx" or (place / EXPORT).exists()


def _in_run(run: Run, stage: str, fold: str) -> FoundModel:
    """The model of a run's stage, or of its only stage that has one."""
    if stage and stage not in run.stages:
        hint = did_you_mean(stage, run.stages, what="stages")
        _refuse(f"run {run.folder} has no finished stage `{stage}`", hint)
    stages = [stage] if stage else list(run.stages)
    found = [(name, folder) for name in stages for folder in _models_of(run, name)]
    if len(found) != 1:
        told = ", ".join(f"`{run.folder}:{name}` ({folder.name})" for name, folder in found)
        _refuse(
            f"{len(found)} models are in run {run.folder}" + f": {told}" * bool(told),
            "name the folder of one" if found else "train one: `quarkline run` its config",
        )
    name, folder = found[0]
    if fold:
        return _fold(folder, fold, f"{run.name}/{run.number:05d}:{name}")
    return FoundModel(folder, f"{run.name}/{run.number:05d}:{name}")


def _fold(folder: Path, fold: str, place: str) -> FoundModel:
    found = {path.name.removeprefix("fold-"): path for path in sorted(folder.glob("fold-*"))}
    if fold not in found:
        hint = did_you_mean(fold, found, what="folds")
        _refuse(f"the model {place} has no fold `{fold}`", hint)
    if not is_model(found[fold]):
        hint = f"name one of its members: {found[fold] / '0'}"
        _refuse(f"fold {fold} of {place} has several members", hint)
    return FoundModel(found[fold], f"{place}/{fold}")


def _models_of(run: Run, stage: str) -> Iterator[Path]:
    """The folders of models among a stage's outputs."""
    files = run.record(stage).files
    yield from (path for path in files.values() if path.is_dir() and is_model(path))


def _by_key(digits: str, root: Path) -> FoundModel | None:
    """The model whose key begins so; None if there is none."""
    found: dict[str, FoundModel] = {}
    for run in (run for folder in sorted(root.glob("*")) for run in list_runs(folder)):
        for stage in run.stages:
            try:
                models = list(_models_of(run, stage))
            except QuarklineError:
                continue  # a damaged stage, or one of an unknown study: not to be used
            for folder in models:
                key = model_key(folder)
                if key.startswith(digits):
                    found[key] = FoundModel(folder, f"{run.name}/{run.number:05d}:{stage}")
    if len(found) > 1:
        hint = "write more digits: " + ", ".join(key[:12] for key in sorted(found))
        _refuse(f"{len(found)} models have keys that begin with {digits}", hint)
    return next(iter(found.values()), None)


def _refuse(what: str, hint: str) -> NoReturn:
    raise InputError(NO_MODEL.finding(what, suggestion=hint))
