"""The search's training as the objective of `quarkline tune`."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from quarkline.learning.training.search.result import TrialState
from quarkline.tools.run import load_analysis
from quarkline.tools.tune import tune

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("search")]


@pytest.mark.parametrize("metric", ["significance", "loss"])
def test_trials_train_and_are_judged_by_held_out_events(
    events: Path, tmp_path: Path, metric: str
) -> None:
    section = f"tune={{metric: {metric}, grid: {{train.model.width: [4, 8]}}}}"
    analysis = load_analysis(
        events / "tiny.yaml",
        overrides=[f"roots.runs={tmp_path}", section, "friends.write=false"],
        compute={"workers": 1},
    )
    outcome = tune(analysis)
    assert [trial.state for trial in outcome.result.trials] == [TrialState.COMPLETE] * 2
    values = [trial.value for trial in outcome.result.trials]
    assert all(value is not None and math.isfinite(value) for value in values)
    best = outcome.result.best_trial
    assert best is not None
    assert best.value == (min if metric == "loss" else max)(values)
    load_analysis(outcome.best)
