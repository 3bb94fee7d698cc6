"""Where Quarkline refuses to run, because its promises would silently be broken there."""

from __future__ import annotations

import sys

from quarkline.engine.core.findings import InputError, Rule

NATIVE_WINDOWS = Rule(
    "QL-RUN-030",
    "Quarkline runs on Linux and macOS",
    "A run may be killed at any moment and loses nothing, because finished files replace "
    "unfinished ones in one step, folders are flushed to disk, and a lock says whether its holder "
    "still lives. Native Windows does not replace or remove a file that is open, does not flush "
    "folders, and has no harmless way to ask whether a process lives. Use WSL2, where Quarkline "
    "runs as on any Linux.",
)


def refuse_native_windows() -> None:
    """Refuse to start on native Windows.

    Raises:
        InputError: On native Windows, before anything is read or written.
    """
    if sys.platform == "win32":
        raise InputError(
            NATIVE_WINDOWS.finding(
                "this is native Windows", suggestion="install it inside WSL2: wsl --install"
            )
        )
