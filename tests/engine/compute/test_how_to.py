"""The how-to's scripts, as they stand in the documentation."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sample_tasks as tasks

from quarkline.engine.compute.cluster import DaskCluster
from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import load_config
from tests.docs.pages import DOCS

PAGE = (DOCS / "how-to" / "batch.md").read_text()


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_a_site_file_is_read(tmp_path: Path, text: str) -> None:
    site, config = tmp_path / "site.yaml", tmp_path / "config.yaml"
    site.write_text(text)
    config.write_text("schema: 1\n")
    ComputeConfig.model_validate(load_config(config, site=site).data["compute"])


@pytest.fixture
def address(
    tmp_path: Path, slurm_cluster: None, setup_lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address that the script for Slurm prints, on one computer."""
    pytest.importorskip("dask_jobqueue")
    script = next(s for s in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "SLURM" in s)
    here = f'queue="debug", interface="lo", job_script_prologue={setup_lines!r}'
    for written, meant in (('queue="short"', here), ("2GB", "500MB"), ("100", "2")):
        assert written in script
        script = script.replace(written, meant)
    (tmp_path / "cluster.py").write_text(script)
    process = subprocess.Popen(
        [sys.executable, "cluster.py"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("\n", timeout=60)


@pytest.mark.slow
@pytest.mark.xdist_group("slurm")
def test_dask_workers_that_are_started_as_jobs(address: str, tmp_path: Path) -> None:
    pairs = [(Item(f"item-{x}", {"x": x}), tmp_path / "items" / f"{x}") for x in range(4)]
    outcomes = list(DaskCluster(address, tmp_path).map(task_name(tasks.write), pairs))
    assert [outcome.value["x"] for outcome in outcomes] == [0, 1, 2, 3]
