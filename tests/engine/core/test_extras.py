"""What somebody is told who installed Quarkline without an extra."""

from __future__ import annotations

import importlib.metadata

from quarkline.engine.core.extras import missing_extra


def test_a_missing_extra_is_one_line_with_the_command(monkeypatch):
    installed = importlib.metadata.version

    def version(name):
        if name in {"torch", "zuko"}:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    (finding,) = missing_extra("train")
    assert finding.evidence["missing"] == ["torch", "zuko"]
    assert finding.suggestion == 'pip install "quarkline[train]"'


def test_nothing_is_said_of_an_extra_that_is_there():
    assert missing_extra("train") == []
