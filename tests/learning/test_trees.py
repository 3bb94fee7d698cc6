"""What only trees do."""

from __future__ import annotations

import lightgbm
import numpy as np

from quarkline.learning.models.trees import FIXED, without_parameters


def test_dropping_the_settings_changes_no_prediction() -> None:
    generator = np.random.default_rng(1)
    features = generator.normal(size=(200, 2))
    data = lightgbm.Dataset(features, label=features[:, 0] > 0, params=FIXED)
    text = lightgbm.train(FIXED | {"num_leaves": 7}, data, 5).model_to_string()
    assert "num_threads" in text
    assert "num_threads" not in without_parameters(text)
    bare = lightgbm.Booster(model_str=without_parameters(text))
    whole = lightgbm.Booster(model_str=text)
    assert np.array_equal(bare.predict(features), whole.predict(features))
