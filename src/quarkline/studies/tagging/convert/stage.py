"""Stage `convert`: a table of jets of each ntuple."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.findings import WorkError
from quarkline.engine.core.results import jsonable
from quarkline.engine.workflow.stage import Context
from quarkline.studies.tagging.convert.config import ConvertConfig, NtupleSource
from quarkline.studies.tagging.convert.results import Conversion, ConvertedNtuple, state_of
from quarkline.studies.tagging.convert.run import refusals
from quarkline.studies.tagging.convert.task import TABLE, Wanted, convert_ntuple


class ConvertStageConfig(ConvertConfig):
    """What the tables depend on."""

    sources: list[NtupleSource]


def run(context: Context) -> dict[str, Any]:
    """One item an ntuple."""
    config: ConvertStageConfig = context.config
    ntuples = context.inputs["ntuples"]
    paths = (
        [ntuples / f"{source.name}.root" for source in config.sources]
        if isinstance(ntuples, Path)
        else list(ntuples)
    )
    items = [
        Item(
            source.name,
            jsonable(asdict(Wanted(source.kind, config.cuts, source.masses, config.compatibility))),
            {"ntuple": path},
        )
        for source, path in zip(config.sources, paths, strict=True)
    ]
    tables = context.out / "tables"
    tables.mkdir()
    files = []
    for source, path, done in zip(
        config.sources, paths, context.map("ntuple", convert_ntuple, items), strict=True
    ):
        table = f"{source.name}.parquet" if done.value["rows"] else ""
        if table:
            context.place(done.folder / TABLE, tables / table)
        files.append(
            ConvertedNtuple(
                file=path.name,
                kind=source.kind,
                state=state_of(**done.value),
                why=done.value["why"],
                table=table,
                rows=done.value["rows"],
                events=done.value["events"],
            )
        )
    if problems := refusals(files, config.allow_bad_files):
        raise WorkError(*problems)
    left_out = sum(file.state == "left out" for file in files)
    context.summary(
        f"{sum(file.rows for file in files):,} jets of {len(files)} ntuples"
        + (f" · {left_out} left out" if left_out else "")
    )
    return {"tables": tables, "conversion": Conversion(tuple(files))}
