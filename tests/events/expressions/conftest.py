"""What the tests of expressions share: the recorded table and the small file behind it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

RECORDER = Path(__file__).with_name("record_root.py")


def load_recorder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record_root", RECORDER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def recorder() -> ModuleType:
    """The script that recorded ROOT's values; importing it needs no ROOT."""
    return load_recorder()


@pytest.fixture(scope="session")
def small_file(recorder: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight events with every kind of column, as ROOT saw them."""
    return recorder.write_small(tmp_path_factory.mktemp("small"))
