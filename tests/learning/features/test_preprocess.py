"""Laws of the way from physical values to what models take."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from quarkline.learning.features.arrays import MISSING, FeatureArrays, Objects
from quarkline.learning.features.geometry import Geometry
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.features.scaling import REACH, FeatureScale
from quarkline.learning.features.spec import Feature, FeatureSpec, ObjectGroup

EVENTS = 2000


def named(*names: str) -> tuple[Feature, ...]:
    return tuple(Feature(name, name) for name in names)


SPEC = FeatureSpec(
    named("pt", "eta", "flag", "constant", "none"),
    named("code", "unknown"),
    (ObjectGroup("jets", 3, named("jets_pt", "jets_eta")), ObjectGroup("taus", 1, named("t"))),
)


def events(seed: int = 1, number: int = EVENTS) -> FeatureArrays:
    random = np.random.default_rng(seed)
    continuous = np.stack(
        [
            random.exponential(40.0, number) + 20,
            random.normal(0.5, 1.2, number),
            random.integers(0, 2, number),
            np.full(number, 7.0),
            np.full(number, np.nan),
        ],
        axis=1,
    ).astype(np.float32)
    continuous[random.random(number) < 0.2, 0] = np.nan
    kinds = np.array([-13, -11, 11, 13, MISSING])
    categorical = np.stack(
        [random.choice(kinds, number), np.full(number, MISSING)], axis=1, dtype=np.int64
    )
    groups = {}
    for group in SPEC.objects:
        present = np.arange(group.length) < random.integers(0, group.length + 2, number)[:, None]
        shape = (number, group.length, len(group.features))
        values = random.exponential(30.0, shape).astype(np.float32)
        values[~present] = np.nan
        values[random.random(number) < 0.1, 0, 0] = np.nan
        groups[group.name] = Objects(values, present)
    return FeatureArrays(continuous, categorical, groups)


@pytest.fixture(scope="module")
def fitted() -> Preprocess:
    return Preprocess.fit(SPEC, events())


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_order_of_the_training_events_does_not_matter_to_the_last_bit(
    fitted: Preprocess,
) -> None:
    order = np.random.default_rng(5).permutation(EVENTS)
    assert Preprocess.fit(SPEC, events()[order]) == fitted


def test_a_subset_of_the_events_gives_a_subset_of_the_tensors(fitted: Preprocess) -> None:
    other = events(seed=2)
    rows = np.random.default_rng(6).permutation(EVENTS)[:777]
    of_all = tuple(tensor[torch.from_numpy(rows)] for tensor in fitted.tensors(other))
    assert same(fitted.tensors(other[rows]), of_all)
    one_by_one = [fitted.tensors(other[row : row + 1]) for row in range(20)]
    joined = tuple(torch.cat(parts) for parts in zip(*one_by_one, strict=True))
    assert same(joined, fitted.tensors(other[:20]))
    np.testing.assert_array_equal(fitted.matrix(other[rows]), fitted.matrix(other)[rows])


def test_json_gives_it_back_to_the_last_bit(fitted: Preprocess) -> None:
    again = Preprocess.from_json(json.loads(json.dumps(fitted.as_json())))
    assert again == fitted
    assert same(again.tensors(events(seed=3)), fitted.tensors(events(seed=3)))


def test_the_tensors_have_the_geometry_and_no_gaps(fitted: Preprocess) -> None:
    assert fitted.geometry == Geometry(5, (5, 1), ((3, 2), (1, 1)))
    tensors = fitted.tensors(events(seed=2))
    shapes = [(5,), (5,), (2,), (3, 2), (3,), (1, 1), (1,)]
    kinds = [torch.float32, torch.bool, torch.int64, *[torch.float32, torch.bool] * 2]
    assert [tuple(tensor.shape[1:]) for tensor in tensors] == shapes
    assert [tensor.dtype for tensor in tensors] == kinds
    for tensor in tensors:
        assert torch.isfinite(tensor.float()).all()


def test_scaled_features_have_mean_zero_and_deviation_one_where_they_are(
    fitted: Preprocess,
) -> None:
    continuous, missing, _, jets, present, *_ = fitted.tensors(events())
    assert torch.equal(missing, torch.from_numpy(np.isnan(events().continuous)))
    assert (continuous[missing] == 0).all()
    for column in range(3):
        there = continuous[~missing[:, column], column].double()
        assert float(there.mean()) == pytest.approx(0, abs=1e-3)
        # a long tail may be cut at the reach of the scale
        assert float(there.std(correction=0)) == pytest.approx(1, abs=0.02)
    assert (jets[~present] == 0).all()
    there = jets[..., 1][present].double()
    assert float(there.mean()) == pytest.approx(0, abs=1e-3)


def test_a_feature_without_different_values_is_zero_in_training(fitted: Preprocess) -> None:
    continuous = fitted.tensors(events())[0]
    assert (continuous[:, 3:] == 0).all()
    other = events(number=2)
    other.continuous[:, 3:] = [[9.0, 1.5], [-1e9, np.inf]]
    assert fitted.tensors(other)[0][:, 3:].tolist() == [[2.0, 1.5], [-REACH, REACH]]


def test_kinds_that_training_did_not_see_are_as_missing_ones(fitted: Preprocess) -> None:
    other = events(number=6)
    other.categorical[:, 0] = [-13, -11, 11, 13, MISSING, 15]
    other.categorical[:, 1] = [0, 1, 2, 3, 4, MISSING]
    codes = fitted.tensors(other)[2]
    assert codes.T.tolist() == [[1, 2, 3, 4, 0, 0], [0] * 6]


def test_trees_take_physical_values_and_codes(fitted: Preprocess) -> None:
    arrays = events(seed=4)
    matrix = fitted.matrix(arrays)
    slots = [f"{name}_{i}" for i in range(3) for name in ("jets_pt", "jets_eta")]
    assert fitted.matrix_names == (
        *("pt", "eta", "flag", "constant", "none", "code", "unknown"),
        *slots,
        "t_0",
    )
    assert fitted.matrix_categories == (5, 6)
    columns = dict(zip(fitted.matrix_names, matrix.T, strict=True))
    np.testing.assert_array_equal(columns["pt"], arrays.continuous[:, 0])
    np.testing.assert_array_equal(columns["jets_eta_2"], arrays.objects["jets"].values[:, 2, 1])
    missing = arrays.categorical[:, 0] == MISSING
    assert np.isnan(columns["code"][missing]).all()
    assert set(columns["code"][~missing]) == {1, 2, 3, 4}
    assert np.isnan(columns["unknown"]).all()


def test_a_model_without_kinds_or_numbers_still_gets_three_tensors() -> None:
    arrays = FeatureArrays(np.empty((4, 0), np.float32), np.empty((4, 0), np.int64))
    preprocess = Preprocess.fit(FeatureSpec(()), arrays)
    assert [tuple(tensor.shape) for tensor in preprocess.tensors(arrays)] == [(4, 0)] * 3
    assert preprocess.matrix(arrays).shape == (4, 0)


def test_no_events_give_no_rows(fitted: Preprocess) -> None:
    nothing = events(number=0)
    assert [len(tensor) for tensor in fitted.tensors(nothing)] == [0] * 7
    assert fitted.matrix(nothing).shape == (0, 7 + 3 * 2 + 1)
    assert Preprocess.fit(SPEC, nothing).geometry == Geometry(5, (1, 1), ((3, 2), (1, 1)))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.random.default_rng(1).lognormal(4, 1, 5000), "log"),
        (np.random.default_rng(1).uniform(0, 1, 5000), "linear"),
        (np.random.default_rng(1).integers(0, 2, 5000), "linear"),
        (np.random.default_rng(1).random(5000) < 0.97, "linear"),
        (np.random.default_rng(1).exponential(1, 5000) + 0.5, "log"),
        (np.random.default_rng(1).lognormal(4, 1, 5000) - 1e-3, "log"),
        (-np.random.default_rng(1).lognormal(4, 1, 5000), "linear"),
        (np.append(np.random.default_rng(1).uniform(0, 1, 5000), 1e30), "linear"),
        (np.array([1.0, np.nan]), "linear"),
        (np.array([]), "linear"),
    ],
    ids=[
        "long tail",
        "even",
        "flags",
        "rare flag",
        "threshold",
        "shifted",
        "negative",
        "one outlier",
        "one",
        "none",
    ],
)
def test_the_logarithm_is_taken_of_long_tails_only(values: np.ndarray, kind: str) -> None:
    scale = FeatureScale.of_training("x", values)
    assert scale.kind == kind
    assert scale.deviation > 0


def test_missing_values_do_not_move_the_scale() -> None:
    values = np.random.default_rng(1).normal(2, 3, 1000)
    with_gaps = np.insert(values, range(0, 1000, 3), np.nan)
    scale = FeatureScale.of_training("x", values)
    assert FeatureScale.of_training("x", with_gaps) == scale
    assert (scale.mean, scale.deviation) == pytest.approx((values.mean(), values.std()))
