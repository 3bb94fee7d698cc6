"""Which files a command reads: those it is given, those in a list, here or copied here first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from quarkline.engine.core.findings import InputError
from quarkline.engine.store.remote import RemoteConfig
from quarkline.events.files import MISSING_FILE, expand_files


def input_files(
    files: Sequence[str | Path], *, files_from: Path | None = None, copy: bool = False
) -> list[Path]:
    """The files that a command line names.

    Args:
        files: Paths, globs or addresses.
        files_from: A text file with further ones, one a line.
        copy: Copy files on other computers into the cache, and give the copies.

    Raises:
        InputError: If no file is named, one does not exist, or one is named twice.
    """
    patterns = [str(file) for file in files]
    found = expand_files(
        patterns, base=Path(), files_from=files_from, remote=RemoteConfig(copy_files=copy)
    )
    if not found:
        finding = MISSING_FILE.finding(
            "no file is named", suggestion="give files or globs, or a list as --files-from LIST"
        )
        raise InputError(finding)
    return found
