"""Which files are meant: globs in natural order, lists, and what to say when there are none."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quarkline.engine.core.addresses import address_of, scheme_of
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, nearest
from quarkline.engine.store.remote import DEFAULT, RemoteConfig, expand_glob, local_path

MISSING_FILE = Rule(
    "QL-EVENTS-001",
    "an input file exists",
    "A path names a file, or a glob matches at least one. Relative paths in a config start at "
    "the file that states them, on the command line at the working folder. `*` does not cross "
    "folders, `**` does. A list of files (`--files-from`, `files_from:`) holds one path, glob or "
    "address a line, relative to the list; lines that start with `#` are comments.",
)
REPEATED_FILE = Rule(
    "QL-EVENTS-010",
    "no input file is read twice",
    "A file that two patterns match, or that is named twice, would count its events twice.",
)
BAD_ADDRESS = Rule(
    "QL-EVENTS-016",
    "an address names one file, or is a glob its server can answer",
    "Files on other computers are `http://`, `https://`, `s3://` or `root://`, a host or bucket, "
    "and a path without empty parts (after `root://host//`). S3 and XRootD servers list their "
    "files, so globs work there; web servers do not.",
)
SHOWN = 8


@dataclass(frozen=True)
class _Pattern:
    """A path, glob or address, and where it was written."""

    text: str
    base: Path
    place: Place | None = None


def expand_files(
    patterns: Sequence[str],
    *,
    base: Path,
    files_from: Path | None = None,
    remote: RemoteConfig = DEFAULT,
) -> list[Path]:
    """The files that paths, globs and addresses name.

    Args:
        patterns: Paths or globs (`*`, `?`, `[...]`, `**`), relative to `base` or absolute, or
            addresses.
        base: Folder that relative ones start at.
        files_from: A text file with further patterns, one a line, relative to itself.
        remote: How files on other computers are read. If they are to be copied, their copies in
            the cache are given.

    Returns:
        The files in the order of the patterns, within one in natural order (`f2` before `f10`).

    Raises:
        InputError: If a pattern matches nothing, or a file is named twice.
        WorkError: If a server does not answer.
    """
    meant = [_Pattern(text, base) for text in patterns]
    meant += _listed(files_from) if files_from else []
    named: dict[Path, _Pattern] = {}
    files = []
    findings = []
    for pattern in meant:
        found, problem = _matching(pattern, remote)
        findings += [_placed(problem, pattern)] if problem else []
        for path in found:
            first = named.setdefault(path if address_of(path) else path.resolve(), pattern)
            if first is not pattern:
                findings.append(_placed(_twice(path, first.text, pattern.text), pattern))
                break
            files.append(path)
    if findings:
        raise InputError(*findings)
    return [local_path(path, remote) for path in files] if remote.copy_files else files


def _listed(path: Path) -> list[_Pattern]:
    """The patterns in a list of files."""
    if not path.is_file():
        raise InputError(missing_file(path))
    lines = path.read_text(errors="replace").splitlines()
    return [
        _Pattern(line.strip(), path.parent, Place(path, number, 1, len(line), line))
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]


def _placed(finding: Finding, pattern: _Pattern) -> Finding:
    """A finding at the line of the list that it is about, naming the file it was at."""
    if pattern.place is None:
        return finding
    of = f"{finding.place}: " if finding.place else ""
    return replace(finding, message=f"{of}{finding.message}", place=pattern.place)


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


def _matching(pattern: _Pattern, remote: RemoteConfig) -> tuple[list[Path], Finding | None]:
    """The files of one pattern, or what is wrong with it."""
    if address_of(pattern.text):
        return _matching_addresses(pattern.text, remote)
    try:
        return _matching_here(pattern)
    except PermissionError as error:
        place = Place(file=Path(error.filename))
        message = f"cannot look for `{pattern.text}`: {error.strerror}"
        hint = "see the permissions of its folder: `ls -ld`"
        return [], MISSING_FILE.finding(message, place=place, suggestion=hint)


def _matching_here(pattern: _Pattern) -> tuple[list[Path], Finding | None]:
    path = pattern.base / Path(pattern.text).expanduser()
    if path.is_file():
        return [path], None
    if not glob.has_magic(pattern.text):
        return [], missing_file(path)
    # Path.glob would also match hidden files, such as what macOS leaves beside `x.root`
    whole = str(Path(glob.escape(str(pattern.base))) / Path(pattern.text).expanduser())
    hits = (Path(hit) for hit in glob.glob(whole, recursive=True))  # noqa: PTH207
    if found := sorted((hit for hit in hits if hit.is_file()), key=natural_key):
        return found, None
    return [], MISSING_FILE.finding(
        f"no file matches `{pattern.text}`",
        place=Place(file=pattern.base),
        suggestion=_what_is_there(path),
    )


def _matching_addresses(text: str, remote: RemoteConfig) -> tuple[list[Path], Finding | None]:
    address = address_of(text) or text
    _, _, rest = text.partition("://")
    if "//" in rest.replace("//", "/", int(scheme_of(address) == "root")) or rest.endswith("/"):
        return [], BAD_ADDRESS.finding(f"`{text}` has an empty part")
    if "*" not in address:
        return [Path(address)], None
    if scheme_of(address) in {"http", "https"}:
        return [], BAD_ADDRESS.finding(
            f"`{text}` is a glob, and web servers do not list their files",
            suggestion="write the addresses into a file, one a line, and give it as --files-from",
        )
    found = sorted(map(Path, expand_glob(address, remote)), key=natural_key)
    return found, None if found else MISSING_FILE.finding(f"no file matches `{text}`")


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
