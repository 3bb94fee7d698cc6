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
from quarkline.studies.tagging.simulate.config import MassPoint, SimulateConfig
from quarkline.studies.tagging.simulate.samples import (
    DATA,
    SimulatedFile,
    draw_events,
    files,
    table_of,
)
from quarkline.studies.tagging.tables import SCHEMA, UNSCALED

WRITTEN = {"jets.parquet": ("tables", ".parquet"), "events.root": ("ntuples", ".root")}
"""Folder and ending that the files of an item get."""


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
    done = context.map("file", simulate_file, [_item(file, config) for file in listed])
    jets, events = Counter[str](), Counter[str]()
    weights: dict[str, float] = {}
    for file, item in zip(listed, done, strict=True):
        jets[file.source] += item.value["jets"]
        events[file.source] += item.value["events"]
        weights[file.source] = weights.get(file.source, 0.0) + item.value["weight"]
        for written, (target, suffix) in WRITTEN.items():
            if (item.folder / written).exists():
                context.place(item.folder / written, context.out / target / (file.name + suffix))
    context.summary(" · ".join(f"{number:,} {name}" for name, number in jets.items()) + " jets")
    found = SimulatedJets(dict(jets), dict(events), weights, len(listed))
    folders = {name: context.out / name for name in outputs(config)[:-1]}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    return folders | {"simulated": found}


def _item(file: SimulatedFile, config: SimulateStageConfig) -> Item:
    """A file with what it depends on, and nothing else of the config."""
    keys = {"seed", "write", "pt", "pile_up"}
    keys |= {"bib": {"impurity"}, "signal": set()}.get(file.source, {"slices"})
    keys |= {"shift"} if file.source in DATA else set()
    point = file.point.model_dump(mode="json") if file.point else None
    own = {"source": file.source, "sample": file.sample, "number": file.number, "jets": file.jets}
    return Item(
        file.name,
        {"file": own, "point": point, "config": config.model_dump(mode="json", include=keys)},
    )


def simulate_file(
    args: Mapping[str, Any],
    inputs: Mapping[str, Path],  # noqa: ARG001
    folder: Path,
) -> Any:
    """Task: one file, as a table, an ntuple or both."""
    config = SimulateStageConfig.model_validate(args["config"])
    point = MassPoint.model_validate(args["point"]) if args["point"] else None
    file = SimulatedFile(**args["file"], point=point)
    events = draw_events(file, config, config.seed)
    told: dict[str, Any] = {"simulation": {"sample": file.sample, "seed": config.seed}}
    if config.write != "tables":
        with open_sink(folder / "events.root", tree=TREE, metadata=told) as sink:
            sink.write(events)
    table, jets = table_of(events, file, config, config.seed)
    if config.write != "ntuples":
        write_jets(folder / "jets.parquet", table, jets.events, told)
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
        "scaling": dict(UNSCALED),
        "events": dict(events),
        **told,
    }
    with ParquetSink(path, metadata) as sink:
        sink.write(record_array(arrays, len(table["label"])))
