"""What became of the exports of a run."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.results import Result


@dataclass(frozen=True)
class ExportedFormat:
    """One format.

    Attributes:
        format: Its name.
        files: Names of the files, below the folder of exports.
        tolerance: Largest difference of a score: checked with a second program when the files were
            written, or of C++ by the program among the files.
        reason: Why there are no files; empty if there are.
    """

    format: str
    files: tuple[str, ...]
    tolerance: float | None
    reason: str = ""


@dataclass(frozen=True)
class Exports(Result, kind="tagging-exports"):
    """All formats that were asked for.

    Attributes:
        model: Content key of the network.
        formats: Each of them.
    """

    model: str
    formats: tuple[ExportedFormat, ...]
