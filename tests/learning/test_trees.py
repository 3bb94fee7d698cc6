"""Out-of-fold trees: nobody is scored by a model that has seen it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from quarkline.learning.models.artifact import load_model, model_key, save_model
from quarkline.learning.models.trees import (
    FIXED,
    TreeConfig,
    TreeFolds,
    _without_parameters,
    fit_folds,
    partition,
)

CONFIG = TreeConfig(trees=12, depth=3, learning_rate=0.2, subsample=0.7, min_leaf=5)


@dataclass(frozen=True)
class Rows:
    features: np.ndarray
    group: np.ndarray


def rows(count: int, seed: int, shift: float = 0.0) -> Rows:
    generator = np.random.default_rng(seed)
    features = generator.normal(shift, 1.0, (count, 2))
    return Rows(features, generator.integers(0, 2**63, count).astype(np.uint64))


def model(repetition: int = 0, candidates: Rows | None = None) -> TreeFolds:
    return fit_folds(
        candidates or rows(400, 1, 0.8),
        rows(600, 2).features,
        rows(500, 3),
        CONFIG,
        features=["a", "b"],
        folds=4,
        seed=1,
        repetition=repetition,
    )


def test_an_event_does_not_influence_its_own_score() -> None:
    candidates = rows(400, 1, 0.8)
    changed = candidates.features.copy()
    fold = partition(candidates.group, 4, seed=1, repetition=0)
    changed[fold == 2] += 5.0
    before = model(candidates=candidates).members[0]
    after = model(candidates=Rows(changed, candidates.group)).members[0]
    assert before[2].text == after[2].text
    assert all(before[i].text != after[i].text for i in (0, 1, 3))


def test_equal_seeds_give_equal_trees_and_repetitions_differ() -> None:
    assert model().members[0][0].text == model().members[0][0].text
    assert model(0).members[0][0].text != model(1).members[0][0].text


def test_scores_do_not_depend_on_order_or_company() -> None:
    trees, events = model(), rows(300, 5)
    scores = trees.score(events.features, events.group)
    order = np.random.default_rng(6).permutation(300)
    shuffled = trees.score(events.features[order], events.group[order])
    assert np.array_equal(shuffled.rank, scores.rank[order])
    alone = trees.score(events.features[:1], events.group[:1])
    assert alone.probability[0] == scores.probability[0]


def test_the_rank_of_the_reference_is_uniform() -> None:
    reference = rows(500, 3)
    rank = model().score(reference.features, reference.group).rank
    assert rank.mean() == pytest.approx(0.5, abs=1e-9)
    assert np.quantile(rank, 0.9) == pytest.approx(0.9, abs=0.05)


def test_merged_repetitions_are_averaged() -> None:
    first, second, events = model(0), model(1), rows(100, 7)
    both = first.merged([second]).score(events.features, events.group)
    parts = [item.score(events.features, events.group) for item in (first, second)]
    assert both.rank == pytest.approx((parts[0].rank + parts[1].rank) / 2)
    assert both.probability == pytest.approx((parts[0].probability + parts[1].probability) / 2)


def test_signal_scores_above_background() -> None:
    trees = model()
    signal, background = rows(500, 8, 0.8), rows(500, 9)
    scores = [trees.score(item.features, item.group).probability for item in (signal, background)]
    assert scores[0].mean() > scores[1].mean() + 0.1


def test_dropping_the_settings_changes_no_prediction() -> None:
    generator = np.random.default_rng(1)
    features = generator.normal(size=(200, 2))
    data = lightgbm.Dataset(features, label=features[:, 0] > 0, params=FIXED)
    text = lightgbm.train(FIXED | {"num_leaves": 7}, data, 5).model_to_string()
    assert "num_threads" in text
    assert "num_threads" not in _without_parameters(text)
    bare = lightgbm.Booster(model_str=_without_parameters(text))
    whole = lightgbm.Booster(model_str=text)
    assert np.array_equal(bare.predict(features), whole.predict(features))


def test_a_partition_is_balanced_and_a_function_of_the_group() -> None:
    group = np.arange(20_000, dtype=np.uint64)
    fold = partition(group, 5, seed=3, repetition=2)
    counts = np.bincount(fold, minlength=5)
    assert len(counts) == 5
    assert abs(counts - 4000).max() < 5 * np.sqrt(4000 * 0.8)
    assert np.array_equal(partition(group[::-1], 5, seed=3, repetition=2), fold[::-1])
    assert not np.array_equal(partition(group, 5, seed=3, repetition=3), fold)


def test_trees_survive_the_round_trip(tmp_path: Path) -> None:
    trees = model(0).merged([model(1)])
    save_model(trees, tmp_path / "a")
    loaded = load_model(tmp_path / "a", TreeFolds)
    events = rows(50, 4)
    first, second = (item.score(events.features, events.group) for item in (trees, loaded))
    assert np.array_equal(first.rank, second.rank)
    save_model(loaded, tmp_path / "b")
    assert model_key(tmp_path / "a") == model_key(tmp_path / "b")


def test_no_events_have_no_scores() -> None:
    scores = model().score(np.zeros((0, 2)), np.zeros(0, dtype=np.uint64))
    assert scores.rank.shape == (0,)
