"""Jets in memory, or on disk and looked at as if they were in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.store.npy import NpyWriter, load_mapped
from quarkline.learning.features.arrays import FeatureArrays
from quarkline.learning.features.ragged import RaggedObjects, Rows
from quarkline.studies.tagging.columns import JET, STREAMS

COLUMNS: Mapping[str, tuple[type[np.generic], tuple[int, ...]]] = {
    "jet": (np.float32, (len(JET),)),
    "label": (np.int8, ()),
    "weight": (np.float64, ()),
    "mass": (np.float32, (2,)),
    "event": (np.uint64, ()),
    "row": (np.uint64, ()),
}
"""Type and shape of what is known of each jet."""


@dataclass(frozen=True)
class JetSet:
    """N jets, their constituents in the units of the table they come from.

    Attributes:
        jet: `columns.JET` of each jet, with shape (N, 3).
        streams: Constituents by the name of their stream, with the features `Stream.columns`; no
            more than `Stream.rows` of a jet.
        label: What each jet is, with shape (N,): `columns.Label`; of a control region 0 for
            simulation and 2 for data.
        weight: Weights, with shape (N,).
        mass: Masses mH and mS in GeV, with shape (N, 2); 0 for background.
        event: Which jets belong to one event: equal numbers must not be separated.
        row: A number for each row, which does not depend on where in a file or set it stands.
    """

    jet: NDArray[np.float32]
    streams: Mapping[str, RaggedObjects]
    label: NDArray[np.int8]
    weight: NDArray[np.float64]
    mass: NDArray[np.float32]
    event: NDArray[np.uint64]
    row: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.jet)

    def __getitem__(self, rows: Rows) -> JetSet:
        """Some of the jets, by number, mask or slice."""
        streams = {name: objects[rows] for name, objects in self.streams.items()}
        return JetSet(streams=streams, **{name: getattr(self, name)[rows] for name in COLUMNS})

    @classmethod
    def concatenated(cls, parts: Sequence[JetSet]) -> JetSet:
        """The jets of several sets, one after the other; at least one set."""
        return cls(
            streams={
                name: RaggedObjects.concatenated([part.streams[name] for part in parts])
                for name in parts[0].streams
            },
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS},
        )

    def arrays(self, rows: Rows = slice(None)) -> FeatureArrays:
        """Some of the jets as features of `upstream.INPUTS`, padded."""
        jet = np.asarray(self.jet[rows])
        groups = {
            stream.name: self.streams[stream.name].padded(rows, stream.rows) for stream in STREAMS
        }
        return FeatureArrays(jet, np.zeros((len(jet), 0), np.int64), groups)

    def save(self, folder: Path) -> None:
        """Write the jets into a folder, one `.npy` file an array."""
        with JetWriter(folder, self.jet.shape[1]) as writer:
            writer.append(self)

    @classmethod
    def load(cls, folder: Path) -> JetSet:
        """Jets of a folder, memory-mapped.

        Raises:
            FileNotFoundError: If it is not such a folder.
        """
        streams = {
            stream.name: RaggedObjects(
                load_mapped(folder / f"{stream.name}_values.npy"),
                load_mapped(folder / f"{stream.name}_offsets.npy"),
            )
            for stream in STREAMS
        }
        return cls(
            streams=streams, **{name: load_mapped(folder / f"{name}.npy") for name in COLUMNS}
        )


class JetWriter:
    """Writes jets to a folder part by part; use it as a context manager."""

    def __init__(self, folder: Path, inputs: int = len(JET)) -> None:
        """Begin a folder of jets.

        Args:
            folder: Made if it is missing.
            inputs: Number of columns of `JetSet.jet`.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = 0
        self._folder, self._stack = folder, ExitStack()
        self._columns = {
            name: self._array(name, kind, (inputs,) if name == "jet" else shape)
            for name, (kind, shape) in COLUMNS.items()
        }
        self._values = {
            stream.name: self._array(f"{stream.name}_values", np.float32, (len(stream.columns),))
            for stream in STREAMS
        }
        self._offsets = {
            stream.name: self._array(f"{stream.name}_offsets", np.int64) for stream in STREAMS
        }
        for writer in self._offsets.values():
            writer.append([0])

    def append(self, jets: JetSet) -> None:
        """Add jets to the end."""
        for name, writer in self._columns.items():
            writer.append(getattr(jets, name))
        for name, objects in jets.streams.items():
            inside = objects[:]
            self._offsets[name].append(inside.offsets[1:] + self._values[name].rows)
            self._values[name].append(inside.values)
        self.rows += len(jets)

    def _array(self, name: str, kind: type[np.generic], shape: tuple[int, ...] = ()) -> NpyWriter:
        return self._stack.enter_context(NpyWriter(self._folder / f"{name}.npy", kind, shape))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)
