"""Runs a skim: what is missing or stale is cut range by range, merged and put in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.outcome import Done, Failed, Item
from quarkline.engine.core.findings import Finding, Place, Rule
from quarkline.engine.core.results import jsonable, pretty_json
from quarkline.engine.store.atomic import remove_folder, remove_leftovers, write_atomic
from quarkline.engine.store.keys import content_key
from quarkline.engine.store.locks import lock
from quarkline.engine.store.provenance import provenance
from quarkline.events.skim.inputs import Group, SkimInput
from quarkline.events.skim.outputs import (
    HIDDEN,
    SHORT,
    VERSION,
    OutputRecord,
    ending_of,
    files_of,
    publish,
    what_changed,
    why_stale,
)
from quarkline.events.skim.plan import PlannedOutput, SkimPlan, Watcher
from quarkline.events.skim.results import (
    WEIGHT,
    InputResult,
    SkimResult,
    TreeResult,
    add_up,
    by_sample,
)
from quarkline.events.skim.survey import TreePlan, Wanted, wanted_of
from quarkline.events.skim.tasks import PART, cut_range, write_output
from quarkline.events.table import TableMetadata

RESULT = "skim.json"
PROVENANCE = "provenance.json"

BAD_FILES = Rule(
    "QL-SKIM-020",
    "every input can be used",
    "Files without the tree or a branch, damaged files and files that cannot be read are left out "
    "only if `max_bad_files` allows as many. What is finished is kept; the same command tries the "
    "others again.",
)
NOT_WRITTEN = Rule(
    "QL-SKIM-021",
    "every output can be written",
    "An output failed on every attempt. What is finished is kept; the same command tries the "
    "others again.",
)


@dataclass(frozen=True, eq=False)
class Part:
    """One range of one tree of an input: the item that cuts it, and where its events go."""

    source: SkimInput
    tree: str
    item: Item
    folder: Path


@dataclass(frozen=True)
class SkimRun:
    """What a run of a skim came to.

    Attributes:
        result: Everything that was found; None if something failed.
        made: Outputs made now, with the reason.
        complete: Number of outputs that needed nothing.
        removed: Outputs of an earlier skim that were removed.
        bad: Why an input was left out, by path.
        failures: What failed; empty if the skim is complete.
    """

    result: SkimResult | None
    made: Mapping[str, str]
    complete: int
    removed: tuple[str, ...]
    bad: Mapping[str, str]
    failures: tuple[Finding, ...]


def run_skim(plan: SkimPlan, executor: Executor, watcher: Watcher) -> SkimRun:
    """Make what is missing or stale. Killed at any moment and run again, it ends the same.

    Raises:
        InputError: If the place where the work runs is not there.
    """
    if not plan.pending and not plan.pruned and (plan.config.output / RESULT).exists():
        return _finished(plan, {})
    if plan.pending:
        executor.check()
    hidden = plan.config.output / HIDDEN
    hidden.mkdir(parents=True, exist_ok=True)
    with lock(hidden / "skim.lock", wait=True):
        return _Running(plan, executor, watcher).run()


class _Running:
    """A skim at work, with the lock of its folder."""

    def __init__(self, plan: SkimPlan, executor: Executor, watcher: Watcher) -> None:
        self.plan, self.executor, self.watcher = plan, executor, watcher
        self.config, self.output = plan.config, plan.config.output
        self.records = type(plan.records)(self.output)  # another client may have been at work
        self.items = self.output / HIDDEN / "items"
        self.problems = dict(plan.look.problems)
        self.found: dict[Part, Any] = {}

    def run(self) -> SkimRun:
        (self.output / RESULT).unlink(missing_ok=True)
        self._clear()
        for stem in self.plan.pruned:
            self.records.remove(stem)
        pending = [item for item in self.plan.pending if self._is_stale(item)]
        parts = {item.group.stem: self._parts(item.group) for item in pending}
        self._cut([part for group in parts.values() for part in group])
        allowed = self._bad_files() <= self.config.max_bad_files
        writable = [item for item in pending if allowed or not self._problems_of(item.group)]
        failed = self._write(writable, parts)
        made = {item.group.stem: item.why for item in writable if item.group.stem not in failed}
        plan = replace(self.plan, records=self.records)
        failures = [*failed.values(), *([] if allowed else self._refusals())]
        if failures:
            bad = {item.name: why for item, why in self.problems.items()}
            left = len(plan.outputs) - len(pending)
            return SkimRun(None, made, left, plan.pruned, bad, tuple(failures))
        remove_folder(self.items)
        done = _finished(plan, made)
        self._tell(done)
        return done

    def _clear(self) -> None:
        """Remove what a killed client has left half written; nobody else writes there now."""
        remove_leftovers(self.records.folder)
        for name in (RESULT, PROVENANCE):
            for path in self.output.glob(f".{name}.*.tmp"):
                path.unlink()

    def _is_stale(self, item: PlannedOutput) -> bool:
        """Whether an output is still to be made."""
        record = self.records.by_stem.get(item.group.stem)
        why = why_stale(self.output, item.group, item.config, record)
        return bool(why) or any(found.problem for found in (record.inputs if record else ()))

    def _parts(self, group: Group) -> list[Part]:
        usable = [item for item in group.inputs if item in self.plan.look.plans]
        return [part for item in usable for part in self._parts_of(item)]

    def _parts_of(self, source: SkimInput) -> list[Part]:
        wanted = wanted_of(self.config, source.sample)
        parts = []
        for plan in self.plan.look.plans[source]:
            for start, stop in plan.ranges:
                args = _range_args(source, plan, wanted, start, stop)
                name = f"{source.sample}: {source.name} {plan.tree} [{start}, {stop})"
                item = Item(name, args, {"events": source.path})
                folder = self.items / content_key({"version": VERSION, **args})[:SHORT]
                parts.append(Part(source, plan.tree, item, folder))
        return parts

    def _cut(self, parts: Sequence[Part]) -> None:
        """Cut every range; a file with one that fails is bad."""
        by_folder = {part.folder: part for part in parts}
        items = [(part.item, folder) for folder, part in by_folder.items()]
        values: dict[Path, Any] = {}
        outcomes = self.executor.map(task_name(cut_range), items, retries=self.config.retries)
        for number, ((_, folder), outcome) in enumerate(zip(items, outcomes, strict=True), start=1):
            values[folder] = outcome
            self.watcher.update(number, len(items), outcome.name)
        for part in parts:
            outcome = values[part.folder]
            if isinstance(outcome, Failed):
                self.problems.setdefault(part.source, _reason(outcome))
            elif isinstance(outcome, Done):
                self.found[part] = outcome.value

    def _bad_files(self) -> int:
        """Number of bad files of all outputs, those made now and before."""
        pending = {item.group.stem for item in self.plan.pending}
        before = [
            found
            for item in self.plan.outputs
            if item.group.stem not in pending
            for found in self.records.by_stem[item.group.stem].inputs
        ]
        return len(self.problems) + sum(bool(found.problem) for found in before)

    def _problems_of(self, group: Group) -> list[SkimInput]:
        return [item for item in group.inputs if item in self.problems]

    def _write(
        self, outputs: Sequence[PlannedOutput], parts: Mapping[str, Sequence[Part]]
    ) -> dict[str, Finding]:
        """Write outputs from their parts and publish them; what failed by name of the output."""
        drafts = {}
        for output in outputs:
            good = [p for p in parts[output.group.stem] if p.source not in self.problems]
            drafts[output.group.stem] = _Draft.of(self, output, good)
        items = [(draft.item, draft.folder) for draft in drafts.values() if draft.parts]
        for draft in drafts.values():
            draft.forget_if_lost()
        outcomes = self.executor.map(task_name(write_output), items, retries=self.config.retries)
        failed: dict[str, Finding] = {}
        written = iter(outcomes)
        waiting = [folder for draft in drafts.values() for folder in draft.part_folders]
        for number, (stem, draft) in enumerate(drafts.items(), start=1):
            outcome = next(written) if draft.parts else None
            if isinstance(outcome, Failed):
                failed[stem] = NOT_WRITTEN.finding(_reason(outcome), place=Place(label=stem))
                continue
            draft.publish(outcome.value if outcome else [])
            for folder in draft.part_folders:
                waiting.remove(folder)
                if folder not in waiting:
                    remove_folder(folder)
            self.watcher.update(number, len(drafts), f"writing {stem}")
        return failed

    def _refusals(self) -> list[Finding]:
        return [
            BAD_FILES.finding(why, place=Place(item.path)) for item, why in self.problems.items()
        ]

    def _tell(self, done: SkimRun) -> None:
        """Write what was found, and beside it where and when."""
        told = {"config": self.config.model_dump(mode="json"), **provenance()}
        write_atomic(self.output / PROVENANCE, pretty_json(told))
        content = {
            "schema": "quarkline.results/1",
            "study": "skim",
            "results": {"skim": done.result},
        }
        write_atomic(self.output / RESULT, pretty_json(content))


@dataclass(frozen=True)
class _Draft:
    """An output about to be written."""

    running: _Running
    output: PlannedOutput
    parts: tuple[Part, ...]
    inputs: tuple[InputResult, ...]
    item: Item
    folder: Path
    content: str

    @classmethod
    def of(cls, running: _Running, output: PlannedOutput, parts: Sequence[Part]) -> _Draft:
        inputs = tuple(_input_result(running, item, parts) for item in output.group.inputs)
        names = {part: f"p{number}" for number, part in enumerate(parts)}
        tables = _tables(running, output, inputs, names)
        config = running.config
        args = {
            "format": config.format,
            "compression": config.compression,
            "ending": ending_of(config.format),
            "max_size": None if config.max_size is None else int(config.max_size),
            "tables": tables,
        }
        keys = [part.folder.name for part in parts]
        content = content_key(jsonable({"version": VERSION, "parts": keys, **args}))
        files = {name: part.folder / PART for part, name in names.items()}
        item = Item(output.group.stem, args, files)
        folder = running.items / f"out-{content[:SHORT]}"
        return cls(running, output, tuple(parts), inputs, item, folder, content)

    @property
    def part_folders(self) -> list[Path]:
        return list(dict.fromkeys(part.folder for part in self.parts))

    def forget_if_lost(self) -> None:
        """Write again what was finished before and is now neither here nor in its place."""
        found = self._finished()
        if found is None:
            return
        ending = self.item.args["ending"]
        files = files_of(self.output.group.stem, ending, found)
        for told, file in zip(found, files, strict=True):
            here = (self.folder / told["name"]).exists()
            if not here and what_changed(self.running.output, file):
                remove_folder(self.folder)
                return

    def _finished(self) -> list[dict[str, Any]] | None:
        from quarkline.engine.compute.job import read_finished

        found = read_finished(self.item, self.folder)
        return None if found is None else list(found.value)

    def publish(self, written: Sequence[Mapping[str, Any]]) -> None:
        stem, config = self.output.group.stem, self.output.config
        files = files_of(stem, self.item.args["ending"], written)
        record = OutputRecord(stem, config, self.inputs, self.content, tuple(files))
        publish(self.running.records, record, self.folder, written)
        remove_folder(self.folder)


def _range_args(
    source: SkimInput, plan: TreePlan, wanted: Wanted, start: int, stop: int
) -> dict[str, Any]:
    from quarkline.engine.store.remote import file_size

    return {
        "digest": source.digest,
        "size": file_size(source.path),
        "tree": plan.tree,
        "start": start,
        "stop": stop,
        "keep": list(plan.columns),
        "cuts": [] if plan.copied else [[name, text] for name, text in wanted.cuts.items()],
        "weight": None if plan.copied else wanted.weight,
        "sums": [] if plan.copied else [[name, text] for name, text in wanted.sums.items()],
    }


def _input_result(running: _Running, item: SkimInput, parts: Sequence[Part]) -> InputResult:
    """What was found in an input: its ranges added up, tree by tree."""
    told = InputResult(item.name, item.digest, item.sample, problem=running.problems.get(item, ""))
    if told.problem:
        return told
    cut = [plan.tree for plan in running.plan.look.plans[item] if not plan.copied]
    trees = {}
    for tree in cut:
        own = [part for part in parts if part.source == item and part.tree == tree]
        trees[tree] = add_up(TreeResult.from_json(running.found[part]["result"]) for part in own)
    return replace(told, trees=trees)


def _tables(
    running: _Running,
    output: PlannedOutput,
    inputs: Sequence[InputResult],
    names: Mapping[Part, str],
) -> list[dict[str, Any]]:
    """The tables of an output: their parts in order, counters and metadata."""
    plans: dict[str, TreePlan] = {}
    for item in output.group.inputs:
        if item not in running.problems:
            for plan in running.plan.look.plans[item]:
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
    cut = [table for table in tables if not table["copied"]]
    if len(cut) > 1:
        cut[0]["metadata"]["trees"] = {table["tree"]: table["metadata"] for table in cut[1:]}
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


def _finished(plan: SkimPlan, made: Mapping[str, str]) -> SkimRun:
    """The outcome of a skim that is complete."""
    records = [plan.records.by_stem[item.group.stem] for item in plan.outputs]
    inputs = tuple(found for record in records for found in record.inputs)
    files = tuple(file for record in records for file in record.files)
    result = SkimResult(by_sample(inputs), inputs, files)
    bad = {item.file: item.problem for item in inputs if item.problem}
    return SkimRun(result, made, len(records) - len(made), plan.pruned, bad, ())


def _reason(failed: Failed) -> str:
    """The reason in one line, without the name of the exception's class."""
    return " ".join(failed.reason.partition("Error: ")[2].split()) or failed.reason
