"""Outputs about to be written: their tables, metadata and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.compute.job import read_finished
from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.results import jsonable
from quarkline.engine.store.atomic import remove_folder
from quarkline.engine.store.keys import content_key
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.inputs import SkimInput
from quarkline.events.skim.outputs import (
    SHORT,
    VERSION,
    OutputRecord,
    Records,
    ending_of,
    files_of,
    publish,
    what_changed,
)
from quarkline.events.skim.parts import SkimPart
from quarkline.events.skim.plan import PlannedOutput
from quarkline.events.skim.results import WEIGHT, InputResult, TreeResult, add_up
from quarkline.events.skim.survey import TreePlan
from quarkline.events.skim.tasks import PART
from quarkline.events.table import TableMetadata


@dataclass(frozen=True)
class Cut:
    """What is known once the ranges are cut.

    Attributes:
        plans: The trees of each input that could be looked into.
        problems: Why an input is not used.
        found: What was found in each range.
    """

    plans: Mapping[SkimInput, Sequence[TreePlan]]
    problems: Mapping[SkimInput, str]
    found: Mapping[SkimPart, TreeResult]


@dataclass(frozen=True)
class Draft:
    """An output about to be written.

    Attributes:
        output: The output.
        parts: The ranges it is written from; none if all its inputs are bad.
        inputs: What became of its inputs.
        item: The item that writes it.
        folder: Where that is done.
    """

    output: PlannedOutput
    parts: tuple[SkimPart, ...]
    inputs: tuple[InputResult, ...]
    item: Item
    folder: Path

    @property
    def part_folders(self) -> list[Path]:
        """The folders of its ranges, which another output may share."""
        return list(dict.fromkeys(part.folder for part in self.parts))

    def forget_if_lost(self, records: Records) -> None:
        """Let it be written again if what was finished is neither here nor in its place."""
        found = read_finished(self.item, self.folder)
        if found is None:
            return
        files = files_of(self.output.group.stem, self.item.args["ending"], found.value)
        for told, file in zip(found.value, files, strict=True):
            here = (self.folder / told["name"]).exists()
            if not here and what_changed(records.output, file):
                remove_folder(self.folder)
                return

    def publish(self, records: Records, written: Sequence[Mapping[str, Any]]) -> None:
        """Put the written files in their places, and keep a record of them."""
        stem = self.output.group.stem
        files = files_of(stem, self.item.args["ending"], written)
        record = OutputRecord(stem, self.output.config, self.inputs, tuple(files))
        publish(records, record, self.folder, written)
        remove_folder(self.folder)


def draft(
    config: SkimConfig, output: PlannedOutput, parts: Sequence[SkimPart], cut: Cut, items: Path
) -> Draft:
    """An output from the ranges of its usable inputs.

    Args:
        config: The config.
        output: The output.
        parts: The ranges of all its inputs.
        cut: What is known of them.
        items: Folder of all items.
    """
    good = [part for part in parts if part.source not in cut.problems]
    inputs = [_input_result(item, good, cut) for item in output.group.inputs]
    names = {part: f"p{number}" for number, part in enumerate(good)}
    args = {
        "format": config.format,
        "compression": config.compression,
        "ending": ending_of(config.format),
        "max_size": None if config.max_size is None else int(config.max_size),
        "tables": _tables(output, inputs, names, cut),
    }
    keys = [part.folder.name for part in good]
    content = content_key(jsonable({"version": VERSION, "parts": keys, **args}))
    files = {name: part.folder / PART for part, name in names.items()}
    item = Item(output.group.stem, args, files)
    return Draft(output, tuple(good), tuple(inputs), item, items / f"out-{content[:SHORT]}")


def _input_result(item: SkimInput, parts: Sequence[SkimPart], cut: Cut) -> InputResult:
    """What was found in an input: its ranges added up, tree by tree."""
    told = InputResult(item.name, item.digest, item.sample, problem=cut.problems.get(item, ""))
    if told.problem:
        return told
    own = [part for part in parts if part.source == item]
    trees = {
        plan.tree: add_up(cut.found[part] for part in own if part.tree == plan.tree)
        for plan in cut.plans[item]
        if not plan.copied
    }
    return replace(told, trees=trees)


def _tables(
    output: PlannedOutput,
    inputs: Sequence[InputResult],
    names: Mapping[SkimPart, str],
    cut: Cut,
) -> list[dict[str, Any]]:
    """The tables of an output: their parts in order, counters and metadata."""
    plans: dict[str, TreePlan] = {}
    for item in output.group.inputs:
        if item not in cut.problems:
            for plan in cut.plans[item]:
                plans.setdefault(plan.tree, plan)
    ordered = sorted(plans.values(), key=lambda plan: plan.copied)
    tables: list[dict[str, Any]] = [
        {
            "tree": plan.tree,
            "copied": plan.copied,
            "parts": [name for part, name in names.items() if part.tree == plan.tree],
            "counters": dict(plan.counters),
            "metadata": {} if plan.copied else _metadata(plan, inputs).as_json(),
        }
        for plan in ordered
    ]
    others = [table for table in tables[1:] if not table["copied"]]
    if others:
        tables[0]["metadata"]["trees"] = {item["tree"]: item["metadata"] for item in others}
    return tables


def _metadata(plan: TreePlan, inputs: Sequence[InputResult]) -> TableMetadata:
    good = [item for item in inputs if plan.tree in item.trees]
    samples = list(dict.fromkeys(item.sample for item in good))
    try:
        found: TreeResult | None = add_up(item.trees[plan.tree] for item in good)
    except ValueError:  # samples with cuts or weights of their own do not add up
        found = None
    weight = found.sums.get(WEIGHT) if found else None
    return TableMetadata(
        units={name: column.unit for name, column in plan.columns.items() if column.unit},
        sample=samples[0] if len(samples) == 1 else "",
        tree=plan.tree,
        sum_of_weights=weight.sum_weights if weight else None,
        cut_flow=found.flow if found else None,
        sums=found.sums if found else {},
    )
