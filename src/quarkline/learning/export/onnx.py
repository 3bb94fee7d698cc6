"""Classifiers as ONNX files: physical values in, probabilities out, verified by ONNX Runtime."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx.compose
import torch
from torch.export import Dim

from quarkline.engine.core.findings import InputError, Place, Rule, WorkError
from quarkline.engine.core.results import canonical_json, pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.filekeys import file_key
from quarkline.learning.export.onnx_graph import WholeChain
from quarkline.learning.features.arrays import MISSING, FeatureArrays
from quarkline.learning.models.config import TreesConfig
from quarkline.learning.models.event_model import EventModel, input_schema, library_versions
from quarkline.learning.models.folded import FoldedModel
from quarkline.learning.scoring.onnx_runtime import (
    DESCRIPTION,
    NOTE,
    SCHEMA,
    named_inputs,
    open_session,
)

OPSET = 20
TOLERANCE = 1e-5
"""Largest difference of a probability between torch and ONNX Runtime."""
OUTPUT = "probabilities"

TREES = Rule(
    "QL-EXPORT-001",
    "networks are exported as ONNX",
    "There is no maintained converter from LightGBM to ONNX among the libraries Quarkline relies "
    "on. The trees of a model are in `trees.txt`, the text that every LightGBM reads, that of its "
    "C interface, too.",
)
DISAGREES = Rule(
    "QL-EXPORT-002",
    "an export gives the probabilities of its model",
    "Before an export is kept, ONNX Runtime computes the probabilities of events with missing, "
    "unknown and extreme values, one at a time and together, and they are compared with those of "
    "torch.",
)


def export_onnx(model: FoldedModel, key: str, folder: Path) -> list[Path]:
    """Write a file for each fold, and a description of them and of what a fold is a function of.

    Args:
        model: The model; its members must be networks.
        key: Its content key.
        folder: Takes the files.

    Returns:
        The ONNX files.

    Raises:
        InputError: If the members are trees.
        WorkError: If ONNX Runtime computes something else than torch.
    """
    if isinstance(model.members[0][0].config, TreesConfig):
        raise InputError(
            TREES.finding(
                "the model is made of boosted trees",
                suggestion="copy `trees.txt` from the folders of its folds, or train a network",
            )
        )
    folder.mkdir(parents=True, exist_ok=True)
    files = [_write(model, fold, key, folder / f"fold-{fold}.onnx") for fold in range(model.folds)]
    description = {
        "schema": SCHEMA,
        "model": key,
        "classes": model.classes,
        "features": model.spec.as_json(),
        "group": model.group,
        "identity": model.identity,
        "seed": model.seed,
        "folds": [path.name for path in files],
        "files": {path.name: file_key(path, verify=True).digest for path in files},
        "tolerance": TOLERANCE,
        "versions": library_versions(),
    }
    write_atomic(folder / DESCRIPTION, pretty_json(description))
    return files


def _write(model: FoldedModel, fold: int, key: str, path: Path) -> Path:
    """Write the graph of one fold and keep it if ONNX Runtime agrees with torch."""
    members = model.members[fold]
    whole = _mean_of([_graph(one, f"member{number}_") for number, one in enumerate(members)])
    told = {
        "model": key,
        "fold": fold,
        "folds": model.folds,
        "group": model.group,
        "identity": model.identity,
        "seed": model.seed,
        "classes": model.classes,
        "features": model.spec.as_json(),
        "inputs": input_schema(model.spec),
        "versions": library_versions(),
    }
    onnx.helper.set_model_props(whole, {NOTE: canonical_json(told)})
    content = whole.SerializeToString(deterministic=True)
    verify(content, members, path)
    return write_atomic(path, content)


def _graph(model: EventModel, prefix: str) -> onnx.ModelProto:
    """The whole chain of one model, with names of its own inside."""
    inputs = named_inputs(model.examples[np.array([0, 1, 0])])
    batch = Dim("events")
    with _without_warnings(), torch.no_grad():
        program = torch.onnx.export(
            WholeChain(model).eval(),
            tuple(torch.from_numpy(value) for value in inputs.values()),
            input_names=list(inputs),
            output_names=[OUTPUT],
            dynamic_shapes=(tuple({0: batch} for _ in inputs),),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        msg = "torch exported nothing"
        raise RuntimeError(msg)
    graph = program.model_proto
    for node in graph.graph.node:
        node.ClearField("metadata_props")  # paths of source files
    return onnx.compose.add_prefix(graph, prefix, rename_inputs=False)


@contextlib.contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep what torch says about its own insides, and what it could not export, from the user."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def _mean_of(parts: Sequence[onnx.ModelProto]) -> onnx.ModelProto:
    """One graph of the same inputs that gives the mean of the outputs."""
    whole = onnx.ModelProto()
    whole.CopyFrom(parts[0])
    graph = whole.graph
    for part in parts[1:]:
        graph.node.extend(part.graph.node)
        graph.initializer.extend(part.graph.initializer)
    outputs = [part.graph.output[0] for part in parts]
    graph.node.append(onnx.helper.make_node("Mean", [item.name for item in outputs], [OUTPUT]))
    graph.output[0].name = OUTPUT
    graph.ClearField("value_info")
    onnx.checker.check_model(whole, full_check=True)
    return whole


def verify(content: bytes, members: Sequence[EventModel], path: Path) -> None:
    """Compare ONNX Runtime with torch, on events together and one at a time.

    Args:
        content: The ONNX file.
        members: The models whose mean it gives.
        path: Where it will be.

    Raises:
        WorkError: If they disagree.
    """
    session = open_session(content)
    events = difficult_events(members[0].examples)
    expected = np.mean([member.probabilities(events) for member in members], axis=0)
    singles = [events[index : index + 1] for index in range(len(events))]
    found = np.concatenate([session(events), *(session(one) for one in singles)])
    difference = np.abs(found - np.concatenate([expected, expected]))
    if not difference.max() <= TOLERANCE:
        raise WorkError(
            DISAGREES.finding(
                f"a probability differs by {difference.max():.2g}, more than {TOLERANCE:g}",
                place=Place(path),
                suggestion="please report it with the versions in the model's `model.json`",
                evidence={"difference": float(difference.max())},
            )
        )


def difficult_events(examples: FeatureArrays) -> FeatureArrays:
    """The examples as they are, and again with what models rarely see.

    That is nothing but missing values and no objects, unknown kinds, and huge numbers.
    """
    parts = [examples]
    for scale in (np.nan, -1e30, 1e30, 0.0):
        numbers = np.full_like(examples.continuous, scale)
        kinds = np.full_like(examples.categorical, MISSING if np.isnan(scale) else int(1e9))
        objects = {
            name: type(group)(
                np.full_like(group.values, np.nan if np.isnan(scale) else scale),
                np.full_like(group.present, not np.isnan(scale)),
            )
            for name, group in examples.objects.items()
        }
        parts.append(FeatureArrays(numbers, kinds, objects)[:2])
    return FeatureArrays.concatenated(parts)
