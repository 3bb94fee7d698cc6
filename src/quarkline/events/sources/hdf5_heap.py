"""The heaps of an HDF5 file, where lists and texts of varying length lie, looked over first.

The HDF5 library (2.0) follows a damaged heap without end, so heaps are walked through here first:
file format specification, version 3, section III.E.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

SIGNATURE = b"GCOL\x01\0\0\0"
ALIGNMENT = 8
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


def _refuse(start: int) -> None:
    msg = f"the heap at byte {start} is damaged"
    raise ValueError(msg)
