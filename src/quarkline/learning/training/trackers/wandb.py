"""One W&B run a run of ours, online or as files to be sent later."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

os.environ.setdefault("WANDB_SILENT", "true")  # read when wandb is imported

import wandb

from quarkline.learning.training.trackers.base import Row, TrackedRun, settings
from quarkline.learning.training.trackers.config import WandbConfig

ATTEMPTS, BETWEEN_SECONDS = 6, 5.0


class Wandb:
    """Shows a run in W&B; the losses of a training have its name before them."""

    durable: ClassVar[bool] = False  # its own process writes in blocks of 32 kB

    def __init__(self, config: WandbConfig, run: TrackedRun, identity: str | None) -> None:
        self.identity = identity or uuid.uuid4().hex[:8]
        self.title = run.title
        self.defined: set[str] = set()
        self.run = _opened(config, run, self.identity)

    def rows(self, series: str, rows: Sequence[Row]) -> None:
        """Log the lines against the training's own epochs, as trainings run side by side."""
        epoch = f"{series}/epoch"
        if series not in self.defined:
            self.defined.add(series)
            self.run.define_metric(epoch, hidden=True)
            self.run.define_metric(f"{series}/*", step_metric=epoch)
        for row in rows:
            values = {f"{series}/{name}": value for name, value in row.values.items()}
            self.run.log({epoch: row.step, **values})

    def figure(self, name: str, image: Path) -> None:
        """Log a picture."""
        self.run.log({name: wandb.Image(str(image))})

    def artifact(self, name: str, path: Path) -> None:
        """Log a file or folder as an artifact of its own."""
        kind = "model" if path.is_dir() else "file"
        artifact = wandb.Artifact(_allowed(f"{self.title}-{name}"), type=kind)
        if path.is_dir():
            artifact.add_dir(str(path))
        else:
            artifact.add_file(str(path))
        self.run.log_artifact(artifact)

    def config(self, written: Path, resolved: Path) -> None:
        """Set the run's config, and keep both files."""
        fresh = settings(resolved)
        self.run.config.update(fresh, allow_val_change=True)  # type: ignore[no-untyped-call]
        for path in (written, resolved):
            self.artifact(path.name, path)

    def results(self, values: Mapping[str, float]) -> None:
        """Put each into the run's summary."""
        self.run.summary.update(dict(values))

    def finish(self, well: bool, /) -> None:
        """Wait until all is written or sent."""
        self.run.finish(exit_code=0 if well else 1)


def _opened(config: WandbConfig, run: TrackedRun, identity: str) -> wandb.Run:
    """The run, once W&B's own process of a killed command has let go of it."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _open(config, run, identity)
        except Exception as error:
            if "in use" not in str(error):
                raise
            time.sleep(BETWEEN_SECONDS)
    return _open(config, run, identity)


def _open(config: WandbConfig, run: TrackedRun, identity: str) -> wandb.Run:
    return wandb.init(
        project=config.project,
        entity=config.entity,
        name=run.title,
        id=identity,
        resume="allow",
        mode=config.mode,
        tags=[run.study, *config.tags],
        dir=str(run.folder.absolute()),  # its own process works elsewhere
        settings=wandb.Settings(console="off", silent=True, disable_git=True),
    )


def _allowed(name: str) -> str:
    """A name with the characters and length that W&B takes."""
    return re.sub(r"[^\w\-.]", "-", name, flags=re.ASCII)[:128]


TRACKER = Wandb
