"""Small ntuples, and skims of them in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quarkline.tools.skim import SkimOutcome, skim
from tests.events.skim.farm import Here, config_of, write_ntuple


@pytest.fixture(scope="session")
def ntuples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five files in two folders, one of them with empty trees."""
    folder = tmp_path_factory.mktemp("ntuples") / "in"
    for number, entries in enumerate((250, 30, 0, 411)):
        write_ntuple(folder / "mc20a" / f"{number}.root", entries, number)
    write_ntuple(folder / "mc20d" / "7.root", 120, 7)
    return folder


@pytest.fixture
def here() -> Here:
    return Here()


@pytest.fixture
def cut(tmp_path: Path, ntuples: Path, here: Here) -> Callable[..., SkimOutcome]:
    """Skims the ntuples into `tmp_path/out`, in this process."""

    def cut(*, prune: bool = False, executor: object = here, **keys: object) -> SkimOutcome:
        return skim(config_of(ntuples, tmp_path / "out", **keys), executor=executor, prune=prune)

    return cut
