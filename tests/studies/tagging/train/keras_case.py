"""A small training as upstream does it, for Keras and for us: random weights and made-up jets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTHS = {"constit": (30, 12), "track": (20, 10), "MSeg": (30, 6)}
FILTERS = {"constit": (8, 6, 5), "track": (7, 6), "MSeg": (6, 4)}
NODES = {"constit": 4, "track": 3, "MSeg": 2}
HIDDEN, ADVERSARY = (16, 8), (24, 12, 6)
MAIN, CONTROL, SPLITS = 150, 66, 4
RATE, WEIGHT, PENALTY = 8e-4, 10.0, 1e-4
"""The penalty is larger than upstream's, whose effect would be lost in rounding."""

Arrays = dict[str, NDArray[Any]]


def layers() -> dict[str, dict[str, tuple[int, ...]]]:
    """Shapes of the classifier's weights under Keras's names."""
    found: dict[str, dict[str, tuple[int, ...]]] = {}
    convolutions = 0
    for lstms, (group, filters) in enumerate(FILTERS.items()):
        widths = (LENGTHS[group][1], *filters)
        for place, (before, after) in enumerate(pairwise(widths)):
            final = place == len(filters) - 1
            name = f"{group}_final_conv1d" if final else _numbered("conv1d", convolutions)
            convolutions += not final
            found[name] = {"kernel": (1, before, after), "bias": (after,)}
        nodes = NODES[group]
        found[_numbered("lstm", lstms)] = {
            "kernel": (filters[-1], 4 * nodes),
            "recurrent_kernel": (nodes, 4 * nodes),
            "bias": (4 * nodes,),
        }
    widths = (sum(NODES.values()) + 3, *HIDDEN, 3)
    for place, (before, after) in enumerate(pairwise(widths)):
        name = "main_output" if place == len(HIDDEN) else f"dense_{place + 1}"
        found[name] = {"kernel": (before, after), "bias": (after,)}
    return found


def classifier_weights() -> Arrays:
    """The classifier's weights by `layer/part`."""
    draw = np.random.default_rng(11)
    return {
        f"{layer}/{part}": _uniform(draw, shape, 1.2 / np.sqrt(shape[-2] if len(shape) > 1 else 9))
        for layer, parts in layers().items()
        for part, shape in parts.items()
    }


def adversary_weights() -> list[list[NDArray[Any]]]:
    """Of each layer in Keras's order: gamma, beta, mean, variance; or kernel, bias."""
    draw = np.random.default_rng(12)
    found = []
    widths = (3, *ADVERSARY, 1)
    for before, after in pairwise(widths):
        gamma = 1 + _uniform(draw, (before,), 0.3)
        beta, mean = (_uniform(draw, (before,), 0.3) for _ in range(2))
        found.append([gamma, beta, mean, np.ones(before, np.float32)])
        found.append([_uniform(draw, (before, after), 0.9), _uniform(draw, (after,), 0.3)])
    return found


def jets(rows: int, seed: int) -> Arrays:
    """Inputs of jets by stream: any number of constituents, the rest zeros."""
    draw = np.random.default_rng(seed)
    found: Arrays = {}
    for group, (length, features) in LENGTHS.items():
        values = _uniform(draw, (rows, length, features), 1.0)
        there = np.arange(length) < draw.integers(0, length + 1, rows)[:, None]
        found[group] = np.where(there[:, :, None], values, np.float32(0))
    found["jet"] = _uniform(draw, (rows, 3), 1.0)
    return found


def case() -> tuple[Arrays, Arrays]:
    """Main set and control region: inputs, `target` and `weight`, in the order of the batches."""
    draw = np.random.default_rng(13)
    main, control = jets(MAIN, 14), jets(CONTROL, 15)
    main["target"] = draw.integers(0, 3, MAIN)
    control["target"] = draw.integers(0, 2, CONTROL)
    control["jet"] += control["target"][:, None].astype(np.float32)
    for one in (main, control):
        one["weight"] = (0.5 + draw.random(len(one["target"]))).astype(np.float32)
    return main, control


def _uniform(draw: np.random.Generator, shape: tuple[int, ...], reach: float) -> NDArray[Any]:
    return (reach * (2 * draw.random(shape) - 1)).astype(np.float32)


def _numbered(name: str, number: int) -> str:
    return f"{name}_{number}" if number else name
