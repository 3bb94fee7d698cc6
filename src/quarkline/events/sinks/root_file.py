"""What TTrees and RNTuples written here have in common: one table in a ROOT file, by uproot."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import types
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import uproot
from uproot.writing import _cascade, _cascadentuple, _cascadetree

from quarkline.engine.core.results import canonical_json
from quarkline.events.sinks.base import Sink
from quarkline.events.sinks.compression import Compression

SUFFIXES = (".root",)
DEFAULT = Compression("zstd", 5)
_COMPRESSIONS: Mapping[str, Callable[[int], Any]] = {
    "zstd": uproot.ZSTD,
    "lz4": uproot.LZ4,
    "zlib": uproot.ZLIB,
    "none": lambda _: None,
}


class RootFileSink(Sink):
    """A ROOT file with one table; equal events give equal bytes."""

    _file: Any
    _first: RootFileSink | None = None  # of several tables in the file, the one that opened it

    def __init__(
        self,
        path: Path,
        metadata: Mapping[str, Any] | None = None,
        *,
        tree: str = "Events",
        compression: Compression | None = None,
    ) -> None:
        super().__init__(path, metadata, compression=compression)
        self._name = tree

    def beside(self, tree: str) -> Self:
        """A sink for another table in the same file.

        This one must have its first chunk, and must be closed after the other; it alone tells
        metadata.
        """
        other = type(self)(self.path, tree=tree, compression=self.compression)
        other._first = self  # noqa: SLF001
        return other

    def _place(self) -> Path:
        return super()._place() if self._first is None else self.path

    def _create(self, path: Path) -> Any:
        """An empty file; given a stream, uproot does not write the temporary name into it."""
        if self._first is not None:
            return self._first._file  # noqa: SLF001
        stream = self._stack.enter_context(path.open("w+b"))
        return uproot.recreate(
            stream,
            compression=_COMPRESSIONS[self._compression.name](self._compression.level),
            uuid_function=lambda: uuid.UUID(int=0),
        )

    @property
    def _compression(self) -> Compression:
        return self.compression or DEFAULT

    def _end(self) -> None:
        if self._first is not None:
            return
        with fixed_time():
            for name, value in self.told.items():
                self._file[name] = canonical_json(value)
            self._file.close()


_CLOCK = threading.Lock()


@contextlib.contextmanager
def new_root_file(path: Path) -> Iterator[Any]:
    """An empty ROOT file, to be filled by name; equal contents give equal bytes."""
    with (
        fixed_time(),
        path.open("w+b") as stream,
        uproot.recreate(stream, uuid_function=lambda: uuid.UUID(int=0)) as file,
    ):
        yield file


@contextlib.contextmanager
def fixed_time() -> Iterator[None]:
    """Let uproot stamp its records with one fixed time, so that equal events give equal bytes.

    ROOT does the same for files opened with `?reproducible`; uproot has no such option.
    """

    class Fixed(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Fixed:
            return cls(1995, 1, 1, tzinfo=tz)

    modules = (_cascade, _cascadentuple, _cascadetree)
    with _CLOCK:
        for module in modules:
            module.datetime = types.SimpleNamespace(datetime=Fixed)
        try:
            yield
        finally:
            for module in modules:
                module.datetime = dt
