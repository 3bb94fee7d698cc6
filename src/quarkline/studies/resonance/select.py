"""From events to pairs: reads files, picks the pair of each event, and counts what is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import QuarklineError, Rule, WorkError
from quarkline.engine.workflow.stage import Context
from quarkline.events.identity import duplicate_events
from quarkline.events.luminosity import CertifiedSections
from quarkline.events.sources import Chunk, Source, open_source
from quarkline.events.table import TableMetadata, TableSink, read_table
from quarkline.studies.resonance.check_inputs import BAD_FILES
from quarkline.studies.resonance.events import CONTROL, MASS, SIGN_NAMES
from quarkline.studies.resonance.layout import Layout, SelectConfig, pair_names
from quarkline.studies.resonance.pairs import unit
from quarkline.studies.resonance.results import Selection, SelectionStep
from quarkline.studies.resonance.selector import NAN_MASS, Selector, Step, add_counts

EMPTY_SELECTION = Rule(
    "QL-RES-004",
    "the selection keeps events",
    "No pair of the searched sign is left. The cut-flow in the message shows the step that "
    "removed them.",
)
EMPTY_SIDEBAND = Rule(
    "QL-RES-005",
    "both sidebands hold events",
    "The background is learned and fitted on both sides of the window. Without events on one "
    "side there is nothing to interpolate.",
)
EMPTY_TEMPLATES = Rule(
    "QL-RES-040",
    "the background sample holds events in the window",
    "With `ideal`, data in the window are compared with the pairs of `background.files` there, so "
    "some have to pass the selection.",
)


class SelectStageConfig(Config):
    """What the selection depends on.

    Attributes:
        select: What the pairs of one file depend on.
        stops: Entry to stop before, for each file; None reads all.
        allow_bad_files: Unreadable files that may be left out.
    """

    select: SelectConfig
    stops: list[int | None]
    allow_bad_files: int


def run(context: Context) -> dict[str, Any]:
    """Stage `select`: one item a file, then one table of pairs and the cut-flow."""
    pairs, selection = _collect(context)
    _check_selection(selection, context.config.select)
    return {"pairs": pairs, "selection": selection}


def run_background(context: Context) -> dict[str, Any]:
    """Stage `select-background`: the same for files of background, which fill the window alone."""
    pairs, selection = _collect(context)
    _check_background(selection, context.config.select)
    return {"background_pairs": pairs, "background_selection": selection}


def _collect(context: Context) -> tuple[Path, Selection]:
    config: SelectStageConfig = context.config
    select = config.select
    paths: Sequence[Path] = context.inputs["files"]
    args = select.model_dump(mode="json")
    certified = {"certified": context.inputs["certified"][0]} if select.certified else {}
    items = [
        Item(path.name, {"select": args, "stop": stop}, {"file": path} | certified)
        for path, stop in zip(paths, config.stops, strict=True)
    ]
    done = context.map("file", select_file, items)
    bad = {item.name: item.value["problem"] for item in done if item.value["problem"]}
    _check_bad_files(bad, config.allow_bad_files)
    good = [item for item in done if not item.value["problem"]]
    steps = _add_steps([item.value["steps"] for item in good])
    tables = [item.folder / "pairs.parquet" for item in good]
    path = context.out / "pairs.parquet"
    _join(tables, path)
    last, (searched, control) = steps[-1], SIGN_NAMES[select.sign]
    context.summary(
        f"{last.searched:,} pairs of {searched} · {last.control:,} of {control} · "
        f"{steps[0].searched:,} events"
    )
    return path, _selection(tables, steps, bad, select)


def select_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the pairs of one file; an unreadable file is an outcome, not an error."""
    config = SelectConfig.model_validate(args["select"])
    sections = CertifiedSections.read(inputs["certified"]) if config.certified else None
    try:
        with open_source(inputs["file"], tree=config.tree) as source:
            selector = Selector.of(source.schema, config, sections)
            steps = _select(source, selector, args["stop"], folder / "pairs.parquet")
    except QuarklineError as error:
        if any(finding.code == NAN_MASS.code for finding in error.findings):
            raise
        return {"problem": str(error.findings[0]), "steps": []}
    return {"problem": "", "steps": steps}


