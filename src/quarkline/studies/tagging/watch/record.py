"""What is kept of an epoch: enough to draw all its figures without jets or network."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from quarkline.engine.core.results import canonical_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.statistics.tagging import OutputAgreement, OutputHistogram, OutputPart

SCHEMA = "quarkline.epoch/1"
ABOUT = "about"
FOLDER = "epochs"


@dataclass(frozen=True)
class EpochRecord:
    """An epoch of a training.

    Attributes:
        epoch: Its number, from 0.
        history: The quantities of upstream's history, then all other metrics.
        agreement: K-S tests on the control region; None without one.
        histograms: By name of the figure, without the number of the epoch.
    """

    epoch: int
    history: Mapping[str, float]
    agreement: OutputAgreement | None
    histograms: Mapping[str, OutputHistogram]

    def write(self, path: Path) -> Path:
        """Write one npz file; equal records give equal bytes.

        Its array `about` is JSON text (epoch, history, K-S tests, names); of each figure there
        are `NAME/edges` and, class by class, `NAME/counts` and `NAME/variance`.
        """
        arrays: dict[str, Any] = {ABOUT: np.frombuffer(self._about().encode(), dtype=np.uint8)}
        for name, histogram in self.histograms.items():
            arrays[f"{name}/edges"] = np.asarray(histogram.edges)
            for quantity in ("counts", "variance"):
                rows = [getattr(part, quantity) for part in histogram.parts]
                arrays[f"{name}/{quantity}"] = np.asarray(rows, dtype=np.float64)
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        return write_atomic(path, content.getvalue())

    def _about(self) -> str:
        bare = {
            name: replace(
                histogram,
                edges=(),
                parts=tuple(replace(part, counts=(), variance=()) for part in histogram.parts),
            )
            for name, histogram in self.histograms.items()
        }
        about = {"schema": SCHEMA, "epoch": self.epoch, "agreement": self.agreement}
        # a list, for JSON objects are written in alphabetical order
        return canonical_json(
            {**about, "history": list(self.history.items()), "histograms": list(bare.items())}
        )

    @classmethod
    def read(cls, path: Path) -> EpochRecord:
        """Read a record.

        Raises:
            ValueError: If the file is of another schema.
        """
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(arrays[ABOUT].tobytes())
            if about.get("schema") != SCHEMA:
                msg = f"{path} is of schema {about.get('schema')}, not {SCHEMA}"
                raise ValueError(msg)
            histograms = {
                name: _filled(OutputHistogram.from_json(bare), name, arrays)
                for name, bare in about["histograms"]
            }
        agreement = about["agreement"]
        return cls(
            about["epoch"],
            {name: np.nan if value is None else value for name, value in about["history"]},
            OutputAgreement.from_json(agreement) if agreement else None,
            histograms,
        )


def record_path(folder: Path, epoch: int) -> Path:
    """Where the record of an epoch is, below the folder of a training."""
    return folder / FOLDER / f"{epoch:03d}.npz"


def read_records(folder: Path) -> list[EpochRecord]:
    """The records of a training in the order of its epochs."""
    records = [EpochRecord.read(path) for path in (folder / FOLDER).glob("*.npz")]
    return sorted(records, key=lambda record: record.epoch)


def _filled(bare: OutputHistogram, name: str, arrays: Mapping[str, Any]) -> OutputHistogram:
    counts, variance = arrays[f"{name}/counts"], arrays[f"{name}/variance"]
    parts: list[OutputPart] = [
        replace(part, counts=tuple(heights.tolist()), variance=tuple(squares.tolist()))
        for part, heights, squares in zip(bare.parts, counts, variance, strict=True)
    ]
    return replace(bare, edges=tuple(arrays[f"{name}/edges"].tolist()), parts=tuple(parts))
