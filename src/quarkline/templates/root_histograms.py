"""Histograms to and from ROOT files, many at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from uproot.writing.identify import to_TAxis, to_TH1x

from quarkline.events.sinks.root_objects import RootObject, write_root_objects
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.root_layout import Layout

Layouts = dict[tuple[int, int], list[Layout]]
"""Layouts by the number of bytes of histograms and of their names."""
KIND = "TH1D"
ZLIB_START = 9  # bytes of a compressed block before what zlib reads


def write_histograms(
    path: Path, histograms: Iterable[tuple[str, Histogram]], texts: Iterable[tuple[str, str]]
) -> None:
    """Write a ROOT file of histograms and texts; equal contents give equal bytes.

    Args:
        path: The file.
        histograms: Names and histograms; one of unknown entries gets the effective number.
        texts: Names and texts, read after the histograms.
    """

    def objects() -> Iterable[RootObject]:
        writer = _Writer()
        for name, histogram in histograms:
            yield RootObject(KIND, name, "", writer.bytes_of(name, histogram))
        for name, text in texts:
            yield RootObject.of(name, text)

    example = Histogram.empty(np.array([0.0, 1.0]))
    write_root_objects(path, objects(), (root_histogram("", example), "text"))


class _Writer:
    """Makes the bytes of histograms."""

    def __init__(self) -> None:
        self._layouts: dict[tuple[bytes, int], Layout] = {}

    def bytes_of(self, name: str, histogram: Histogram) -> bytes:
        text = name.encode(errors="surrogateescape")
        layout = self._layout(np.asarray(histogram.edges, float), len(text))
        if layout is None:  # of a name that is too long for one
            return bytes(root_histogram(name, histogram).serialize(name=name))
        return layout.written(text, statistics_of(histogram), histogram.squares, histogram.sums)

    def _layout(self, edges: Array, length: int) -> Layout | None:
        """The layout for a binning and a length of names, found by one with numbers of its own."""
        key = (edges.tobytes(), length)
        if key not in self._layouts:
            name, numbers = "n" * length, np.arange(1.0, len(edges) + 2) / 3
            example = root_histogram(name, Histogram(edges, numbers, numbers / 3, 3))
            found = Layout.of(example.serialize(name=name), name, example)
            if found is None:
                return None
            self._layouts[key] = found
        return self._layouts[key]


def root_histogram(name: str, histogram: Histogram) -> Any:
    """A `TH1D` that uproot writes; one of unknown entries gets the effective number."""
    edges = np.asarray(histogram.edges, float)
    return to_TH1x(
        name,
        "",
        np.array(histogram.sums, float),
        *map(float, statistics_of(histogram)),
        np.array(histogram.squares, float),
        to_TAxis("xaxis", "", len(edges) - 1, float(edges[0]), float(edges[-1]), fXbins=edges),
    )


def statistics_of(histogram: Histogram) -> Array:
    """Entries, and the sums of w, w², w x and w x² in the bins that ROOT keeps."""
    edges = np.asarray(histogram.edges, float)
    centres = (edges[:-1] + edges[1:]) / 2
    sums, squares = histogram.contents, histogram.squares[1:-1]
    entries = _effective(histogram) if histogram.entries is None else histogram.entries
    first = sums * centres
    return np.array([entries, sums.sum(), squares.sum(), first.sum(), (first * centres).sum()])


def _effective(histogram: Histogram) -> float:
    total = histogram.squares.sum()
    return float(histogram.sums.sum() ** 2 / total) if total > 0 else 0.0


class HistogramFile:
    """The histograms of an open ROOT file.

    Args:
        path: The file.
        file: The same, opened by uproot.
        layouts: Layouts that other files have shown; this one adds its own.
    """

    def __init__(self, path: Path, file: Any, layouts: Layouts) -> None:
        self._data = path.read_bytes()
        self._file = file
        self._layouts = layouts
        self.names = {name.split(";")[0] for name in file.keys(recursive=False)}

    def text(self, name: str) -> str:
        """A text."""
        return str(self._file[name])

    def histogram(self, name: str, *, counted: bool = True) -> Histogram:
        """A histogram.

        Args:
            name: Its name.
            counted: Whether its number of entries is one.
        """
        key = self._file.key(name)
        data = self._stored(key) if key.fClassName == KIND else b""
        known = self._layouts.setdefault((len(data), len(name)), [])
        for layout in known:
            if found := layout.read(data, counted=counted):
                return found
        stored = self._file[name]
        if data and (fresh := Layout.of(data, name, stored)):
            known.append(fresh)
        return read_histogram(stored, counted=counted)

    def _stored(self, key: Any) -> bytes:
        """The bytes of an object; none of one that is not a single block of zlib's."""
        start = key.fSeekKey + key.fKeylen
        stored = self._data[start : key.fSeekKey + key.fNbytes]
        if len(stored) == key.fObjlen:
            return stored
        size = int.from_bytes(stored[3:6], "little")
        if stored[:2] != b"ZL" or size + ZLIB_START != len(stored):
            return b""
        return zlib.decompress(stored[ZLIB_START:])


def read_histogram(stored: Any, *, counted: bool = True) -> Histogram:
    """A histogram of an open file.

    Args:
        stored: uproot's `TH1`.
        counted: Whether its number of entries is one.
    """
    sums = np.asarray(stored.values(flow=True), float)
    variances = stored.variances(flow=True)
    squares = np.abs(sums) if variances is None else np.asarray(variances, float)
    entries = int(stored.member("fEntries")) if counted else None
    return Histogram(np.asarray(stored.axis().edges(), float), sums, squares, entries)
