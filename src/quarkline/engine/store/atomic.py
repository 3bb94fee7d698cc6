"""Files and folders that are either absent or complete, even when the process is killed.

What a killed process leaves under a temporary name is hidden and ends in `.tmp`; the next writer of
the same folder removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from quarkline.engine.core.findings import InputError, Rule

NOT_WRITABLE = Rule(
    "QL-RUN-009",
    "the folder for results can be written",
    "Runs are written below `runs` in the current folder, or below the root named `runs`; skims, "
    "tables and figures below the folder named by `-o`.",
)


def not_writable(folder: Path, error: OSError, suggestion: str) -> InputError:
    """What to raise where a folder for results cannot be written."""
    message = f"cannot write {folder}: {error.strerror or error}"
    return InputError(NOT_WRITABLE.finding(message, suggestion=suggestion))


def make_folder(folder: Path) -> None:
    """Make a folder for results, before the work whose results go there.

    Raises:
        InputError: If files cannot be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise not_writable(folder, error, "name a folder that you may write to") from error


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success flush it and move it to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        yield temporary
        flush(temporary)
        temporary.replace(path)
        flush_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_atomic(path: Path, content: str | bytes) -> Path:
    """Write a whole file under a temporary name, flush it, and move it to `path`."""
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    return path


def publish_folder(temporary: Path, final: Path) -> None:
    """Flush a finished folder to disk and give it its final name in one step.

    If the name is taken, another writer made the same content first, and that one is kept.
    """
    for path in sorted(temporary.rglob("*")):
        if path.is_dir():
            flush_folder(path)
        else:
            flush(path)
    flush_folder(temporary)
    try:
        temporary.rename(final)
    except OSError:
        if not final.is_dir():
            raise
        remove_folder(temporary)
    flush_folder(final.parent)


def remove_folder(path: Path) -> None:
    """Remove a folder and all that is in it, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of killed writers below a folder that nobody else writes now."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Force a file's content to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(path: Path) -> None:
    """Force a folder's list of names to disk; file systems that cannot are left alone."""
    with contextlib.suppress(OSError):
        flush(path)
