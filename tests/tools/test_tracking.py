"""Trackers see what trainings write, change nothing, and never say it twice."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # workers import the toy's tasks by name

from learning_toy import Inline, ModelConfig, losses

from quarkline.engine.compute import executors
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.core.findings import InputError
from quarkline.learning.training.history import METRICS, History, write_metrics
from quarkline.learning.training.trackers.follower import metrics_files, read_rows
from quarkline.tools import run as tool

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),  # mlflow's models
]

HEAD: dict[str, Any] = {"schema": 1, "study": "learning-toy", "name": "toy"}
TENSORBOARD: dict[str, Any] = {"kind": "tensorboard"}
MLFLOW: dict[str, Any] = {"kind": "mlflow"}
WANDB: dict[str, Any] = {"kind": "wandb", "project": "toys", "mode": "offline", "tags": ["a"]}
EXPECTED = {
    f"train/fit/fold-{fold}": [
        (epoch, loss + fold) for epoch, loss in enumerate(losses(ModelConfig(), 4), start=1)
    ]
    for fold in range(2)
}


def write(folder: Path, *tracking: Mapping[str, Any], **keys: Any) -> Path:
    content = HEAD | {"tracking": list(tracking), "compute": {"workers": 2}} | keys
    lines = [f"{key}: {json.dumps(value)}\n" for key, value in content.items()]
    (folder / "toy.yaml").write_text("".join(lines))
    return folder / "toy.yaml"


def run(folder: Path, *tracking: Mapping[str, Any], **keys: Any) -> Path:
    """Run the toy in a folder; gives the run's folder."""
    if MLFLOW in tracking and not (folder / "runs").exists():
        (folder / "runs").mkdir()
        (folder / "runs" / "mlflow.db").write_bytes(_empty_store())
    with contextlib.chdir(folder):
        return tool.run(tool.load_analysis(write(folder, *tracking, **keys))).run.folder.absolute()


@functools.cache
def _empty_store() -> bytes:
    """A database without runs, which MLflow takes two seconds to make."""
    from mlflow.tracking import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        MlflowClient(f"sqlite:///{folder}/mlflow.db").search_experiments()
        return Path(folder, "mlflow.db").read_bytes()


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train in this process, but where processes are what is tested."""
    monkeypatch.setattr(executors, "LocalWorkers", Inline)


@pytest.fixture(autouse=True)
def _only_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the computer."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and address[0] not in {"127.0.0.1", "localhost", "::1"}:
            message = f"a tracker wants to connect to {address}"
            raise AssertionError(message)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # no test here pulls the plug


def event_files(root: Path) -> dict[str, list[tuple[int, float]]]:
    """The points of every training below a folder of TensorBoard's."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for folder in sorted({path.parent for path in root.rglob("events.*")} - {root}):
        events = EventAccumulator(str(folder)).Reload()
        points = [(point.step, point.value) for point in events.Scalars("train_loss")]
        found[folder.relative_to(root).as_posix()] = points
    return found


def mlflow_points(database: Path) -> dict[str, list[tuple[int, float]]]:
    """The points of the only run's trainings."""
    client, made = mlflow_run(database)
    return {
        series: sorted(
            (point.step, point.value)
            for point in client.get_metric_history(made.info.run_id, f"{series}/train_loss")
        )
        for series in EXPECTED
    }


def mlflow_run(database: Path) -> tuple[Any, Any]:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{database}")
    experiment = client.get_experiment_by_name("toy")
    (made,) = client.search_runs([experiment.experiment_id])
    return client, made


def wandb_records(file: Path) -> Iterator[Any]:
    """The records of a W&B file: LevelDB's log format with a head of 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, whole = file.read_bytes(), 7, b""
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        length, kind = int.from_bytes(content[at + 4 : at + 6], "little"), content[at + 6]
        whole += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in {1, 4}:  # the whole of a record, or its last part
            yield Record.FromString(whole)
            whole = b""


def wandb_files(run_folder: Path) -> list[Path]:
    """The files of a run, once W&B's own process has written the last of them to its end."""

    def ended() -> bool:
        files = sorted(run_folder.glob("wandb/offline-run-*/*.wandb"))
        last = wandb_records(files[-1]) if files else ()
        return any(record.WhichOneof("record_type") == "exit" for record in last)

    wait_for(ended)
    return sorted(run_folder.glob("wandb/offline-run-*/*.wandb"))


def wandb_points(run_folder: Path) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for file in wandb_files(run_folder):
        for record in wandb_records(file):
            items = {
                "/".join(item.nested_key) or item.key: json.loads(item.value_json)
                for item in record.history.item
            }
            for series in EXPECTED:
                if f"{series}/epoch" in items:
                    point = items[f"{series}/epoch"], items[f"{series}/train_loss"]
                    found.setdefault(series, []).append(point)
    return found


def near(points: Mapping[str, Any]) -> Any:
    """The same points up to float32."""
    return {
        name: [(step, pytest.approx(value, rel=1e-6)) for step, value in found]
        for name, found in points.items()
    }


