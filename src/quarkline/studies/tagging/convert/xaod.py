"""Runs the program that makes ntuples of xAOD files, which is not ours, and looks after it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config, ConfigPath
from quarkline.engine.core.findings import Finding, InputError, Place, QuarklineError, Rule
from quarkline.engine.core.results import Result, canonical_json
from quarkline.engine.store.atomic import make_folder, write_atomic
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import content_key
from quarkline.engine.store.locks import LOCKED, lock
from quarkline.events.files import expand_files
from quarkline.studies.tagging.convert.config import NtuplePatterns
from quarkline.studies.tagging.convert.run import SAME_TABLE
from quarkline.studies.tagging.convert.task import open_ntuple

FIELDS = ("input", "output", "events", "folder")

FAILED = Rule(
    "QL-TAG-015",
    "the command that makes ntuples succeeds",
    "The program that makes ntuples of xAOD files ended with an error, did not end in time, or "
    "left no ntuple. Its whole output is in the log beside the ntuple. What was made is kept, and "
    "the same command tries the others again.",
)


class XaodCommand(Config):
    """The program that makes ntuples of xAOD files."""

    command: list[str] = Field(
        min_length=1,
        description="The program and its arguments, run without a shell; `{input}`, `{output}`, "
        "`{events}` and `{folder}` are replaced.",
    )
    events: int | None = Field(None, ge=1, description="Events of each file; default: all.")
    all_events: str = Field("-1", description="What `{events}` is for all events.")
    environment: dict[str, str] = Field(
        default_factory=dict, description="Variables of the program, beside those there are."
    )
    hours: float | None = Field(None, gt=0, description="Time after which the program is ended.")

    @model_validator(mode="after")
    def _names_its_files(self) -> Self:
        found = [name for part in self.command for name in _fields(part)]
        if strange := [name for name in found if name not in FIELDS]:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            message = f"`{{{strange[0]}}}` is none of {known}; write a brace twice to keep it"
            raise ValueError(message)
        if missing := [name for name in ("input", "output") if name not in found]:
            message = f"the command names no `{{{missing[0]}}}`"
            raise ValueError(message)
        return self

    def arguments(self, path: Path, output: Path) -> list[str]:
        """The program and its arguments for one file."""
        values = {
            "input": str(path.resolve()),
            "output": str(output.resolve()),
            "events": self.all_events if self.events is None else str(self.events),
            "folder": str(output.parent.resolve()),
        }
        return [part.format(**values) for part in self.command]


class XaodConfig(XaodCommand):
    """The config of `quarkline convert xaod`."""

    schema_version: Literal[1] = Field(
        1, alias="schema", description="Version of the config format."
    )
    inputs: NtuplePatterns = Field(min_length=1, description="xAOD files: paths or globs.")
    output: ConfigPath = Field(description="Folder for an ntuple of each file, and its log.")


def _fields(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


@dataclass(frozen=True)
class MadeNtuple:
    """An ntuple that was made of an xAOD file.

    Attributes:
        file: The xAOD file.
        ntuple: The ntuple; "" if there is none.
        log: What the program said.
        state: `made` now, `kept` from before, `elsewhere` if another process is at it, `failed`.
        why: Why it failed.
        events: Events in the ntuple.
        seconds: How long it took.
    """

    file: str
    ntuple: str
    log: str
    state: Literal["made", "kept", "elsewhere", "failed"]
    why: str
    events: int
    seconds: float


@dataclass(frozen=True)
class MadeNtuples(Result, kind="made-ntuples"):
    """The ntuples of all xAOD files, in the order in which they were named."""

    files: tuple[MadeNtuple, ...]


def make_ntuples(config: XaodConfig, progress: Callable[[int, int, str], None]) -> MadeNtuples:
    """Run the program for each file without an ntuple, one after the other.

    Args:
        config: The program and its files.
        progress: Told the number of files done, of all, and the name of the last one.

    Raises:
        InputError: If a pattern matches nothing, or two files have one name.
    """
    paths = expand_files([str(pattern) for pattern in config.inputs], base=Path())
    targets = [config.output / f"{path.stem}.root" for path in paths]
    _refuse_one_name(paths, targets)
    make_folder(config.output)
    made = []
    for path, target in zip(paths, targets, strict=True):
        made.append(_shared(config, path, target))
        progress(len(made), len(paths), path.name)
    return MadeNtuples(tuple(made))


def failures(files: Sequence[MadeNtuple]) -> list[Finding]:
    """A finding for each ntuple that could not be made."""
    return [
        FAILED.finding(file.why, place=Place(Path(file.file)), suggestion=f"read {file.log}")
        for file in files
        if file.state == "failed"
    ]


def _refuse_one_name(paths: Sequence[Path], targets: Sequence[Path]) -> None:
    first: dict[Path, Path] = {}
    for path, target in zip(paths, targets, strict=True):
        if first.setdefault(target, path) is not path:
            raise InputError(
                SAME_TABLE.finding(
                    f"its ntuple would be that of {first[target]}",
                    place=Place(path),
                    suggestion="convert them into different folders",
                )
            )


def _shared(config: XaodConfig, path: Path, target: Path) -> MadeNtuple:
    log = target.with_suffix(".log")
    try:
        with lock(target.with_name(f"{target.name}.lock")):
            return _made(config, path, target, log)
    except InputError as error:
        if error.findings[0].code != LOCKED.code:
            raise
        return MadeNtuple(str(path), "", str(log), "elsewhere", "", 0, 0.0)


def _made(config: XaodConfig, path: Path, target: Path, log: Path) -> MadeNtuple:
    note = target.with_name(f".{target.name}.json")
    key = canonical_json({"key": _key(config, path)})
    if target.exists() and note.exists() and note.read_text() == key:
        return MadeNtuple(str(path), str(target), str(log), "kept", "", _events(target), 0.0)
    began = time.monotonic()
    events, why = made_by(config, path, target, log)
    seconds = time.monotonic() - began
    if why:
        return MadeNtuple(str(path), "", str(log), "failed", why, 0, seconds)
    write_atomic(note, key)
    return MadeNtuple(str(path), str(target), str(log), "made", "", events, seconds)


def made_by(command: XaodCommand, path: Path, target: Path, log: Path) -> tuple[int, str]:
    """Run the program for one file; its output takes its place if it is an ntuple.

    Returns:
        Events in the ntuple, and why there is none, "" if there is one.
    """
    partial = target.with_name(f".{target.stem}.partial.root")
    partial.unlink(missing_ok=True)
    why = _run(command, command.arguments(path, partial), log)
    try:
        events = 0 if why else _events(partial)
    except QuarklineError as error:
        events, why = 0, f"its output is no ntuple: {error.findings[0].message}"
    if why:
        partial.unlink(missing_ok=True)
    else:
        partial.replace(target)
    return events, why


def _key(config: XaodConfig, path: Path) -> str:
    made = config.model_dump(
        mode="json", include={"command", "events", "all_events", "environment"}
    )
    return content_key({**made, "input": file_key(path).digest})


def _events(path: Path) -> int:
    with open_ntuple(path) as source:
        return source.schema.entries


def _run(config: XaodCommand, arguments: Sequence[str], log: Path) -> str:
    """Run the program; why it failed, "" if it did not."""
    seconds = None if config.hours is None else 3600 * config.hours
    with log.open("w") as file:
        file.write(f"{' '.join(arguments)}\n")
        file.flush()
        try:
            done = subprocess.run(  # noqa: S603  (the user's own command, without a shell)
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **config.environment},
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"`{arguments[0]}` did not end within {config.hours:g} hours"
        except OSError as error:
            return f"`{arguments[0]}` cannot be started: {error.strerror}"
    if done.returncode:
        return f"`{arguments[0]}` ended with code {done.returncode}{_last(log)}"
    return ""


def _last(log: Path) -> str:
    """The last line that the program said."""
    lines = [line for line in log.read_text(errors="replace").splitlines()[1:] if line.strip()]
    return f": {lines[-1].strip()[:200]}" if lines else ""
