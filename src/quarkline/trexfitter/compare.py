"""Two folders of one job side by side: theirs and ours, in units of the errors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.findings import InputError, Rule
from quarkline.engine.core.results import Result
from quarkline.trexfitter.outputs.fits import FitText, read_fit
from quarkline.trexfitter.outputs.pruning import Pruned, read_pruning
from quarkline.trexfitter.outputs.rankings import RankingLine, read_impacts, read_ranking
from quarkline.trexfitter.outputs.tables import YieldTable, read_effects, read_yields
from quarkline.trexfitter.outputs.text import spelt

NOT_A_JOB = Rule(
    "QL-TREX-062",
    "what is compared are two folders of one job",
    "`quarkline trexfitter compare THEIRS OURS` takes the folders that are named after the job and "
    "hold `Fits`, `Tables` and `PruningText.txt`.",
)
SMALL = 1e-3
"""Numbers without error that are below this part of the file's largest are compared with that, so
that what is zero but for rounding does not look far apart."""


@dataclass(frozen=True)
class ComparedNumber:
    """One number of both.

    Attributes:
        name: What it is.
        theirs: Their number.
        ours: Ours.
        their_error: Its error; None without one.
        our_error: Our error.
        unit: What differences are divided by: their error, or their number; None if both are zero.
    """

    name: str
    theirs: float
    ours: float
    their_error: float | None
    our_error: float | None
    unit: float | None

    @property
    def shift(self) -> float | None:
        """Ours minus theirs, in `unit`; None where there is no such number."""
        if not self.unit or not math.isfinite(self.ours - self.theirs):
            return None
        return (self.ours - self.theirs) / self.unit

    @property
    def error_change(self) -> float | None:
        """Relative difference of the errors."""
        if self.their_error is None or self.our_error is None or not self.their_error:
            return None
        return self.our_error / self.their_error - 1

    @property
    def printed_alike(self) -> bool:
        """Whether number and error have the same printed digits."""
        pairs = ((self.theirs, self.ours), (self.their_error, self.our_error))
        return all(_printed(first) == _printed(second) for first, second in pairs)


@dataclass(frozen=True)
class ComparedWord:
    """One word that differs."""

    name: str
    theirs: str
    ours: str


@dataclass(frozen=True)
class ComparedFile:
    """One file of both.

    Attributes:
        name: Its path below the folders.
        numbers: Its numbers.
        words: Entries that differ, where it holds words.
        entries: Number of entries in both.
        only: Entries that only one of them has.
    """

    name: str
    numbers: tuple[ComparedNumber, ...]
    words: tuple[ComparedWord, ...]
    entries: int
    only: tuple[str, ...]

    @property
    def largest_shift(self) -> float:
        """Largest difference in `unit`."""
        return max((abs(number.shift or 0.0) for number in self.numbers), default=0.0)

    @property
    def largest_error_change(self) -> float:
        """Largest relative difference of the errors."""
        return max((abs(number.error_change or 0.0) for number in self.numbers), default=0.0)

    @property
    def alike(self) -> int:
        """Entries that are printed alike."""
        if self.numbers:
            return sum(number.printed_alike for number in self.numbers)
        return self.entries - len(self.words)


@dataclass(frozen=True)
class Comparison(Result, kind="trexfitter-comparison"):
    """Two folders of one job.

    Attributes:
        theirs: Their folder.
        ours: Ours.
        files: What both have.
        missing: What theirs has and ours has not.
    """

    theirs: str
    ours: str
    files: tuple[ComparedFile, ...]
    missing: tuple[str, ...]


Numbers = dict[str, tuple[float, float | None]]


def compare_folders(theirs: Path, ours: Path) -> Comparison:
    """Compare yields, effects of systematics, pruning, fits, rankings and impacts.

    Args:
        theirs: Folder of a job that TRExFitter, or somebody else, has run.
        ours: Folder of the same job.

    Raises:
        InputError: If one is not such a folder, or a file of it cannot be read.
    """
    names = list(_files(theirs))
    for folder in (theirs, ours):
        if not any(_files(folder)):
            message = f"{folder} holds no results of a job"
            hint = "name the folder with `Fits` and `Tables` in it"
            raise InputError(NOT_A_JOB.finding(message, suggestion=hint))
    both = [name for name in names if (ours / name).is_file()]
    found = [_compared(name, theirs / name, ours / name) for name in both]
    absent = tuple(name for name in names if name not in both)
    return Comparison(str(theirs), str(ours), tuple(found), absent)


def _files(folder: Path) -> Iterator[str]:
    patterns = ("PruningText.txt", "Tables/Yields*.txt", "Tables/*_syst*.txt", "Fits/*.txt")
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            yield str(path.relative_to(folder))


def _compared(name: str, theirs: Path, ours: Path) -> ComparedFile:
    if theirs.name == "PruningText.txt":
        return _words(name, read_pruning(theirs), read_pruning(ours))
    read = _reader(theirs.name)
    return _numbers(name, read(theirs), read(ours))


def _reader(name: str) -> Callable[[Path], Numbers]:
    if name.startswith("Yields"):
        return lambda path: dict(_yields(read_yields(path)))
    if "_syst" in name:
        return _effects
    if name.startswith("NPRanking"):
        return lambda path: dict(_shifts(read_ranking(path)))
    if name.startswith("GroupedImpact"):
        return lambda path: {line.name: (line.error, None) for line in read_impacts(path)}
    return lambda path: dict(_parameters(read_fit(path)))


def _yields(table: YieldTable) -> Iterator[tuple[str, tuple[float, float | None]]]:
    regions = _told_apart(table.regions)
    for row in table.rows:
        errors = row.errors or (None,) * len(row.values)
        for region, value, error in zip(regions, row.values, errors, strict=True):
            yield f"{row.title}, {region}", (value, error)


def _told_apart(names: Sequence[str]) -> list[str]:
    """Names of columns, numbered where several have one name."""
    return [
        f"{name} ({names[: at + 1].count(name)})" if names.count(name) > 1 else name
        for at, name in enumerate(names)
    ]


def _effects(path: Path) -> Numbers:
    table = read_effects(path)
    found: Numbers = {}
    samples = _told_apart(table.samples)
    for row in table.rows:
        sides = (("+", row.up),) if row.down is None else (("+", row.up), ("-", row.down))
        for sign, values in sides:
            for sample, value in zip(samples, values, strict=True):
                found[f"{row.title} {sign}, {sample}"] = (value, None)
    return found


def _shifts(lines: Iterable[RankingLine]) -> Iterator[tuple[str, tuple[float, float | None]]]:
    names = ("+", "-", "+ before", "- before")
    for line in lines:
        for name, shift in zip(names, line.shifts, strict=True):
            yield f"{line.name} {name}", (shift, None)


def _parameters(text: FitText) -> Iterator[tuple[str, tuple[float, float | None]]]:
    for line in text.lines:
        yield line.name, (line.value, line.error)
    yield "NLL", (text.nll, None)


def _numbers(name: str, theirs: Numbers, ours: Numbers) -> ComparedFile:
    found = []
    largest = max((abs(value) for value, _ in theirs.values()), default=0.0)
    for what in theirs:
        if what not in ours:
            continue
        (first, first_error), (second, second_error) = theirs[what], ours[what]
        unit = _unit(first, first_error, largest)
        found.append(ComparedNumber(what, first, second, first_error, second_error, unit))
    return ComparedFile(name, tuple(found), (), len(found), _only(theirs, ours))


def _unit(value: float, error: float | None, largest: float) -> float | None:
    """What a difference is divided by: the error, else the number if it is not next to nothing."""
    if error:
        return error
    if error == 0 or not math.isfinite(value):
        return None
    return max(abs(value), SMALL * largest) or None


def _words(name: str, theirs: Pruned, ours: Pruned) -> ComparedFile:
    both = [key for key in theirs if key in ours]
    differing = tuple(
        ComparedWord(", ".join(key), theirs[key], ours[key])
        for key in both
        if theirs[key] != ours[key]
    )
    spelled = ({", ".join(key): word for key, word in found.items()} for found in (theirs, ours))
    return ComparedFile(name, (), differing, len(both), _only(*spelled))


def _only(theirs: Iterable[str], ours: Iterable[str]) -> tuple[str, ...]:
    first, second = set(theirs), set(ours)
    lacking = [f"{name}: only theirs" for name in sorted(first - second)]
    return (*lacking, *(f"{name}: only ours" for name in sorted(second - first)))


def _printed(value: float | None) -> str:
    return "" if value is None else spelt(value)
