"""Items on a real Dask cluster: as on local workers, and through the death of a worker."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import sample_tasks as tasks

import quarkline
from quarkline.engine.compute import cluster, crew
from quarkline.engine.compute.cluster import DaskCluster
from quarkline.engine.compute.job import lock_of, task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.order import Order
from quarkline.engine.compute.outcome import Cached, Done, Failed, Item, Outcome
from quarkline.engine.core.findings import InputError
from quarkline.engine.store.locks import this_process
from tests.farm.dask import dask

pytest.importorskip("distributed")
HERE = Path(__file__).parent

pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.timeout(120)]


def items(folder: Path, *arguments: dict[str, Any]) -> list[tuple[Item, Path]]:
    return [(Item(f"item-{n}", values), folder / f"{n}") for n, values in enumerate(arguments)]


@pytest.fixture
def run(tmp_path: Path, dask_cluster: str) -> Any:
    def run(task: Any, *arguments: dict[str, Any], retries: int = 0) -> list[Outcome]:
        dask = DaskCluster(dask_cluster, tmp_path / "items", "cpu")
        pairs = items(tmp_path / "items", *arguments)
        return list(dask.map(task_name(task), pairs, retries=retries))

    return run


def contents(folder: Path) -> dict[str, bytes]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_items_are_the_same_bytes_as_on_local_workers(tmp_path: Path, dask_cluster: str) -> None:
    (tmp_path / "in.txt").write_text("content")
    where = {
        "one": LocalWorkers(1),
        "two": LocalWorkers(2),
        "dask": DaskCluster(dask_cluster, tmp_path),
    }
    for name, executor in where.items():
        pairs = [
            (Item(f"item-{x}", {"x": x}, {"file": tmp_path / "in.txt"}), tmp_path / name / f"{x}")
            for x in range(6)
        ]
        outcomes = list(executor.map(task_name(tasks.write), pairs))
        assert [type(outcome) for outcome in outcomes] == [Done] * 6
        assert [outcome.name for outcome in outcomes] == [f"item-{x}" for x in range(6)]
        assert [outcome.folder for outcome in outcomes] == [folder for _, folder in pairs]
    found = [contents(tmp_path / name) for name in where]
    assert len(found[0]) == 12
    assert found[0] == found[1] == found[2]


def test_paths_may_be_relative_to_the_folder_of_the_command(
    tmp_path: Path, dask_cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.txt").write_text("content")
    pair = (Item("item", {"x": 1}, {"file": Path("in.txt")}), Path("items/1"))
    (done,) = DaskCluster(dask_cluster, Path("items")).map(task_name(tasks.write), [pair])
    assert (done.folder / "input.txt").read_text() == "content"


def test_finished_items_need_no_cluster(run: Any, tmp_path: Path) -> None:
    run(tasks.write, {"x": 1})
    nowhere = DaskCluster("tcp://127.0.0.1:1", tmp_path)
    (again,) = nowhere.map(task_name(tasks.write), items(tmp_path / "items", {"x": 1}))
    assert (type(again), again.value) == (Cached, {"x": 1})


def test_a_failure_costs_its_own_item_only(run: Any) -> None:
    how = {"how": "raise", "times": 9}
    failed, *others = run(tasks.fail, how, *({"how": "raise", "times": 0, "n": n} for n in (1, 2)))
    assert (failed.name, failed.reason) == ("item-0", "ValueError: try 0")
    assert "Traceback" in failed.details
    assert [outcome.value for outcome in others] == [0, 0]


def test_failed_items_are_tried_again_when_asked(run: Any) -> None:
    assert isinstance(run(tasks.fail, {"how": "raise", "times": 2}, retries=1)[0], Failed)
    assert run(tasks.fail, {"how": "raise", "times": 4}, retries=2)[0].value == 4


def test_items_compute_on_one_thread(run: Any) -> None:
    (outcome,) = run(tasks.conditions, {})
    assert outcome.value == {
        "threads": [1],
        "OMP_NUM_THREADS": "1",
        "devices": 1,
        "CUDA_VISIBLE_DEVICES": "",
    }


def test_an_item_whose_worker_is_killed_is_done_by_another(run: Any, tmp_path: Path) -> None:
    def kill() -> None:
        note = tmp_path / "items" / "0.partial" / "pid"
        while not note.exists() or not note.read_text():
            time.sleep(0.02)
        os.kill(int(note.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    outcomes = run(tasks.slow_once, {"seconds": 60}, *({"seconds": 0, "n": n} for n in range(4)))
    killer.join()
    assert [outcome.value for outcome in outcomes] == [2, 1, 1, 1, 1]


CLIENT = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import sample_tasks as tasks
from quarkline.engine.compute.cluster import DaskCluster
from quarkline.engine.compute.outcome import Item
item = (Item("item-0", {{"seconds": 2.0}}), Path({folder!r}, "0"))
list(DaskCluster({address!r}, Path({folder!r})).map("sample_tasks:slow_once", [item]))
"""


@pytest.mark.slow
def test_an_item_of_a_killed_client_is_not_done_twice(
    run: Any, tmp_path: Path, dask_cluster: str
) -> None:
    folder = tmp_path / "items"
    script = CLIENT.format(tests=str(HERE), folder=str(folder), address=dask_cluster)
    client = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    note = folder / "0.partial" / "pid"
    while not note.exists():
        time.sleep(0.02)
    client.kill()
    client.wait()
    assert [outcome.value for outcome in run(tasks.slow_once, {"seconds": 2.0})] == [1]


