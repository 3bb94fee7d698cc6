"""Stage `skim`: the events that are trained on or evaluated, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from operator import add
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import QuarklineError, Rule, WorkError
from quarkline.engine.core.results import Quantity
from quarkline.engine.workflow.stage import Context
from quarkline.events.identity import duplicate_events
from quarkline.events.selection import CutFlow
from quarkline.events.sources import open_source
from quarkline.events.table import TableMetadata, TableSink, read_table
from quarkline.studies.search.cut import TABLE, CutConfig, cut_range
from quarkline.studies.search.readings import NOMINAL, Reading
from quarkline.studies.search.results import SampleSkim, Skim
from quarkline.studies.search.tables import shift_folder, table_name

BAD_FILES = Rule(
    "QL-SEARCH-010",
    "files are readable and hold what the config uses",
    "An unreadable file means missing events. Set `inputs.allow_bad_files` to the number of files "
    "that may be left out; they are listed in the report.",
)
BROKEN_WEIGHT = Rule(
    "QL-SEARCH-011",
    "the weight of an event is a finite number",
    "An event whose weight is NaN or infinite can neither be trained on nor counted. Mend the "
    "weight, or cut the events away.",
)
NO_YIELD = Rule(
    "QL-SEARCH-012",
    "the weights of a class add up to more than nothing",
    "A class is as large as the sum of its weights. With a sum of zero or below, from events of "
    "negative weight or none at all, there is nothing to learn or to expect.",
)
RANGE_ROWS = 500_000


class SkimConfig(Config):
    """What the rows depend on.

    Attributes:
        region: Name of the region.
        cut: What the rows of all samples depend on.
        readings: What is read, in the order of the stage's files.
        classes: Names of the classes.
        roles: Role of each sample.
        missing: Files of the catalog that are not there.
        allow_bad_files: Unreadable files that may be left out.
        unblind: Why blind data are read all the same; None where nothing blind is.
    """

    region: str
    cut: CutConfig
    readings: list[Reading]
    classes: list[str]
    roles: dict[str, str]
    missing: list[str]
    allow_bad_files: int
    unblind: str | None = None


@dataclass(frozen=True)
class _Range:
    """A range of a file, as one item."""

    reading: int
    file: int
    item: Item


def run(context: Context) -> dict[str, Any]:
    """One item a range of a file, then one table a sample and shift."""
    config: SkimConfig = context.config
    bad: dict[Path, str] = {}
    ranges = _ranges(config, context.inputs["files"], bad)
    done = context.map("range", cut_range, [item.item for item in ranges])
    found = list(zip(ranges, done, strict=True))
    paths = _paths(config, context.inputs["files"])
    bad |= {
        paths[part.reading][part.file]: item.value["problem"]
        for part, item in found
        if item.value["problem"]
    }
    _check_bad_files(bad, config.allow_bad_files)
    parts: list[list[Done]] = [[] for _ in config.readings]
    for part, item in found:
        if paths[part.reading][part.file] not in bad:
            parts[part.reading].append(item)
    samples = []
    for reading, files, items in zip(config.readings, paths, parts, strict=True):
        problems = {short(path): bad[path] for path in files if path in bad}
        target = context.out / shift_folder(reading.shift) / table_name(reading.sample)
        found_rows = _sample(reading, len(files), problems, items, target, config)
        samples += [found_rows] if reading.shift == NOMINAL else []
    skim = _skim(config, samples)
    _check_yields(skim, config.classes)
    simulated = sum(sample.selected for sample in skim.samples if sample.role != "data")
    data = sum(sample.selected for sample in skim.samples if sample.role == "data")
    beyond = sum(sample.beyond for sample in skim.samples)
    context.summary(
        f"{simulated:,} simulated · {data:,} data in `{config.region}`"
        + (f" · {beyond:,} beyond it to train on" if beyond else "")
    )
    shifted = context.out / "shifted"
    shifted.mkdir(exist_ok=True)
    return {"events": context.out / "events", "shifted": shifted, "skim": skim}


def short(path: Path) -> str:
    """A file as messages and results name it, without the folder it is in here."""
    return "/".join(path.parts[-3:])


def _paths(config: SkimConfig, paths: Sequence[Path]) -> list[tuple[Path, ...]]:
    """The files of each reading."""
    rest, found = list(paths), []
    for reading in config.readings:
        number = len(reading.trees)
        found.append(tuple(rest[:number]))
        rest = rest[number:]
    return found


def _ranges(config: SkimConfig, paths: Sequence[Path], bad: dict[Path, str]) -> list[_Range]:
    """The ranges of all files; those that cannot be opened are noted in `bad`."""
    cut, pieces_of = config.cut.model_dump(mode="json"), cache(_pieces)
    ranges: list[_Range] = []
    for number, (reading, files) in enumerate(
        zip(config.readings, _paths(config, paths), strict=True)
    ):
        shared = reading.model_dump(mode="json") | {"trees": [], "scales": [], "stop": None}
        left = reading.stop
        for file, path in enumerate(files):
            tree, scale = reading.trees[file], reading.scales[file]
            try:
                pieces = _first(pieces_of(path, tree), left)
            except QuarklineError as error:
                bad[path] = error.findings[0].message
                continue
            left = None if left is None else left - pieces[-1][1]
            for start, stop in pieces:
                args = {"cut": cut, "reading": shared, "tree": tree, "scale": scale}
                args |= {"start": start, "stop": stop}
                name = " ".join(
                    part for part in (reading.sample, reading.shift, short(path)) if part
                )
                name += f" {start:,}" if start else ""
                ranges.append(_Range(number, file, Item(name, args, {"events": path})))
    return ranges


def _pieces(path: Path, tree: str) -> list[tuple[int, int]]:
    """The ranges of one file; one empty range if it has no events."""
    with open_source(path, tree=tree) as source:
        return list(source.ranges(RANGE_ROWS)) or [(0, 0)]


def _first(pieces: list[tuple[int, int]], most: int | None) -> list[tuple[int, int]]:
    """The ranges of the first events only, at least an empty one."""
    if most is None:
        return pieces
    return [(start, min(stop, most)) for start, stop in pieces if start < most] or [(0, 0)]


def _check_bad_files(bad: Mapping[Path, str], allowed: int) -> None:
    if len(bad) > allowed:
        raise WorkError(*(BAD_FILES.finding(f"{short(path)}: {why}") for path, why in bad.items()))


def _sample(
    reading: Reading,
    files: int,
    problems: Mapping[str, str],
    items: Sequence[Done],
    target: Path,
    config: SkimConfig,
) -> SampleSkim:
    """Write the table of a sample; files follow each other by content, not by name or order."""
    if not items:
        what = f"sample `{reading.sample}`: none of its {files} files can be read"
        raise WorkError(BAD_FILES.finding(what, evidence=problems))
    _check_weights(reading, items)
    ordered = sorted(items, key=lambda item: (item.value["source"], item.name))
    flows = [CutFlow.from_json(item.value["flow"]) for item in items]
    flow = reduce(add, flows)
    target.parent.mkdir(parents=True, exist_ok=True)
    metadata = TableMetadata(
        sample=reading.sample, cut_flow=flow, sum_of_weights=flow.sum_weights or None
    )
    _join([item.folder / TABLE for item in ordered], target, metadata)
    return _facts(reading, files, problems, flow, target, config)


def _join(tables: Sequence[Path], target: Path, metadata: TableMetadata) -> None:
    """Write the rows of all ranges as one table, without holding them all."""
    with TableSink(target, metadata) as sink:
        for path in tables:
            with open_source(path) as source:
                for chunk in source.chunks(list(source.schema.columns)):
                    sink.write(chunk.array)


def _check_weights(reading: Reading, items: Sequence[Done]) -> None:
    found = [
        BROKEN_WEIGHT.finding(
            f"sample `{reading.sample}`: {item.name}: the weight of entry {item.value['first']} "
            "is not a finite number",
            suggestion=f"the weight is `{reading.weight}`",
        )
        for item in items
        if item.value["first"] is not None
    ]
    if found:
        raise WorkError(*found)


def _facts(
    reading: Reading,
    files: int,
    problems: Mapping[str, str],
    flow: CutFlow,
    table: Path,
    config: SkimConfig,
) -> SampleSkim:
    """What is in a sample's table."""
    identity = config.cut.identity
    rows = read_table(table, ["_group", "_weight", "_selected", *identity]).array
    selected = ak.to_numpy(rows["_selected"])
    weight = ak.to_numpy(rows["_weight"])[selected]
    repeated = duplicate_events({name: ak.to_numpy(rows[name]) for name in identity})
    group = ak.to_numpy(rows["_group"])[selected]
    total, groups = grouped_yield(weight, group)
    return SampleSkim(
        name=reading.sample,
        role=config.roles[reading.sample],
        label=reading.label,
        files=files - len(problems),
        bad_files=dict(problems),
        flow=flow,
        selected=int(selected.sum()),
        beyond=int((~selected).sum()),
        groups=groups,
        yield_=total,
        zero=int((weight == 0).sum()),
        negative=int((weight < 0).sum()),
        negative_sum=float(weight[weight < 0].sum()),
        duplicates=int(repeated.evidence["repeated"]) if repeated else 0,
    )


