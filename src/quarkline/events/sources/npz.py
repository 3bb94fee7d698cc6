"""NPZ files of NumPy: arrays of equal length are the columns of one table.

A file may hold arrays of several lengths; each length is a table of its own, named
`entries<length>`. Nothing is unpickled, and no array is read whose header claims another size
than its data have.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.store.remote import open_binary
from quarkline.events.schema import Column, Schema
from quarkline.events.sources.base import BlockSource
from quarkline.events.sources.layout import READABLE, Member
from quarkline.events.sources.problems import TreeInfo, choose_tree, opening, reading

NAME = "NPZ"
SUFFIXES = (".npz",)
MAGIC = b"PK\x03\x04"
DEFLATE_LIMIT = 1100  # deflate cannot shrink data further than by a factor of 1032

OBJECT_ARRAY = Rule(
    "QL-EVENTS-013",
    "no pickled Python object is loaded",
    "An NPZ array of Python objects is a pickle, and loading a pickle runs whatever code it "
    "holds. Save the array with a plain type: `np.savez(..., x=x.astype(float))`, or one array a "
    "quantity.",
)


@dataclass(frozen=True)
class _Header:
    """What an array's header says, before anything is read."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class NpzSource(BlockSource):
    """The arrays of one length in an NPZ file."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        self.path = path
        with opening(path):
            self._zip = zipfile.ZipFile(path)
        try:
            with opening(path):
                headers = _headers(self._zip)
            name = choose_tree(path, tree, _listing(headers))
            self.schema, self._objects = _schema(name, headers)
            self._members = {column: Member(column) for column in self.schema.columns}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read rows [start, stop) of one array."""
        with reading(self.path, unit, self.schema.tree), self._zip.open(f"{unit}.npy") as stream:
            values = np.lib.format.read_array(stream, allow_pickle=False)
            if stream.read(1):
                msg = "there are more data than its header says"
                raise ValueError(msg)
            values = values[start:stop]
            if values.dtype.kind == "S":
                values = np.char.decode(values, "utf-8")
            return ak.from_numpy(values.astype(values.dtype.newbyteorder("="), copy=False))

    def block_end(self, unit: str, entry: int) -> int:  # noqa: ARG002
        """An array is one block."""
        return self.schema.entries

    def checked(self, columns: Sequence[str]) -> list[str]:
        """Names without repetition, refusing arrays of objects."""
        for name in columns:
            if name in self._objects:
                raise InputError(
                    OBJECT_ARRAY.finding(
                        f"`{name}` is an array of Python objects",
                        place=Place(file=self.path),
                        suggestion="save it with a plain type, or leave it out",
                    )
                )
        return super().checked(columns)


def trees(path: Path) -> list[TreeInfo]:
    """The tables of an NPZ file, one for each length of its arrays."""
    with opening(path), zipfile.ZipFile(path) as archive:
        return _listing(_headers(archive))


def matches(path: Path, head: bytes) -> bool:
    """Whether a file is a zip archive of NumPy arrays."""
    if not head.startswith((MAGIC, b"PK\x05\x06")):
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with open_binary(path) as stream, zipfile.ZipFile(stream) as archive:
            return any(map(_is_array, archive.infolist()))
    except zipfile.BadZipFile:
        return False


def _headers(archive: zipfile.ZipFile) -> dict[str, _Header]:
    """The header of every array, each checked against the size of its data."""
    if strange := [info.filename for info in archive.infolist() if not _is_array(info)]:
        msg = f"it holds `{strange[0]}`, which is no array"
        raise ValueError(msg)
    return {
        info.filename.removesuffix(".npy"): _header(archive, info) for info in archive.infolist()
    }


def _is_array(info: zipfile.ZipInfo) -> bool:
    return info.filename.endswith(".npy")


def _header(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Header:
    if info.file_size > DEFLATE_LIMIT * max(info.compress_size, 1):
        msg = f"`{info.filename}` claims {info.file_size} bytes from {info.compress_size}"
        raise ValueError(msg)
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read = _HEADER_READERS.get(version)
        if read is None:
            msg = f"`{info.filename}` has format version {version}"
            raise ValueError(msg)
        shape, _, dtype = read(stream)
        expected = math.prod(shape) * dtype.itemsize + stream.tell()
    if any(size < 0 for size in shape) or (expected != info.file_size and not dtype.hasobject):
        msg = f"`{info.filename}` of shape {shape} needs {expected} bytes and has {info.file_size}"
        raise ValueError(msg)
    return _Header(shape, dtype)


_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _listing(headers: Mapping[str, _Header]) -> list[TreeInfo]:
    lengths = [header.shape[0] for header in headers.values() if header.shape]
    return [
        TreeInfo(f"entries{length}", length, lengths.count(length))
        for length in sorted(set(lengths), reverse=True)
    ]


def _schema(tree: str, headers: Mapping[str, _Header]) -> tuple[Schema, frozenset[str]]:
    """The columns of one table, and the arrays of Python objects in it."""
    columns: dict[str, Column] = {}
    unreadable: dict[str, str] = {}
    objects = set()
    for name, header in headers.items():
        if not header.shape:
            unreadable[name] = "a single value, not an array"
        elif f"entries{header.shape[0]}" != tree:
            unreadable[name] = f"belongs to the table `entries{header.shape[0]}`"
        elif header.dtype.hasobject:
            unreadable[name] = "an array of Python objects, which are never unpickled"
            objects.add(name)
        elif header.dtype.kind in "US" and len(header.shape) == 1:
            columns[name] = Column(name, "string")
        elif header.dtype.name in READABLE:
            columns[name] = Column(name, header.dtype.name, shape=header.shape[1:])
        else:
            unreadable[name] = f"values of type {header.dtype.name}"
    entries = int(tree.removeprefix("entries"))
    return Schema(columns, entries, tree, {"unreadable": unreadable}), frozenset(objects)
