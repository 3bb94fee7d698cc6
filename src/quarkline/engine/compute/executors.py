"""Executors: what runs the items of a task, chosen by the config."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from quarkline.engine.compute.batch.jobs import BatchJobs
from quarkline.engine.compute.cluster import DaskCluster
from quarkline.engine.compute.config import ComputeConfig
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.outcome import Item, Outcome
from quarkline.engine.compute.threads import available_cores


class Executor(Protocol):
    """Runs the items of a task somewhere; results do not depend on where."""

    def check(self) -> None:
        """See that the place where the work runs is there, before anything is written.

        Raises:
            InputError: If it is not.
        """

    def map(
        self, task: str, items: Sequence[tuple[Item, Path]], *, retries: int = 0
    ) -> Iterator[Outcome]:
        """Run `task` on every item that is not finished yet.

        The outcomes come in the order of the items.

        Args:
            task: Importable name `module:function`.
            items: Each item with the folder its files go to.
            retries: How often a failed item is tried again.
        """


def open_executor(config: ComputeConfig, *, folder: Path) -> Executor:
    """The executor that a config asks for.

    Args:
        config: The `compute` section.
        folder: Where logs and records of jobs go, unless the config names a `submit_dir`.
    """
    if config.cluster is not None:
        return DaskCluster(config.cluster, folder, config.device_of_workers)
    if config.batch is not None:
        return BatchJobs(
            config.batch, config.submit_dir or folder, folder, config.device_of_workers
        )
    return LocalWorkers(config.workers or available_cores(), config.device_of_workers)