def grouped_yield(weight: NDArray[np.float64], group: NDArray[np.int64]) -> tuple[Quantity, int]:
    """A sum of weights, with its error if only groups are independent, and their number."""
    _, inverse = np.unique(group, return_inverse=True)
    sums = np.bincount(inverse, weights=weight)
    error = float(np.sqrt(np.sum(sums**2)))
    return Quantity(float(weight.sum()), error, error), len(sums)


def _skim(config: SkimConfig, samples: Sequence[SampleSkim]) -> Skim:
    shifts = dict.fromkeys(reading.shift for reading in config.readings if reading.shift)
    weights = dict.fromkeys(name for reading in config.readings for name in reading.weights)
    return Skim(config.region, tuple(samples), tuple(shifts), tuple(weights), tuple(config.missing))


def _check_yields(skim: Skim, classes: Sequence[str]) -> None:
    found = []
    for number, name in enumerate(classes):
        samples = [sample for sample in skim.samples if sample.label == number]
        total = sum(sample.yield_.value for sample in samples)
        events = sum(sample.selected for sample in samples)
        if total <= 0:
            flows = "; ".join(
                f"{sample.name}: {sample.flow.events:,} events, {sample.selected:,} in the region"
                for sample in samples
            )
            found.append(
                NO_YIELD.finding(
                    f"class `{name}`: the weights of {events:,} events add up to {total:g}"
                    f" ({flows or 'no sample has a file'})",
                    suggestion="loosen the selection, add files, or merge it with another class",
                )
            )
    if found:
        raise WorkError(*found)
