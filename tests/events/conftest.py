"""Event tables every format can hold, and files made from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from quarkline.events.sinks import open_sink
from quarkline.events.sources.base import record_array

NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
FLAT = ("bool", *NUMBERS, "float32", "float64")


@pytest.fixture(scope="session")
def events() -> ak.Array:
    """1000 events with every flat type, lists of every type, extremes, text and arrays."""
    return make_events(1000)


def make_events(entries: int) -> ak.Array:
    """Events with every type that both Parquet and TTrees hold."""
    random = np.random.default_rng(5)
    counts = random.integers(0, 4, entries)

    def values(dtype: str, size: int) -> np.ndarray:
        if dtype == "bool":
            return random.random(size) > 0.5
        if dtype in NUMBERS:
            ends = np.iinfo(dtype)
            return random.integers(ends.min, ends.max, size, dtype=dtype, endpoint=True)
        return random.normal(size=size).astype(dtype)

    columns = {f"flat_{dtype}": ak.from_numpy(values(dtype, entries)) for dtype in FLAT}
    for dtype in FLAT:
        columns[f"Jet_{dtype}"] = ak.unflatten(values(dtype, counts.sum()), counts)
    columns["text"] = ak.Array([f"é{number}" for number in range(entries + 1)])[:entries]
    columns["matrix"] = ak.from_numpy(random.normal(size=(entries, 3, 2)).astype("float32"))
    columns["odd"] = ak.from_numpy(np.resize([np.nan, np.inf, -np.inf, -0.0], entries))
    return record_array(columns, entries)


def phenoml_text(entries: int) -> str:
    """Events as PhenoML text, with every object and up to four of them."""
    codes = ("j", "b", "e-", "e+", "m-", "m+", "g")
    lines = []
    for event in range(entries):
        objects = [
            f"{codes[(event + at) % 7]},{1000.5 * (at + 1)},{900 + event},{-1.25 + at},{0.5 * at}"
            for at in range(event % 5)
        ]
        lines.append(";".join([f"{event};ttbar;{0.25 * event};{event + 0.5};-3.1", *objects]))
    return "".join(f"{line};\n" for line in lines)


def lhe_text(entries: int, *, weights: bool = False) -> str:
    """Les Houches events with one to four particles, with or without two further weights."""
    events = []
    for event in range(entries):
        particles = [
            f" {21 + at} 1 0 0 101 0 {event}.5 -1e-3 {at} 7 0.105 0. 9." for at in range(event % 4)
        ]
        extra = "<rwgt><wgt id='up'>1.5</wgt><wgt id='down'>0.5</wgt></rwgt>" if weights else ""
        line = f" {len(particles)} 81 {event}.25 91.2 7.8e-3 0.118"
        events.append("\n".join(["<event>", line, *particles, f"{extra}</event>"]))
    beams = "2212 2212 6500 6500 0 0 7 7 3 1\n1.0 0.1 1.0 81"
    head = f'<LesHouchesEvents version="3.0">\n<init>\n{beams}\n</init>'
    return "\n".join([head, *events, "</LesHouchesEvents>\n"])


TEXTS = {"phenoml": phenoml_text, "lhe": lhe_text}


@pytest.fixture(scope="session")
def text_of() -> Mapping[str, Callable[..., str]]:
    """Makes a file's text from a number of events, by format."""
    return TEXTS


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write events to a file in a new folder, in chunks of `step`."""

    def write(name: str, array: ak.Array, *, step: int | None = None, **options: object) -> Path:
        path = tmp_path / name
        with open_sink(path, **options) as sink:
            sink.write(array[:0])
            for start in range(0, len(array), step or max(1, len(array))):
                sink.write(array[start : start + (step or len(array))])
        return path

    return write


def same(left: ak.Array, right: ak.Array) -> bool:
    """Whether two arrays have equal types and values; NaN equals NaN, -0.0 is not 0.0."""
    left, right = ak.to_packed(left), ak.to_packed(right)
    if str(left.type) != str(right.type):
        return False
    pairs = zip(_buffers(left), _buffers(right), strict=True)
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


def _buffers(array: ak.Array) -> list[np.ndarray]:
    form, _, buffers = ak.to_buffers(array)
    return [np.ascontiguousarray(buffers[key]) for key in form.expected_from_buffers()]


@pytest.fixture(scope="session")
def equal() -> Callable[[ak.Array, ak.Array], bool]:
    """Compares types and values bit by bit."""
    return same
