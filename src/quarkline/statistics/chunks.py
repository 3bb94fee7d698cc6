"""Work over many spectra in fixed chunks, so that no number depends on the workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

CHUNK = 512  # spectra fitted together: what stays in a core's cache

T = TypeVar("T")


def over_chunks(task: Callable[[int, int], T], number: int, *, workers: int = 1) -> list[T]:
    """Call `task(start, stop)` for each chunk of `number` spectra, in threads.

    Args:
        task: What to do with a chunk; NumPy leaves the other threads running meanwhile.
        number: Number of spectra.
        workers: Number of threads.

    Returns:
        What the chunks gave, in order.
    """
    starts = range(0, max(number, 1), CHUNK)  # nothing at all is one empty chunk
    bounds = [(start, min(start + CHUNK, number)) for start in starts]
    return list(_mapped(lambda bound: task(*bound), bounds, min(workers, len(bounds))))


def _mapped(
    task: Callable[[tuple[int, int]], T], bounds: list[tuple[int, int]], workers: int
) -> Iterable[T]:
    if workers <= 1:
        return map(task, bounds)
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(task, bounds))
