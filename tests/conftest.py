"""Fixtures every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


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
