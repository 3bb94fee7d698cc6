"""Download published data."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.core.results import Result
from quarkline.engine.store.datasets import DataPart, DataSet
from quarkline.engine.store.download import download, is_there

DATASETS: Mapping[str, str] = {"upsilon-cms": "quarkline.studies.resonance.datasets:UPSILON_CMS"}
"""Where each dataset is described, by its name."""

UNKNOWN_DATASET = Rule(
    "QL-FETCH-007",
    "a dataset has a known name",
    "`quarkline fetch DATASET --list` shows the parts of a dataset; `DATASET/PART` names one.",
)
CHOOSE_PART = Rule(
    "QL-FETCH-008",
    "one part of a dataset is fetched at a time",
    "The parts of a dataset are the same data at several stages, of sizes that differ much. "
    "Nobody needs all of them.",
)


@dataclass(frozen=True)
class FetchedFile:
    """A file of a dataset.

    Attributes:
        name: Its name.
        size: In bytes.
        checksum: As published, such as `md5:...`; "" if none is.
        state: `there` (from before), `downloaded`, `resumed`, or `missing` in a list.
    """

    name: str
    size: int
    checksum: str
    state: str


@dataclass(frozen=True)
class FetchResult(Result, kind="fetch"):
    """Files of one part of a dataset.

    Attributes:
        dataset: Its name, with the part's.
        folder: Where the files are.
        page: The archive's page about them.
        files: The files.
        next_step: What to type next; "" if nothing.
    """

    dataset: str
    folder: str
    page: str
    files: tuple[FetchedFile, ...]
    next_step: str


def find_dataset(name: str) -> DataSet:
    """The dataset of a name, which may have a part's name after a slash.

    Raises:
        InputError: If there is none.
    """
    dataset = name.partition("/")[0]
    if dataset not in DATASETS:
        raise InputError(
            UNKNOWN_DATASET.finding(
                f"there is no dataset `{dataset}`",
                suggestion=did_you_mean(dataset, DATASETS, what="datasets"),
            )
        )
    module, _, attribute = DATASETS[dataset].partition(":")
    return cast("DataSet", getattr(importlib.import_module(module), attribute))


def list_files(
    name: str, folder: Path | None = None, *, glob: str = "*", first: int | None = None
) -> FetchResult:
    """What `fetch` would download, and what of it is there.

    Args:
        name: A part of a dataset, such as `upsilon-cms/pickles`.
        folder: Where to look; None means a folder of that name.
        glob: Names to keep.
        first: Keep those of the first so many files of the experiment.

    Raises:
        InputError: If there is no such part, or no such file.
        WorkError: If the archive cannot be reached, or says something unexpected.
    """
    part, folder = _part(name), folder or Path(name)
    files = part.files(folder, glob=glob, first=first)
    states = {file.name: "there" if is_there(file, folder) else "missing" for file in files}
    listed = (FetchedFile(f.name, f.size, f.checksum, states[f.name]) for f in files)
    return FetchResult(name, str(folder), part.record.page, tuple(listed), "")


def fetch(
    name: str,
    folder: Path | None = None,
    *,
    glob: str = "*",
    first: int | None = None,
    progress: Callable[[int, int, str], None] = lambda done, total, name: None,  # noqa: ARG005
) -> FetchResult:
    """Download files of a part of a dataset that are not there yet.

    Args:
        name: A part of a dataset, such as `upsilon-cms/pickles`.
        folder: Where to; None means a folder of that name.
        glob: Names to keep.
        first: Keep those of the first so many files of the experiment.
        progress: Told the bytes there, of all bytes, and the name of the file at work.

    Raises:
        InputError: If there is no such part, no such file, or too little space.
        WorkError: If the archive cannot be reached or a file cannot be had; what has arrived is
            kept, and the next call goes on from there.
    """
    part, folder = _part(name), folder or Path(name)
    files = part.files(folder, glob=glob, first=first)
    states = download(files, folder, by_hand=part.record.page, progress=progress)
    fetched = (FetchedFile(f.name, f.size, f.checksum, states[f.name]) for f in files)
    step = part.next_step.format(folder=folder)
    return FetchResult(name, str(folder), part.record.page, tuple(fetched), step)


def _part(name: str) -> DataPart:
    dataset, part = find_dataset(name), name.partition("/")[2]
    if part in dataset.by_name:
        return dataset.by_name[part]
    if not part:
        raise InputError(
            CHOOSE_PART.finding(
                f"`{name}` has several parts",
                suggestion="choose one:\n"
                + "\n".join(f"   {name}/{p.name}: {p.holds} ({p.size})" for p in dataset.parts),
            )
        )
    raise InputError(
        UNKNOWN_DATASET.finding(
            f"`{dataset.name}` has no part `{part}`",
            suggestion=did_you_mean(part, dataset.by_name, what="parts"),
        )
    )
