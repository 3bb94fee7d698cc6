"""What is known of the outputs of a skim: their records, whether they are still good, and moves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import Finding, InputError, Place, Rule
from quarkline.engine.core.results import Result, canonical_json, jsonable
from quarkline.engine.store.atomic import flush_folder, write_atomic
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.store.keys import content_key
from quarkline.events.sinks import SINKS
from quarkline.events.skim.config import SkimConfig
from quarkline.events.skim.inputs import Group
from quarkline.events.skim.results import InputResult, OutputFile
from quarkline.events.skim.survey import wanted_of

HIDDEN = ".quarkline"
VERSION = 1
"""Bumped when the outputs change for equal inputs and config."""
SHORT = 24

FOREIGN_OUTPUT = Rule(
    "QL-SKIM-006",
    "a skim replaces only what a skim has written",
    "A file of that name lies in the output folder, and no record says that a skim made it. "
    "Choose another folder, or move the file away.",
)
OTHER_SKIM = Rule(
    "QL-SKIM-007",
    "an output folder holds one skim",
    "The folder holds outputs that this config does not make, of other inputs or merged in another "
    "way. Read together with the new ones, their events would count twice. Choose another folder, "
    "or remove them with `--prune`.",
)


@dataclass(frozen=True)
class OutputRecord(Result, kind="skim-output"):
    """What is known of one output, kept beside it.

    Attributes:
        stem: Its path below the output folder, without the ending.
        config: What of the config decides about its content.
        inputs: What became of its inputs.
        files: Its files; none if all its inputs are bad.
    """

    stem: str
    config: Mapping[str, Any]
    inputs: tuple[InputResult, ...]
    files: tuple[OutputFile, ...]


class Records:
    """The records in an output folder."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.folder = output / HIDDEN / "outputs"
        self.by_stem = {record.stem: record for record in self._read()}

    def write(self, record: OutputRecord) -> None:
        """Keep a record, in the place of an older one of the same output."""
        write_atomic(self._path(record.stem), canonical_json(record))
        self.by_stem[record.stem] = record

    def remove(self, stem: str) -> None:
        """Forget an output, and remove its files if they are as they were written."""
        for file in self.by_stem.pop(stem).files:
            if what_changed(self.output, file) is None:
                (self.output / file.file).unlink()
        self._path(stem).unlink(missing_ok=True)

    def own(self, path: Path) -> bool:
        """Whether a file is one of a recorded output."""
        names = (file.file for record in self.by_stem.values() for file in record.files)
        return any(self.output / name == path for name in names)

    def _path(self, stem: str) -> Path:
        return self.folder / f"{content_key(stem)[:SHORT]}.json"

    def _read(self) -> Iterable[OutputRecord]:
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield OutputRecord.from_json(json.loads(path.read_text()))
            except (ValueError, KeyError, TypeError):
                continue  # damaged, or of another version: the output is made again


def config_of(config: SkimConfig, group: Group) -> dict[str, Any]:
    """What of a config decides about the content of a group's output."""
    samples = {}
    for name in dict.fromkeys(item.sample for item in group.inputs):
        wanted = wanted_of(config, name)
        cuts = [[cut, text] for cut, text in wanted.cuts.items()]
        samples[name] = {"tree": wanted.trees, "select": cuts, "weight": wanted.weight}
    names = ("sums", "keep", "drop", "copy_tree", "format", "compression", "max_size", "max_events")
    common = {name: getattr(config, name) for name in names}
    return dict(jsonable({"version": VERSION, "samples": samples, **common}))


def why_stale(
    output: Path, group: Group, config: Mapping[str, Any], record: OutputRecord | None
) -> str:
    """Why a group's output has to be looked at, "" if it is complete."""
    if record is None:
        return "new"
    if changed := [key for key in config if config[key] != record.config.get(key)]:
        return "other " + ", ".join(changed)
    before = [(item.digest, item.sample) for item in record.inputs]
    now = [(item.digest, item.sample) for item in group.inputs]
    if before != now:
        return _inputs_changed(len(before), len(now), len(set(now) - set(before)))
    for file in record.files:
        if what := what_changed(output, file):
            return f"{file.file} {what}"
    return ""


def _inputs_changed(before: int, now: int, fresh: int) -> str:
    if fresh:
        return f"{fresh} of {now} inputs are new or have changed"
    return f"{now} inputs instead of {before}" if now != before else "inputs in another order"


def what_changed(output: Path, file: OutputFile) -> str | None:
    """What happened to an output file since it was written, None if nothing."""
    path = output / file.file
    if not path.is_file():
        return "is gone"
    if path.stat().st_size != file.size or file_key(path).digest != file.digest:
        return "has changed"
    return None


def check_folder(
    config: SkimConfig, groups: Sequence[Group], records: Records, *, prune: bool
) -> list[str]:
    """The stems of outputs that the config does not make, which are allowed only to prune them.

    Raises:
        InputError: If there are any, or a file that no skim has made is in the way.
    """
    ending = ending_of(config.format)
    ours = {group.stem for group in groups}
    others = [stem for stem in records.by_stem if stem not in ours]
    findings: list[Finding] = []
    if others and not prune:
        shown = ", ".join(f"`{stem}`" for stem in others[:4]) + ", ..." * (len(others) > 4)
        findings.append(
            OTHER_SKIM.finding(
                f"there are {len(others)} outputs that this skim does not make: {shown}",
                place=Place(config.output),
                suggestion="choose another folder, or add `--prune` to remove them",
            )
        )
    for group in groups:
        names = [group.stem] if config.max_size is None else [group.stem, f"{group.stem}_1"]
        paths = [config.output / f"{name}{ending}" for name in names]
        findings += [
            FOREIGN_OUTPUT.finding("the file exists", place=Place(path))
            for path in paths
            if group.stem not in records.by_stem and path.exists() and not records.own(path)
        ]
    if findings:
        raise InputError(*findings)
    return others


def publish(
    records: Records, record: OutputRecord, made: Path, written: Sequence[Mapping[str, Any]]
) -> None:
    """Move an output's files to their places, killed at any moment and tried again.

    Args:
        records: Those of the output folder.
        record: What to keep of the output.
        made: Folder the files were written in.
        written: Name there of each file of the record.
    """
    output = records.output
    if old := records.by_stem.get(record.stem):
        kept = {file.file for file in record.files}
        for file in old.files:
            if file.file not in kept:
                (output / file.file).unlink(missing_ok=True)
    records.write(record)
    for file, told in zip(record.files, written, strict=True):
        source, target = made / told["name"], output / file.file
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)
            flush_folder(target.parent)


def files_of(stem: str, ending: str, written: Sequence[Mapping[str, Any]]) -> list[OutputFile]:
    """The files of an output under their final names: `NAME`, or `NAME_1` and so on."""
    names = [stem] if len(written) == 1 else [f"{stem}_{n}" for n in range(1, len(written) + 1)]
    return [
        OutputFile(f"{name}{ending}", file["entries"], file["size"], file["digest"])
        for name, file in zip(names, written, strict=True)
    ]


def ending_of(form: str) -> str:
    """The ending of files of a format."""
    return SINKS[form].suffixes[0]
