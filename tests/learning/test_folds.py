"""Out-of-fold classifiers of every family: nobody is scored by a model that has seen it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.engine.core.findings import InputError
from quarkline.learning.models.artifact import load_model, model_key, save_model
from quarkline.learning.models.folds import (
    FAMILIES,
    ClassifierFolds,
    Rows,
    family_from,
    fit_folds,
    partition,
)

SETTINGS = {
    "bdt": {
        "kind": "bdt",
        "trees": 12,
        "depth": 3,
        "learning_rate": 0.2,
        "subsample": 0.7,
        "min_leaf": 5,
    },
    "mlp": {
        "kind": "mlp",
        "hidden": [8],
        "batch_size": 64,
        "learning_rate": 1e-2,
        "average_decay": 0.9,
        "max_epochs": 3,
        "patience": 3,
        "validation": 0.2,
    },
}


@pytest.fixture(params=sorted(FAMILIES))
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


def rows(count: int, seed: int, shift: float = 0.0) -> Rows:
    generator = np.random.default_rng(seed)
    features = generator.normal(shift, 1.0, (count, 2))
    return Rows(features, generator.integers(0, 2**63, count).astype(np.uint64))


def model(
    kind: str,
    repetition: int = 0,
    candidates: Rows | None = None,
    templates: Rows | None = None,
    reference: Rows | None = None,
) -> ClassifierFolds:
    return fit_folds(
        candidates or rows(400, 1, 0.8),
        templates or Rows.numbered(rows(600, 2).features),
        reference or rows(500, 3),
        family_from(SETTINGS[kind] | {"folds": 4}),
        features=["a", "b"],
        folds=4,
        seed=1,
        repetition=repetition,
    )


@cache
def plain(kind: str, repetition: int = 0) -> ClassifierFolds:
    """The model that tests only look at."""
    return model(kind, repetition)


def probabilities(folds: ClassifierFolds) -> list[np.ndarray]:
    """What each member of the first repetition says of the same events."""
    features = rows(50, 11).features
    return [member.classifier.probability(features) for member in folds.members[0]]


@pytest.mark.parametrize("role", ["candidates", "templates"])
def test_an_event_does_not_influence_its_own_score(kind: str, role: str) -> None:
    events = rows(400, 1, 0.8)
    changed = events.features.copy()
    fold = partition(events.group, 4, seed=1, repetition=0)
    changed[fold == 2] += 5.0
    before = probabilities(model(kind, **{role: events}))
    after = probabilities(model(kind, **{role: Rows(changed, events.group)}))
    same = [np.array_equal(one, other) for one, other in zip(before, after, strict=True)]
    assert same == [False, False, True, False]


def test_sidebands_may_be_templates_and_reference_at_once(kind: str) -> None:
    beside = rows(600, 2)
    folds = model(kind, templates=beside, reference=beside)
    rank = folds.score(beside.features, beside.group).rank
    assert rank.mean() == pytest.approx(0.5, abs=1e-3)
    signal = rows(300, 8, 0.8)
    assert folds.score(signal.features, signal.group).rank.mean() > 0.6


def test_equal_seeds_give_equal_bytes_and_repetitions_differ(kind: str, tmp_path: Path) -> None:
    for name, repetition in (("a", 0), ("b", 0), ("c", 1)):
        save_model(model(kind, repetition), tmp_path / name)
    assert model_key(tmp_path / "a") == model_key(tmp_path / "b") != model_key(tmp_path / "c")


def test_scores_do_not_depend_on_order_or_company(kind: str) -> None:
    folds, events = plain(kind), rows(300, 5)
    scores = folds.score(events.features, events.group)
    order = np.random.default_rng(6).permutation(300)
    shuffled = folds.score(events.features[order], events.group[order])
    assert shuffled.probability == pytest.approx(scores.probability[order], rel=1e-5)
    alone = folds.score(events.features[:1], events.group[:1])
    assert alone.probability[0] == pytest.approx(scores.probability[0], rel=1e-5)


def test_the_rank_of_the_reference_is_uniform(kind: str) -> None:
    reference = rows(500, 3)
    rank = plain(kind).score(reference.features, reference.group).rank
    assert rank.mean() == pytest.approx(0.5, abs=1e-3)
    assert np.quantile(rank, 0.9) == pytest.approx(0.9, abs=0.05)


def test_merged_repetitions_are_averaged(kind: str) -> None:
    first, second, events = plain(kind, 0), plain(kind, 1), rows(100, 7)
    both = first.merged([second]).score(events.features, events.group)
    parts = [item.score(events.features, events.group) for item in (first, second)]
    assert both.rank == pytest.approx((parts[0].rank + parts[1].rank) / 2)
    assert both.probability == pytest.approx((parts[0].probability + parts[1].probability) / 2)


def test_signal_scores_above_background(kind: str) -> None:
    folds = plain(kind)
    signal, background = rows(500, 8, 0.8), rows(500, 9)
    scores = [folds.score(item.features, item.group).probability for item in (signal, background)]
    assert scores[0].mean() > scores[1].mean() + 0.1


def test_both_classes_weigh_the_same_however_many_they_are(kind: str) -> None:
    few, many = rows(150, 1), Rows.numbered(rows(3000, 2).features)
    found = model(kind, candidates=few, templates=many)
    events = rows(500, 9)
    assert found.score(events.features, events.group).probability.mean() == pytest.approx(
        0.5, abs=0.1
    )


def test_classifiers_survive_the_round_trip(kind: str, tmp_path: Path) -> None:
    folds = plain(kind, 0).merged([plain(kind, 1)])
    save_model(folds, tmp_path / "a")
    loaded = load_model(tmp_path / "a", ClassifierFolds)
    events = rows(50, 4)
    first, second = (item.score(events.features, events.group) for item in (folds, loaded))
    assert np.array_equal(first.rank, second.rank)
    save_model(loaded, tmp_path / "b")
    assert model_key(tmp_path / "a") == model_key(tmp_path / "b")


def test_an_artifact_of_another_family_is_refused(tmp_path: Path) -> None:
    save_model(plain("bdt"), tmp_path / "a")
    description = tmp_path / "a" / "model.json"
    description.write_text(description.read_text().replace('"family": "bdt"', '"family": "mlp"'))
    with pytest.raises(InputError, match="QL-TRAIN-001"):
        load_model(tmp_path / "a", ClassifierFolds)


def test_no_events_have_no_scores(kind: str) -> None:
    scores = plain(kind).score(np.zeros((0, 2)), np.zeros(0, dtype=np.uint64))
    assert scores.rank.shape == (0,)


def test_a_partition_is_balanced_and_a_function_of_the_group() -> None:
    group = np.arange(20_000, dtype=np.uint64)
    fold = partition(group, 5, seed=3, repetition=2)
    counts = np.bincount(fold, minlength=5)
    assert len(counts) == 5
    assert abs(counts - 4000).max() < 5 * np.sqrt(4000 * 0.8)
    assert np.array_equal(partition(group[::-1], 5, seed=3, repetition=2), fold[::-1])
    assert not np.array_equal(partition(group, 5, seed=3, repetition=3), fold)
