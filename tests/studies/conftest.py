"""What tests of studies are about is not where a stage works, unless they ask for two workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.farm.here import here


@pytest.fixture(scope="module", autouse=True)
def _one_worker_is_this_process() -> Iterator[None]:
    """Also for fixtures of a module; those of a session ask for it themselves."""
    with here():
        yield
