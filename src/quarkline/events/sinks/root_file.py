"""What TTrees and RNTuples written here have in common: one table in a ROOT file, by uproot."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import types
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import uproot
from uproot.writing import _cascade, _cascadentuple, _cascadetree

from quarkline.engine.core.results import canonical_json
from quarkline.events.sinks.base import Sink

SUFFIXES = (".root",)


class RootFileSink(Sink):
    """A ROOT file with one table; equal events give equal bytes."""

    _file: Any

    def __init__(
        self, path: Path, metadata: Mapping[str, Any] | None = None, *, tree: str = "Events"
    ) -> None:
        super().__init__(path, metadata)
        self._name = tree

    def _create(self, path: Path) -> Any:
        """An empty file; given a stream, uproot does not write the temporary name into it."""
        stream = self._stack.enter_context(path.open("w+b"))
        return uproot.recreate(
            stream, compression=uproot.ZSTD(5), uuid_function=lambda: uuid.UUID(int=0)
        )

    def _end(self) -> None:
        with fixed_time():
            for name, value in self.told.items():
                self._file[name] = canonical_json(value)
            self._file.close()


_CLOCK = threading.Lock()


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
