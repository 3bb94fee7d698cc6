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

DEVICES = "QUARKLINE_DEVICES"


def available_cores() -> int:
    """The number of cores this process may use, which a batch system may have restricted."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_this_process(threads: int) -> None:
    """Limit this process for good, for the start of a worker."""
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    threadpool_limits(threads)


def prepare_this_process(device: str) -> None:
    """Make this process a worker: one thread, and no GPU in sight on the CPU.

    Args:
        device: "auto", "cpu" or "cuda"; "cpu:2" lets a training take two processes.
    """
    limit_this_process(1)
    kind, _, number = device.partition(":")
    os.environ[DEVICES] = number or "1"
    if kind == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def devices_of_this_process() -> int:
    """How many GPUs, or processes on the CPU, a training in this process may take."""
    return int(os.environ.get(DEVICES, "1"))


@contextlib.contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Limit this process while the block runs: libraries that are loaded, or will be in it."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    try:
        with threadpool_limits(threads):
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
