"""A real Dask scheduler with worker processes on loopback, for tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard", "--dashboard-address", "127.0.0.1:0")


@contextlib.contextmanager
def dask(folder: Path, *, workers: int = 2, paths: Sequence[Path] = ()) -> Iterator[Path]:
    """Run a cluster while the block runs; gives its scheduler file.

    Args:
        folder: For the scheduler file, scratch space and logs.
        workers: Number of worker processes, each restarted when it dies.
        paths: Where workers find modules beside those that this process finds.
    """
    file = folder / "scheduler.json"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")])
    }
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *options: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{name}", "--scheduler-file", str(file)]
        with (folder / f"{name}-{len(started)}.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [*command, *LOOPBACK, *options], env=environment, stdout=log, stderr=log
                )
            )

    try:
        start("dask_scheduler", "--port", "0")
        deadline = time.monotonic() + 60
        while not file.exists():
            assert time.monotonic() < deadline, (folder / "dask_scheduler-0.log").read_text()
            time.sleep(0.05)
        scratch = ("--local-directory", str(folder / "scratch"))
        for _ in range(workers):
            start("dask_worker", "--nthreads", "1", *scratch)
        yield file
    finally:
        for process in reversed(started):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
