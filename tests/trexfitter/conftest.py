"""Writes small configs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from quarkline.trexfitter import TrexConfig, read_trexfitter

JOB = 'Job: "test"\n  ReadFrom: NTUP\n\n'


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def read(write) -> Callable[..., TrexConfig]:
    """Reads a text as a config."""

    def read(text: str, *, job: str = JOB, **options) -> TrexConfig:
        return read_trexfitter(write("a.config", job + dedent(text)), **options)

    return read
