"""Exclusive locks as files, so that they work across processes, hosts and network file systems."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from quarkline.engine.core.findings import Finding, InputError, Rule

log = logging.getLogger(__name__)

LOCKED = Rule(
    "QL-STORE-001",
    "one writer at a time",
    "Another process holds the lock of this run or stage. Wait for it, or stop it. A lock left by "
    "a killed process on the same computer is removed by itself; one left on another computer "
    "cannot be told from a working one, so delete the lock file yourself once you are sure.",
)

HALF_WRITTEN_SECONDS = 30.0  # what is unreadable for longer was left by a process that was killed


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: enough to tell a dead process from a living one.

    Attributes:
        host: Name of the computer.
        boot: Id of the computer's boot, empty where there is none.
        space: Id of the process-number space: a batch job or container may have its own.
        pid: Process number.
        started: When the process started, so that a reused number is not mistaken for it; empty
            where the system does not say.
    """

    host: str
    boot: str
    space: str
    pid: int
    started: str

    def __str__(self) -> str:
        """The holder as a person would look for it."""
        return f"process {self.pid} on {self.host}"


def this_process() -> Holder:
    """The calling process as a lock holder."""
    pid = os.getpid()
    _, started = _state_and_start(pid) or ("", "")
    return Holder(platform.node(), _boot_id(), _process_space(), pid, started)


@contextlib.contextmanager
def lock(path: Path, *, wait: bool = False, poll_seconds: float = 0.2) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    Args:
        path: The lock file; its folder must exist.
        wait: Wait for another living holder instead of refusing.
        poll_seconds: How often to look again while waiting.

    Raises:
        InputError: If another process holds the lock and `wait` is false.
    """
    told = False
    while not _try_lock(path):
        if is_abandoned(path):
            _break(path, partial(is_abandoned, path))
            continue
        holder = read_holder(path)
        if not wait:
            raise InputError(locked_finding(path, holder))
        if not told:
            log.warning("waiting for %s, which holds %s", holder or "another process", path)
            told = True
        time.sleep(poll_seconds)
    try:
        yield
    finally:
        if is_mine(path):
            path.unlink(missing_ok=True)


def is_mine(path: Path) -> bool:
    """Whether this process holds the lock file."""
    return read_holder(path) == this_process()


def release_dead(path: Path, dead: Holder) -> None:
    """Remove the lock file if `dead` holds it.

    Args:
        path: The lock file.
        dead: A process, perhaps of another computer, that whoever ran it knows to be dead.
    """
    if read_holder(path) == dead:
        _break(path, lambda: read_holder(path) == dead)


def living_holder(path: Path) -> Holder | None:
    """Who holds the lock file now; None if nobody, or only a dead process, does."""
    holder = read_holder(path)
    return None if holder is None or is_stale(holder) else holder


def locked_finding(path: Path, holder: Holder | None) -> Finding:
    """The finding for a lock held by somebody else."""
    return LOCKED.finding(
        f"{path.parent} is in use by {holder or 'a process that is just starting'}",
        suggestion=f"wait for it to end; if it died on another computer, delete {path}",
    )


def read_holder(path: Path) -> Holder | None:
    """The holder named in a lock file; None if it is gone, unreadable or not yet complete."""
    try:
        return Holder(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def is_stale(holder: Holder) -> bool:
    """Whether the holder is known to be dead; one that cannot be seen from here never is."""
    here = this_process()
    if holder.host != here.host:
        return False
    if holder.boot != here.boot:
        return True
    return holder.space == here.space and not _is_alive(holder)


def is_abandoned(path: Path) -> bool:
    """Whether a lock file was left behind by a dead process, complete or half written."""
    if holder := read_holder(path):
        return is_stale(holder)
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > HALF_WRITTEN_SECONDS
    return False


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left of their locks in a folder."""
    for path in (*folder.glob("*.lock"), *folder.glob(".*.claim"), *folder.glob(".*.breaking")):
        if is_abandoned(path):
            _break(path, partial(is_abandoned, path))


def _try_lock(path: Path) -> bool:
    """Create the lock file with its content in one step (a hard link, atomic on NFS too)."""
    content = json.dumps(asdict(this_process()))
    claim = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.claim")
    claim.write_text(content)
    try:
        os.link(claim, path)
    except FileExistsError:
        return claim.stat().st_nlink == 2  # NFS: made at the first try, whose answer was lost
    except OSError:
        return _create_exclusively(path, content)
    finally:
        claim.unlink(missing_ok=True)
    return True


def _create_exclusively(path: Path, content: str) -> bool:
    """The same on file systems without hard links, where the content follows a moment later."""
    try:
        with path.open("x") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _break(path: Path, is_left: Callable[[], bool]) -> None:
    """Remove a lock that was left; a guard file keeps two breakers from removing a new one."""
    guard = path.with_name(f".{path.name}.breaking")
    try:
        guard.touch(exist_ok=False)
    except FileExistsError:
        with contextlib.suppress(FileNotFoundError):
            if time.time() - guard.stat().st_mtime > HALF_WRITTEN_SECONDS:
                guard.unlink()
        time.sleep(0.05)
        return
    try:
        holder = read_holder(path)
        if is_left():
            log.warning("removing %s, left by %s", path, holder or "a process killed early")
            path.unlink(missing_ok=True)
    finally:
        guard.unlink(missing_ok=True)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _process_space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _state_and_start(pid: int) -> tuple[str, str] | None:
    """State and start time of a process in the system's own words; None if it does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], fields[19]


def _is_alive(holder: Holder) -> bool:
    if seen := _state_and_start(holder.pid):
        state, started = seen
        return state not in {"Z", "X"} and started == holder.started
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process, which /proc may hide
        return True
    return True
