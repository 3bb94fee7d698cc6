"""Which files a skim reads, and which of them share an output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from quarkline.engine.core.addresses import address_of, spelt
from quarkline.engine.core.findings import Finding, InputError, Place, QuarklineError, Rule
from quarkline.engine.store.filekeys import file_key
from quarkline.events.files import expand_files
from quarkline.events.identity import SAME_CONTENT
from quarkline.events.skim.config import SampleConfig, SkimConfig
from quarkline.events.sources import list_trees

OUTSIDE = Rule(
    "QL-SKIM-001",
    "inputs lie below the base folder, and outputs elsewhere",
    "An output has the path of its input below `base`, in the output folder. So inputs lie below "
    "`base`, and not in the output folder, where a second run would take outputs for inputs.",
)
SAME_OUTPUT = Rule(
    "QL-SKIM-002",
    "every output has a name of its own",
    "Unless they are merged, outputs are named as their inputs. Two inputs that differ only in "
    "their ending, or a file that belongs to two samples, would share an output.",
)


@dataclass(frozen=True)
class SkimInput:
    """An input file.

    Attributes:
        sample: The sample it belongs to.
        path: Where it is.
        name: Its path below the base folder, with forward slashes.
        digest: Its content key, "" if it cannot be read.
        problem: Why it cannot be read, "" if nothing is known against it.
    """

    sample: str
    path: Path
    name: str
    digest: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Group:
    """Inputs that share an output.

    Attributes:
        stem: Path of the output below the output folder, without its ending.
        inputs: The inputs, in their order.
    """

    stem: str
    inputs: tuple[SkimInput, ...]


def find_inputs(config: SkimConfig) -> list[SkimInput]:
    """The input files with their content keys, sample by sample.

    Raises:
        InputError: If a file is missing, named twice or outside the base folder, or two files of
            a sample hold the same bytes.
    """
    samples = {name: sample_files(sample) for name, sample in config.by_sample().items()}
    every = [path for paths in samples.values() for path in paths]
    base = _whole(config.base) if config.base else _common(every)
    _check_places(every, base, _whole(config.output))
    found: list[SkimInput] = []
    findings: list[Finding] = []
    for sample, paths in samples.items():
        keyed = {path: _key(path) for path in paths}
        findings += _copies({path: digest for path, (digest, _) in keyed.items() if digest})
        found += [
            SkimInput(sample, path, _whole(path).relative_to(base).as_posix(), *keyed[path])
            for path in paths
        ]
    if findings:
        raise InputError(*findings)
    return found


def group_inputs(config: SkimConfig, inputs: Sequence[SkimInput]) -> list[Group]:
    """The outputs of a skim, in the order of their first inputs.

    Raises:
        InputError: If two inputs that are not merged would share an output.
    """
    groups: dict[str, list[SkimInput]] = {}
    for item in inputs:
        groups.setdefault(_stem(config, item), []).append(item)
    if config.merge == "none":
        findings = [_shared(stem, items) for stem, items in groups.items() if len(items) > 1]
        if config.max_size is not None:
            findings += [_piece(stem) for stem in groups if stem.rpartition("_")[0] in groups]
        if findings:
            raise InputError(*findings)
    return [Group(stem, tuple(items)) for stem, items in groups.items()]


def _stem(config: SkimConfig, item: SkimInput) -> str:
    if config.merge == "all":
        return "skim"
    if config.merge == "sample":
        return item.sample
    return PurePath(item.name).with_suffix("").as_posix()


def _shared(stem: str, items: Sequence[SkimInput]) -> Finding:
    return SAME_OUTPUT.finding(
        f"{len(items)} inputs would be written to `{stem}`: "
        + ", ".join(f"{spelt(item.path)} (sample `{item.sample}`)" for item in items[:4]),
        suggestion="write one file a sample with `merge: sample`, or skim into two folders",
    )


def _piece(stem: str) -> Finding:
    return SAME_OUTPUT.finding(
        f"`{stem}` could be a piece of `{stem.rpartition('_')[0]}`, which `max_size` may split",
        suggestion="write one file a sample with `merge: sample`, or leave `max_size` out",
    )


def sample_files(sample: SampleConfig) -> list[Path]:
    """The files of a sample.

    Raises:
        InputError: If one does not exist, or is named twice.
    """
    patterns = [spelt(path) for path in sample.files]
    return expand_files(patterns, base=Path(), files_from=sample.files_from)


def _key(path: Path) -> tuple[str, str]:
    """The content key of a file, and why it has none."""
    try:
        return file_key(path).digest, ""
    except OSError as error:
        return "", f"cannot be read: {error.strerror or error}"
    except QuarklineError as error:
        return "", error.findings[0].message


def _copies(digests: Mapping[Path, str]) -> list[Finding]:
    """Files of a sample that hold the bytes of another one, and events."""
    first: dict[str, Path] = {}
    return [
        SAME_CONTENT.finding(
            f"the file holds the same bytes as {spelt(first[digest])}",
            place=Place(file=path),
            suggestion="name one of the two",
        )
        for path, digest in digests.items()
        if first.setdefault(digest, path) != path and _has_events(path)
    ]


def _has_events(path: Path) -> bool:
    try:
        return any(tree.entries for tree in list_trees(path))
    except QuarklineError:
        return False  # it will be reported as a bad file


def _whole(path: Path) -> Path:
    """A path without `..`, `.` and a slash at its end, so that paths compare by their folders."""
    return path if address_of(path) else Path(os.path.normpath(path.absolute()))


def _common(paths: Iterable[Path]) -> Path:
    """The deepest folder that holds all files."""
    folders = [_whole(path).parent for path in paths]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError as error:  # absolute paths and addresses
        finding = OUTSIDE.finding(
            "the inputs have no folder in common, because some are on other computers",
            suggestion="skim them one after the other, or copy them first",
        )
        raise InputError(finding) from error


def _check_places(paths: Iterable[Path], base: Path, output: Path) -> None:
    findings = []
    for path in paths:
        whole, place = _whole(path), Place(file=path)
        if not whole.is_relative_to(base):
            findings.append(
                OUTSIDE.finding(
                    f"the file is not below the base folder {spelt(base)}",
                    place=place,
                    suggestion="name a folder that holds all inputs as `base`, or leave it out",
                )
            )
        elif whole.is_relative_to(output):
            findings.append(
                OUTSIDE.finding(
                    f"the file lies in the output folder {output}",
                    place=place,
                    suggestion="write the skim to a folder beside the inputs",
                )
            )
    if findings:
        raise InputError(*findings)
