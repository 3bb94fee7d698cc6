"""One writer at a time: the living are waited for or refuse, the dead are cleared away."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.engine.store import locks
from quarkline.engine.store.locks import (
    Holder,
    is_stale,
    living_holder,
    lock,
    read_holder,
    remove_abandoned,
    this_process,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stage.lock"


@pytest.fixture
def dead() -> Holder:
    """A process of this computer that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return replace(this_process(), pid=process.pid, started="1")


@pytest.fixture
def other() -> Iterator[Holder]:
    """Another living process of this computer."""
    process = subprocess.Popen(["sleep", "60"])
    yield holder_of(process.pid)
    process.kill()
    process.wait()


def holder_of(pid: int) -> Holder:
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return replace(this_process(), pid=pid, started=started)


def leave(path: Path, holder: Holder) -> None:
    path.write_text(json.dumps(asdict(holder)))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_lock_names_its_holder_and_is_gone_afterwards(path: Path) -> None:
    with lock(path):
        assert read_holder(path) == this_process()
        assert living_holder(path) == this_process()
    assert names(path.parent) == []


def test_a_lock_is_given_back_after_an_error(path: Path) -> None:
    with pytest.raises(RuntimeError), lock(path):
        raise RuntimeError
    assert names(path.parent) == []


def test_a_lock_of_a_living_process_is_refused(path: Path, other: Holder) -> None:
    leave(path, other)
    with (
        pytest.raises(InputError, match=f"is in use by process {other.pid} on") as error,
        lock(path),
    ):
        pass
    (finding,) = error.value.findings
    assert finding.code == "QL-STORE-001"
    assert finding.suggestion is not None
    assert str(path) in finding.suggestion
    assert names(path.parent) == ["stage.lock"]


def test_waiting_ends_when_the_holder_is_done(
    path: Path, other: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    leave(path, other)
    timer = threading.Timer(0.3, path.unlink)
    timer.start()
    with lock(path, wait=True, poll_seconds=0.01):
        assert read_holder(path) == this_process()
    timer.join()
    assert caplog.text.count("waiting for process") == 1


class TestStaleness:
    def test_this_process_and_others_are_alive(self, other: Holder) -> None:
        assert not is_stale(this_process())
        assert not is_stale(other)

    def test_a_dead_process_is_stale(self, dead: Holder) -> None:
        assert is_stale(dead)

    def test_a_process_number_used_again_is_stale(self, other: Holder) -> None:
        assert is_stale(replace(other, started="1"))

    def test_a_process_of_another_boot_is_stale(self, other: Holder) -> None:
        assert is_stale(replace(other, boot="0000-1111"))

    def test_a_process_on_another_host_never_is(self, dead: Holder) -> None:
        assert not is_stale(replace(dead, host="elsewhere"))
        assert not is_stale(replace(dead, host="elsewhere", boot="0000-1111"))

    def test_a_process_in_another_container_never_is(self, dead: Holder) -> None:
        assert not is_stale(replace(dead, space="pid:[4026532123]"))

    def test_a_process_that_ended_but_was_not_waited_for_is_stale(self) -> None:
        process = subprocess.Popen(["sleep", "60"])
        holder = holder_of(process.pid)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # still listed, as a zombie
        assert Path(f"/proc/{process.pid}/stat").exists()
        assert is_stale(holder)
        process.wait()

    def test_a_process_hidden_from_us_is_alive(
        self, dead: Holder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locks, "_state_and_start", lambda _: None)  # /proc with hidepid

        def refuse(pid: int, number: int) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "kill", refuse)
        assert not is_stale(replace(dead, started=this_process().started))

    def test_without_proc_a_dead_process_is_stale_all_the_same(
        self, dead: Holder, other: Holder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(locks, "_state_and_start", lambda _: None)  # macOS
        assert is_stale(replace(dead, started=""))
        assert not is_stale(replace(other, started=""))


def test_a_lock_of_a_dead_process_is_broken_with_a_message(
    path: Path, dead: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    leave(path, dead)
    assert living_holder(path) is None
    with lock(path):
        assert read_holder(path) == this_process()
    assert f"removing {path}, left by process {dead.pid}" in caplog.text
    assert names(path.parent) == []


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '{"host": "x"}', "\xff"])
def test_a_lock_killed_while_it_was_written(path: Path, content: str) -> None:
    path.write_text(content, encoding="latin-1")
    with pytest.raises(InputError, match="a process that is just starting"), lock(path):
        pass
    long_ago = time.time() - 2 * locks.HALF_WRITTEN_SECONDS
    os.utime(path, (long_ago, long_ago))
    with lock(path):
        assert read_holder(path) == this_process()


