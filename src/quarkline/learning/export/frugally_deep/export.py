"""Exports a network to frugally-deep, and keeps the files once a second program agrees."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from quarkline.engine.core.findings import Place, Rule, WorkError
from quarkline.engine.store.atomic import write_atomic
from quarkline.learning.export.frugally_deep.evaluate import scores
from quarkline.learning.export.frugally_deep.layers import LayeredNetwork
from quarkline.learning.export.frugally_deep.network import layered_network
from quarkline.learning.export.frugally_deep.read import parse
from quarkline.learning.export.frugally_deep.write import DIALECTS, frugally_deep_json
from quarkline.learning.models.event_model import EventModel

TOLERANCE = 1e-5
"""Largest difference of a score between torch and the reader; frugally-deep allows 1e-4."""

DISAGREES = Rule(
    "QL-EXPORT-007",
    "a frugally-deep file gives the scores of its model",
    "Before a file is kept, it is read again and computed without torch on the examples in it, and "
    "the scores are compared.",
)


def export_frugally_deep(model: EventModel, folder: Path) -> list[Path]:
    """Write a file in each dialect, `model_keras2.json` and `model_keras3.json`.

    Args:
        model: The model.
        folder: Takes the files.

    Raises:
        InputError: If the format cannot express the model.
        WorkError: If a file does not give the model's scores.
    """
    network = layered_network(model)
    files = []
    for dialect in DIALECTS:
        path = folder / f"model_{dialect}.json"
        text = frugally_deep_json(network, dialect)
        check(parse(json.loads(text)), path)
        files.append(write_atomic(path, text))
    return files


def check(network: LayeredNetwork, path: Path) -> float:
    """The largest difference between the scores in a file and those computed from it.

    Args:
        network: What the file holds.
        path: The file.

    Raises:
        WorkError: If it is larger than `TOLERANCE`.
    """
    if not network.examples:
        return 0.0
    examples = network.examples
    stacked = [np.stack(arrays) for arrays in zip(*(item.inputs for item in examples), strict=True)]
    told = np.stack([example.outputs for example in examples])
    difference = float(np.abs(scores(network, stacked) - told).max())
    if not difference <= TOLERANCE:
        raise WorkError(
            DISAGREES.finding(
                f"a score differs by {difference:.2g}, more than {TOLERANCE:g}",
                place=Place(path),
                suggestion="please report it with the versions in the model's `model.json`",
                evidence={"difference": difference},
            )
        )
    return difference
