"""Several jobs compared or fitted together, `m`."""

from __future__ import annotations

from quarkline.engine.compute.executors import Executor
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.steps.work import Progress, Work


def run_together(multi: MultiFit, letters: str, executor: Executor, tell: Progress) -> Work:
    """Compare or combine jobs."""
    raise NotImplementedError
