"""One local worker that works in this process, as starting another takes seconds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from quarkline.engine.compute.job import attempt
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.outcome import Item, Outcome


@contextlib.contextmanager
def here() -> Iterator[None]:
    """A stage asked for one worker works here while the block runs; for more, in processes."""
    apart = LocalWorkers._run

    def run(
        self: LocalWorkers, task: str, items: Sequence[tuple[Item, Path]], retries: int
    ) -> Iterator[Outcome]:
        if self.workers > 1:
            yield from apart(self, task, items, retries)
            return
        for item, folder in items:
            yield attempt(task, item, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalWorkers, "_run", run)
        yield
