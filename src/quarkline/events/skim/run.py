"""Runs a skim: what is missing or stale is cut range by range, merged and put in its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.outcome import Failed, Outcome
from quarkline.engine.core.findings import Finding, Place, Rule
from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import make_folder, remove_folder, remove_leftovers, write_atomic
from quarkline.engine.store.locks import lock, remove_abandoned
from quarkline.engine.store.provenance import provenance
from quarkline.events.skim.drafts import Cut, Draft, draft
from quarkline.events.skim.outputs import HIDDEN, Records
from quarkline.events.skim.parts import SkimPart, parts_of
from quarkline.events.skim.plan import PlannedOutput, SkimPlan, SkimWatcher, plan_skim
from quarkline.events.skim.results import SkimResult, TreeResult, by_sample
from quarkline.events.skim.tasks import cut_range, write_output

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


def run_skim(plan: SkimPlan, executor: Executor, watcher: SkimWatcher) -> SkimRun:
    """Make what is missing or stale. Killed at any moment and run again, it ends the same.

    Raises:
        InputError: If the place where the work runs is not there, or the output folder cannot be
            written.
    """
    output = plan.config.output
    hidden = output / HIDDEN
    if plan.complete and (output / RESULT).exists():
        remove_abandoned(hidden)
        return _finished(plan, {})
    if plan.pending:
        executor.check()
    make_folder(hidden)
    with lock(hidden / "skim.lock", wait=True):
        if Records(output).by_stem != plan.records.by_stem:  # another client was at work
            plan = plan_skim(plan.config, prune=bool(plan.pruned), watcher=watcher)
        if plan.complete and (output / RESULT).exists():
            return _finished(plan, {})
        return _Running(plan, executor, watcher).run()


class _Running:
    """A skim at work, with the lock of its folder."""

    def __init__(self, plan: SkimPlan, executor: Executor, watcher: SkimWatcher) -> None:
        self.plan, self.executor, self.watcher = plan, executor, watcher
        self.config, self.output, self.records = plan.config, plan.config.output, plan.records
        self.items = self.output / HIDDEN / "items"
        self.problems = dict(plan.look.problems)

    def run(self) -> SkimRun:
        (self.output / RESULT).unlink(missing_ok=True)
        self._clear()
        for stem in self.plan.pruned:
            self.records.remove(stem)
        pending, plans = self.plan.pending, self.plan.look.plans
        parts = {
            item.group.stem: parts_of(self.config, item.group, plans, self.items)
            for item in pending
        }
        found = self._cut([part for group in parts.values() for part in group])
        cut = Cut(plans, self.problems, found)
        allowed = self._bad_files() <= self.config.max_bad_files
        writable = [item for item in pending if allowed or not self._has_problem(item)]
        drafts = [
            draft(self.config, item, parts[item.group.stem], cut, self.items) for item in writable
        ]
        failures = self._write(drafts) + ([] if allowed else self._refusals())
        failed = {finding.evidence.get("output") for finding in failures}
        made = {item.group.stem: item.why for item in writable if item.group.stem not in failed}
        if failures:
            bad = {item.name: why for item, why in self.problems.items()}
            complete = len(self.plan.outputs) - len(pending)
            return SkimRun(None, made, complete, self.plan.pruned, bad, tuple(failures))
        remove_folder(self.items)
        done = _finished(self.plan, made)
        self._tell(done)
        return done

    def _clear(self) -> None:
        """Remove what a killed client has left half written; nobody else writes there now."""
        remove_leftovers(self.records.folder)
        for name in (RESULT, PROVENANCE):
            for path in self.output.glob(f".{name}.*.tmp"):
                path.unlink()

    def _cut(self, parts: Sequence[SkimPart]) -> dict[SkimPart, TreeResult]:
        """Cut every range; a file with one that fails is bad."""
        folders = {part.folder: part.item for part in parts}
        items = [(item, folder) for folder, item in folders.items()]
        outcomes: dict[Path, Outcome] = {}
        for outcome in self.executor.map(task_name(cut_range), items, retries=self.config.retries):
            outcomes[items[len(outcomes)][1]] = outcome
            self.watcher.update(len(outcomes), len(items), outcome.name)
        found = {}
        for part in parts:
            outcome = outcomes[part.folder]
            if isinstance(outcome, Failed):
                self.problems.setdefault(part.source, _reason(outcome))
            else:
                found[part] = TreeResult.from_json(outcome.value)
        return found

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

    def _has_problem(self, output: PlannedOutput) -> bool:
        return any(item in self.problems for item in output.group.inputs)

    def _write(self, drafts: Sequence[Draft]) -> list[Finding]:
        """Write outputs from their parts and put them in place; what failed."""
        for item in drafts:
            item.forget_if_lost(self.records)
        items = [(item.item, item.folder) for item in drafts if item.parts]
        task, retries = task_name(write_output), self.config.retries
        outcomes = iter(self.executor.map(task, items, retries=retries))
        waiting = Counter(folder for item in drafts for folder in item.part_folders)
        failures = []
        for number, item in enumerate(drafts, start=1):
            outcome = next(outcomes) if item.parts else None
            stem = item.output.group.stem
            if isinstance(outcome, Failed):
                place, evidence = Place(label=stem), {"output": stem}
                finding = NOT_WRITTEN.finding(_reason(outcome), place=place, evidence=evidence)
                failures.append(finding)
                continue
            item.publish(self.records, outcome.value if outcome else [])
            waiting.subtract(item.part_folders)
            for folder in item.part_folders:
                if not waiting[folder]:
                    remove_folder(folder)
            self.watcher.update(number, len(drafts), f"writing {stem}")
        return failures

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
