"""Scores many files: what is missing or stale is made file by file and put in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.outcome import Failed, Item
from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.engine.core.results import jsonable
from quarkline.engine.store.atomic import make_folder, remove_folder, remove_leftovers
from quarkline.engine.store.keys import content_key
from quarkline.engine.store.locks import lock, remove_abandoned
from quarkline.engine.store.remote import file_size
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.inputs import Group, SkimInput, find_inputs, group_inputs
from quarkline.events.skim.outputs import (
    FOREIGN_OUTPUT,
    HIDDEN,
    SHORT,
    OutputRecord,
    Records,
    ending_of,
    files_of,
    publish,
    what_changed,
)
from quarkline.events.skim.plan import SkimWatcher
from quarkline.events.skim.results import InputResult
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.fold_key import ROW_ID, Origin
from quarkline.learning.scoring.tasks import score_file

VERSION = 2
"""Bumped when friends change for equal files and models."""

NOT_SCORED = Rule(
    "QL-SCORE-005",
    "every file can be scored",
    "A file that lacks the tree or a branch, or is damaged, gets no friend. The friends of the "
    "others are made; the same command tries it again.",
)


@dataclass(frozen=True)
class ScoreRequest:
    """How files are scored.

    Attributes:
        model: The model's folder.
        key: Its content key.
        branches: Which scores are written.
        runtime: What computes them.
        trees: Names of the trees; none for the only one.
        origin: What the files hold.
        identity: Columns that identify an event; None for the usual ones.
        format: Format of the friends.
        variations: Replaced columns, by what the names of their scores end in; none by default.
        hidden: Selections, of columns and scores, of events that get NaN instead of a score.
    """

    model: Path
    key: str
    branches: Branches
    runtime: str = "torch"
    trees: tuple[str, ...] = ()
    origin: Origin = Origin.AUTO
    identity: tuple[str, ...] | None = None
    format: str = "root"
    variations: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {"": {}})
    hidden: tuple[str, ...] = ()

    def args(self, digest: str, size: int) -> dict[str, Any]:
        """The arguments of `score_file` for a file of that content."""
        told = {
            "version": VERSION,
            "model": self.key,
            "runtime": self.runtime,
            "digest": digest,
            "size": size,
            "trees": self.trees,
            "branches": {"names": self.branches.names, "numbers": self.branches.numbers},
            "origin": self.origin.value,
            "identity": self.identity,
            "ending": ending_of(self.format),
            "variations": self.variations,
        }
        if self.hidden:
            told["hidden"] = self.hidden
        return dict(jsonable(told))

    def item(self, name: str, path: Path, digest: str) -> Item:
        """The item that scores a file."""
        inputs = {"events": path, "model": self.model}
        return Item(name, self.args(digest, file_size(path)), inputs)


@dataclass(frozen=True)
class ScoredFile:
    """The friend of one file.

    Attributes:
        file: The scored file, by its path below the base folder.
        friend: The friend.
        entries: Number of entries.
        origin: What the file was taken for.
        key: Columns that the fold of an event was a function of; none if one model scored all.
        infinities: Infinite values that were read as missing, by feature.
    """

    file: str
    friend: Path
    entries: int
    origin: Origin
    key: tuple[str, ...]
    infinities: Mapping[str, int]

    @property
    def by_row(self) -> bool:
        """Whether folds hang on this very file, since it does not say which event is which."""
        return self.key == ROW_ID


@dataclass(frozen=True)
class ScoreRun:
    """What scoring came to.

    Attributes:
        friends: The friend of each file that has one.
        made: Number of those that were made now.
        failures: A finding for each file without a friend.
    """

    friends: tuple[ScoredFile, ...]
    made: int
    failures: tuple[Finding, ...]


def score_files(
    request: ScoreRequest,
    files: Sequence[str],
    output: Path,
    *,
    base: Path | None,
    executor: Executor,
    watcher: SkimWatcher,
    files_from: Path | None = None,
    retries: int = 0,
) -> ScoreRun:
    """Make the friends that are missing or stale.

    Args:
        request: How files are scored.
        files: Paths, globs or addresses.
        output: Folder of the friends, each at its file's place below `base`.
        base: Folder of all files; None for the deepest one that holds them all.
        executor: Runs the work, a file an item.
        watcher: Shown how far it is.
        files_from: A text file with further files, one a line.
        retries: How often a failed file is tried again.

    Raises:
        InputError: If a file is missing, or something else than a friend is in the way; nothing
            has been written.
    """
    places = SkimConfig.model_validate(
        {
            "schema": 1,
            "output": output,
            "files": list(files),
            "files_from": files_from,
            "base": base,
        }
    )
    groups = group_inputs(places, find_inputs(places))
    executor.check()
    hidden = output / HIDDEN
    _check_free(output, groups, request)
    make_folder(hidden)
    with lock(hidden / "score.lock", wait=True):
        remove_abandoned(hidden)
        return _Scoring(request, output, groups, executor, watcher, retries).run()


class _Scoring:
    """Friends in the making, with the lock of their folder."""

    def __init__(
        self,
        request: ScoreRequest,
        output: Path,
        groups: Sequence[Group],
        executor: Executor,
        watcher: SkimWatcher,
        retries: int,
    ) -> None:
        self.request, self.output, self.executor = request, output, executor
        self.watcher, self.retries = watcher, retries
        self.records = Records(output)
        self.items = output / HIDDEN / "items"
        self.inputs = {group.stem: group.inputs[0] for group in groups}
        self.failures: list[Finding] = []

    def run(self) -> ScoreRun:
        remove_leftovers(self.records.folder)
        items = {
            stem: self.request.item(source.name, source.path, source.digest)
            for stem, source in self.inputs.items()
            if self._usable(source)
        }
        pending = {stem: item for stem, item in items.items() if self._stale(stem, item)}
        self._make(pending)
        done = [stem for stem in items if stem in self.records.by_stem]
        failed = {finding.evidence["file"] for finding in self.failures}
        friends = [self._friend(stem) for stem in done if self.inputs[stem].name not in failed]
        if not self.failures:
            remove_folder(self.items)
        made = sum(self.inputs[stem].name not in failed for stem in pending)
        return ScoreRun(tuple(friends), made, tuple(self.failures))

    def _usable(self, source: SkimInput) -> bool:
        if source.problem:
            self._fail(source, source.problem)
        return not source.problem

    def _stale(self, stem: str, item: Item) -> bool:
        """Whether a friend is missing, changed, or of other events or another model."""
        record = self.records.by_stem.get(stem)
        if record is None or record.config.get("args") != item.args:
            return True
        return any(what_changed(self.output, file) for file in record.files)

    def _make(self, pending: Mapping[str, Item]) -> None:
        pairs = [(item, self._folder(item)) for item in pending.values()]
        outcomes = self.executor.map(task_name(score_file), pairs, retries=self.retries)
        for number, (stem, outcome) in enumerate(zip(pending, outcomes, strict=True), start=1):
            if isinstance(outcome, Failed):
                reason = outcome.reason.partition("Error: ")[2] or outcome.reason
                self._fail(self.inputs[stem], reason)
            else:
                self._publish(stem, pending[stem], outcome.value, outcome.folder)
            self.watcher.update(number, len(pairs), outcome.name)

    def _folder(self, item: Item) -> Path:
        """Where an item works; what was finished and then lost is made again."""
        folder = self.items / content_key(item.args)[:SHORT]
        finished = list(folder.glob("friend.*"))
        if folder.exists() and not finished:
            remove_folder(folder)
        return folder

    def _publish(self, stem: str, item: Item, told: Mapping[str, Any], folder: Path) -> None:
        source = self.inputs[stem]
        kept = {name: told[name] for name in ("origin", "key", "infinities")}
        record = OutputRecord(
            stem,
            {"args": item.args, **kept},
            (InputResult(source.name, source.digest, source.sample),),
            tuple(files_of(stem, item.args["ending"], [told])),
        )
        publish(self.records, record, folder, [told])
        remove_folder(folder)

    def _friend(self, stem: str) -> ScoredFile:
        record = self.records.by_stem[stem]
        (file,) = record.files
        return ScoredFile(
            record.inputs[0].file,
            self.output / file.file,
            sum(file.entries.values()),
            Origin(record.config["origin"]),
            tuple(record.config["key"]),
            record.config["infinities"],
        )

    def _fail(self, source: SkimInput, why: str) -> None:
        place, evidence = Place(source.path), {"file": source.name}
        self.failures.append(NOT_SCORED.finding(why, place=place, evidence=evidence))


def _check_free(output: Path, groups: Sequence[Group], request: ScoreRequest) -> None:
    """Refuse to replace files that are no friends of ours."""
    records = Records(output)
    paths = [output / f"{group.stem}{ending_of(request.format)}" for group in groups]
    if findings := [
        FOREIGN_OUTPUT.finding("the file exists, and scoring has not made it", place=Place(path))
        for path in paths
        if path.exists() and not records.own(path)
    ]:
        raise InputError(*findings)
