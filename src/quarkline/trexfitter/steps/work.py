"""What the actions of one job share: its files read once, what they wrote, and where they work."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from quarkline.catalog import Catalog
from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import Task, task_name
from quarkline.engine.compute.local import failures, finished
from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.findings import Finding, Rule, WorkError
from quarkline.engine.store.atomic import write_atomic
from quarkline.statistics.likelihood.many import Spread
from quarkline.trexfitter.job import Job
from quarkline.trexfitter.outputs.hepdata import Conditions, write_hepdata, write_submission
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


@dataclass(kw_only=True)
class Output:
    """What actions write, say and found, and what does their work.

    Attributes:
        folder: Where results are.
        executor: What does work in parts.
        formats: Formats of figures.
        tell: Is told what is done now.
        files: What was written.
        findings: What there is to say about it.
        headlines: The results, a sentence each.
    """

    folder: Path
    executor: Executor
    formats: Sequence[str]
    tell: Progress = silent
    files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    headlines: list[str] = field(default_factory=list)

    def write(self, path: Path, content: str) -> None:
        """Write a text file."""
        self.files.append(write_atomic(path, content))

    def draw(self, figure: Figure, stem: Path) -> None:
        """Write a figure in the formats asked for."""
        from quarkline.figures.save import save

        stem.parent.mkdir(parents=True, exist_ok=True)
        self.files += save(figure, stem, formats=self.formats)

    def take(self, folder: Path, stem: Path) -> None:
        """Take a figure that a worker has drawn, in the formats asked for."""
        stem.parent.mkdir(parents=True, exist_ok=True)
        for suffix in self.formats:
            name = f"{stem.name}.{suffix}"
            self.files.append((folder / name).replace(stem.with_name(name)))

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """What does parts of an action, with a hidden folder for what they hand over."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".work-", dir=self.folder) as folder:
            yield Parts(self.executor, Path(folder), self.tell)

    @contextmanager
    def runner(self) -> Iterator[Spread]:
        """What does many fits."""
        with self.parts() as parts:
            yield Spread(parts, parts.folder)


@dataclass(kw_only=True)
class Work(Output):
    """A job at work.

    Attributes:
        job: The job.
    """

    job: Job

    @classmethod
    def of(cls, job: Job, executor: Executor, tell: Progress = silent) -> Work:
        """The work on a job."""
        formats = job.catalog.drawing.formats
        return cls(folder=job.folder, executor=executor, formats=formats, tell=tell, job=job)

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
        drawing = self.catalog.drawing
        luminosity = self.catalog.luminosity.label
        return label_of(drawing.experiment, drawing.status, luminosity, drawing.energy)

    def write_hepdata(self, name: str, table: Callable[[Conditions], dict[str, Any]]) -> None:
        """Write a table for HEPData, if the job wants them."""
        if self.catalog.drawing.hepdata:
            content = table(self._conditions)
            self.files.append(write_hepdata(self.layout.hepdata(name), content))

    def write_submission(self) -> None:
        """Write the list of the tables for HEPData that are there."""
        folder, catalog = self.layout.hepdata(), self.catalog
        if not catalog.drawing.hepdata or not folder.is_dir():
            return
        end, poi = self.layout.suffix, catalog.poi or ""
        named = {
            "Correlation": "NP correlation matrix",
            f"Ranking{end}_{poi}": f"NP ranking plot for {poi}",
            **{
                f"{region}_{when}": f"{region} {when}"
                for region in catalog.regions
                for when in ("prefit", "postfit")
            },
            "Table_prefit": "Prefit yields",
            "Table_postfit": "Postfit yields",
        }
        files = [(f"{name}.yaml", what) for name, what in named.items()]
        self.files.append(write_submission(folder, files, self._conditions))

    @property
    def _conditions(self) -> Conditions:
        return Conditions(self.catalog.drawing.energy, self.catalog.luminosity.label)


def label_of(experiment: str, status: str, luminosity: str, energy: str) -> Label:
    """The line above a figure, from texts as ROOT spells them."""
    from quarkline.figures.fits.analysis import conditions
    from quarkline.figures.style import Label

    return Label(experiment, status, conditions(luminosity, energy))


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
