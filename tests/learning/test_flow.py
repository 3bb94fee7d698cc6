"""A conditional flow is a density: normalised, in the features' units, and sampled as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from quarkline.engine.core.findings import InputError
from quarkline.learning.models.artifact import load_model, model_key, save_model
from quarkline.learning.models.flow import ConditionalFlow

from .conftest import new_flow, sample

pytestmark = pytest.mark.xdist_group("flow")  # one process makes what they share


def grid_of(points: int) -> tuple[np.ndarray, float]:
    x, y = np.linspace(-7, 7, points), np.linspace(1e-3, 15, points)
    mesh = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    return mesh, (x[1] - x[0]) * (y[1] - y[0])


def test_the_density_integrates_to_one_in_the_features_units(trained: ConditionalFlow) -> None:
    mesh, area = grid_of(400)
    for condition in (-0.8, 0.0, 0.9):
        density = np.exp(trained.log_prob(mesh, np.full(len(mesh), condition)))
        assert density.sum() * area == pytest.approx(1, abs=0.02)


def test_training_approaches_the_true_density(trained: ConditionalFlow) -> None:
    features, condition = sample(4000, 3)
    true = -0.5 * (features[:, 0] - condition) ** 2 - np.log(2 * np.pi)
    true += -0.5 * (np.log(features[:, 1]) / 0.5) ** 2 - np.log(0.5 * features[:, 1])
    gap = (true - trained.log_prob(features, condition)).mean()
    untrained = (true - new_flow().log_prob(features, condition)).mean()
    assert gap < 0.03
    assert untrained > 2 * gap


def test_samples_follow_the_condition(trained: ConditionalFlow) -> None:
    generator = np.random.default_rng(5)
    for condition in (-0.9, 0.9):
        samples = trained.sample(np.full(4000, condition), generator)
        assert samples[:, 0].mean() == pytest.approx(condition, abs=0.15)
        assert (samples[:, 1] > -0.1).all()


def test_equal_generators_give_equal_samples(trained: ConditionalFlow) -> None:
    condition = np.linspace(-1, 1, 50)
    first, second = (trained.sample(condition, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)
    assert trained.sample(np.zeros(0), np.random.default_rng(7)).shape == (0, 2)


def test_initial_weights_are_a_function_of_the_seed_and_leave_torch_alone() -> None:
    import torch

    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    same = [new_flow(seed=4).module.state_dict() for _ in range(2)]
    assert torch.equal(torch.rand(1), expected)
    assert all(torch.equal(same[0][name], same[1][name]) for name in same[0])
    other = new_flow(seed=5).module.state_dict()
    assert any(not torch.equal(same[0][name], other[name]) for name in other)


def test_a_model_survives_the_round_trip(trained: ConditionalFlow, folder) -> None:
    save_model(trained, folder)
    features, condition = sample(100, 9)
    loaded = load_model(folder, ConditionalFlow)
    assert np.array_equal(
        loaded.log_prob(features, condition), trained.log_prob(features, condition)
    )
    again = folder.with_name("again")
    save_model(loaded, again)
    assert model_key(again) == model_key(folder)


@pytest.mark.parametrize("damage", ["weights", "missing", "vectors", "kind"])
def test_a_damaged_model_is_refused(trained: ConditionalFlow, folder, damage: str) -> None:
    save_model(trained, folder)
    if damage == "weights":
        weights = bytearray((folder / "weights.safetensors").read_bytes())
        weights[-400:-380] = bytes(20)
        (folder / "weights.safetensors").write_bytes(bytes(weights))
    elif damage == "missing":
        (folder / "weights.safetensors").unlink()
    elif damage == "vectors":
        (folder / "test_vectors.npz").write_bytes(b"PK nonsense")
    else:
        text = (folder / "model.json").read_text().replace("conditional-flow", "tree-folds")
        (folder / "model.json").write_text(text)
    with pytest.raises(InputError, match="QL-TRAIN-001"):
        load_model(folder, ConditionalFlow)


def test_the_latent_space_undoes_the_sampling(trained: ConditionalFlow) -> None:
    condition = np.linspace(-0.9, 0.9, 500)
    features = trained.sample(condition, np.random.default_rng(5))
    noise = np.random.default_rng(5).standard_normal((500, 2))
    assert trained.latent(features, condition) == pytest.approx(noise, abs=2e-3)


def test_learned_events_are_standard_normal_in_the_latent_space(trained: ConditionalFlow) -> None:
    features, condition = sample(4000, 4)
    noise = trained.latent(features, condition)
    assert abs(np.corrcoef(features[:, 0], condition)[0, 1]) > 0.4
    for column in noise.T:
        assert stats.kstest(column, "norm").statistic < 0.04
        assert abs(np.corrcoef(column, condition)[0, 1]) < 0.1


def test_impossible_features_have_a_place_in_the_latent_space(trained: ConditionalFlow) -> None:
    noise = trained.latent(np.array([[0.0, -1.0], [1e9, 1e9]]), np.zeros(2))
    assert np.isfinite(noise).all()
