"""Which files are meant: globs in natural order, and what to say when there are none."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, nearest

MISSING_FILE = Rule(
    "QL-EVENTS-001",
    "an input file exists",
    "A path names a file, or a glob matches at least one. Relative paths in a config start at "
    "the file that states them, on the command line at the working folder. `*` does not cross "
    "folders, `**` does.",
)
REPEATED_FILE = Rule(
    "QL-EVENTS-010",
    "no input file is read twice",
    "A file that two patterns match, or that is named twice, would count its events twice.",
)
SHOWN = 8


def expand_files(patterns: Sequence[str], *, base: Path) -> list[Path]:
    """The files that paths and globs name.

    Args:
        patterns: Paths or globs (`*`, `?`, `[...]`, `**`), relative to `base` or absolute.
        base: Folder that relative ones start at.

    Returns:
        The files in the order of the patterns, within one in natural order (`f2` before `f10`).

    Raises:
        InputError: If a pattern matches nothing, or a file is named twice.
    """
    named: dict[Path, str] = {}
    files = []
    findings = []
    for pattern in patterns:
        found = _matching(pattern, base)
        if not found:
            findings.append(_nothing(pattern, base))
        for path in found:
            first = named.setdefault(path.resolve(), pattern)
            if first != pattern:
                findings.append(_twice(path, first, pattern))
            files.append(path)
        if patterns.count(pattern) > 1 and found:
            findings.append(_twice(found[0], pattern, pattern))
            break
    if findings:
        raise InputError(*findings)
    return files


def natural_key(path: Path) -> list[list[tuple[int, str]]]:
    """Sorts `file2` before `file10`, folder by folder."""
    return [
        [
            (int(part), "") if part.isdecimal() else (-1, part)
            for part in re.split(r"([0-9]+)", name)
        ]
        for name in path.parts
    ]


def missing_file(path: Path) -> Finding:
    """The finding for a path that names no file, with what is there instead."""
    if path.is_dir():
        return MISSING_FILE.finding(
            "is a folder, not a file",
            place=Place(file=path),
            suggestion=f"name files in it, for example `{path / '*.root'}`",
        )
    return MISSING_FILE.finding(
        "there is no such file", place=Place(file=path), suggestion=_what_is_there(path)
    )


def _matching(pattern: str, base: Path) -> list[Path]:
    path = base / Path(pattern).expanduser()
    if path.is_file() or not glob.has_magic(pattern):
        return [path] if path.is_file() else []
    # Path.glob would also match hidden files, such as what macOS leaves beside `x.root`
    hits = (Path(hit) for hit in glob.glob(str(path), recursive=True))  # noqa: PTH207
    return sorted((hit for hit in hits if hit.is_file()), key=natural_key)


def _nothing(pattern: str, base: Path) -> Finding:
    path = base / Path(pattern).expanduser()
    if not glob.has_magic(pattern):
        return missing_file(path)
    return MISSING_FILE.finding(
        f"no file matches `{pattern}`", place=Place(file=base), suggestion=_what_is_there(path)
    )


def _twice(path: Path, first: str, second: str) -> Finding:
    by = f"by `{first}` and by `{second}`" if first != second else f"twice by `{first}`"
    return REPEATED_FILE.finding(
        f"the file is named {by}",
        place=Place(file=path),
        suggestion="name it once, or make the patterns exclude each other",
    )


def _what_is_there(path: Path) -> str:
    """Near misses of the first part of a path that does not exist, else what its folder holds."""
    folder, name = path.parent, path.name
    while not folder.is_dir() and folder != folder.parent:
        folder, name = folder.parent, folder.name
    here = sorted((entry.name for entry in folder.iterdir()), key=lambda n: natural_key(Path(n)))
    if near := nearest(name, here):
        return "did you mean " + " or ".join(f"`{folder / hit}`" for hit in near) + "?"
    if not here:
        return f"the folder {folder} is empty"
    shown = ", ".join(here[:SHOWN]) + (", ..." if len(here) > SHOWN else "")
    return f"the folder {folder} holds {shown} ({len(here)} in all)"
