"""Write the simulated events of an example."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import awkward as ak

from quarkline.engine.core.findings import InputError, Place, Rule, did_you_mean
from quarkline.engine.core.results import Result
from quarkline.events.files import natural_key
from quarkline.events.sinks import SINKS, open_sink
from quarkline.tools.new import UNKNOWN_EXAMPLE

EXAMPLES: Mapping[str, str] = {
    "spectrum": "quarkline.studies.resonance.simulate.whole_spectrum",
    "upsilon": "quarkline.studies.resonance.simulate.example",
}
"""Module of each example whose events are one table, by the example's name."""

FOLDERS: Mapping[str, str] = {
    "calratio": "quarkline.studies.tagging.simulate.example",
    "leptoquark": "quarkline.studies.search.simulate.example",
}
"""Module of each example that is a folder of samples."""

BAD_SIZE = Rule(
    "QL-RUN-020",
    "a simulated sample has a size that makes sense",
    "`--events` counts all events, those of the signal included; they are shared among one or "
    "more files. Of an example that is a folder of samples it counts the simulated ones; its files "
    "and their shares are fixed.",
)
STRANGE_FILES = Rule(
    "QL-RUN-021",
    "simulated files are written to a folder of their own",
    "A config names inputs by a pattern such as `folder/*.root`. Other files of that kind in the "
    "folder, perhaps left from a sample of more files, would be read as events of this one.",
)


MOST_NEGATIVE = 0.5


class Example(Protocol):
    """What the module of an example offers."""

    TREE: str
    DEFAULT_EVENTS: int

    def default_signal(self, events: int) -> int:
        """Number of signal events among so many, unless the user says otherwise."""

    def blocks(self, events: int, signal: int, seed: int) -> Iterator[ak.Array]:
        """The events in blocks, at least one, be it empty; signal at random places."""

    def composition(self, block: ak.Array) -> Mapping[str, int]:
        """Number of events of each process, by name."""

    def units(self, columns: list[str]) -> Mapping[str, str]:
        """Units of those columns that have one."""


class FolderFile(Protocol):
    """One file of a folder of samples."""

    @property
    def name(self) -> str:
        """Its path below the folder."""

    @property
    def sample(self) -> str:
        """The sample it belongs to."""

    @property
    def events(self) -> int | None:
        """Number of its events; None if only drawing them tells."""

    @property
    def blocks(self) -> Callable[[], Iterator[ak.Array]]:
        """Draws its events in blocks, at least one, be it empty."""


class FolderExample(Protocol):
    """What the module of an example offers that is a folder of samples."""

    TREE: str
    DEFAULT_EVENTS: int
    NEGATIVE: bool

    def files(self, events: int, seed: int, *, negative: float) -> Sequence[FolderFile]:
        """The files, with so many simulated events in all."""

    def next_steps(self, folder: Path) -> tuple[str, ...]:
        """What to type once the files are there."""

    def beside(self, files: Sequence[Any]) -> Mapping[str, str]:
        """Texts that are written beside the files, by name."""

    def units(self, columns: list[str]) -> Mapping[str, str]:
        """Units of those columns that have one."""


@dataclass(frozen=True)
class SimulationResult(Result, kind="simulation"):
    """What was written.

    Attributes:
        example: Name of the example.
        files: The files, in order of their events.
        tree: Name of the tree.
        events: Number of events in all files.
        seed: The seed they were drawn with.
        composition: Number of events of each process or sample, by name.
        next_steps: What to type to use them.
    """

    example: str
    files: tuple[str, ...]
    tree: str
    events: int
    seed: int
    composition: dict[str, int]
    next_steps: tuple[str, ...]


