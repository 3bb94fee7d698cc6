"""Trained models as folders that describe themselves and prove on loading that they still work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.core.results import jsonable, pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import content_key

DESCRIPTION = "model.json"
VECTORS = "test_vectors.npz"
SCHEMA = "quarkline.model/1"

BAD_ARTIFACT = Rule(
    "QL-TRAIN-001",
    "a model artifact is complete and reproduces its test vectors",
    "A model's folder holds its description, its weights and a few inputs with their outputs. "
    "Loading computes the outputs again; a difference means damaged weights or a library that "
    "computes something else, and such a model is refused.",
)

M = TypeVar("M", bound="Model")


class Model(Protocol):
    """What a model family brings."""

    kind: ClassVar[str]

    def describe(self) -> dict[str, Any]:
        """Arguments, scaling and schema as JSON values."""

    def save_weights(self, folder: Path) -> None:
        """Write the weights."""

    @classmethod
    def load(cls, description: dict[str, Any], folder: Path) -> Self:
        """Rebuild from the description and the weights."""

    def test_vectors(self) -> dict[str, NDArray[Any]]:
        """Inputs and outputs that a loaded copy must reproduce."""

    def agrees(self, vectors: dict[str, NDArray[Any]]) -> bool:
        """Whether the model reproduces test vectors."""


def save_model(model: Model, folder: Path) -> Path:
    """Write a model's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_weights(folder)
    np.savez(folder / VECTORS, allow_pickle=False, **model.test_vectors())
    description = {
        "schema": SCHEMA,
        "kind": model.kind,
        "model": jsonable(model.describe()),
        "files": _digests(folder),
    }
    sealed = description | {"seal": content_key(description)}
    write_atomic(folder / DESCRIPTION, pretty_json(sealed))
    return folder


def load_model(folder: Path, family: type[M]) -> M:
    """Read a model's folder and check it against its test vectors.

    Args:
        folder: The artifact.
        family: The family it must be of.

    Raises:
        InputError: If it is incomplete, of another kind, or no longer reproduces itself.
    """
    try:
        description = read_description(folder)
        if description["kind"] != family.kind:
            raise _refused(folder, f"it is a {description['kind']}, not a {family.kind}")
        model = family.load(description["model"], folder)
        vectors = read_vectors(folder)
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise _refused(folder, str(error)) from error
    if not model.agrees(vectors):
        raise _refused(folder, "it does not reproduce its test vectors")
    return model


def read_description(folder: Path) -> dict[str, Any]:
    """What a model's folder says of itself, once its files are found to be those it was made of.

    Raises:
        InputError: If it is no model's folder, or a file of it is damaged, missing or another.
    """
    try:
        description: dict[str, Any] = json.loads((folder / DESCRIPTION).read_text())
        files = _digests(folder)
        told = description["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused(folder, f"its {DESCRIPTION} cannot be read: {error!r}") from error
    if wrong := [name for name, digest in told.items() if files.get(name) != digest]:
        raise _refused(folder, f"not the file it was made with: {', '.join(wrong)}")
    seal = description.pop("seal", None)
    if seal != content_key(description):
        raise _refused(folder, f"its {DESCRIPTION} was changed after the model was made")
    return description


def read_vectors(folder: Path) -> dict[str, NDArray[Any]]:
    """The inputs and outputs that a model was kept with."""
    with np.load(folder / VECTORS, allow_pickle=False) as file:
        return dict(file)


def model_key(folder: Path) -> str:
    """The model's content key: the hash of all its files."""
    return content_key(_digests(folder) | {DESCRIPTION: file_key(folder / DESCRIPTION).digest})


def _digests(folder: Path) -> dict[str, str]:
    """The content key of each file but the description, by its path in the folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): file_key(path, verify=True).digest
        for path in files
        if path != folder / DESCRIPTION
    }


def _refused(folder: Path, why: str) -> InputError:
    return InputError(
        BAD_ARTIFACT.finding(
            f"the model in {folder} is refused: {why}",
            suggestion="run the stage that made it again",
        )
    )
