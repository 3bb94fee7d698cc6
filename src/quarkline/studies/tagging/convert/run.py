"""Converts all ntuples of a config, on several processes and beside other commands."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from quarkline.engine.compute.executors import Executor
from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.outcome import Failed, Item
from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.engine.core.results import jsonable
from quarkline.engine.store.atomic import make_folder
from quarkline.events.files import expand_files
from quarkline.studies.tagging.convert.config import (
    ConversionConfig,
    ConvertConfig,
    NtuplesConfig,
    NtupleSource,
)
from quarkline.studies.tagging.convert.results import Conversion, ConvertedNtuple
from quarkline.studies.tagging.convert.share import share_ntuple
from quarkline.studies.tagging.convert.task import Wanted

Told = Callable[[int, int, str], None]

SAME_TABLE = Rule(
    "QL-TAG-011",
    "every ntuple has a table of its own",
    "A table has the name of its ntuple, in the folder of its entry. Two ntuples of one name, or "
    "one ntuple as two kinds, would overwrite each other's table: give their entries different "
    "folders.",
)
BAD_NTUPLES = Rule(
    "QL-TAG-012",
    "every ntuple can be converted",
    "An ntuple that is damaged, lacks branches or has others of a wrong type means missing events. "
    "`allow_bad_files` says how many may be left out; they are listed with the reason. What was "
    "converted is kept, and the same command tries the others again.",
)
NOT_A_FOLDER = Rule(
    "QL-TAG-013",
    "tables go into a folder",
    "Each ntuple has its table, so the output of a conversion is a folder, not a file.",
)


@dataclass(frozen=True)
class Ntuple:
    """One ntuple and the name of its table.

    Attributes:
        path: The file.
        name: Name of its table without ending, with the folder before it.
        wanted: How it is converted.
    """

    path: Path
    name: str
    wanted: Wanted


def ntuples_of(
    entries: Sequence[NtuplesConfig], config: ConvertConfig, *, by_kind: bool = False
) -> list[Ntuple]:
    """The ntuples that entries of a config name.

    Args:
        entries: Entries with paths or globs.
        config: Which jets are taken.
        by_kind: Put tables of entries without a folder into one named after their kind.

    Raises:
        InputError: If a pattern matches nothing, or two ntuples would have one table.
    """
    found = [
        Ntuple(
            path,
            (Path(entry.folder or (entry.kind if by_kind else "")) / path.stem).as_posix(),
            Wanted(entry.kind, config.cuts, entry.masses, config.compatibility),
        )
        for entry in entries
        for path in expand_files([str(pattern) for pattern in entry.files], base=Path())
    ]
    first: dict[str, Path] = {}
    clashes = [
        SAME_TABLE.finding(
            f"its table `{item.name}` would be that of {first[item.name]}"
            if item.path != first[item.name]
            else f"it is named twice, for one table `{item.name}`",
            place=Place(item.path),
            suggestion="give one of the entries another `folder`",
        )
        for item in found
        if first.setdefault(item.name, item.path) is not item.path
    ]
    if clashes:
        raise InputError(*clashes)
    return found


def sources_of(listed: Sequence[Ntuple]) -> list[NtupleSource]:
    """The ntuples as the stage `convert` takes them; their paths are its input."""
    return [
        NtupleSource(name=item.name, kind=item.wanted.kind, masses=item.wanted.masses)
        for item in listed
    ]


def run_conversion(config: ConversionConfig, executor: Executor, progress: Told) -> Conversion:
    """Make the tables that are missing or stale. Killed and run again, it ends the same.

    Args:
        config: What is converted.
        executor: Runs one item an ntuple.
        progress: Told the number of ntuples done, of all, and the name of the last one.

    Raises:
        InputError: If a pattern matches nothing, two ntuples would have one table, or the tables
            cannot be written.
    """
    listed = ntuples_of(config.ntuples, config)
    if config.output.is_file():
        raise InputError(
            NOT_A_FOLDER.finding(
                "is a file", place=Place(config.output), suggestion="name a folder for the tables"
            )
        )
    targets = [config.output / f"{item.name}.parquet" for item in listed]
    for folder in dict.fromkeys(target.parent for target in targets):
        make_folder(folder)
    items = [
        Item(item.path.name, jsonable(asdict(item.wanted)), {"ntuple": item.path, "target": target})
        for item, target in zip(listed, targets, strict=True)
    ]
    files = []
    with tempfile.TemporaryDirectory(dir=config.output, prefix=".work-") as work:
        pairs = [(item, Path(work) / str(number)) for number, item in enumerate(items)]
        for item, target, outcome in zip(
            listed, targets, executor.map(task_name(share_ntuple), pairs), strict=True
        ):
            value = (
                {"state": "left out", "why": outcome.reason, "rows": 0, "events": {}}
                if isinstance(outcome, Failed)
                else outcome.value
            )
            files.append(_told(item, target, value))
            progress(len(files), len(items), item.path.name)
    return Conversion(tuple(files))


def refusals(files: Iterable[ConvertedNtuple], allowed: int) -> list[Finding]:
    """A finding for each ntuple that was left out, if there are more than are allowed."""
    bad = [file for file in files if file.state == "left out"]
    if len(bad) <= allowed:
        return []
    return [
        BAD_NTUPLES.finding(
            file.why,
            place=Place(Path(file.file)),
            suggestion=f"mend it, or allow {len(bad)} of them: `allow_bad_files: {len(bad)}`",
        )
        for file in bad
    ]


def _told(item: Ntuple, target: Path, value: dict[str, object]) -> ConvertedNtuple:
    rows = value["rows"]
    return ConvertedNtuple(
        file=str(item.path),
        kind=item.wanted.kind,
        state=value["state"],  # type: ignore[arg-type]
        why=str(value["why"]),
        table=str(target) if rows else "",
        rows=rows,  # type: ignore[arg-type]
        events=dict(value["events"]),  # type: ignore[call-overload]
    )
