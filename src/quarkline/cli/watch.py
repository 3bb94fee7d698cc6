"""Shows a run as it goes: a bar a stage on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from quarkline.cli.progress import PLAIN_SECONDS
from quarkline.engine.workflow.plan import PlannedStage
from quarkline.engine.workflow.store import StageRecord

NAME_WIDTH = 14


def duration(seconds: float) -> str:
    """A time as a person says it: `0.4 s`, `12 s`, `1 min 50 s`, `2 h 05 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


class RunWatch:
    """A watcher of runs for the command line; use it as a context."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.quiet = quiet
        self.bars = Progress(
            TextColumn(f"{{task.fields[name]:<{NAME_WIDTH}}}"),
            BarColumn(bar_width=26),
            TextColumn("{task.description}"),
            _Left(),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=quiet or not self.console.is_terminal,
        )
        self.current: TaskID | None = None
        self.warnings = _Warnings(self)

    def __enter__(self) -> Self:
        """Start drawing, and show the library's warnings between the lines."""
        logging.getLogger("quarkline").addHandler(self.warnings)
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self.bars.stop()
        logging.getLogger("quarkline").removeHandler(self.warnings)

    def watching(self, _: Path) -> AbstractContextManager[object]:
        """Nothing to do: bars are drawn from before the run's folder is chosen."""
        return nullcontext()

    def starts(self, item: PlannedStage) -> StageProgress:
        """A stage starts: show its bar."""
        name = item.stage.name
        self.current = self.bars.add_task("", total=None, name=name)
        if not self.bars.disable:
            return StageProgress(self, name)
        self.line(f"{name:<{NAME_WIDTH}} ... {escape(item.why)}")
        return StageProgress(self, name)

    def hands_out(self, _: PlannedStage, __: Mapping[str, Path]) -> None:
        """Nothing to do: the stage's progress counts its items."""

    def ends(self, _: PlannedStage, record: StageRecord, seconds: float | None) -> None:
        """A stage is finished: replace its bar by one line with what it found."""
        if self.current is not None:
            self.bars.remove_task(self.current)
            self.current = None
        took = "cached" if seconds is None else duration(seconds)
        found = " · ".join(record.summary)
        self.line(f"{record.stage:<{NAME_WIDTH}} [green]✓[/] {took:<13} {escape(found)}")

    def line(self, text: str) -> None:
        """Write one line above the bar."""
        if not self.quiet:
            self.console.print(text, soft_wrap=True)


class StageProgress:
    """Progress of one stage; off a terminal it says a line every few seconds at most."""

    def __init__(self, watch: RunWatch, name: str) -> None:
        self.watch = watch
        self.name = name
        self.said = time.monotonic()

    def update(self, done: float, total: float, text: str = "") -> None:
        """Move the bar to `done` of `total`."""
        watch = self.watch
        if watch.current is not None:
            watch.bars.update(watch.current, completed=done, total=total, description=escape(text))
        if watch.bars.disable and time.monotonic() - self.said > PLAIN_SECONDS:
            self.said = time.monotonic()
            watch.line(f"{self.name:<{NAME_WIDTH}} {done:g} of {total:g}  {escape(text)}")


class _Warnings(logging.Handler):
    """Shows warnings, such as waiting for another run, as lines."""

    def __init__(self, watch: RunWatch) -> None:
        super().__init__(logging.WARNING)
        self.watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR:  # errors end the run and are told as findings
            self.watch.line(f"[yellow]{escape(record.getMessage())}[/]")


class _Left(ProgressColumn):
    """The time a stage still needs, once that can be told."""

    def render(self, task: Task) -> Text:
        left = task.time_remaining
        return Text("" if left is None else f"{duration(left)} left", style="cyan")
