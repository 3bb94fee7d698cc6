"""Stage `xaod`: ntuples of xAOD files, by a program that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.findings import Place, WorkError
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.stage import Context
from quarkline.studies.tagging.convert.xaod import FAILED, XaodCommand, made_by

NTUPLE, LOG = "ntuple.root", "log.txt"


class XaodStageConfig(XaodCommand):
    """What the ntuples depend on.

    Attributes:
        names: Names of the ntuples without ending, in the order of the files.
    """

    names: list[str]


@dataclass(frozen=True)
class NtupleEvents(Result, kind="xaod-ntuples"):
    """Events of the ntuples by their names."""

    events: dict[str, int]


def run(context: Context) -> dict[str, Any]:
    """One item an xAOD file."""
    config: XaodStageConfig = context.config
    command = config.model_dump(mode="json", exclude={"names"})
    items = [
        Item(name, command, {"xaod": path})
        for name, path in zip(config.names, context.inputs["xaod"], strict=True)
    ]
    ntuples, events = context.out / "ntuples", {}
    ntuples.mkdir()
    for name, done in zip(config.names, context.map("ntuple", make_ntuple, items), strict=True):
        events[name] = done.value["events"]
        context.place(done.folder / NTUPLE, ntuples / f"{name}.root")
        context.place(done.folder / LOG, ntuples / f"{name}.log")
    context.summary(f"{sum(events.values()):,} events in {len(events)} ntuples")
    return {"ntuples": ntuples, "made": NtupleEvents(events)}


def make_ntuple(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the ntuple of one file, and what the program said.

    Args:
        args: A `XaodCommand` as JSON values.
        inputs: The file as `xaod`.
        folder: Takes the ntuple and the log.

    Raises:
        WorkError: If the program fails or leaves no ntuple.
    """
    log = folder / LOG
    events, why = made_by(XaodCommand(**args), inputs["xaod"], folder / NTUPLE, log)
    if why:
        raise WorkError(FAILED.finding(why, place=Place(inputs["xaod"]), suggestion=f"read {log}"))
    return {"events": events}
