"""Numbers as TRExFitter prints them, and what to say of a text that is not of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from quarkline.engine.core.findings import InputError, Place, Rule

UNREADABLE = Rule(
    "QL-TREX-060",
    "files of results have TRExFitter's formats",
    "Fits, rankings, impacts, pruning and yields are read from the text files of a job's folder, "
    "whether TRExFitter or Quarkline wrote them. Do not edit them by hand; make them again.",
)
MISSING = Rule(
    "QL-TREX-061",
    "earlier actions left their files",
    "Each letter reads what others wrote below the job's folder: `n` or `h` fill histograms, `w` "
    "builds the likelihood, `f` fits it. Letters may be joined, as in `nwf`, or run one by one.",
)


def spelt(value: float) -> str:
    """A number with six digits, as a C++ stream prints it."""
    return f"{value:g}"


def lines_of(path: Path, made_by: str) -> list[str]:
    """The lines of a file.

    Args:
        path: The file.
        made_by: The letters that make it.

    Raises:
        InputError: If it is absent or not text.
    """
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        raise missing(path, made_by) from None
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read {path}: {error}"
        raise InputError(UNREADABLE.finding(message, place=Place(path))) from error


def missing(path: Path, made_by: str) -> InputError:
    """What to raise where a file of an earlier letter is not there."""
    message = f"{path} is not there"
    suggestion = f"run action `{made_by}` first, or with it"
    return InputError(MISSING.finding(message, suggestion=suggestion, place=Place(path)))


def refuse(path: Path, number: int, line: str, expected: str) -> NoReturn:
    """Say that a line of a file is not what it should be.

    Args:
        path: The file.
        number: Number of the line, from 0.
        line: The line.
        expected: What should stand there.
    """
    place = Place(path, number + 1, text=line)
    suggestion = "make it again with the action that wrote it"
    message = f"expected {expected}"
    raise InputError(UNREADABLE.finding(message, suggestion=suggestion, place=place))
