"""Les Houches event files, plain or compressed by gzip, read by pylhe.

The event line gives flat columns, the particle lines lists named `Particle_...`; momenta are in
GeV as the format demands (arXiv:hep-ph/0609017). Weights of `<rwgt>` and `<weights>` are columns
`weight_<id>`. Events are read one after the other, so going back starts at the top.
"""

from __future__ import annotations

import contextlib
import re
import warnings
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from quarkline.events.schema import Column, Schema
from quarkline.events.sources.base import Source
from quarkline.events.sources.problems import TreeInfo, opening, reading, refuse_tree

NAME = "Les Houches events"
SUFFIXES = (".lhe", ".lhe.gz")
START = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<LesHouchesEvents", re.DOTALL)
GZIP = b"\x1f\x8b"
PARTICLE = "Particle_"
WEIGHT = "weight_"

_EVENT = {
    "nparticles": ("int64", "", "number of particles"),
    "pid": ("int64", "", "process"),
    "weight": ("float64", "", "event weight"),
    "scale": ("float64", "GeV", "factorisation scale"),
    "aqed": ("float64", "", "QED coupling"),
    "aqcd": ("float64", "", "QCD coupling"),
}
_PARTICLE = {
    "id": ("int64", "", "PDG code"),
    "status": ("int64", "", "-1 incoming, 1 outgoing, 2 intermediate"),
    "mother1": ("int64", "", "first mother, counted from 1"),
    "mother2": ("int64", "", "last mother, counted from 1"),
    "color1": ("int64", "", "colour line"),
    "color2": ("int64", "", "anticolour line"),
    "px": ("float64", "GeV", ""),
    "py": ("float64", "GeV", ""),
    "pz": ("float64", "GeV", ""),
    "e": ("float64", "GeV", ""),
    "m": ("float64", "GeV", ""),
    "lifetime": ("float64", "mm", "invariant lifetime c tau"),
    "spin": ("float64", "", "cosine of spin and mother's momentum; 9 unknown"),
}


class LheSource(Source):
    """The events of a Les Houches file."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        refuse_tree(path, tree, "a Les Houches file")
        self.path = path
        with opening(path), _complaints():
            entries = _count(path)
            self._weights = _weight_names(path)
        self.schema = _schema(entries, self._weights)
        self._events: Generator[Any] | None = None
        self._position = 0  # the next event that `_events` gives

    def close(self) -> None:
        """Close the file."""
        if self._events is not None:
            self._events.close()

    def _arrays(self, columns: Sequence[str], start: int, stop: int) -> Mapping[str, ak.Array]:
        with reading(self.path, ", ".join(columns), None), _complaints():
            if self._events is None or start < self._position:
                self.close()
                self._events, self._position = _open(self.path).events, 0
            events = list(islice(self._events, start - self._position, stop - self._position))
            self._position = stop
            self._check(events, start, stop)
            return {name: self._column(name, events) for name in columns}

    def _check(self, events: Sequence[Any], start: int, stop: int) -> None:
        if len(events) != stop - start:
            msg = f"events [{start}, {stop}) are {len(events)}"
            raise ValueError(msg)
        for number, event in enumerate(events, start):
            announced, found = event.eventinfo.nparticles, len(event.particles)
            if announced != found:
                msg = f"event {number} announces {announced} particles and has {found}"
                raise ValueError(msg)
            if unknown := set(event.weights) - set(self._weights.values()):
                msg = f"event {number} has a weight `{min(unknown)}` that the first has not"
                raise ValueError(msg)

    def _column(self, name: str, events: Sequence[Any]) -> ak.Array:
        if name in self._weights:
            label = self._weights[name]
            return ak.from_numpy(np.array([event.weights.get(label, np.nan) for event in events]))
        if name in _EVENT:
            values = [getattr(event.eventinfo, name) for event in events]
            return ak.from_numpy(np.array(values, _EVENT[name][0]))
        field = name.removeprefix(PARTICLE)
        flat = [getattr(particle, field) for event in events for particle in event.particles]
        counts = np.array([len(event.particles) for event in events], np.int64)
        return ak.unflatten(np.array(flat, _PARTICLE[field][0]), counts)


def trees(path: Path) -> list[TreeInfo]:
    """The one table of a Les Houches file."""
    with LheSource(path) as source:
        return [TreeInfo("", source.schema.entries, len(source.schema.columns))]


def matches(path: Path, head: bytes) -> bool:  # noqa: ARG001
    """Whether a file, unpacked if it is compressed, begins as a Les Houches file does."""
    if head.startswith(GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, 2 * len(head))
        except zlib.error:
            return False
    return START.match(head) is not None


def _open(path: Path) -> Any:
    import pylhe

    return pylhe.LHEFile.fromfile(path)


def _count(path: Path) -> int:
    """Number of events of a file that is well-formed to its end."""
    import pylhe

    count = int(pylhe.LHEFile.count_events(path))
    if count < 0:
        msg = "the text ends before `</LesHouchesEvents>`"
        raise ValueError(msg)
    return count


def _weight_names(path: Path) -> dict[str, str]:
    """Label of each weight by column: those the header announces, and those of the first event."""
    file = _open(path)
    announced = file.header.initrwgt.list_weights_ids() if file.header else []
    with contextlib.closing(file.events) as events:
        first = next(events, None)
    labels = [*announced, *(first.weights if first else ())]
    return {f"{WEIGHT}{label.strip()}": label for label in labels}


@contextlib.contextmanager
def _complaints() -> Iterator[None]:
    """Let what pylhe only warns of, such as text that is no XML, be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def _schema(entries: int, weights: Mapping[str, str]) -> Schema:
    columns = {
        name: Column(name, dtype, 0, (), unit, title)
        for name, (dtype, unit, title) in _EVENT.items()
    }
    for field, (dtype, unit, title) in _PARTICLE.items():
        columns[PARTICLE + field] = Column(PARTICLE + field, dtype, 1, (), unit, title)
    columns |= {name: Column(name, "float64") for name in weights}
    counters = {PARTICLE + field: "nparticles" for field in _PARTICLE}
    return Schema(columns, entries, None, {"counters": counters})