def _select(source: Source, selector: Selector, stop: int | None, target: Path) -> list[Step]:
    """Write a file's pairs chunk by chunk; returns the cut-flow."""
    units = {name: text for name in pair_names(selector.found) if (text := unit(name))}
    parts = []
    with TableSink(target, TableMetadata(units=units)) as sink:
        for chunk in _limited(source, selector.found, stop):
            steps, columns = selector.select(chunk, source.path)
            parts.append(steps)
            sink.write(ak.Array(columns))
    names = [name for name, *_ in parts[0]]
    return [[name, *add_counts([steps[i] for steps in parts])] for i, name in enumerate(names)]


def _join(tables: Sequence[Path], target: Path) -> None:
    """Write the pairs of all files as one table, in their order, without holding them all."""
    with open_source(tables[0]) as first:
        metadata = TableMetadata(
            units={n: c.unit for n, c in first.schema.columns.items() if c.unit}
        )
    with TableSink(target, metadata) as sink:
        for path in tables:
            with open_source(path) as source:
                for chunk in source.chunks(list(source.schema.columns)):
                    sink.write(chunk.array)


def _limited(source: Source, found: Layout, stop: int | None) -> Iterator[Chunk]:
    for chunk in source.chunks(found.columns):
        if stop is None or chunk.start < stop or chunk.start == 0:
            yield (
                chunk
                if stop is None
                else Chunk(chunk.array[: max(0, stop - chunk.start)], chunk.start, chunk.source_id)
            )


def _add_steps(files: Sequence[Sequence[Step]]) -> list[SelectionStep]:
    names = [row[0] for row in files[0]]
    return [
        SelectionStep(name, *add_counts([file[i] for file in files]))
        for i, name in enumerate(names)
    ]


def _check_bad_files(bad: Mapping[str, str], allowed: int) -> None:
    if len(bad) > allowed:
        raise WorkError(*(BAD_FILES.finding(f"{name}: {problem}") for name, problem in bad.items()))


def _selection(
    tables: Sequence[Path],
    steps: Sequence[SelectionStep],
    bad: Mapping[str, str],
    config: SelectConfig,
) -> Selection:
    names = [MASS, CONTROL, *config.identity]
    pairs = ak.concatenate([read_table(path, names).array for path in tables])
    mass, control = ak.to_numpy(pairs[MASS]), ak.to_numpy(pairs[CONTROL])
    finding = duplicate_events({name: ak.to_numpy(pairs[name]) for name in config.identity})
    return Selection(
        sign=config.sign,
        files=len(tables),
        bad_files=dict(bad),
        steps=tuple(steps),
        regions=_regions(mass[~control], config.window or config.range),
        regions_control=_regions(mass[control], config.window or config.range),
        duplicates=int(finding.evidence["repeated"]) if finding else 0,
    )


def _regions(mass: NDArray[np.float64], window: tuple[float, float]) -> tuple[int, int, int]:
    below, above = int((mass < window[0]).sum()), int((mass >= window[1]).sum())
    return below, len(mass) - below - above, above


def _check_selection(selection: Selection, config: SelectConfig) -> None:
    flow = "; ".join(f"{step.name}: {step.searched:,}" for step in selection.steps)
    low, inside, high = selection.regions
    if low + inside + high == 0:
        raise WorkError(
            EMPTY_SELECTION.finding(f"no {SIGN_NAMES[config.sign][0]} pair is left ({flow})")
        )
    if config.window is None:
        return
    for side, events in (("below", low), ("above", high)):
        if events == 0:
            edge = config.window[0] if side == "below" else config.window[1]
            raise WorkError(
                EMPTY_SIDEBAND.finding(
                    f"the sideband {side} {edge:g} GeV is empty ({flow})",
                    suggestion="loosen the cuts, widen `resonance.range`, or read more files",
                )
            )


def _check_background(selection: Selection, config: SelectConfig) -> None:
    if selection.regions[1] > 0:
        return
    low, high = config.window or config.range
    flow = "; ".join(f"{step.name}: {step.searched:,}" for step in selection.steps)
    raise WorkError(
        EMPTY_TEMPLATES.finding(
            f"no pair of `background.files` lies in {low:g} to {high:g} GeV ({flow})",
            suggestion="give `background.files` more events",
        )
    )