@pytest.mark.slow
def test_an_item_that_kills_every_worker_fails_alone(run: Any) -> None:
    kill = {"how": "kill", "times": 99}
    outcomes = run(tasks.fail, kill, *({"how": "kill", "times": 0, "n": n} for n in range(6)))
    (failed,) = [outcome for outcome in outcomes if isinstance(outcome, Failed)]
    assert failed.name == "item-0"
    assert failed.reason.startswith("its worker process died on each of 4 attempts")
    assert [outcome.value for outcome in outcomes[1:]] == [0] * 6


@pytest.mark.slow
def test_stopping_early_cancels_what_waits(tmp_path: Path, dask_cluster: str) -> None:
    pairs = items(tmp_path / "items", *({"seconds": 0.3, "n": n} for n in range(30)))
    outcomes = DaskCluster(dask_cluster, tmp_path).map(task_name(tasks.sleep), pairs)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    time.sleep(0.5)
    begun = len(list((tmp_path / "items").iterdir()))
    time.sleep(1.0)
    assert begun < 15
    assert len(list((tmp_path / "items").iterdir())) <= begun


@pytest.mark.parametrize("address", ["foo://127.0.0.1:1", "tls://127.0.0.1:1", "no-such-file.json"])
def test_an_address_without_a_scheduler(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match="QL-JOBS-001  no Dask scheduler answers at") as raised:
        DaskCluster(address, tmp_path).check()
    assert address in str(raised.value)


def test_without_the_extra_the_command_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quarkline.engine.core.extras._packages", lambda extra: ["no-such-dask"])
    with pytest.raises(InputError, match=r"QL-RUN-031  not installed: no-such-dask") as raised:
        DaskCluster("tcp://127.0.0.1:1", tmp_path).check()
    assert 'pip install "quarkline[cluster]"' in str(raised.value)


@contextlib.contextmanager
def listening(answer: bytes | None) -> Iterator[str]:
    """The address of something that is no scheduler."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(5)

        def serve() -> None:
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(answer or b"")

        thread = threading.Thread(target=serve)
        if answer is not None:
            thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        if answer is not None:
            thread.join()


@pytest.mark.parametrize("answer", [None, b"HTTP/1.0 400 Bad Request\r\n\r\n"])
def test_somebody_else_answers(
    tmp_path: Path, answer: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1.0)
    started = time.monotonic()
    with (
        listening(answer) as address,
        pytest.raises(InputError, match="QL-JOBS-001  no Dask scheduler answers at tcp://"),
    ):
        DaskCluster(address, tmp_path).check()
    assert time.monotonic() - started < 10


def test_workers_of_another_version_are_refused(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarkline, "__version__", "99.1")
    with pytest.raises(InputError, match=r"QL-JOBS-002  workers run Quarkline .*command 99\.1"):
        run(tasks.write, {"x": 1})
    assert not (tmp_path / "items").exists()


def test_an_order_of_another_version_is_not_carried_out(tmp_path: Path) -> None:
    order = Order("sample_tasks:write", Item("item", {"x": 1}), tmp_path / "out", version="99.1")
    failed = Order.from_json(json.loads(json.dumps(order.as_json()))).carry_out()
    assert failed.reason == f"it runs Quarkline {quarkline.__version__}, not 99.1"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_scheduler_that_ends_leaves_nobody_waiting(tmp_path: Path) -> None:
    from distributed import Client

    def end(address: str) -> None:
        while not (tmp_path / "items" / "1.partial").exists():
            time.sleep(0.05)
        with Client(address, set_as_default=False) as client:
            client.shutdown()

    with dask(tmp_path, workers=1, paths=[HERE]) as file:
        address = json.loads(file.read_text())["address"]
        ending = threading.Thread(target=end, args=(address,))
        ending.start()
        pairs = items(tmp_path / "items", *({"seconds": n * 60} for n in range(3)))
        outcomes = list(DaskCluster(address, tmp_path).map(task_name(tasks.sleep), pairs))
        ending.join()
    assert isinstance(outcomes[0], Done)
    assert [outcome.reason for outcome in outcomes[1:]] == [
        "the cluster gave it up, or its scheduler ended"
    ] * 2


@pytest.mark.slow
def test_workers_that_do_not_see_the_folder_are_refused(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "_probe", lambda _: contextlib.nullcontext(tmp_path / "unseen"))
    with pytest.raises(InputError, match=f"QL-JOBS-003  workers on .* do not see {tmp_path}"):
        run(tasks.write, {"x": 1})


def test_the_lock_of_a_dead_worker_of_another_computer_is_removed(tmp_path: Path) -> None:
    class Client:
        def __init__(self, *workers: str) -> None:
            self.workers = workers

        def nthreads(self) -> dict[str, int]:
            return dict.fromkeys(self.workers, 1)

    dead = replace(this_process(), host="far-away", pid=1)
    lock, other = lock_of(tmp_path / "item"), lock_of(tmp_path / "other")
    lock.write_text(json.dumps(asdict(dead)))
    other.write_text(json.dumps(asdict(replace(dead, pid=2))))
    workers = crew.Crew(Client("tcp://b"), tmp_path)  # type: ignore[arg-type]
    workers.known = {"tcp://a": dead, "tcp://b": this_process()}
    workers.look([tmp_path / "item", tmp_path / "other"])
    assert not lock.exists()
    assert other.exists()
    assert list(workers.known) == ["tcp://b"]