def simulate(
    example: str,
    output: str | Path,
    *,
    events: int | None = None,
    signal: int | None = None,
    seed: int = 1,
    files: int = 1,
    negative: float = 0.0,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> SimulationResult:
    """Simulate an example's events and write them.

    Args:
        example: Name of the example.
        output: A file ending in `.root` or `.parquet`, or a folder for `EXAMPLE_00.root`, ...
        events: Number of events, signal included; None means the example's own.
        signal: Number of signal events among them; None means the example's share.
        seed: Equal seeds give equal events, in however many files.
        files: Number of files the events are shared among, in order.
        negative: Fraction of events with negative weights, in those samples of a folder whose
            generators have such.
        progress: Told the number of events written and to be written.

    Raises:
        InputError: If the example is unknown, the numbers make no sense, or the folder holds
            other files.
    """
    if example in FOLDERS:
        _check_folder(example, Path(output), signal, files)
        return _simulate_folder(example, Path(output), events, seed, negative, progress)
    source = _example(example)
    if negative:
        what = f"`{example}` has no weights that could be negative"
        raise InputError(BAD_SIZE.finding(what, suggestion="leave `--negative` out"))
    events = source.DEFAULT_EVENTS if events is None else events
    signal = source.default_signal(events) if signal is None else signal
    _check_size(events, signal, files)
    paths = _paths(Path(output), example, files)
    drawn = {"example": example, "events": events, "signal": signal, "seed": seed}
    counted: Counter[str] = Counter()
    done = 0
    blocks = _Blocks(source.blocks(events, signal, seed))
    for number, path in enumerate(paths):
        stop = events * (number + 1) // files
        metadata = {"simulation": drawn, "units": source.units(blocks.current.fields)}
        with open_sink(path, tree=source.TREE, metadata=metadata) as sink:
            for part in blocks.take(stop - done):
                sink.write(part)
                counted.update(source.composition(part))
                done += len(part)
                progress(done, events)
    names = tuple(str(path) for path in paths)
    run = f"quarkline run {example}.yaml --set inputs.files={_pattern(example, names)}"
    steps = (f"quarkline new {example}", run)
    return SimulationResult(example, names, source.TREE, events, seed, dict(counted), steps)


def _pattern(example: str, files: Sequence[str]) -> str:
    """A path or glob that names the files, for a shell."""
    if len(files) == 1:
        return files[0]
    return f"'{Path(files[0]).parent / f'{example}_*.root'}'"


def _simulate_folder(
    example: str,
    folder: Path,
    events: int | None,
    seed: int,
    negative: float,
    progress: Callable[[int, int], None],
) -> SimulationResult:
    source = cast("FolderExample", importlib.import_module(FOLDERS[example]))
    events = source.DEFAULT_EVENTS if events is None else events
    _check_size(events, 0, 1)
    if negative and not source.NEGATIVE:
        what = f"`{example}` has no weights that could be negative"
        raise InputError(BAD_SIZE.finding(what, suggestion="leave `--negative` out"))
    if not 0 <= negative < MOST_NEGATIVE:
        raise InputError(
            BAD_SIZE.finding(
                f"{negative:g} of the weights negative: their sum would vanish",
                suggestion=f"give `--negative` from 0 to below {MOST_NEGATIVE}",
            )
        )
    listed = source.files(events, seed, negative=negative)
    _refuse_strange(folder, folder.rglob("*.root"), {folder / file.name for file in listed})
    drawn = {"example": example, "events": events, "seed": seed, "negative": negative}
    total, done = sum(file.events or 0 for file in listed) or events, 0
    counted: Counter[str] = Counter()
    for file in listed:
        (folder / file.name).parent.mkdir(parents=True, exist_ok=True)
        blocks = _Blocks(file.blocks())
        metadata = {"simulation": drawn, "units": source.units(blocks.current.fields)}
        with open_sink(folder / file.name, tree=source.TREE, metadata=metadata) as sink:
            for part in blocks.rest() if file.events is None else blocks.take(file.events):
                sink.write(part)
                done += len(part)
                counted[file.sample] += len(part)
                progress(done, total)
    for name, text in source.beside(listed).items():
        (folder / name).write_text(text, encoding="utf-8")
    return SimulationResult(
        example,
        tuple(str(folder / file.name) for file in listed),
        source.TREE,
        done,
        seed,
        dict(counted),
        source.next_steps(folder),
    )


class _Blocks:
    """A stream of blocks that is taken by numbers of events."""

    def __init__(self, blocks: Iterator[ak.Array]) -> None:
        self.blocks = blocks
        self.current = next(blocks)

    def rest(self) -> Iterator[ak.Array]:
        """All events that are left, at least an empty part."""
        yield self.current
        yield from self.blocks

    def take(self, wanted: int) -> Iterator[ak.Array]:
        """The next `wanted` events in parts; an empty part first, which fixes the columns."""
        yield self.current[:0]
        while wanted:
            if not len(self.current):
                self.current = next(self.blocks)
            part, self.current = self.current[:wanted], self.current[wanted:]
            wanted -= len(part)
            yield part


def _example(name: str) -> Example:
    if name not in EXAMPLES:
        raise InputError(
            UNKNOWN_EXAMPLE.finding(
                f"there is no example `{name}` to simulate",
                suggestion=did_you_mean(name, {**EXAMPLES, **FOLDERS}, what="examples"),
            )
        )
    return cast("Example", importlib.import_module(EXAMPLES[name]))


def _check_folder(example: str, output: Path, signal: int | None, files: int) -> None:
    hints = {
        "leave `--signal` out; `--events` sets the size of all": signal is not None,
        "leave `--files` out; `--events` sets the size of all": files != 1,
        f"name a folder: -o {output.with_suffix('')}": output.suffix.lower() in _endings(),
    }
    for hint, given in hints.items():
        if given:
            what = f"`{example}` is a folder of samples, whose files and shares are fixed"
            raise InputError(BAD_SIZE.finding(what, suggestion=hint))


def _endings() -> set[str]:
    return {ending for form in SINKS.values() for ending in form.suffixes}


def _check_size(events: int, signal: int, files: int) -> None:
    if events < 0 or files < 1:
        raise InputError(
            BAD_SIZE.finding(
                f"{events} events in {files} files",
                suggestion="give `--events` 0 or more and `--files` 1 or more",
            )
        )
    if not 0 <= signal <= events:
        raise InputError(
            BAD_SIZE.finding(
                f"{signal} signal events among {events} events",
                suggestion=f"give `--signal` from 0 to {events}, or more `--events`",
            )
        )


def _paths(output: Path, example: str, files: int) -> list[Path]:
    """The files to write: `output` itself if it is named as a file, else files in that folder."""
    if output.suffix.lower() not in _endings():
        return _in_folder(output, [f"{example}_{number:02d}.root" for number in range(files)])
    if files == 1:
        return [output]
    raise InputError(
        BAD_SIZE.finding(
            f"`{output}` is one file, and `--files {files}` asks for more",
            suggestion=f"name a folder: -o {output.with_suffix('')} --files {files}",
        )
    )


def _in_folder(folder: Path, names: list[str]) -> list[Path]:
    paths = [folder / name for name in names]
    _refuse_strange(folder, folder.glob("*.root"), set(paths))
    return paths


def _refuse_strange(folder: Path, there: Iterable[Path], known: set[Path]) -> None:
    """Refuse a folder that holds other ROOT files than those that are written."""
    strange = [path for path in there if path not in known]
    if strange:
        first = min(strange, key=natural_key).name
        raise InputError(
            STRANGE_FILES.finding(
                f"the folder holds `{first}`"
                + (f" and {len(strange) - 1} other ROOT files" if len(strange) > 1 else ""),
                place=Place(file=folder),
                suggestion="choose another folder, or remove what is not needed",
            )
        )
