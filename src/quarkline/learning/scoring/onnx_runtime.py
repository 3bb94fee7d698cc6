"""Exported classifiers, computed by ONNX Runtime: no torch, the same folds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.store.filekeys import file_key
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.spec import FeatureSpec

DESCRIPTION = "export.json"
SCHEMA = "quarkline.export/2"
NOTE = "quarkline"
BATCH = 8192

Session = Callable[[FeatureArrays], NDArray[np.float32]]

BAD_EXPORT = Rule(
    "QL-SCORE-007",
    "an export is complete and as it was written",
    "ONNX files written by `quarkline export` say what they take and give, and the description "
    "beside them says how folds go together. Other ONNX files do not say which features they take.",
)


@dataclass(frozen=True)
class ExportedModel:
    """An export of a model.

    Attributes:
        classes: Names of the classes, in the order of the probabilities.
        spec: The features.
        group: Columns that the fold of a simulated event is a function of.
        identity: Columns that the fold of an event of data is a function of.
        seed: Seed of the folds.
        sessions: What computes the probabilities of each fold's events.
    """

    classes: tuple[str, ...]
    spec: FeatureSpec
    group: tuple[str, ...]
    identity: tuple[str, ...]
    seed: int
    sessions: tuple[Session, ...]

    @property
    def folds(self) -> int:
        """Number of folds."""
        return len(self.sessions)

    def probabilities(
        self,
        arrays: FeatureArrays,
        fold: NDArray[np.int16],
        *,
        device: str,  # noqa: ARG002  (ONNX Runtime computes on the CPU)
    ) -> NDArray[np.float32]:
        """Probability of each class of events, with shape (N, classes)."""
        found = np.zeros((len(arrays), len(self.classes)), np.float32)
        for number, session in enumerate(self.sessions):
            rows = np.flatnonzero(fold == number)
            if len(rows):
                found[rows] = session(arrays[rows])
        return found


def load_exported(place: Path) -> tuple[ExportedModel, str]:
    """The exported model in a folder, or of one ONNX file, and its content key.

    Raises:
        InputError: If there is none, or a file of it is not as it was written.
    """
    if place.suffix == ".onnx":
        return _load_file(place)
    try:
        told = json.loads((place / DESCRIPTION).read_text())
        if told["schema"] != SCHEMA:
            raise _refused(place, f"its schema is {told['schema']}, not {SCHEMA}")
        for name, digest in told["files"].items():
            if file_key(place / name, verify=True).digest != digest:
                raise _refused(place, f"{name} has changed since it was written")
        sessions = [open_session(place / name) for name in told["folds"]]
        exported = ExportedModel(
            tuple(told["classes"]),
            FeatureSpec.from_json(told["features"]),
            tuple(told["group"]),
            tuple(told["identity"]),
            told["seed"],
            tuple(sessions),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused(place, f"{error!r}") from error
    return exported, file_key(place / DESCRIPTION, verify=True).digest


def _load_file(path: Path) -> tuple[ExportedModel, str]:
    """One ONNX file, which scores all events."""
    try:
        session = _session(path)
        told = json.loads(session.get_modelmeta().custom_metadata_map[NOTE])
        spec = FeatureSpec.from_json(told["features"])
        exported = ExportedModel(tuple(told["classes"]), spec, (), (), 0, (_calls(session),))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refused(path, f"{error!r}") from error
    return exported, file_key(path, verify=True).digest


def open_session(graph: Path | bytes) -> Session:
    """What computes the probabilities of events with an ONNX file, on one thread."""
    return _calls(_session(graph))


def named_inputs(arrays: FeatureArrays) -> dict[str, NDArray[Any]]:
    """What a graph takes: `continuous`, `categorical`, and values and presence of objects."""
    inputs: dict[str, NDArray[Any]] = {
        "continuous": arrays.continuous,
        "categorical": arrays.categorical,
    }
    for name, group in arrays.objects.items():
        inputs |= {name: group.values, f"{name}_present": group.present}
    return inputs


def _session(graph: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    source = graph if isinstance(graph, bytes) else graph.read_bytes()
    try:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the classes of its errors have nothing else in common
        raise ValueError(str(error)) from error


def _calls(session: onnxruntime.InferenceSession) -> Session:
    taken = [item.name for item in session.get_inputs()]

    def call(arrays: FeatureArrays) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(arrays), BATCH):
            inputs: Mapping[str, NDArray[Any]] = named_inputs(arrays[start : start + BATCH])
            parts.append(session.run(None, {name: inputs[name] for name in taken})[0])
        return np.concatenate(parts)

    return call


def _refused(place: Path, why: str) -> InputError:
    return InputError(
        BAD_EXPORT.finding(
            f"the export {place} is refused: {why}",
            suggestion="write it again: quarkline export RUN --format onnx -o DIR",
        )
    )