def test_a_lock_taken_while_it_was_being_broken_stays(
    path: Path, dead: Holder, other: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(path, dead)
    touch = Path.touch

    def lose_the_race(guard: Path, *args: object, **kwargs: object) -> None:
        touch(guard, exist_ok=False)
        leave(path, other)  # another breaker was faster, and another process took the lock

    monkeypatch.setattr(Path, "touch", lose_the_race)
    with pytest.raises(InputError, match=f"in use by process {other.pid}"), lock(path):
        pass
    assert read_holder(path) == other
    assert names(path.parent) == ["stage.lock"]


def test_a_guard_left_by_a_killed_breaker_is_removed(path: Path, dead: Holder) -> None:
    leave(path, dead)
    guard = path.with_name(f".{path.name}.breaking")
    guard.touch()
    long_ago = time.time() - 2 * locks.HALF_WRITTEN_SECONDS
    os.utime(guard, (long_ago, long_ago))
    with lock(path):
        assert read_holder(path) == this_process()
    assert names(path.parent) == []


def test_a_file_system_without_hard_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    with lock(path):
        assert read_holder(path) == this_process()
        with pytest.raises(InputError), lock(path):
            pass
    assert names(path.parent) == []


def test_a_link_whose_answer_was_lost_is_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = os.link

    def lose_the_answer(source: Path, target: Path) -> None:
        link(source, target)
        raise FileExistsError

    monkeypatch.setattr(os, "link", lose_the_answer)
    with lock(path):
        assert read_holder(path) == this_process()


def test_a_lock_that_was_taken_over_is_not_removed(path: Path, other: Holder) -> None:
    with lock(path):
        leave(path, other)  # somebody deleted our file by hand and started a run
    assert read_holder(path) == other


def test_what_killed_processes_left_is_removed(tmp_path: Path, dead: Holder, other: Holder) -> None:
    for name in ("a.lock", ".lock", ".a.lock.12.claim"):
        leave(tmp_path / name, dead)
    for name in ("b.lock", ".b.lock.12.claim"):
        leave(tmp_path / name, other)
    (tmp_path / "c.lock").touch()  # being written now
    (tmp_path / "a.txt").touch()
    remove_abandoned(tmp_path)
    assert names(tmp_path) == [".b.lock.12.claim", "a.txt", "b.lock", "c.lock"]


def test_only_one_of_many_threads_holds_a_lock(path: Path, dead: Holder) -> None:
    leave(path, dead)
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(5):
            with lock(path, wait=True, poll_seconds=0.002):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(most)) == (1, 30)
    assert names(path.parent) == []


COUNT = """
import logging, sys
from pathlib import Path
from quarkline.engine.store.locks import lock
logging.disable()
for _ in range(30):
    with lock(Path("count.lock"), wait=True, poll_seconds=0.005):
        number = int(Path("count").read_text())
        Path("count").write_text(str(number + 1))
"""


@pytest.mark.slow
def test_processes_that_break_and_take_locks_lose_no_count(tmp_path: Path, dead: Holder) -> None:
    (tmp_path / "count").write_text("0")
    leave(tmp_path / "count.lock", dead)
    processes = [subprocess.Popen([sys.executable, "-c", COUNT], cwd=tmp_path) for _ in range(6)]
    assert [process.wait(120) for process in processes] == [0] * 6
    assert (tmp_path / "count").read_text() == "180"


def test_messages_go_to_the_library_logger(
    path: Path, dead: Holder, caplog: pytest.LogCaptureFixture
) -> None:
    leave(path, dead)
    with caplog.at_level(logging.WARNING, "quarkline"), lock(path):
        pass
    assert [record.levelname for record in caplog.records] == ["WARNING"]
