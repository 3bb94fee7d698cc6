"""ROOT files of many small objects, written at once instead of object by object.

uproot brings a file up to date after every object, which costs more than the object itself. Here it
writes one object of each class into memory; its records of the file and of the classes are taken
over, and those of all objects, of their list and of free space are laid out as in ROOT's
description of the format (https://github.com/root-project/root/tree/master/io/doc/TFile).
"""

from __future__ import annotations

import io
import struct
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uproot

from quarkline.engine.store.atomic import atomic_path
from quarkline.events.sinks.root_file import fixed_time

COMPRESSION = uproot.ZLIB(1)
LARGEST = 2_000_000_000  # bytes, from which on ROOT's pointers have another size
VERSION = 4  # of keys

_HEADER = struct.Struct(">4siiiiiiiBiii")
_KEY = struct.Struct(">ihiIhhii")
_DIRECTORY = struct.Struct(">hIIiiiii")
_COUNT = struct.Struct(">i")
_FREE = struct.Struct(">hii")


@dataclass(frozen=True)
class RootObject:
    """An object as it is stored.

    Attributes:
        kind: Its class.
        name: Its name in the file.
        title: Its title in the list of objects.
        data: Its bytes, not compressed.
    """

    kind: str
    name: str
    title: str
    data: bytes

    @classmethod
    def of(cls, name: str, value: Any) -> RootObject:
        """What uproot makes of a value, such as a text.

        Args:
            name: Its name in the file.
            value: The value.
        """
        writable = uproot.writing.identify.to_writable(value)
        title = getattr(writable, "fTitle", "")
        return cls(writable.classname, name, title, writable.serialize(name=name))


def write_root_objects(path: Path, objects: Iterable[RootObject], examples: Iterable[Any]) -> None:
    """Write a ROOT file; equal objects give equal bytes.

    Args:
        path: The file.
        objects: What is written, each under another name.
        examples: A value of each class, that uproot can write.

    Raises:
        OverflowError: If the file would have more than 2 GB.
    """
    layout = _Layout(examples)
    parts: list[bytes] = []
    keys: list[bytes] = []
    end, listed = len(layout.start), 0
    for one in objects:
        stored = uproot.compression.compress(one.data, COMPRESSION)
        key = layout.key(one, len(stored), end)
        parts += [key, stored]
        keys.append(key)
        end, listed = end + len(key) + len(stored), listed + len(key)
        if end + listed > LARGEST:
            msg = f"{path} would have more than 2 GB; give each region its own file"
            raise OverflowError(msg)
    last = layout.finish(end, keys)
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"".join((layout.start, *parts, *last)))


class _Layout:
    """What all objects of a file share."""

    def __init__(self, examples: Iterable[Any]) -> None:
        stream = io.BytesIO()
        with (
            fixed_time(),
            uproot.recreate(stream, uuid_function=lambda: uuid.UUID(int=0)) as file,
        ):
            for at, value in enumerate(examples):
                file[str(at)] = value
            self._file = stream.getvalue()  # complete after every object; closing drops it
        self._header = list(_HEADER.unpack_from(self._file))
        self._begin, self._name_bytes = self._header[2], self._header[7]
        first = _KEY.unpack_from(self._file, self._begin)
        self._date = first[3]
        self.start = bytearray(self._file[: self._begin + first[0]])

    def key(self, one: RootObject, stored: int, at: int) -> bytes:
        """The key of an object, before it and in the list.

        Args:
            one: The object.
            stored: Number of bytes that it takes.
            at: Where its key is in the file.
        """
        texts = b"".join(_text(text) for text in (one.kind, one.name, one.title))
        size = _KEY.size + len(texts)
        whole, cycle = size + stored, 1
        numbers = (whole, VERSION, len(one.data), self._date, size, cycle, at, self._begin)
        return _KEY.pack(*numbers) + texts

    def finish(self, end: int, keys: list[bytes]) -> list[bytes]:
        """The records behind the objects; the beginning of the file is told where they are."""
        directory = self._begin + self._name_bytes
        *fixed, _, name_bytes, here, parent, old_keys = _DIRECTORY.unpack_from(
            self._file, directory
        )
        classes = self._moved(self._header[10], end)
        listing = self._moved(old_keys, end + len(classes), _COUNT.pack(len(keys)) + b"".join(keys))
        places = (len(listing), name_bytes, here, parent, end + len(classes))
        _DIRECTORY.pack_into(self.start, directory, *fixed, *places)
        last = end + len(classes) + len(listing)
        size = self._key_size(self._header[4]) + _FREE.size
        free = self._moved(self._header[4], last, _FREE.pack(1, last + size, LARGEST))
        self._header[3:7] = [last + size, last, size, 1]
        self._header[10] = end
        _HEADER.pack_into(self.start, 0, *self._header)
        return [classes, listing, free]

    def _key_size(self, at: int) -> int:
        return int(_KEY.unpack_from(self._file, at)[4])

    def _moved(self, at: int, to: int, data: bytes | None = None) -> bytes:
        """A record of uproot's file at another place, with other data."""
        whole, version, length, date, size, cycle, _, parent = _KEY.unpack_from(self._file, at)
        texts = self._file[at + _KEY.size : at + size]
        if data is None:
            data = self._file[at + size : at + whole]
        else:
            length = len(data)
        numbers = (size + len(data), version, length, date, size, cycle, to, parent)
        return _KEY.pack(*numbers) + texts + data


def _text(text: str) -> bytes:
    data = text.encode(errors="surrogateescape")
    return (bytes([len(data)]) if len(data) < 255 else b"\xff" + _COUNT.pack(len(data))) + data
