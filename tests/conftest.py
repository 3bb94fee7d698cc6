"""Fixtures every test may use: data, real clusters on loopback, and HTCondor's stand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import condor
from tests.farm.dask import dask
from tests.farm.slurm import CannotRunError, slurm

PROJECT = Path(__file__).parents[1]
TASKS = (PROJECT / "tests" / "engine" / "compute", PROJECT / "tests" / "engine" / "workflow")
"""Folders whose modules hold the tests' tasks."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each `xdist_group` in one process.

    xdist 3.8 appends the group to `_nodeid`, which pytest 9.2 no longer reads: without a word,
    each process makes what a group shares (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """
    for item in items:
        named = getattr(item, "_nodeid", item.nodeid)
        if named != item.nodeid:
            item._id = type(item._id).parse(named)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Real and simulated inputs, described in CONTRIBUTING.md; absent on most machines."""
    folder = Path(os.environ.get("QUARKLINE_TEST_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        message = f"no test data at {folder}: set QUARKLINE_TEST_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's cache out of the tests."""
    monkeypatch.setenv("QUARKLINE_CACHE", str(tmp_path / "quarkline-cache"))


@pytest.fixture(scope="session")
def setup_lines() -> list[str]:
    """What a job runs first, to find the tests' tasks."""
    paths = [*map(str, TASKS), os.environ.get("PYTHONPATH", "")]
    return [f"export PYTHONPATH='{os.pathsep.join(paths)}'"]


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The scheduler file of a cluster with two workers."""
    pytest.importorskip("distributed")
    with dask(tmp_path_factory.mktemp("dask"), paths=TASKS) as file:
        yield str(file)


@pytest.fixture(scope="session")
def slurm_variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What Slurm's commands need in their environment."""
    try:
        with slurm(tmp_path_factory.mktemp("slurm")) as variables:
            yield variables
    except CannotRunError as error:
        pytest.skip(str(error))


@pytest.fixture
def slurm_cluster(slurm_variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Slurm of this computer."""
    for name, value in slurm_variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def condor_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a stand-in for HTCondor, whose commands are on the PATH."""
    pool = tmp_path / "condor"
    condor.install(pool)
    monkeypatch.setenv("STUB_CONDOR", str(pool))
    monkeypatch.setenv("PATH", f"{pool / 'bin'}{os.pathsep}{os.environ['PATH']}")
    yield pool
    condor.stop(pool)
