"""Losses and metrics of classes are those of scikit-learn and of the formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

from quarkline.learning.training.classification import Classification, area

CLASSES = ("ttH", "lq", "VV")


def outputs(count: int = 500) -> tuple[torch.Tensor, list[torch.Tensor], np.ndarray]:
    """Logits, rows of the held-out kind, and probabilities in double precision."""
    generator = np.random.default_rng(2)
    label = generator.integers(0, 3, count)
    logits = generator.normal(size=(count, 3)) + 1.5 * np.eye(3)[label]
    weight, own = generator.exponential(1.0, (2, count))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rows = [
        torch.zeros(count, 1),
        torch.from_numpy(label),
        torch.from_numpy(weight),
        torch.from_numpy(own),
    ]
    return torch.from_numpy(logits), rows, probabilities


def test_metrics_are_scikit_learns() -> None:
    logits, rows, probabilities = outputs()
    label, weight, own = (item.numpy() for item in rows[1:])
    found = Classification(CLASSES, 1, 1, 64).measure({"": logits}, {"": rows})
    expected = {
        "validation_loss": log_loss(label, probabilities, sample_weight=weight),
        "accuracy": accuracy_score(label, probabilities.argmax(axis=1), sample_weight=own),
        "accuracy_raw": accuracy_score(label, probabilities.argmax(axis=1)),
    }
    for number, suffix in enumerate(("_ttH", "", "_VV")):
        mine = label == number
        expected[f"auc{suffix}"] = roc_auc_score(mine, probabilities[:, number], sample_weight=own)
        expected[f"auc_raw{suffix}"] = roc_auc_score(mine, probabilities[:, number])
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_second_phase_is_the_signal_against_the_rest() -> None:
    logits, rows, _ = outputs()
    label, weight, own = (item.numpy() for item in rows[1:])
    found = Classification(CLASSES, 1, 1, 64, binary=True).measure({"": logits}, {"": rows})
    signal = 1 / (1 + np.exp(-logits[:, 1].numpy()))
    assert found == pytest.approx(
        {
            "validation_loss": log_loss(label == 1, signal, sample_weight=weight),
            "accuracy": accuracy_score(label == 1, signal > 0.5, sample_weight=own),
            "accuracy_raw": accuracy_score(label == 1, signal > 0.5),
            "auc": roc_auc_score(label == 1, signal, sample_weight=own),
            "auc_raw": roc_auc_score(label == 1, signal),
        },
        rel=1e-9,
    )


def test_two_classes_are_judged_by_the_signal_alone() -> None:
    logits, rows, _ = outputs()
    rows[1] = torch.clamp(rows[1], max=1)
    found = Classification(CLASSES[:2], 1, 1, 64).measure({"": logits[:, :2]}, {"": rows})
    assert [name for name in found if name.startswith("auc")] == ["auc", "auc_raw"]


def test_an_area_with_signed_weights_is_that_of_the_pairs() -> None:
    generator = np.random.default_rng(3)
    scores, positive = generator.integers(0, 20, 200) / 20, generator.random(200) < 0.4
    weight = generator.normal(1.0, 1.0, 200)
    pairs = np.sign(scores[positive][:, None] - scores[~positive][None, :]) / 2 + 0.5
    expected = weight[positive] @ pairs @ weight[~positive]
    expected /= weight[positive].sum() * weight[~positive].sum()
    assert area(scores, positive, weight) == pytest.approx(expected)


def test_an_area_of_nothing_is_no_number() -> None:
    scores, none = np.linspace(0, 1, 5), np.zeros(5, dtype=bool)
    assert np.isnan(area(scores, none))
    assert np.isnan(area(scores, ~none))
    assert np.isnan(area(scores, scores > 0.5, np.where(scores > 0.5, -1.0, 1.0)))
