"""Tests that share what is long to make run in one process."""

from __future__ import annotations

import pytest


@pytest.mark.xdist_group("kept")
def test_a_group_reaches_the_scheduler(request: pytest.FixtureRequest) -> None:
    grouped = request.config.getoption("loadgroup", default=False)
    assert request.node.nodeid.endswith("@kept") == grouped
