"""Files and folders that are either absent or complete, even when the process is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


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
    """Flush a finished folder to disk and give it its final name in one step."""
    for path in sorted(temporary.rglob("*")):
        if path.is_file() and not path.is_symlink():
            flush(path)
        elif path.is_dir():
            flush_folder(path)
    flush_folder(temporary)
    temporary.rename(final)
    flush_folder(final.parent)


def fresh_folder(path: Path) -> Path:
    """An empty folder at `path`; whatever an interrupted attempt left there is removed."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


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
