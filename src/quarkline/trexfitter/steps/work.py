"""What the actions of one job share: its files read once, what they wrote, and where they work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from quarkline.catalog import Catalog
from quarkline.catalog.tlatex import typeset
from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import Task, task_name
from quarkline.engine.compute.local import failures, finished
from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.findings import Finding, Rule, WorkError
from quarkline.engine.store.atomic import write_atomic
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.outputs.layout import Layout

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from quarkline.figures.style import Label

FAILED = Rule(
    "QL-TREX-063",
    "the parts of an action are carried out",
    "Filling and rankings are spread over workers. One of the parts failed; the message says why. "
    "What was written before it stays, and the action may be repeated.",
)

Progress = Callable[[str], None]


def silent(told: str) -> None:
    """Say nothing."""


@dataclass
class Work:
    """A job at work.

    Attributes:
        job: The job.
        executor: What does work in parts.
        tell: Is told what is done now.
        files: What was written.
        findings: What there is to say about it.
        headlines: The results, a sentence each.
    """

    job: Job
    executor: Executor
    tell: Progress = silent
    files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    headlines: list[str] = field(default_factory=list)

    @property
    def catalog(self) -> Catalog:
        """The analysis."""
        return self.job.catalog

    @cached_property
    def layout(self) -> Layout:
        """Names of the job's files."""
        return Layout(self.job.folder, self.job.name, self.job.suffix)

    @cached_property
    def label(self) -> Label:
        """The line above its figures."""
        from quarkline.figures.style import Label

        drawing = self.catalog.drawing
        energy = f" ({typeset(drawing.energy)})" if drawing.energy else ""
        luminosity = typeset(self.catalog.luminosity.label) + energy
        return Label(drawing.experiment, drawing.status, luminosity.strip())

    def write(self, path: Path, content: str) -> None:
        """Write a text file."""
        self.files.append(write_atomic(path, content))

    def draw(self, figure: Figure, stem: Path) -> None:
        """Write a figure in the formats of the job."""
        from quarkline.figures.save import save

        stem.parent.mkdir(parents=True, exist_ok=True)
        self.files += save(figure, stem, formats=self.catalog.drawing.formats)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A hidden folder in the job's, for what parts of an action hand over; it goes with it."""
        self.job.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".work-", dir=self.job.folder) as folder:
            yield Path(folder)


@dataclass(frozen=True)
class Parts:
    """Does parts of an action where the job computes.

    Attributes:
        executor: What does them.
        folder: Where their files go.
        tell: Is told how many are done.
    """

    executor: Executor
    folder: Path
    tell: Progress = silent

    def __call__(self, step: str, task: Task, items: Sequence[Item]) -> list[Done]:
        """The items when all are done, in their order.

        Raises:
            WorkError: If one failed.
        """
        pairs = [(item, self.folder / f"{step}-{number}") for number, item in enumerate(items)]
        outcomes = []
        for outcome in self.executor.map(task_name(task), pairs):
            outcomes.append(outcome)
            self.tell(f"{step}: {len(outcomes)} of {len(items)}")
        if failed := failures(outcomes):
            found = [FAILED.finding(f"{one.name}: {one.reason}") for one in failed]
            raise WorkError(*found)
        return finished(outcomes)
