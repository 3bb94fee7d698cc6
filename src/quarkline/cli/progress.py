"""Shows how far one piece of work is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_SECONDS = 2.0


class WorkBar:
    """The progress of one piece of work; use it as a context.

    Attributes:
        said: How `done` and `total` are said, such as `3 of 28 files`.
        quiet: Show nothing.
    """

    def __init__(self, said: Callable[[int, int], str], *, quiet: bool = False) -> None:
        self.said = said
        self.console = Console(stderr=True, highlight=False)
        self.plain = not quiet and not self.console.is_terminal
        columns = (BarColumn(bar_width=26), TextColumn("{task.description}"), TimeRemainingColumn())
        hidden = quiet or self.plain
        self.bars = Progress(*columns, console=self.console, transient=True, disable=hidden)
        self.bar = self.bars.add_task("", total=None)
        self.last = time.monotonic()

    def __enter__(self) -> Self:
        """Start drawing."""
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

    def update(self, done: int, total: int, name: str) -> None:
        """Show `done` of `total`, of which the last is `name`."""
        text = f"{self.said(done, total)}  {escape(name)}"
        self.bars.update(self.bar, completed=done, total=total, description=text)
        if self.plain and time.monotonic() - self.last > PLAIN_SECONDS:
            self.last = time.monotonic()
            self.console.print(text, soft_wrap=True)
