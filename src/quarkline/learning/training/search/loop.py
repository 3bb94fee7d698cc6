"""Keeps a number of trials going at a time until the search is finished."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quarkline.learning.training.search.result import TrialState


@dataclass(frozen=True)
class Ended:
    """How a trial ended.

    Attributes:
        state: How.
        value: The metric of a complete trial.
        reason: Why it failed.
    """

    state: TrialState
    value: float | None = None
    reason: str = ""


def keep_going(
    begin: Callable[[], tuple[int, Any] | None],
    perform: Callable[[int, Any], Ended],
    end: Callable[[int, Ended], None],
    *,
    workers: int,
) -> None:
    """Perform trials, `workers` at a time, each in a thread that waits for its process.

    Args:
        begin: Gives a trial's number and what `perform` needs; None if there are enough.
        perform: Performs a trial, in a thread of its own.
        end: Is told in this thread, one after another, in the order in which they end.
        workers: Number of trials at a time.

    Raises:
        Exception: What `perform` raised.
    """
    ended: queue.SimpleQueue[tuple[int, Ended | Exception]] = queue.SimpleQueue()

    def work(number: int, what: Any) -> None:
        try:
            ended.put((number, perform(number, what)))
        except Exception as error:
            ended.put((number, error))

    running = 0
    while True:
        while running < workers and (trial := begin()) is not None:
            threading.Thread(target=work, args=trial, daemon=True).start()
            running += 1
        if running == 0:
            return
        number, outcome = ended.get()
        running -= 1
        if isinstance(outcome, Exception):
            raise outcome
        end(number, outcome)
