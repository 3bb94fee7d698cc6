"""Stage `simulate`: tables of jets, or ntuples for the converter, one item a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.stage import Context
from quarkline.events.sinks import open_sink
from quarkline.events.sinks.parquet import ParquetSink
from quarkline.events.sources.base import record_array
from quarkline.studies.tagging.convert.ntuple import TREE
from quarkline.studies.tagging.convert.table import Columns, own_units
from quarkline.studies.tagging.simulate.config import SimulateConfig
from quarkline.studies.tagging.simulate.samples import (
    SimulatedFile,
    draw_events,
    files,
    table_of,
)

SCHEMA = "quarkline.jets/1"


class SimulateStageConfig(SimulateConfig):
    """What the simulated jets depend on."""

    seed: int


@dataclass(frozen=True)
class SimulatedJets(Result, kind="simulated jets"):
    """What was simulated.

    Attributes:
        jets: Jets in the tables by source, such as `qcd` or `control-data`.
        events: Events by source.
        weights: Sums of the weights of the jets by source.
        files: How many files there are.
    """

    jets: dict[str, int]
    events: dict[str, int]
    weights: dict[str, float]
    files: int


def outputs(config: SimulateConfig) -> tuple[str, ...]:
    """Names of the stage's outputs: folders of folders, one a source, and what is in them."""
    written = {"tables": ("tables",), "ntuples": ("ntuples",), "both": ("tables", "ntuples")}
    return (*written[config.write], "simulated")


def run(context: Context) -> dict[str, Any]:
    """One item a file."""
    config: SimulateStageConfig = context.config
    listed = files(config)
    shared = config.model_dump(mode="json", exclude={"jets", "masses"})
    items = [
        Item(file.name, {"config": shared | _own(file, config), "place": file.place})
        for file in listed
    ]
    done = context.map("file", simulate_file, items)
    counts = {name: Counter[str]() for name in ("jets", "events")}
    weights: Counter[str] = Counter()
    for file, item in zip(listed, done, strict=True):
        for name, count in counts.items():
            count[file.source] += item.value[name]
        weights[file.source] += item.value["weight"]
        for path in sorted(item.folder.iterdir()):
            folder = {".parquet": "tables", ".root": "ntuples"}.get(path.suffix)
            if folder:
                context.place(path, context.out / folder / (file.name + path.suffix))
    context.summary(" · ".join(f"{n:,} {name}" for name, n in counts["jets"].items()) + " jets")
    found = SimulatedJets(dict(counts["jets"]), dict(counts["events"]), dict(weights), len(listed))
    folders = {name: context.out / name for name in outputs(config)[:-1]}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    return folders | {"simulated": found}


def _own(file: SimulatedFile, config: SimulateConfig) -> dict[str, Any]:
    """What else of the config an item depends on: the whole of it, as its place does."""
    return config.model_dump(mode="json", include={"jets", "masses"})


def simulate_file(
    args: Mapping[str, Any],
    inputs: Mapping[str, Path],  # noqa: ARG001
    folder: Path,
) -> Any:
    """Task: one file, as a table, an ntuple or both."""
    config = SimulateStageConfig.model_validate(args["config"])
    file = files(config)[args["place"]]
    events = draw_events(file, config, config.seed)
    told: dict[str, Any] = {"simulation": {"sample": file.sample, "seed": config.seed}}
    if config.write != "tables":
        with open_sink(folder / "events.root", tree=TREE, metadata=told) as sink:
            sink.write(events)
    table, jets = table_of(events, file, config, config.seed)
    if config.write != "ntuples":
        write_jets(folder / "jets.parquet", table, dict(jets.events), told)
    weight = float(np.sum(table["mcEventWeight"], dtype=np.float64))
    return {"jets": len(jets), "events": len(events), "weight": weight}


def write_jets(
    path: Path, table: Columns, events: Mapping[str, int], told: Mapping[str, Any]
) -> None:
    """Write a table of jets.

    Args:
        path: The Parquet file.
        table: Columns of `own_table`, with row ids.
        events: Events by what became of them.
        told: What else the file says about itself.
    """
    arrays = {
        name: values if isinstance(values, ak.Array) else ak.from_numpy(values)
        for name, values in table.items()
    }
    metadata = {
        "schema": SCHEMA,
        "units": own_units(table),
        "scaling": {"kind": "none"},
        "events": dict(events),
        **told,
    }
    with ParquetSink(path, metadata) as sink:
        sink.write(record_array(arrays, len(table["label"])))
