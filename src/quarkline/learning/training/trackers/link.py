"""Keeps one tracker up to date with a run: sends what it has not been sent, and remembers it."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow import runs
from quarkline.engine.workflow.store import StageRecord
from quarkline.learning.training.trackers.base import TrackedRun, Tracker, numbers
from quarkline.learning.training.trackers.config import TrackerConfig
from quarkline.learning.training.trackers.follower import metrics_files, read_rows
from quarkline.learning.training.trackers.registry import open_tracker

log = logging.getLogger(__name__)

STATE = "tracking.json"
MODEL = "model.json"
"""A folder with this file is a trained model."""


@dataclass
class Shown:
    """What a run has to show so far.

    Attributes:
        run: The run.
        items: Folders of items by name of their series; some are being worked on.
        stages: The finished stages, in order.
    """

    run: TrackedRun
    items: dict[str, Path] = field(default_factory=dict)
    stages: list[StageRecord] = field(default_factory=list)


class Memory:
    """What each tracker has been sent, in a file of the run's folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / STATE
        self.trackers: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            self.trackers = json.loads(self.path.read_text())["trackers"]

    def of(self, address: str) -> dict[str, Any]:
        """What one tracker has been sent."""
        fresh: dict[str, Any] = {"identity": None, "rows": {}, "stages": [], "files": {}}
        return copy.deepcopy(self.trackers.get(address, fresh))

    def keep(self, address: str, sent: dict[str, Any]) -> None:
        """Write down what one tracker has been sent."""
        self.trackers[address] = copy.deepcopy(sent)
        content = {"schema": "quarkline.tracking/1", "trackers": self.trackers}
        write_atomic(self.path, pretty_json(content))


class Link:
    """One tracker of a run. Whatever it raises is told once and never ends the run."""

    def __init__(self, config: TrackerConfig, shown: Shown, memory: Memory) -> None:
        self.config = config
        self.shown = shown
        self.memory = memory
        self.sent = memory.of(config.address)
        self.tracker: Tracker | None = None
        self.well = True

    def follow(self) -> None:
        """Send what is new, unless an earlier attempt failed."""
        if self.well:
            with self._forgiven():
                self._catch_up()

    def end(self, *, well: bool) -> None:
        """Send what is left, even after a failure, and let go.

        Args:
            well: Whether the run ended well.
        """
        with self._forgiven():
            self._catch_up()
            self._results()
            if self.tracker is not None:
                self.tracker.finish(well)
                self.memory.keep(self.config.address, self.sent)

    def _opened(self) -> Tracker:
        """The tracker, opened once there is something to send."""
        if self.tracker is None:
            self.tracker = open_tracker(self.config, self.shown.run, self.sent["identity"])
            self.sent["identity"] = self.tracker.identity
            known = self.memory.of(self.config.address)
            self.memory.keep(self.config.address, {**known, "identity": self.tracker.identity})
        return self.tracker

    def _keep(self) -> None:
        if self.tracker is not None and self.tracker.durable:
            self.memory.keep(self.config.address, self.sent)

    @contextmanager
    def _forgiven(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if self.well:
                log.warning(
                    "tracking with %s failed (%s); the run goes on, and its end tries again",
                    self.config.kind,
                    _brief(error),
                )
            log.info("tracking with %s failed", self.config.kind, exc_info=error)
            self.well = False
            self.tracker = None

    def _catch_up(self) -> None:
        folder = self.shown.run.folder
        config = folder / runs.CONFIG, folder / runs.RESOLVED
        if self._changed("config", *config):
            self._opened().config(*config)
            self._remember("config", *config)
        for series, item in list(self.shown.items.items()):
            self._rows(series, item)
        for record in list(self.shown.stages):
            if record.folder.name not in self.sent["stages"]:
                _show_stage(self._opened(), record)
                self.sent["stages"].append(record.folder.name)
                self._keep()

    def _rows(self, series: str, folder: Path) -> None:
        for below, path in metrics_files(folder):
            name = f"{folder.name}/{below}"
            seen = self.sent["rows"].get(name, 0)
            if rows := read_rows(path, after=seen):
                self._opened().rows(f"{series}/{below}".rstrip("/"), rows)
                self.sent["rows"][name] = seen + len(rows)
                self._keep()

    def _results(self) -> None:
        results = self.shown.run.folder / runs.RESULTS
        if results.exists() and self._changed("results", results):
            content = json.loads(results.read_text())["results"]
            self._opened().results(dict(numbers(content, ("results",))))
            self._remember("results", results)

    def _changed(self, name: str, *paths: Path) -> bool:
        return bool(self.sent["files"].get(name) != _digest(*paths))

    def _remember(self, name: str, *paths: Path) -> None:
        self.sent["files"][name] = _digest(*paths)
        self._keep()


def _show_stage(tracker: Tracker, record: StageRecord) -> None:
    """Show the figures and models among the outputs of a finished stage."""
    folder = record.folder
    for image in sorted(folder.rglob("*.png")):
        name = image.relative_to(folder).with_suffix("").as_posix()
        tracker.figure(f"{record.stage}/{name}", image)
    models = {path.parent for path in folder.rglob(MODEL)}
    for model in sorted(models):
        if not models.intersection(model.parents):  # an ensemble is sent as one
            name = model.relative_to(folder).as_posix()
            tracker.artifact(f"{record.stage}/{name}", model)


def _digest(*paths: Path) -> str:
    return hashlib.blake2b(b"".join(path.read_bytes() for path in paths), digest_size=8).hexdigest()


def _brief(error: Exception) -> str:
    first = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
