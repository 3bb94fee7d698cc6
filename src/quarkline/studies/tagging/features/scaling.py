"""The inputs of a network: which they are, their scales, and jets scaled with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from quarkline.learning.features.preprocess import Preprocess, scaled
from quarkline.learning.features.ragged import RaggedObjects
from quarkline.learning.features.scaling import FeatureScale
from quarkline.learning.features.spec import Feature, FeatureSpec
from quarkline.studies.tagging.features.config import MassInput
from quarkline.studies.tagging.jets import JetSet
from quarkline.studies.tagging.upstream import INPUTS

MASSES: tuple[MassInput, ...] = ("mH", "mS")


def spec_of(mass_inputs: Sequence[MassInput] = ()) -> FeatureSpec:
    """What a network is told of a jet: the trainer's inputs, then masses."""
    masses = tuple(Feature(name, f"llp_{name}") for name in mass_inputs)
    return replace(INPUTS, continuous=(*INPUTS.continuous, *masses))


def with_masses(
    jets: JetSet, masses: NDArray[np.float32], mass_inputs: Sequence[MassInput]
) -> JetSet:
    """Jets with masses beside their momenta.

    Args:
        jets: The jets.
        masses: mH and mS in GeV, with shape (N, 2).
        mass_inputs: Which of them a network is told.
    """
    columns = [masses[:, MASSES.index(name)] for name in mass_inputs]
    return replace(jets, jet=np.column_stack([jets.jet, *columns]).astype(np.float32))


def fit_scales(spec: FeatureSpec, jets: JetSet) -> Preprocess:
    """Scales of the inputs; the order of the jets does not matter, to the last bit.

    Args:
        spec: The inputs.
        jets: Training jets.
    """
    return Preprocess(
        spec,
        _fitted(spec.continuous, jets.jet),
        (),
        tuple(_fitted(group.features, jets.streams[group.name].values) for group in spec.objects),
    )


def first_jets(parts: Iterable[JetSet], most: int) -> JetSet:
    """The first jets of several sets, at least one of them with any."""
    found: list[JetSet] = []
    missing = most
    for part in parts:
        found.append(part[:missing])
        missing -= len(found[-1])
        if not missing:
            break
    return JetSet.concatenated(found)


def scaled_jets(preprocess: Preprocess, jets: JetSet) -> JetSet:
    """Jets as a network takes them: scaled, 0 where a value is missing."""
    groups = zip(preprocess.spec.objects, preprocess.object_scales, strict=True)
    streams = {
        group.name: RaggedObjects(
            scaled(scales, jets.streams[group.name].values), jets.streams[group.name].offsets
        )
        for group, scales in groups
    }
    return replace(jets, jet=scaled(preprocess.scales, jets.jet), streams=streams)


def _fitted(features: Sequence[Feature], values: NDArray[np.float32]) -> tuple[FeatureScale, ...]:
    return tuple(
        FeatureScale.of_training(feature.name, values[:, column])
        for column, feature in enumerate(features)
    )
