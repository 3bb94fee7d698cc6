"""Integrated gradients: how much each feature adds to what a network says of an event."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from quarkline.learning.features.spec import FeatureSpec
from quarkline.statistics.evaluation import Attribution, Bootstrap, FeatureAttribution
from quarkline.statistics.evaluation.bootstrap import HUNDRED, with_error

AT_ONCE = 64  # events whose steps are computed together


def integrated_gradients(
    network: nn.Module,
    tensors: Sequence[Tensor],
    spec: FeatureSpec,
    *,
    target: str,
    classes: Sequence[str],
    weight: ArrayLike | None = None,
    group: ArrayLike | None = None,
    steps: int = 50,
    bootstrap: Bootstrap = HUNDRED,
) -> Attribution:
    """Attribute the probability of a class to the features (Sundararajan et al., ICML (2017)).

    The path goes from an event of mean features to the event: scaled numbers from 0, kinds from
    the vector of an unknown value in the network's embedding table, features of objects from 0
    for as many objects as the event has. What is missing stays missing. Attributions of an event
    add up to the difference of the probabilities at both ends, up to `delta`. Kinds that a network
    takes without an embedding table stay as they are; they are listed in `left_out`.

    Args:
        network: `forward(continuous, missing, categories, *objects)` gives logits (N, classes).
        tensors: What it takes, from `Preprocess.tensors`.
        spec: Names of the features.
        target: The class whose probability is looked at.
        classes: Names of the classes.
        weight: Weights of the events in the means, with shape (N,); None for one each.
        group: Equal integers for events that are not independent, with shape (N,).
        steps: Points of the integral (Gauss and Legendre).
        bootstrap: How errors are found.

    Raises:
        ValueError: If the target is none of the classes, or there are no events.
    """
    if target not in classes or not len(tensors[0]):
        known = f"{len(tensors[0])} events of classes {', '.join(classes)}"
        msg = f"the probability of '{target}' cannot be attributed for {known}"
        raise ValueError(msg)
    traced = _Traced(network, len(spec.objects), classes.index(target))
    names, left_out = _names(spec, traced.table is not None)
    parts, deltas = [], []
    for start in range(0, len(tensors[0]), AT_ONCE):
        batch = [tensor[start : start + AT_ONCE] for tensor in tensors]
        columns, delta = _attributed(traced, batch, steps)
        parts.append(columns)
        deltas.append(delta)
    values, missed = np.concatenate(parts), np.concatenate(deltas)
    weights = np.ones(len(values)) if weight is None else np.asarray(weight, dtype=np.float64)
    groups = np.arange(len(values)) if group is None else np.asarray(group)
    return Attribution(
        target,
        _ordered(names, values, weights, groups.astype(np.uint64), bootstrap),
        left_out,
        len(values),
        steps,
        float(missed.mean()),
        float(np.abs(missed).max()),
    )


class _Traced(nn.Module):
    """A network with a layer at each input whose gradient is wanted."""

    def __init__(self, network: nn.Module, groups: int, target: int) -> None:
        super().__init__()
        self.network = network.eval()
        self.target = target
        self.continuous = nn.Identity()
        self.objects = nn.ModuleList(nn.Identity() for _ in range(groups))
        tables = [layer for layer in network.modules() if isinstance(layer, nn.Embedding)]
        self.table = tables[0] if len(tables) == 1 else None

    def forward(self, continuous: Tensor, categories: Tensor, *rest: Tensor) -> Tensor:
        """Probability of the target: object values, then missing flags, then presences."""
        groups = len(self.objects)
        values, missing, present = rest[:groups], rest[groups], rest[groups + 1 :]
        objects = [
            part
            for layer, held, there in zip(self.objects, values, present, strict=True)
            for part in (layer(held), there)
        ]
        logits = self.network(self.continuous(continuous), missing, categories, *objects)
        return torch.softmax(logits, dim=1)[:, self.target]


def _attributed(
    traced: _Traced, batch: Sequence[Tensor], steps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Attributions (N, features) of the named features, and what they miss, (N,)."""
    from captum.attr import LayerIntegratedGradients

    continuous, missing, categories, *objects = batch
    values, present = objects[::2], objects[1::2]
    coded = traced.table if categories.shape[1] else None
    layers: list[nn.Module] = [traced.continuous] if continuous.shape[1] else []
    layers += [] if coded is None else [coded]
    layers += list(traced.objects)
    inputs = (continuous, categories, *values)
    start = categories if coded is None else torch.zeros_like(categories)
    baselines = (torch.zeros_like(continuous), start, *map(torch.zeros_like, values))
    with warnings.catch_warnings():  # that layers must not depend on each other; ours do not
        warnings.filterwarnings("ignore", "Multiple layers provided", UserWarning)
        found, delta = LayerIntegratedGradients(traced, layers).attribute(
            inputs,
            baselines,
            additional_forward_args=(missing, *present),
            n_steps=steps,
            return_convergence_delta=True,
        )
    columns = [
        _per_feature(part, layer is coded) for layer, part in zip(layers, found, strict=True)
    ]
    return np.concatenate(columns, axis=1), delta.detach().numpy().astype(np.float64)


def _per_feature(part: Any, table: bool) -> NDArray[np.float64]:
    """One column a feature: over an embedding's width, and over objects, attributions add up."""
    tensor = cast("Tensor", part[0] if isinstance(part, tuple) else part).detach().double()
    if tensor.ndim == 3:
        tensor = tensor.sum(dim=2 if table else 1)
    return tensor.numpy()


def _names(spec: FeatureSpec, with_kinds: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Features in the order of the columns, and those without one."""
    kinds = tuple(feature.name for feature in spec.categorical)

    def all_names() -> Iterator[str]:
        yield from (feature.name for feature in spec.continuous)
        yield from (kinds if with_kinds else ())
        yield from (feature.name for group in spec.objects for feature in group.features)

    return tuple(all_names()), () if with_kinds else kinds


def _ordered(
    names: Sequence[str],
    values: NDArray[np.float64],
    weight: NDArray[np.float64],
    group: NDArray[np.uint64],
    bootstrap: Bootstrap,
) -> tuple[FeatureAttribution, ...]:
    def means(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean size and mean, (2, features)."""
        total = weights.sum()
        sums = np.stack([weights @ np.abs(values), weights @ values])
        return sums / total if total > 0.0 else np.full(sums.shape, np.nan)

    nominal = means(weight)
    drawn = np.array([means(weight * factor) for factor in bootstrap.factors(group)])
    drawn = drawn.reshape(-1, *nominal.shape)
    rows = [
        FeatureAttribution(
            name,
            with_error(float(nominal[0, place]), drawn[:, 0, place]),
            with_error(float(nominal[1, place]), drawn[:, 1, place]),
        )
        for place, name in enumerate(names)
    ]
    return tuple(sorted(rows, key=lambda row: -np.nan_to_num(row.size.value)))
