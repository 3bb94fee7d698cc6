"""What a classifier loses when one feature is permuted between events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from quarkline.engine.core.rng import uniform_per_row
from quarkline.learning.features.arrays import FeatureArrays, Objects
from quarkline.learning.features.spec import FeatureSpec
from quarkline.statistics.evaluation import (
    FeatureImportance,
    PermutationImportance,
    ScoredEvents,
    automatic_edges,
)
from quarkline.statistics.evaluation.shifts import binned_total, signal_auc
from quarkline.statistics.power import mean

Scorer = Callable[[FeatureArrays], NDArray[Any]]
"""Scores (N, C) of N events."""

Rows = NDArray[np.uint64]


def permutation_importance(
    score: Scorer,
    arrays: FeatureArrays,
    spec: FeatureSpec,
    events: ScoredEvents,
    *,
    row: ArrayLike | None = None,
    together: Mapping[str, Sequence[str]] | None = None,
    repetitions: int = 5,
    seed: int = 1,
) -> PermutationImportance:
    """Permute one feature after the other, and see what is lost.

    An event takes the feature of another event, of any class, by a permutation that follows from
    the rows' numbers alone, not from their order. A feature of objects is exchanged between the
    objects of the same place, so that the number of objects stays; a group of objects, under its
    own name, goes over as a whole, with the number of objects. Features that say the same make up
    for each other, and none of them seems important: name such in `together`.

    References:
        Breiman, Mach. Learn. 45 (2001) 5.

    Args:
        score: The classifier, such as the folds' models, each on its own events.
        arrays: Features of the N events.
        spec: Names of the features.
        events: The events with weights, as scored; significance is that of their automatic bins.
        row: A number for each row that no other row has, with shape (N,); None for their order.
        together: Further groups of features that are permuted as one, by name.
        repetitions: Permutations of each feature.
        seed: Seed of the permutations.

    Raises:
        ValueError: If a name in `together` is no feature.
    """
    known = np.arange(len(events)) if row is None else np.asarray(row)
    rows = known.astype(np.uint64)
    edges = automatic_edges(events)
    whole = signal_auc(events), binned_total(events, edges)
    found = []
    for name, members in _permuted_together(spec, together or {}):
        drops = []
        for repetition in range(repetitions):
            label = f"permutation-{name}-{repetition}"
            permuted = _without(arrays, spec, members, rows, seed, label)
            changed = replace(events, score=np.asarray(score(permuted), dtype=np.float64))
            drops.append((whole[0] - signal_auc(changed), whole[1] - binned_total(changed, edges)))
        area, significance = np.array(drops).reshape(-1, 2).T
        found.append(FeatureImportance(name, mean(area), mean(significance)))
    ordered = sorted(found, key=lambda row: -np.nan_to_num(row.auc_drop.value))
    return PermutationImportance(tuple(ordered), *whole, repetitions, len(events))


def _permuted_together(
    spec: FeatureSpec, together: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every feature, every group of objects, and the groups that were asked for."""
    flat = [feature.name for feature in (*spec.continuous, *spec.categorical)]
    objects = [feature.name for group in spec.objects for feature in group.features]
    groups = [group.name for group in spec.objects]
    known = {*flat, *objects, *groups}
    for name, members in together.items():
        unknown = [member for member in members if member not in known]
        if unknown:
            msg = f"group '{name}' holds {', '.join(unknown)}, which are no features"
            raise ValueError(msg)
    for name in (*flat, *objects, *groups):
        yield name, (name,)
    for name, members in together.items():
        yield name, tuple(members)


def _without(
    arrays: FeatureArrays,
    spec: FeatureSpec,
    members: Sequence[str],
    rows: Rows,
    seed: int,
    label: str,
) -> FeatureArrays:
    """The features with those of some names permuted."""
    taken = _permutation(rows, seed, label)
    continuous, categorical = arrays.continuous.copy(), arrays.categorical.copy()
    for column, feature in enumerate(spec.continuous):
        if feature.name in members:
            continuous[:, column] = continuous[taken, column]
    for column, feature in enumerate(spec.categorical):
        if feature.name in members:
            categorical[:, column] = categorical[taken, column]
    objects = {}
    for group in spec.objects:
        held = arrays.objects[group.name]
        chosen = [place for place, feature in enumerate(group.features) if feature.name in members]
        if group.name in members:
            objects[group.name] = held[taken]
        else:
            objects[group.name] = _exchanged(held, chosen, rows, seed, label)
    return FeatureArrays(continuous, categorical, objects)


def _exchanged(
    held: Objects, features: Sequence[int], rows: Rows, seed: int, label: str
) -> Objects:
    """Some features permuted between the objects of each place."""
    values = held.values.copy()
    for place in range(values.shape[1] if features else 0):
        there = np.flatnonzero(held.present[:, place])
        source = there[_permutation(rows[there], seed, f"{label}-{place}")]
        for feature in features:
            values[there, place, feature] = held.values[source, place, feature]
    return Objects(values, held.present)


def _permutation(rows: Rows, seed: int, label: str) -> NDArray[np.intp]:
    """Which event each event takes its value from: one that follows from the rows' numbers."""
    first, second = (
        np.argsort(uniform_per_row(seed, f"{label}-{side}", rows), kind="stable")
        for side in ("to", "from")
    )
    taken = np.empty(len(rows), dtype=np.intp)
    taken[first] = second
    return taken
