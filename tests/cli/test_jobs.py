"""The command jobs, and the options that say where work runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from quarkline.cli import options
from quarkline.engine.compute.batch.arrays import make_array
from quarkline.engine.compute.batch.config import HTCondorConfig, SlurmConfig
from quarkline.engine.compute.batch.jobs import BatchJobs
from quarkline.engine.compute.cluster import DaskCluster
from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.compute.executors import open_executor
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Failed, Item
from quarkline.engine.core.findings import InputError
from quarkline.tools.run import load_analysis

from .conftest import Answer

Call = Callable[..., Answer]


@pytest.fixture
def array(tmp_path: Path) -> Path:
    """A run with one array that is over: one item is done, one failed."""
    orders = [
        Order("module:task", Item(f"item-{n}", {}), tmp_path / "items" / f"{n}") for n in range(2)
    ]
    home = tmp_path / "run" / "jobs"
    made = make_array(home, orders, HTCondorConfig(kind="htcondor"), home=home)
    made.record_submission("12")
    made.record_failure(made.members[1], Failed("item-1", "ValueError: [no]", ""))
    made.record_over()
    (tmp_path / "items" / "0").mkdir(parents=True)
    (tmp_path / "items" / "0" / "value.json").write_text("1")
    return made.folder


def test_jobs_are_shown_with_their_first_reasons(quarkline: Call, array: Path) -> None:
    answer = quarkline("jobs", "run")
    assert answer.code == 0
    row = next(line.split() for line in answer.out.splitlines() if "00001 " in line)
    assert row == ["00001", "htcondor", "12", "task", "1", "done,", "1", "failed"]
    assert f"1 x ValueError: [no]\n    {array}/logs/1.log\n" in answer.out


def test_jobs_as_json(quarkline: Call, array: Path) -> None:
    (row,) = json.loads(quarkline("jobs", "run", "--json").out)
    assert row == {
        "folder": str(array),
        "system": "htcondor",
        "job": "12",
        "step": "task",
        "items": {"done": 1, "failed": 1},
        "troubles": [
            {
                "reason": "ValueError: [no]",
                "items": 1,
                "first": "ValueError: [no]",
                "log": str(array / "logs" / "1.log"),
            }
        ],
    }


def test_a_folder_without_jobs(quarkline: Call) -> None:
    answer = quarkline("jobs", ".")
    assert answer.code == 2
    assert "QL-JOBS-006  no jobs are recorded in ." in answer.err


def test_one_or_the_other(quarkline: Call, array: Path) -> None:
    answer = quarkline("jobs", "run", "--resume", "--cancel")
    assert answer.code == 2
    assert "--resume and --cancel cannot be used together" in answer.err


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"workers": 2, "cluster": "tcp://a:1"}, "--workers and --cluster"),
        ({"cluster": "tcp://a:1", "batch": options.BatchSystem.slurm}, "--cluster and --batch"),
    ],
)
def test_two_places_contradict_each_other(given: dict[str, Any], message: str) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        options.compute_keys(**given)


SITE = "compute: {submit_dir: afs, batch: {kind: slurm, memory: 4GB, setup: [source env.sh]}}\n"


def compute(config: Path, **given: Any) -> ComputeConfig:
    Path("site.yaml").write_text(SITE)
    keys = options.compute_keys(**given)
    return load_analysis(config, site=Path("site.yaml"), compute=keys).config.compute


def test_an_option_keeps_the_sites_settings_of_its_system(quarkline: Call, config: Path) -> None:
    found = compute(config, batch=options.BatchSystem.slurm, submit_dir=Path("mine"))
    assert found.batch == SlurmConfig(kind="slurm", memory="4GB", setup=["source env.sh"])
    assert found.submit_dir == Path.cwd() / "mine"
    other = compute(config, batch=options.BatchSystem.htcondor)
    assert other.batch == HTCondorConfig(kind="htcondor")


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, BatchJobs),
        ({"workers": 2}, LocalWorkers),
        ({"cluster": "tcp://127.0.0.1:8786"}, DaskCluster),
        ({"batch": options.BatchSystem.htcondor}, BatchJobs),
    ],
)
def test_the_option_decides_where_the_work_runs(
    quarkline: Call, config: Path, given: dict[str, Any], kind: type
) -> None:
    assert type(open_executor(compute(config, **given), folder=Path("jobs"))) is kind


def test_a_scheduler_file_is_found_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    site = tmp_path / "site" / "site.yaml"
    site.write_text("compute: {cluster: scheduler.json}\n")
    config = tmp_path / "bench.yaml"
    config.write_text("schema: 1\nstudy: toy\nname: bench\ninputs: [a.txt]\n")
    found = load_analysis(config, site=site).config.compute
    assert found.cluster == str(tmp_path / "site" / "scheduler.json")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{cluster: 'tcp://a:1', batch: {kind: slurm}}", "not both"),
        ("{batch: {kind: lsf}}", "none of the values allowed"),
        ("{batch: {kind: slurm, memory: lots}}", "compute.batch.*memory"),
        ("{batch: {kind: slurm, flavour: workday}}", "unknown key `flavour`"),
        ("{batch: {kind: htcondor, flavour: workdy}}", "did you mean `workday`"),
    ],
)
def test_mistakes_in_the_config(quarkline: Call, config: Path, text: str, message: str) -> None:
    config.write_text(f"schema: 1\nstudy: toy\nname: bench\ninputs: [a.txt]\ncompute: {text}\n")
    with pytest.raises(InputError, match=message):
        load_analysis(config)
