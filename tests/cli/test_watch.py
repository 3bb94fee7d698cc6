"""What a person sees while a run goes on."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from quarkline.cli import watch as module
from quarkline.cli.watch import RunWatch, duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (10.4, "10 s"),
        (59.6, "1 min 00 s"),
        (110, "1 min 50 s"),
        (3599, "59 min 59 s"),
        (7530, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@dataclass(frozen=True)
class FakeStage:
    name: str


@dataclass(frozen=True)
class FakeItem:
    stage: FakeStage
    why: str = "labels [] -> [a, /b]"


@dataclass(frozen=True)
class FakeRecord:
    stage: str
    summary: tuple[str, ...] = ("[9.0, 10.6] GeV", "3 bins")
    folder: Path = Path()


def show(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, quiet: bool = False) -> str:
    """What is written while one stage runs."""
    out = io.StringIO()

    def console(**_: Any) -> Console:
        return Console(file=out, force_terminal=terminal, width=120, highlight=False)

    monkeypatch.setattr(module, "Console", console)
    monkeypatch.setattr(module, "PLAIN_SECONDS", -1.0)
    item: Any = FakeItem(FakeStage("select"))
    record: Any = FakeRecord("select")
    with RunWatch(quiet=quiet) as watch:
        progress = watch.starts(item)
        progress.update(1, 4, "file [a]")
        watch.bars.refresh()
        logging.getLogger("quarkline.x").warning("waiting for process 7 [on] vm")
        logging.getLogger("quarkline.x").error("this is told as a finding")
        watch.ends(item, record, 2.0)
        watch.ends(item, record, None)
    logging.getLogger("quarkline.x").info("after the run nobody listens")
    return out.getvalue()


def test_without_a_terminal_there_are_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert show(monkeypatch, terminal=False).splitlines() == [
        "select         ... labels [] -> [a, /b]",
        "select         1 of 4  file [a]",
        "waiting for process 7 [on] vm",
        "select         ✓ 2.0 s         [9.0, 10.6] GeV · 3 bins",
        "select         ✓ cached        [9.0, 10.6] GeV · 3 bins",
    ]


def test_on_a_terminal_a_bar_gives_way_to_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = show(monkeypatch, terminal=True)
    assert "file [a]" in text
    assert "✓" in text
    assert "[9.0, 10.6] GeV · 3 bins" in text
    assert "waiting for process 7 [on] vm" in text
    assert "this is told" not in text


def test_quiet_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert show(monkeypatch, terminal=False, quiet=True) == ""