class TestWhatTrackersShow:
    def test_tensorboard(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executors, "LocalWorkers", LocalWorkers)
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        folder = run(tmp_path, TENSORBOARD) / "tensorboard"
        assert event_files(folder) == near(EXPECTED)
        events = EventAccumulator(str(folder)).Reload()
        assert events.Tags()["images"] == ["train/figures/loss"]
        (image,) = events.Images("train/figures/loss")
        assert (image.width, image.height) == (5, 3)
        (text,) = events.Tensors("config")
        assert "study" in text.tensor_proto.string_val[0].decode()
        (point,) = events.Scalars("results/score/significance/value")
        assert point.value == pytest.approx(losses(ModelConfig(), 4)[-1])

    def test_mlflow(self, tmp_path: Path) -> None:
        folder = run(tmp_path, MLFLOW)
        database = tmp_path / "runs" / "mlflow.db"
        assert mlflow_points(database) == EXPECTED
        client, made = mlflow_run(database)
        assert (made.info.status, made.info.run_name) == ("FINISHED", "toy-00001")
        params = made.data.params
        assert (params["train.model.width"], params["train.epochs"]) == ("32", "4")
        assert not [key for key in params if key.startswith(("compute", "tracking", "roots"))]
        assert made.data.metrics["results/score/significance/up"] == 0.5
        paths = {item.path for item in client.list_artifacts(made.info.run_id)}
        assert paths == {"config.yaml", "resolved.json", "figures", "train"}
        (model,) = client.list_artifacts(made.info.run_id, "train")
        inside = {item.path for item in client.list_artifacts(made.info.run_id, model.path)}
        assert inside == {f"train/model/{name}" for name in ("model.json", "fold-0", "fold-1")}
        assert folder.joinpath("tracking.json").exists()

    def test_wandb(self, tmp_path: Path) -> None:
        folder = run(tmp_path, WANDB)
        assert wandb_points(folder) == EXPECTED
        (file,) = wandb_files(folder)
        records = list(wandb_records(file))
        (start,) = [item.run for item in records if item.WhichOneof("record_type") == "run"]
        assert (start.project, start.display_name) == ("toys", "toy-00001")
        assert sorted(start.tags) == ["a", "learning-toy"]
        images = list(file.parent.glob("files/media/images/train/figures/*.png"))
        assert len(images) == 1
        settings = [
            (change.key, json.loads(change.value_json))
            for item in records
            for change in item.config.update
        ]
        assert ("train", {"model": {"width": 32, "rate": 0.1}, "epochs": 4, "folds": 2}) in settings
        artifacts = [item.artifact for item in records if item.HasField("artifact")]
        assert {(item.type, item.name) for item in artifacts} == {
            ("model", "toy-00001-train-model"),
            ("file", "toy-00001-config.yaml"),
            ("file", "toy-00001-resolved.json"),
        }

    def test_a_tracker_added_later_sees_finished_trainings(self, tmp_path: Path) -> None:
        assert run(tmp_path) == run(tmp_path, TENSORBOARD)
        assert event_files(tmp_path / "runs/toy/00001/tensorboard") == near(EXPECTED)

    def test_again_says_nothing_twice(self, tmp_path: Path) -> None:
        trackers = (TENSORBOARD, MLFLOW, WANDB)
        folder = run(tmp_path, *trackers)
        before = (folder / "tracking.json").read_bytes()
        run(tmp_path, *trackers)
        assert (folder / "tracking.json").read_bytes() == before
        assert event_files(folder / "tensorboard") == near(EXPECTED)
        assert mlflow_points(tmp_path / "runs" / "mlflow.db") == EXPECTED
        assert wandb_points(folder) == EXPECTED

    def test_what_was_sent_but_not_written_down_is_kept_once(self, tmp_path: Path) -> None:
        folder = run(tmp_path, TENSORBOARD, MLFLOW)
        state = json.loads((folder / "tracking.json").read_text())
        for tracker in state["trackers"].values():
            tracker["rows"] = dict.fromkeys(tracker["rows"], 2)
        (folder / "tracking.json").write_text(json.dumps(state))
        run(tmp_path, TENSORBOARD, MLFLOW)
        assert event_files(folder / "tensorboard") == near(EXPECTED)
        assert mlflow_points(tmp_path / "runs" / "mlflow.db") == EXPECTED


class TestNoResultDependsOnThem:
    def test_stages_results_and_identity_are_the_same(self, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "other").mkdir()
        plain, tracked = run(tmp_path / "one"), run(tmp_path / "other", TENSORBOARD, MLFLOW)
        for name in ("run.json", "results.json"):
            assert (plain / name).read_bytes() == (tracked / name).read_bytes()

    def test_a_site_file_may_ask_for_them(self, tmp_path: Path) -> None:
        site = tmp_path / "site.yaml"
        site.write_text("tracking:\n  - {kind: mlflow, uri: 'sqlite:///store/m.db'}\n")
        analysis = tool.load_analysis(write(tmp_path), site=site)
        assert analysis.config.tracking[0].uri == f"sqlite:///{tmp_path / 'store' / 'm.db'}"

    def test_an_unknown_kind(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="did you mean `tensorboard`") as caught:
            tool.load_analysis(write(tmp_path, {"kind": "tensorbord"}))
        assert caught.value.exit_code == 2


