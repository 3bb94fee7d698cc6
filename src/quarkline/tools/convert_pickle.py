"""Turn the pickles of dimuonAD and `resonance_ad` into event files that a run reads."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from quarkline.engine.compute.job import task_name
from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.compute.outcome import Failed, Item, Outcome
from quarkline.engine.compute.threads import available_cores
from quarkline.engine.core.findings import (
    Finding,
    InputError,
    Place,
    QuarklineError,
    Rule,
    Severity,
    WorkError,
)
from quarkline.engine.core.results import Result
from quarkline.engine.store.atomic import remove_folder
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import SHORT, content_key
from quarkline.engine.store.locks import lock
from quarkline.events.files import expand_files, natural_key
from quarkline.events.pickles import read_pickle
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import record_array
from quarkline.studies.resonance.simulate.example import units

PICKLE_NAMES = Rule(
    "QL-RUN-040",
    "a pickle's name says what it holds",
    "dimuonAD wrote two pickles for each ROOT file: `all_mu_<index>` with muons and trigger "
    "flags, `all_jet_<index>` with jets, missing energy and vertices. The index, a number or the "
    "ROOT file's own name, joins them and becomes part of each event's identity.",
)
DIFFERENT_EVENTS = Rule(
    "QL-RUN-041",
    "the two pickles of a ROOT file hold the same events",
    "Muons and jets are joined entry by entry, so both pickles have the same number of entries, "
    "and branches in both are equal.",
)
OWN_COLUMNS = Rule(
    "QL-RUN-042",
    "`file` and `entry` identify converted events",
    "The pickles hold no run and event numbers, so the file's index and the entry in it take "
    "their place, in columns `file` and `entry`. A branch of such a name would be lost.",
)
NOT_CONVERTED = Rule(
    "QL-RUN-043",
    "every pickle is converted",
    "A pickle could not be converted. The others were, and are kept: run the same command again "
    "once the cause is gone.",
)

VERSION = 1  # bump when equal pickles give another file
IDENTITY = ("file", "entry")
EVENTS = "events.parquet"


@dataclass(frozen=True)
class PickledFile:
    """The pickles of one ROOT file.

    Attributes:
        index: What follows `all_mu_` in their names.
        muons: The muon pickle.
        jets: The jet pickle, None if it is not converted.
    """

    index: str
    muons: Path
    jets: Path | None

    @property
    def inputs(self) -> dict[str, Path]:
        """The pickles by what they hold."""
        return {"muons": self.muons} | ({"jets": self.jets} if self.jets else {})

    @property
    def number(self) -> int:
        """The index if it is a number, else the first 8 bytes of its blake2b hash."""
        if self.index.isdecimal() and int(self.index) < 2**63:
            return int(self.index)
        return int.from_bytes(blake2b(self.index.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class ConvertedFile:
    """One file of events.

    Attributes:
        index: Index of the ROOT file it comes from.
        path: Where it is.
        state: `converted` or, if it was there already, `kept`.
        events: Number of events.
        columns: Number of columns.
    """

    index: str
    path: str
    state: str
    events: int
    columns: int


@dataclass(frozen=True)
class PickleConversion(Result, kind="pickle-conversion"):
    """What was converted.

    Attributes:
        files: The files of events, in the order of their indices.
        pattern: A glob that names them.
        identity: Columns that identify an event: what `inputs.identity` takes.
        missing: Columns that some files lack, with the indices of those files.
    """

    files: tuple[ConvertedFile, ...]
    pattern: str
    identity: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]


def convert_pickles(
    patterns: Sequence[str],
    output: Path,
    *,
    workers: int | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,  # noqa: ARG005
) -> PickleConversion:
    """Convert pickles to one Parquet file of events for each ROOT file they came from.

    Nothing in the pickles is imported or called. A file that is there already, made from pickles
    of the same content, is kept.

    Args:
        patterns: Paths or globs of `all_mu_<index>` and `all_jet_<index>`; jets may be left out.
        output: Folder for `events_<index>.parquet`.
        workers: Number of processes; None means all cores.
        progress: Told the number of files done, of all files, and the index of the last one.

    Raises:
        InputError: If names do not pair, before anything is written.
        WorkError: With a finding for each pickle that could not be converted.
    """
    pickled = pair_pickles(expand_files(patterns, base=Path()))
    wanted = {item.index: _origin(item) for item in pickled}
    output.mkdir(parents=True, exist_ok=True)
    work = output / ".converting"
    with lock(output / ".convert.lock"):
        fresh = [item for item in pickled if _told(output, item.index) != wanted[item.index]]
        progress(len(pickled) - len(fresh), len(pickled), "")
        items = [
            (
                Item(
                    item.index, {"number": item.number, "origin": wanted[item.index]}, item.inputs
                ),
                work / f"{item.index}-{content_key(wanted[item.index])[:SHORT]}",
            )
            for item in fresh
        ]
        problems: list[Finding] = []
        pool = LocalWorkers(workers or available_cores(), device="cpu")
        for done, outcome in enumerate(pool.map(task_name(convert_file), items)):
            problems += _publish(outcome, output)
            progress(len(pickled) - len(fresh) + done + 1, len(pickled), outcome.name)
        remove_folder(work)
    if problems:
        with contextlib.suppress(OSError):  # it holds what was converted before or now
            output.rmdir()
        raise WorkError(*problems)
    return _summary(pickled, output, {item.index for item in fresh})


def pair_pickles(paths: Sequence[Path]) -> list[PickledFile]:
    """Muon and jet pickles joined by their index, in natural order.

    Raises:
        InputError: If a name says neither, an index repeats, or a pickle has no partner.
    """
    found: dict[str, dict[str, Path]] = {"mu": {}, "jet": {}}
    findings = []
    for path in paths:
        match = re.fullmatch(r"all_(mu|jet)_(.+)", path.name)
        if not match:
            findings.append(
                PICKLE_NAMES.finding(
                    "the name is neither `all_mu_<index>` nor `all_jet_<index>`",
                    place=Place(file=path),
                    suggestion="name the pickles alone, for example 'data/all_*'",
                )
            )
        elif (first := found[match[1]].setdefault(match[2], path)) != path:
            findings.append(
                PICKLE_NAMES.finding(f"{first} has the same index", place=Place(file=path))
            )
    findings += _partners(found["mu"], found["jet"])
    if findings:
        raise InputError(*findings)
    indices = sorted(found["mu"], key=lambda index: natural_key(Path(index)))
    return [PickledFile(index, found["mu"][index], found["jet"].get(index)) for index in indices]


def _partners(muons: Mapping[str, Path], jets: Mapping[str, Path]) -> list[Finding]:
    """Findings on pickles without a partner; jets may be left out altogether."""
    lonely = [(jets[index], f"all_mu_{index}") for index in jets if index not in muons]
    if jets:
        lonely += [(muons[index], f"all_jet_{index}") for index in muons if index not in jets]
    return [
        PICKLE_NAMES.finding(
            f"there is no `{partner}` among the pickles",
            place=Place(file=path),
            suggestion="name both of each ROOT file, or muons alone: 'data/all_mu_*'",
        )
        for path, partner in lonely
    ]


def convert_file(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    """Task: the pickles of one ROOT file as one file of events; a bad pickle is an outcome."""
    try:
        branches = _joined(inputs)
    except QuarklineError as error:
        return {"problems": [_packed(finding) for finding in error.findings]}
    entries = len(next(iter(branches.values())))
    own = {
        "file": ak.from_numpy(np.full(entries, args["number"], np.uint64)),
        "entry": ak.from_numpy(np.arange(entries, dtype=np.uint64)),
    }
    columns = own | branches
    metadata = {"origin": args["origin"], "units": units(list(columns))}
    with open_sink(folder / EVENTS, metadata=metadata) as sink:
        sink.write(record_array(columns, entries))
    return {"problems": []}


def _joined(inputs: Mapping[str, Path]) -> dict[str, ak.Array]:
    """The branches of both pickles, entry by entry.

    Raises:
        InputError: If a pickle cannot be read, or they do not hold the same events.
    """
    muons = read_pickle(inputs["muons"])
    jets = read_pickle(inputs["jets"]) if "jets" in inputs else {}
    place = Place(file=inputs["muons"])
    if taken := [name for name in IDENTITY if name in muons or name in jets]:
        raise InputError(
            OWN_COLUMNS.finding(
                f"there is a branch `{taken[0]}` already",
                place=place,
                suggestion="rename it where the pickle is made",
            )
        )
    lengths = {len(array) for pickle in (muons, jets) for array in pickle.values()}
    different = [name for name in muons if name in jets and not _equal(muons[name], jets[name])]
    if len(lengths) > 1 or different:
        what = (
            f"`{different[0]}` is not that of {inputs['jets']}"
            if different
            else f"it has {len(next(iter(muons.values()))):,} entries, {inputs['jets']} has "
            f"{len(next(iter(jets.values()))):,}"
        )
        suggestion = "take both pickles from one download or one job"
        raise InputError(DIFFERENT_EVENTS.finding(what, place=place, suggestion=suggestion))
    return muons | jets


def _equal(first: ak.Array, second: ak.Array) -> bool:
    return bool(ak.array_equal(first, second, equal_nan=True))


def _origin(item: PickledFile) -> dict[str, Any]:
    """What a file of events was made from: its key."""
    pickles = {name: file_key(path).digest for name, path in item.inputs.items()}
    return {"kind": "pickle", "version": VERSION, "index": item.index, "pickles": pickles}


def _target(output: Path, index: str) -> Path:
    return output / f"events_{index}.parquet"


def _told(output: Path, index: str) -> object:
    """The origin that a file of events tells, None if it is not there or not whole."""
    path = _target(output, index)
    try:
        with open_source(path) as source:
            told = source.schema.metadata["quarkline"]
            return told.get("origin") if isinstance(told, Mapping) else None
    except InputError:
        return None


def _publish(outcome: Outcome, output: Path) -> list[Finding]:
    """Give a converted file its place; findings if there is none."""
    if isinstance(outcome, Failed):
        return [NOT_CONVERTED.finding(f"index {outcome.name}: {outcome.reason}")]
    if problems := outcome.value["problems"]:
        return [_unpacked(problem) for problem in problems]
    (outcome.folder / EVENTS).replace(_target(output, outcome.name))
    return []


def _packed(finding: Finding) -> dict[str, Any]:
    """A finding as JSON values, which may cross process borders."""
    place = finding.place or Place()
    return {
        "code": finding.code,
        "message": finding.message,
        "rule": finding.rule,
        "suggestion": finding.suggestion,
        "file": str(place.file),
        "label": place.label,
    }


def _unpacked(packed: Mapping[str, Any]) -> Finding:
    place = Place(file=Path(packed["file"]), label=packed["label"])
    kept = {name: packed[name] for name in ("code", "message", "rule", "suggestion")}
    return Finding(severity=Severity.ERROR, place=place, **kept)


def _summary(pickled: Sequence[PickledFile], output: Path, fresh: set[str]) -> PickleConversion:
    files, columns = [], {}
    for item in pickled:
        path = _target(output, item.index)
        with open_source(path) as source:
            columns[item.index] = set(source.schema.columns)
            entries = source.schema.entries
        state = "converted" if item.index in fresh else "kept"
        files.append(ConvertedFile(item.index, str(path), state, entries, len(columns[item.index])))
    every = set.union(*columns.values())
    common = set.intersection(*columns.values())
    return PickleConversion(
        files=tuple(files),
        pattern=str(_target(output, "*")),
        identity=("run", "event") if {"run", "event"} <= common else IDENTITY,
        missing={
            name: tuple(index for index, held in columns.items() if name not in held)
            for name in sorted(every - common)
        },
    )
