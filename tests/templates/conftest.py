"""Fixtures of the tests of templates."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def official(data_folder: Path) -> Path:
    """TRExFitter's own tests, with inputs and reference results."""
    return data_folder / "trexfitter_configs" / "official_tests"
