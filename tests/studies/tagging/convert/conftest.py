"""Ntuples that are made up, and an executor without processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.compute.job import attempt
from quarkline.engine.compute.outcome import Item, Outcome
from quarkline.events.sinks import open_sink
from quarkline.studies.tagging.convert import ntuple


class Here:
    """Runs items in this process, one after the other."""

    def check(self) -> None:
        """Nothing can be missing."""

    def map(
        self,
        task: str,
        items: Sequence[tuple[Item, Path]],
        *,
        retries: int = 0,
    ) -> Iterator[Outcome]:
        """Each item's outcome."""
        for item, folder in items:
            yield attempt(task, item, folder)


@pytest.fixture
def here() -> Here:
    return Here()


Invent = Callable[..., ak.Array]


@pytest.fixture
def invent() -> Invent:
    return invented


def invented(seed: int, events: int = 40, *, flat_owners: bool = False, **changed: Any) -> ak.Array:
    """Events with objects of every number, and jets without any, with the branches of all kinds."""
    random = np.random.default_rng(seed)
    counts = {"jet": random.integers(0, 5, events), "clus": random.integers(0, 70, events)}
    counts |= {"track": random.integers(0, 40, events), "MSeg": random.integers(0, 20, events)}
    counts |= {"llp": random.integers(0, 3, events), "HLT": random.integers(0, 3, events)}
    found: dict[str, Any] = {}
    names = {name for kind in ntuple.BRANCHES.values() for name in kind}
    for name in sorted(names - {*ntuple.EVENT, ntuple.WEIGHT}):
        count = counts[name.split("_")[0].replace("cluster", "clus")]
        values: Any = random.normal(0.0, 0.3, count.sum())
        if name.endswith(("pT", "clus_pt")):
            values = random.uniform(25.0, 90.0, len(values))
        elif name in ("llp_Lxy", "llp_Lz"):
            values = random.uniform(0, 5000, len(values))
        elif name.endswith("isBIB"):
            values = random.integers(0, 2, len(values))
        elif name == ntuple.CLUSTER_JET or (flat_owners and name.endswith("jetIndex")):
            values = random.integers(-1, 5, len(values)).astype(np.int32)
        elif name.endswith("jetIndex"):
            times = random.integers(0, 3, len(values))
            owners = random.integers(-1, 5, times.sum()).astype(np.int32)
            values = ak.unflatten(owners, times)
        found[name] = ak.unflatten(values, count)
    numbers = np.arange(events, dtype=np.uint64)
    found |= {"runNumber": np.ones(events, np.uint32), "eventNumber": numbers}
    found["mcEventWeight"] = random.exponential(size=events).astype(np.float32)
    return ak.zip(found | changed, depth_limit=1)


def write_ntuple(path: Path, events: ak.Array, *, drop: Sequence[str] = ()) -> Path:
    """Events as a ROOT file, or as a Parquet one."""
    kept = [name for name in events.fields if name not in drop]
    tree = {} if path.suffix == ".parquet" else {"tree": ntuple.TREE}
    with open_sink(path, **tree) as sink:
        sink.write(events[kept])
    return path


@pytest.fixture
def write() -> Callable[..., Path]:
    return write_ntuple
