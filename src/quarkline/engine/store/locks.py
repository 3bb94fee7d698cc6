"""Exclusive locks as files, so that they work across processes, hosts and network file systems."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from quarkline.engine.core.findings import Finding, Rule, WorkError

log = logging.getLogger(__name__)

LOCKED = Rule(
    "QL-STORE-001",
    "one writer at a time",
    "Another process holds the lock of this run or stage. Wait for it, or stop it. A lock left by "
    "a killed process on the same computer is removed by itself; one left on another computer "
    "cannot be told from a working one, so delete the lock file yourself once you are sure.",
)

BREAK_SECONDS = 30.0


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: enough to tell a dead process from a living one after a reboot, too."""

    host: str
    pid: int
    boot: str
    started: str

    def __str__(self) -> str:
        """The holder as a person would look for it."""
        return f"process {self.pid} on {self.host}"


def this_process() -> Holder:
    """The calling process as a lock holder."""
    return Holder(platform.node(), os.getpid(), _boot_id(), _start_time(os.getpid()))


@contextlib.contextmanager
def lock(path: Path, *, wait: bool = False, poll_seconds: float = 0.2) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    Args:
        path: The lock file; its folder must exist.
        wait: Wait for another living holder instead of refusing.
        poll_seconds: How often to look again while waiting.

    Raises:
        WorkError: If another process holds the lock and `wait` is false.
    """
    told = False
    while not _try_lock(path):
        holder = read_holder(path)
        if holder is not None and is_stale(holder):
            _break(path, holder)
        elif not wait:
            raise WorkError(locked_finding(path, holder))
        else:
            if not told:
                log.warning("waiting for %s, which holds %s", holder or "another process", path)
                told = True
            time.sleep(poll_seconds)
    try:
        yield
    finally:
        if read_holder(path) == this_process():
            path.unlink(missing_ok=True)


def living_holder(path: Path) -> Holder | None:
    """Who holds the lock file now; None if nobody, or only a dead process, does."""
    holder = read_holder(path)
    return None if holder is None or is_stale(holder) else holder


def locked_finding(path: Path, holder: Holder | None) -> Finding:
    """The finding for a lock held by somebody else."""
    return LOCKED.finding(
        f"`{path.name}` is locked by {holder or 'a process that is just starting'}",
        suggestion=f"wait for it to end; if it died on another computer, delete {path}",
    )


def read_holder(path: Path) -> Holder | None:
    """The holder named in a lock file; None if it is gone or not yet complete."""
    try:
        return Holder(**json.loads(path.read_text()))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def is_stale(holder: Holder) -> bool:
    """Whether the holder is known to be dead; one on another host never is."""
    here = this_process()
    if holder.host != here.host:
        return False
    if holder.boot != here.boot:
        return True
    return _start_time(holder.pid) != holder.started


def _try_lock(path: Path) -> bool:
    """Create the lock file with its content in one step (a hard link, atomic on NFS too)."""
    content = json.dumps(asdict(this_process()))
    mine = path.with_name(f".{path.name}.{platform.node()}.{os.getpid()}")
    mine.write_text(content)
    try:
        os.link(mine, path)
    except FileExistsError:
        return False
    except OSError:
        return _create_exclusively(path, content)
    finally:
        mine.unlink(missing_ok=True)
    return True


def _create_exclusively(path: Path, content: str) -> bool:
    """The same on file systems without hard links, where the content follows a moment later."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    return True


def _break(path: Path, dead: Holder) -> None:
    """Remove a dead process's lock; a guard file keeps two breakers from removing a new one."""
    guard = path.with_name(f".{path.name}.breaking")
    try:
        os.close(os.open(guard, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - guard.stat().st_mtime > BREAK_SECONDS:
                guard.unlink(missing_ok=True)
        time.sleep(0.05)
        return
    try:
        if read_holder(path) == dead:
            log.warning("removing the lock %s left by %s, which is dead", path.name, dead)
            path.unlink(missing_ok=True)
    finally:
        guard.unlink(missing_ok=True)


def _boot_id() -> str:
    """An id of this boot; empty where the system has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _start_time(pid: int) -> str:
    """When a process started, so that a reused pid is not mistaken for it; "dead" if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return _alive_without_proc(pid)


def _alive_without_proc(pid: int) -> str:
    if Path("/proc/self/stat").exists():
        return "dead"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return "dead"
    except PermissionError:
        return "alive"
    return "alive"
