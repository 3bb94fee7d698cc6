"""Small ntuples, and what runs skims of them in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from quarkline.engine.compute.job import perform, read_finished
from quarkline.engine.compute.outcome import Failed, Item, Outcome
from quarkline.events.skim.config import SkimConfig


class Here:
    """Runs items in this process, and remembers which it was asked for."""

    def __init__(self) -> None:
        self.worked: list[str] = []

    def check(self) -> None:
        """This process is there."""

    def map(
        self, task: str, items: Sequence[tuple[Item, Path]], *, retries: int = 0
    ) -> Iterator[Outcome]:
        for item, folder in items:
            yield read_finished(item, folder) or self._try(task, item, folder)

    def _try(self, task: str, item: Item, folder: Path) -> Outcome:
        self.worked.append(item.name)
        try:
            return perform(task, item, folder)
        except Exception as error:
            return Failed(item.name, f"{type(error).__name__}: {error}", "")


def write_ntuple(path: Path, entries: int, seed: int) -> Path:
    """A file with a tree `nominal` and a tree `sumWeights`, as they come from a farm."""
    random = np.random.default_rng(seed)
    counts = random.integers(0, 4, entries)
    columns = {
        "runNumber": np.full(entries, 300 + seed, np.uint32),
        "eventNumber": np.arange(entries, dtype=np.uint64) + 1_000_000 * seed,
        "weight": random.normal(1.0, 1.0, entries),
        "flag": random.integers(0, 2, entries).astype(np.int8),
        "jets_pt": ak.unflatten(random.exponential(50, counts.sum()).astype("f4"), counts),
        "jets_eta": ak.unflatten(random.normal(0, 2, counts.sum()).astype("f4"), counts),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with uproot.recreate(path) as file:
        kinds = {
            "runNumber": "uint32",
            "eventNumber": "uint64",
            "weight": "float64",
            "flag": "int8",
            "jets_pt": "var * float32",
            "jets_eta": "var * float32",
        }
        tree = file.mktree("nominal", kinds)
        for start in range(0, entries, 100):
            tree.extend({name: values[start : start + 100] for name, values in columns.items()})
        file["sumWeights"] = {"total": np.array([float(seed)]), "events": np.array([entries])}
    return path


def config_of(inputs: Path, output: Path, **keys: object) -> SkimConfig:
    given: dict[str, object] = {"schema": 1, "output": str(output), "tree": "nominal"}
    if "samples" not in keys:
        given["files"] = f"{inputs}/**/*.root"
    return SkimConfig.model_validate(given | keys)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a skim but where and when it was made."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: path.read_bytes()
        for name, path in sorted(files.items())
        if path.is_file() and name != "provenance.json"
    }
