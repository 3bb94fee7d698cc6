"""The outputs of a real network on real jets, and jets made by chance."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest


@dataclass(frozen=True)
class Jets:
    scores: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    jet_pt: np.ndarray
    mass: np.ndarray

    def __getitem__(self, rows) -> Jets:
        return Jets(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@pytest.fixture(scope="session")
def golden(data_folder: Path) -> dict[str, np.ndarray]:
    with np.load(data_folder / "calratio" / "model" / "evaluation_golden_inputs.npz") as file:
        return dict(file)


@pytest.fixture(scope="session")
def main(golden) -> Jets:
    """Jets of the three classes; the signal has masses of 125 and 5 GeV."""
    label = golden["main_label"]
    mass = np.where(label[:, None] == 1, [125.0, 5.0], 0.0)
    return Jets(
        golden["main_scores"], label, golden["main_mcWeight_norm"], np.ones(label.size), mass
    )


@pytest.fixture
def made():
    """Jets of three classes by chance, of which a given share is tagged right."""

    def make(number: int = 3000, seed: int = 1) -> Jets:
        random = np.random.default_rng(seed)
        label = random.integers(0, 3, number)
        logits = random.normal(size=(number, 3)) + 1.5 * np.eye(3)[label]
        scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        weight = np.where(label == 0, random.lognormal(0.0, 1.0, number), 1.0)
        masses = np.array([[125, 16], [600, 50], [600, 150]])[random.integers(0, 3, number)]
        mass = np.where(label[:, None] == 1, masses, 0.0)
        return Jets(scores, label, weight, random.uniform(40, 500, number), mass)

    return make
