"""The bar of one piece of work, where there is no terminal to draw it on."""

from __future__ import annotations

import pytest

from quarkline.cli import progress
from quarkline.cli.progress import WorkBar


def said(done: int, total: int) -> str:
    return f"{done} of {total} files"


def test_lines_stand_for_the_bar_off_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", -1.0)
    with WorkBar(said) as bar:
        bar.update(1, 3, "[a]")
        bar.update(2, 3, "b")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "1 of 3 files  [a]\n2 of 3 files  b\n")


def test_lines_come_now_and_then_only(capsys: pytest.CaptureFixture[str]) -> None:
    with WorkBar(said) as bar:
        for done in range(1000):
            bar.update(done, 1000, "a")
    assert capsys.readouterr().err == ""


def test_a_quiet_bar_says_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", -1.0)
    with WorkBar(said, quiet=True) as bar:
        bar.update(1, 3, "a")
    assert capsys.readouterr() == ("", "")
