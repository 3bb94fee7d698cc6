"""Fitting: a resumed fit equals an uninterrupted one, and stops where it should."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from quarkline.learning.models.flow import ConditionalFlow
from quarkline.learning.training.config import FitConfig
from quarkline.learning.training.fit import fit
from quarkline.learning.training.history import History
from quarkline.learning.training.state import CHECKPOINT

from ..conftest import CONFIG, changed, new_flow, sample
from .conftest import assert_equal, dying


def run(folder: Path, config: FitConfig = CONFIG, seed: int = 1) -> tuple[ConditionalFlow, History]:
    folder.mkdir(exist_ok=True)
    flow = new_flow()
    rows, held_out = flow.tensors(*sample(700, 1)), flow.tensors(*sample(300, 2))
    return flow, fit(flow.module, rows, held_out, config, seed=seed, folder=folder).history


@pytest.mark.parametrize("step", [6, 12, 30, 33])
def test_a_resumed_fit_equals_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    whole, history = run(tmp_path / "whole")
    with dying(monkeypatch, step):
        run(tmp_path / "killed")
    resumed, resumed_history = run(tmp_path / "killed")
    assert_equal(whole.module, resumed.module)
    assert resumed_history == history
    assert not (tmp_path / "killed" / CHECKPOINT).exists()


def test_equal_seeds_give_equal_weights_and_other_seeds_do_not(tmp_path: Path) -> None:
    first, second, other = (
        run(tmp_path / name, seed=seed)[0] for name, seed in [("a", 1), ("b", 1), ("c", 2)]
    )
    assert_equal(first.module, second.module)
    with pytest.raises(AssertionError):
        assert_equal(first.module, other.module)


def test_global_random_state_is_neither_read_nor_written(tmp_path: Path) -> None:
    torch.manual_seed(11)
    np.random.seed(11)  # noqa: NPY002  # the state that must not matter
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, _ = run(tmp_path / "a")
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    torch.manual_seed(12)
    assert_equal(first.module, run(tmp_path / "b")[0].module)


def test_a_job_of_slurm_fits_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone, _ = run(tmp_path / "alone")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "srun").write_text("#!/bin/sh\n")
    (tools / "srun").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    for name, value in {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "2", "SLURM_PROCID": "1"}.items():
        monkeypatch.setenv(name, value)
    in_a_job, _ = run(tmp_path / "job")
    assert_equal(alone.module, in_a_job.module)


def test_the_best_epoch_is_kept_and_patience_ends_the_fit(tmp_path: Path) -> None:
    config = changed(epochs=60, patience=3, learning_rate=0.05)
    flow, history = run(tmp_path / "a", config)
    assert history.best == len(history.validation) - 1 - 3
    held_out = flow.tensors(*sample(300, 2))
    with torch.no_grad():
        loss = float(flow.module(*held_out).mean())
    assert loss == pytest.approx(history.validation[history.best], rel=1e-6)
    assert len(history.train) == len(history.validation)


def test_an_average_without_memory_is_the_last_weights(tmp_path: Path) -> None:
    config = changed(average_decay=0.0, epochs=1)
    flow, history = run(tmp_path / "a", config)
    assert history.best == 0
    assert all(torch.isfinite(value).all() for value in flow.module.state_dict().values())


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this computer")
    _, on_gpu = run(tmp_path / "gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    _, on_cpu = run(tmp_path / "cpu")
    assert on_gpu.validation == pytest.approx(on_cpu.validation, rel=1e-3)


@pytest.mark.gpu
def test_a_resumed_fit_equals_an_uninterrupted_one_on_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this computer")
    test_a_resumed_fit_equals_an_uninterrupted_one(tmp_path, monkeypatch, 2)
