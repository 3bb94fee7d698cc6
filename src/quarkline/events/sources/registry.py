"""Which formats there are, and which of them a file has: told by its content, not its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.store.remote import local_path, open_binary
from quarkline.events.files import missing_file
from quarkline.events.sources import csv, hdf5, lhe, npz, parquet, phenoml, root
from quarkline.events.sources.base import Source
from quarkline.events.sources.problems import AGAIN, TreeInfo

HEAD_BYTES = 4096

UNKNOWN_FORMAT = Rule(
    "QL-EVENTS-002",
    "a file of events has a format that is read",
    "Events are read from ROOT, Parquet, HDF5, NPZ, CSV, PhenoML and Les Houches files, "
    "recognised by their content; CSV is plain text and recognised by the ending `.csv` or "
    "`.tsv`. A file whose name promises a format and whose content is another thing is often an "
    "error page or a pointer saved by a download, or was damaged in its first bytes.",
)


@dataclass(frozen=True)
class Format:
    """A format of event files.

    Attributes:
        name: What it is called.
        suffixes: Endings its files usually have, in small letters.
        matches: Whether a file, by path and first bytes, has this format.
        open: Opens one table of a file by path and name of the tree.
        trees: Lists the tables in a file.
        in_pieces: Whether a file on another computer is read piece by piece; others are copied
            into the cache first.
    """

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[Path, bytes], bool]
    open: Callable[[Path, str | None], Source]
    trees: Callable[[Path], list[TreeInfo]]
    in_pieces: bool = False


SOURCES: dict[str, Format] = {
    "root": Format(
        root.NAME, root.SUFFIXES, root.matches, root.open_source, root.trees, in_pieces=True
    ),
    "parquet": Format(
        parquet.NAME,
        parquet.SUFFIXES,
        parquet.matches,
        parquet.ParquetSource,
        parquet.trees,
        in_pieces=True,
    ),
    "npz": Format(npz.NAME, npz.SUFFIXES, npz.matches, npz.NpzSource, npz.trees),
    "hdf5": Format(hdf5.NAME, hdf5.SUFFIXES, hdf5.matches, hdf5.Hdf5Source, hdf5.trees),
    "lhe": Format(lhe.NAME, lhe.SUFFIXES, lhe.matches, lhe.LheSource, lhe.trees),
    "phenoml": Format(
        phenoml.NAME, phenoml.SUFFIXES, phenoml.matches, phenoml.PhenomlSource, phenoml.trees
    ),
    "csv": Format(csv.NAME, csv.SUFFIXES, csv.matches, csv.CsvSource, csv.trees),
}
"""Formats of this package by name; others register under `quarkline.sources` entry points."""

FOREIGN_TEXT = {
    b"version https://git-lfs": "a git-lfs pointer, not the file it stands for",
    b"<!doctype html": "an HTML page, perhaps an error message saved by a download",
    b"<html": "an HTML page, perhaps an error message saved by a download",
}
FOREIGN = {
    b"\x93NUMPY": "a single NumPy array: save named ones with `np.savez`",
    **dict.fromkeys(
        (bytes([0x80, protocol]) for protocol in range(6)),
        "a Python pickle, which is never loaded (`quarkline convert pickle` reads arrays in one)",
    ),
    b"\x1f\x8b": "compressed by gzip: unpack it first",
    b"BZh": "compressed by bzip2: unpack it first",
    b"\xfd7zXZ": "compressed by xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"PK\x03\x04": "a zip archive without NumPy arrays",
    b"PK\x05\x06": "a zip archive without NumPy arrays",
    b"%PDF": "a PDF document",
}


def open_source(path: str | Path, *, tree: str | None = None) -> Source:
    """Open a file of events.

    Args:
        path: A file of a format in `SOURCES`, or its address: `https://`, `s3://`, `root://`.
        tree: Name of the tree (in HDF5 and NPZ: of the group of arrays); needed if there are
            several.

    Raises:
        InputError: If the file is missing, damaged or of another kind, or the tree is not clear.
    """
    form, path = _found(Path(path))
    return form.open(path, tree)


def list_trees(path: str | Path) -> list[TreeInfo]:
    """The tables in a file of events, also those that cannot be read, with the reason."""
    form, path = _found(Path(path))
    return form.trees(path)


def _found(path: Path) -> tuple[Format, Path]:
    """The format of a file, and where it is read from."""
    form = detect(path)
    return form, path if form.in_pieces else local_path(path)


def detect(path: Path) -> Format:
    """The format of a file.

    Raises:
        InputError: If the file is missing or of no known format.
    """
    if not address_of(path) and not path.is_file():
        raise InputError(missing_file(path))
    try:
        with open_binary(path) as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(
            UNKNOWN_FORMAT.finding(f"cannot be read: {error.strerror}", place=Place(file=path))
        ) from error
    foreign = _foreign_text(head)  # no table, whatever it is named
    for form in _formats() if foreign is None else ():
        if form.matches(path, head):
            return form
    raise InputError(
        UNKNOWN_FORMAT.finding(
            _what_instead(path, head),
            place=Place(file=path),
            suggestion=AGAIN if _promised(path) else "convert it to ROOT, Parquet, HDF5 or CSV",
        )
    )


def _formats() -> Iterator[Format]:
    """The formats of this package first, then those that other packages register."""
    yield from SOURCES.values()
    for entry in entry_points(group="quarkline.sources"):
        yield entry.load()


def _foreign_text(head: bytes) -> str | None:
    start = head.lstrip().lower()
    return next((what for magic, what in FOREIGN_TEXT.items() if start.startswith(magic)), None)


def _promised(path: Path) -> str | None:
    """The format a file's name promises."""
    name = path.name.lower()
    return next((form.name for form in SOURCES.values() if name.endswith(form.suffixes)), None)


def _what_instead(path: Path, head: bytes) -> str:
    promised = _promised(path)
    start = f"is not a {promised} file" if promised else "has no format that is read"
    return f"{start}: it is {_describe(head)}"


def _describe(head: bytes) -> str:
    if not head:
        return "empty (0 bytes)"
    if text := _foreign_text(head):
        return text
    if known := [what for magic, what in FOREIGN.items() if head.startswith(magic)]:
        return known[0]
    if csv.is_text(head):
        lines = head.decode(errors="replace").strip().splitlines()
        return f"text that begins `{lines[0][:60]}`" if lines else "blank text"
    return f"of a kind that is not known; it begins with the bytes {head[:8].hex(' ')}"
