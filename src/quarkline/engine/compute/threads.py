"""The only place that says how many threads a process may use.

Numbers are promised bit by bit for a thread count, so a run computes on one thread a process and
gets its speed from several processes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from threadpoolctl import threadpool_limits

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def available_cores() -> int:
    """The number of cores this process may use, which a batch system may have restricted."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_this_process(threads: int) -> None:
    """Limit libraries that this process has not loaded yet; for the start of a worker."""
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))


@contextlib.contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Limit the libraries that are already loaded, while the block runs."""
    with threadpool_limits(threads):
        yield