class TestTroubles:
    def test_a_missing_package_is_one_line_before_any_work(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from quarkline.learning.training.trackers import registry

        monkeypatch.setitem(registry.NEEDS, "mlflow", ("no_such_mlflow",))
        with pytest.raises(InputError) as caught:
            run(tmp_path, TENSORBOARD, MLFLOW)
        assert str(caught.value) == (
            "QL-RUN-031  tracking with `mlflow` needs no_such_mlflow, not installed here\n"
            '   pip install "quarkline[tracking]"'
        )
        assert not (tmp_path / "runs" / "toy").exists()

    def test_a_server_that_is_down_is_a_warning(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            server = {"kind": "mlflow", "uri": f"http://127.0.0.1:{unused.getsockname()[1]}"}
            folder = run(tmp_path, server, TENSORBOARD)
        warnings = [item for item in caplog.records if item.levelno == logging.WARNING]
        (warning,) = [item for item in warnings if item.name.startswith("quarkline")]
        assert warning.getMessage().startswith("tracking with mlflow failed (")
        assert "Traceback" in (folder / "log.txt").read_text()
        assert event_files(folder / "tensorboard") == near(EXPECTED)

    def test_what_was_not_sent_is_sent_by_the_next_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from quarkline.learning.training.trackers.mlflow import MLflow

        def broken(*_: Any) -> None:
            message = "the disk is full"
            raise OSError(message)

        with monkeypatch.context() as broken_tracker:
            broken_tracker.setattr(MLflow, "figure", broken)
            run(tmp_path, MLFLOW)
        run(tmp_path, MLFLOW)
        database = tmp_path / "runs" / "mlflow.db"
        assert mlflow_points(database) == EXPECTED
        client, made = mlflow_run(database)
        assert made.info.status == "FINISHED"
        assert "figures" in {item.path for item in client.list_artifacts(made.info.run_id)}


MAIN = """
import sys
sys.path.insert(0, {here!r})
import learning_toy
from quarkline.cli.main import main
from quarkline.tools import tracking
tracking.POLL_SECONDS = 0.1
if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    config = write(tmp_path, TENSORBOARD, MLFLOW, WANDB)
    script = tmp_path / "main.py"
    script.write_text(MAIN.format(here=str(Path(__file__).parent)))

    environment = os.environ | {"TOY_EPOCH": "0.7"}
    environment.pop("WANDB_SERVICE", None)  # W&B's own process of other tests

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(script), "run", config.name],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    state = tmp_path / "runs/toy/00001/tracking.json"
    process = start()
    wait_for(lambda: rows_of(state, "mlflow:#") >= 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert start().wait(timeout=100) == 0
    folder = state.parent
    assert event_files(folder / "tensorboard") == near(EXPECTED)
    assert mlflow_points(tmp_path / "runs" / "mlflow.db") == EXPECTED
    found = {series: sorted(set(points)) for series, points in wandb_points(folder).items()}
    assert found == EXPECTED  # what W&B's own process was killed with is sent again


def rows_of(state: Path, address: str) -> int:
    if not state.exists():
        return 0
    trackers = json.loads(state.read_text())["trackers"]
    return sum(trackers.get(address, {"rows": {}})["rows"].values())


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class TestFollower:
    def test_a_line_being_written_waits(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.csv"
        path.write_text("epoch,loss,note\n1,0.5,a\n2,nan,b\n3,0.2")
        assert read_rows(path) == [(1, {"loss": 0.5}), (2, {})]
        assert read_rows(path, after=1) == [(2, {})]

    def test_what_trainings_write_is_read(self, tmp_path: Path) -> None:
        history = History(epochs=[{"train_loss": 0.1}, {"train_loss": 1e-17}])
        write_metrics(tmp_path / METRICS, history)
        ((_, path),) = metrics_files(tmp_path)
        assert read_rows(path) == [(1, {"train_loss": 0.1}), (2, {"train_loss": 1e-17})]

    @pytest.mark.parametrize("text", ["", "epoch", "epoch,loss\n"])
    def test_nothing_yet(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "metrics.csv").write_text(text)
        assert read_rows(tmp_path / "metrics.csv") == []

    def test_an_item_is_found_at_work_and_finished(self, tmp_path: Path) -> None:
        folder, partial = tmp_path / "train-1", tmp_path / "train-1.partial"
        assert list(metrics_files(folder)) == []
        (partial / "member-0").mkdir(parents=True)
        (partial / "member-0" / "metrics.csv").touch()
        (partial / "metrics.csv").touch()
        assert [below for below, _ in metrics_files(folder)] == ["member-0", ""]
        partial.rename(folder)
        assert [below for below, _ in metrics_files(folder)] == ["member-0", ""]
