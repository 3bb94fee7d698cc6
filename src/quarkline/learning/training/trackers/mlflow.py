"""One MLflow run a run of ours, on a server or in a local SQLite file."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when mlflow is imported
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a run must not wait for a server
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

from quarkline.learning.training.trackers.base import Row, TrackedRun, flat_settings
from quarkline.learning.training.trackers.config import SQLITE, MLflowConfig

MOST_METRICS = 1000
MOST_PARAMS = 100
"""What MLflow takes in one request."""


class MLflow:
    """Shows a run in MLflow; the losses of a training have its name before them."""

    durable: ClassVar[bool] = True

    def __init__(self, config: MLflowConfig, run: TrackedRun, identity: str | None) -> None:
        root = run.folder.absolute().parents[1]
        uri = config.uri or f"{SQLITE}{root / 'mlflow.db'}"
        self.client = MlflowClient(uri)
        if identity is None:
            experiment = _experiment(self.client, uri, config.experiment or run.analysis)
            tags = {"study": run.study, "folder": run.folder.as_posix()}
            made = self.client.create_run(experiment, run_name=run.title, tags=tags)
            identity = made.info.run_id
        else:
            self.client.update_run(identity, status="RUNNING")
        self.identity: str = identity
        self.known: dict[str, set[int]] = {}

    def rows(self, series: str, rows: Sequence[Row]) -> None:
        """Log the lines under the training's name, without points that are there already."""
        self._log(
            [
                Metric(_allowed(f"{series}/{name}"), value, _now(), row.step)
                for row in rows
                for name, value in row.values.items()
            ]
        )

    def figure(self, name: str, image: Path) -> None:
        """Keep a picture."""
        self.client.log_artifact(self.identity, str(image), f"figures/{Path(name).parent}")

    def artifact(self, name: str, path: Path) -> None:
        """Keep a file or folder."""
        if path.is_dir():
            self.client.log_artifacts(self.identity, str(path), name)
        else:
            self.client.log_artifact(self.identity, str(path))

    def config(self, written: Path, resolved: Path) -> None:
        """Keep both files, and what is set as parameters; one that is known keeps its value."""
        known = self.client.get_run(self.identity).data.params
        wanted = {_allowed(key): text for key, text in flat_settings(resolved).items()}
        fresh = [Param(key, text) for key, text in wanted.items() if key not in known]
        for start in range(0, len(fresh), MOST_PARAMS):
            self.client.log_batch(self.identity, params=fresh[start : start + MOST_PARAMS])
        for path in (written, resolved):
            self.client.log_artifact(self.identity, str(path))

    def results(self, values: Mapping[str, float]) -> None:
        """Log each as a metric of one point."""
        self._log([Metric(_allowed(name), value, _now(), 0) for name, value in values.items()])

    def finish(self, well: bool, /) -> None:
        """Say how the run ended."""
        self.client.set_terminated(self.identity, "FINISHED" if well else "KILLED")

    def _log(self, metrics: Sequence[Metric]) -> None:
        fresh = [item for item in metrics if item.step not in self._steps(item.key)]
        for start in range(0, len(fresh), MOST_METRICS):
            self.client.log_batch(self.identity, metrics=fresh[start : start + MOST_METRICS])
        for item in fresh:
            self.known[item.key].add(item.step)

    def _steps(self, key: str) -> set[int]:
        """The steps the store has of a metric, some of them from a process that was killed."""
        if key not in self.known:
            history = self.client.get_metric_history(self.identity, key)
            self.known[key] = {item.step for item in history}
        return self.known[key]


def _experiment(client: Any, uri: str, name: str) -> str:
    """The experiment of that name; files of a local one lie beside its database."""
    if found := client.get_experiment_by_name(name):
        return str(found.experiment_id)
    place = None
    if uri.startswith(SQLITE):
        place = (Path(uri.removeprefix(SQLITE)).parent / "mlflow-files" / name).as_uri()
    return str(client.create_experiment(name, artifact_location=place))


def _allowed(key: str) -> str:
    """A name with the characters and length that MLflow takes."""
    return re.sub(r"[^\w\-. :/]", "_", key, flags=re.ASCII)[:250]


def _now() -> int:
    return time.time_ns() // 1_000_000


TRACKER = MLflow
