"""The heaps of an HDF5 file, where lists and texts of varying length lie, looked over first.

The HDF5 library (2.0) follows a damaged heap without end, so heaps are walked through here first:
file format specification, version 3, section III.E. It also takes the memory for a list before it
sees that the heap holds none so long, so lengths are looked at, too.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

SIGNATURE = b"GCOL\x01\0\0\0"
ALIGNMENT = 8
ROWS = 100_000
_HEADER = struct.Struct("<8sQ")  # signature with version, size of the heap with this header
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, size of what follows


def check_heaps(path: Path) -> None:
    """Walk through every heap of a file whose sizes are 64-bit numbers, as nearly all are.

    Raises:
        ValueError: If the objects of a heap do not fill it, one after the other.
    """
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        for start in _heaps(data):
            _check_heap(data, start)


def _heaps(data: mmap.mmap) -> Iterator[int]:
    start = data.find(SIGNATURE)
    while start >= 0:
        yield start
        start = data.find(SIGNATURE, start + 1)


def _check_heap(data: mmap.mmap, start: int) -> None:
    if start + _HEADER.size > len(data):
        return
    _, size = _HEADER.unpack_from(data, start)
    end, position, seen = start + size, start + _HEADER.size, set()
    if size < _HEADER.size or end > len(data):
        _refuse(start)
    while end - position >= _OBJECT.size:
        index, _, _, length = _OBJECT.unpack_from(data, position)
        if index == 0:  # the rest is free, and its size includes this header
            if length != end - position:
                _refuse(start)
            return
        if index in seen:
            _refuse(start)
        seen.add(index)
        position += _OBJECT.size + -(-length // ALIGNMENT) * ALIGNMENT
        if position > end:
            _refuse(start)


def check_lengths(dataset: Any, path: Path) -> None:
    """Look at the lengths that the rows of a dataset give for their lists and texts.

    Rows behind a filter are left to its checksum.

    Raises:
        ValueError: If one is longer than the whole file.
    """
    if dataset.id.get_create_plist().get_nfilters():
        return
    row, most = dataset.id.get_type().get_size(), path.stat().st_size
    places = list(_lengths(dataset.id.get_type(), 0))
    for data in _stored_rows(dataset, path, row):
        rows = np.frombuffer(data, np.uint8).reshape(-1, row)
        for place, size in places:
            lengths = np.ascontiguousarray(rows[:, place : place + 4]).view("<u4")
            if lengths.size and int(lengths.max()) * size > most:
                msg = f"a list of {lengths.max()} in a file of {most} bytes"
                raise ValueError(msg)


def _lengths(kind: Any, start: int) -> Iterator[tuple[int, int]]:
    """Where in a row a length stands, and the bytes that one of what it counts takes."""
    if isinstance(kind, h5py.h5t.TypeCompoundID):
        for number in range(kind.get_nmembers()):
            inner = start + kind.get_member_offset(number)
            yield from _lengths(kind.get_member_type(number), inner)
    elif isinstance(kind, h5py.h5t.TypeVlenID):
        yield start, kind.get_super().get_size()
    elif isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str():
        yield start, 1


def _stored_rows(dataset: Any, path: Path, row: int) -> Iterator[bytes]:
    """The rows of a dataset without filters as they are stored, some at a time."""
    if dataset.chunks:
        for number in range(dataset.id.get_num_chunks()):
            yield dataset.id.read_direct_chunk(dataset.id.get_chunk_info(number).chunk_offset)[1]
        return
    with path.open("rb") as stream:
        stream.seek(dataset.id.get_offset() or 0)
        for start in range(0, dataset.shape[0], ROWS):
            yield stream.read(row * min(ROWS, dataset.shape[0] - start))


def _refuse(start: int) -> None:
    msg = f"the heap at byte {start} is damaged"
    raise ValueError(msg)
