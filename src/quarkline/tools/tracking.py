"""Shows a run in TensorBoard, MLflow or W&B while it goes on, as its config's `tracking:` asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow import runs
from quarkline.engine.workflow.plan import PlannedStage
from quarkline.engine.workflow.run import Analysis, Unwatched, Watcher
from quarkline.engine.workflow.stage import Progress
from quarkline.engine.workflow.store import StageRecord
from quarkline.learning.training.trackers.base import TrackedRun
from quarkline.learning.training.trackers.config import Tracked, TrackerConfig
from quarkline.learning.training.trackers.link import Link, Memory, Shown
from quarkline.learning.training.trackers.registry import missing_packages

POLL_SECONDS = 2.0


def tracked(analysis: Analysis, watcher: Watcher | None) -> Watcher | None:
    """The watcher, and beside it the trackers the config asks for.

    Raises:
        InputError: If a package is not installed.
    """
    config = analysis.config
    if not isinstance(config, Tracked) or not config.tracking:
        return watcher
    if findings := missing_packages(config.tracking):
        raise InputError(*findings)
    return TrackingWatch(config.tracking, analysis.study.name, watcher or Unwatched())


class TrackingWatch:
    """A watcher that passes everything on to another one and follows the trainings beside.

    Trackers read finished files and the lines of `metrics.csv` in a thread of this process, so the
    workers know nothing of them and no result can depend on them.
    """

    def __init__(self, trackers: tuple[TrackerConfig, ...], study: str, watcher: Watcher) -> None:
        self.trackers = trackers
        self.study = study
        self.watcher = watcher
        self.shown: Shown

    @contextmanager
    def watching(self, folder: Path) -> Iterator[None]:
        """Follow the run in this folder until the context ends."""
        self.shown = Shown(TrackedRun(self.study, folder))
        memory = Memory(folder)
        links = [Link(config, self.shown, memory) for config in self.trackers]
        stop = threading.Event()
        thread = threading.Thread(target=_follow, args=(links, stop), daemon=True)
        well = False
        with self.watcher.watching(folder):
            thread.start()
            try:
                yield
                well = True
            finally:
                stop.set()
                thread.join()
                for link in links:
                    link.end(well=well)

    def starts(self, item: PlannedStage) -> Progress:
        """Pass it on."""
        return self.watcher.starts(item)

    def hands_out(self, item: PlannedStage, folders: Mapping[str, Path]) -> None:
        """Follow the items of a stage."""
        self._follow(item, folders)
        self.watcher.hands_out(item, folders)

    def ends(self, item: PlannedStage, record: StageRecord, seconds: float | None) -> None:
        """Show what a stage put out, and the trainings of one that was finished before."""
        items = record.folder.parents[1] / runs.ITEMS
        self._follow(item, {name: items / folder for name, folder in record.items.items()})
        self.shown.stages.append(record)
        self.watcher.ends(item, record, seconds)

    def _follow(self, item: PlannedStage, folders: Mapping[str, Path]) -> None:
        named = {f"{item.stage.name}/{name}": folder for name, folder in folders.items()}
        self.shown.items.update(named)


def _follow(links: list[Link], stop: threading.Event) -> None:
    while not stop.wait(POLL_SECONDS):
        for link in links:
            link.follow()
