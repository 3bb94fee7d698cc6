"""Published datasets: which archive holds their parts, and what its record says about the files."""

from __future__ import annotations

import abc
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from quarkline.engine.core.findings import InputError, Rule, WorkError, did_you_mean
from quarkline.engine.store.download import RemoteFile, read_json

STRANGE_RECORD = Rule(
    "QL-FETCH-005",
    "an archive's record lists its files in the known form",
    "Names, sizes and checksums come from the record's public JSON. It has another form than when "
    "this release was made, so the archive may have changed its interface. Download the files by "
    "hand from the record's page, and tell us.",
)
NO_SUCH_FILES = Rule(
    "QL-FETCH-006",
    "a choice of files leaves some",
    "`--files` takes a glob on the names that `--list` shows; `--first N` takes those of the first "
    "N files of the experiment.",
)

SAFE_NAME = re.compile(r"[A-Za-z0-9][\w.+-]{0,199}", re.ASCII)
CHECKSUM = re.compile(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}|adler32:[0-9a-f]{8})", re.IGNORECASE)


@dataclass(frozen=True)
class Record(abc.ABC):
    """One record of an archive.

    Attributes:
        number: Its number.
        server: Address of the archive, without a slash at the end.
    """

    number: int
    server: str

    @property
    @abc.abstractmethod
    def page(self) -> str:
        """Where a person finds it."""

    @abc.abstractmethod
    def entries(self, content: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
        """Name, address, size and checksum of each file, from the record's JSON."""

    def files(self, folder: Path) -> list[RemoteFile]:
        """The files of the record, as the archive says now.

        Args:
            folder: Where the files are to go, for messages.

        Raises:
            WorkError: If the archive cannot be reached, or says something unexpected.
        """
        url = f"{self.server}/api/records/{self.number}"
        content = read_json(url, by_hand=self.page, folder=folder)
        try:
            found = [_remote(*entry) for entry in self.entries(content)]
            if not found or len({file.name for file in found}) < len(found):
                msg = f"{len(found)} files, some of the same name"
                raise ValueError(msg)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise WorkError(
                STRANGE_RECORD.finding(
                    f"{url} does not list files as expected ({type(error).__name__}: {error})",
                    suggestion=f"download by hand from {self.page} into {folder}",
                )
            ) from error
        return found


@dataclass(frozen=True)
class ZenodoRecord(Record):
    """A record of Zenodo."""

    server: str = "https://zenodo.org"

    @property
    def page(self) -> str:
        """Where a person finds it."""
        return f"{self.server}/records/{self.number}"

    def entries(self, content: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
        """The entries of `files`."""
        for file in content["files"]:
            yield file["key"], file["links"]["self"], file["size"], file["checksum"]


@dataclass(frozen=True)
class OpenDataRecord(Record):
    """A record of the CERN Open Data portal; its files are handed out by the same server."""

    server: str = "https://opendata.cern.ch"
    storage: str = "root://eospublic.cern.ch/"

    @property
    def page(self) -> str:
        """Where a person finds it."""
        return f"{self.server}/record/{self.number}"

    def entries(self, content: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
        """The entries of `files`, and those that its file indices list."""
        metadata = content["metadata"]
        indexed = [file for index in metadata.get("_file_indices", []) for file in index["files"]]
        for file in [*metadata.get("files", []), *indexed]:
            uri = file["uri"]
            if not uri.startswith(self.storage):
                msg = f"an address that begins otherwise than {self.storage}: {uri}"
                raise ValueError(msg)
            url = self.server + uri.removeprefix(self.storage)
            yield uri.rpartition("/")[2], url, file["size"], file["checksum"]


@dataclass(frozen=True)
class DataPart:
    """A part of a dataset, downloaded together.

    Attributes:
        name: Its name, after the dataset's.
        holds: What it holds, in a few words.
        size: How much that is, for a person.
        record: The record that has it.
        pattern: Glob on the names of its files.
        index: Regular expression whose group says which file of the experiment a file belongs to.
        next_step: What to type next, with `{folder}`; "" if nothing.
    """

    name: str
    holds: str
    size: str
    record: Record
    pattern: str = "*"
    index: str = "(.*)"
    next_step: str = ""

    def files(self, folder: Path, *, glob: str = "*", first: int | None = None) -> list[RemoteFile]:
        """The files of this part, by the file of the experiment and name.

        Args:
            folder: Where they are to go, for messages.
            glob: Names to keep.
            first: Keep those of the first so many files of the experiment; None keeps all.

        Raises:
            InputError: If none is left.
            WorkError: If the archive cannot be reached, or says something unexpected.
        """
        files = [f for f in self.record.files(folder) if fnmatchcase(f.name, self.pattern)]
        chosen = [file for file in files if fnmatchcase(file.name, glob)]
        if not chosen:
            asked = glob if files else self.pattern
            raise InputError(
                NO_SUCH_FILES.finding(
                    f"no file of {self.record.page} matches `{asked}`",
                    suggestion=did_you_mean(asked, [file.name for file in files], what="files"),
                )
            )
        groups = {file.name: self._group(file.name) for file in chosen}
        kept = sorted(set(groups.values()))[:first]
        return sorted(
            (file for file in chosen if groups[file.name] in kept),
            key=lambda file: (groups[file.name], file.name),
        )

    def _group(self, name: str) -> tuple[int, str]:
        """Sorts numbers as numbers, before names."""
        match = re.fullmatch(self.index, name)
        group = match[1] if match else name
        return (int(group), "") if group.isdecimal() else (10**9, group)


@dataclass(frozen=True)
class DataSet:
    """A published dataset.

    Attributes:
        name: Its name on the command line.
        title: What it is, in a few words.
        parts: Its parts.
    """

    name: str
    title: str
    parts: Sequence[DataPart]

    @property
    def by_name(self) -> Mapping[str, DataPart]:
        """The parts by name."""
        return {part.name: part for part in self.parts}


def _remote(name: Any, url: Any, size: Any, checksum: Any) -> RemoteFile:
    """A file of a record, once each value is what it has to be.

    Raises:
        ValueError: If a value is something else; a name must not lead out of a folder.
    """
    fits = {
        "name": isinstance(name, str) and bool(SAFE_NAME.fullmatch(name)),
        "address": isinstance(url, str) and url.startswith(("https://", "http://")),
        "size": type(size) is int and size >= 0,
        "checksum": not checksum
        or (isinstance(checksum, str) and bool(CHECKSUM.fullmatch(checksum))),
    }
    if wrong := [what for what, right in fits.items() if not right]:
        msg = f"{wrong[0]} of {str(name)[:60]!r}"
        raise ValueError(msg)
    return RemoteFile(name, url, size, checksum or "")
