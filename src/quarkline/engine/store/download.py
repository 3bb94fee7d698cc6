"""Downloads that survive interruptions: a partial file goes on, a whole one is checked and kept."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import re
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from quarkline.engine.core.findings import Finding, InputError, Place, Rule, WorkError
from quarkline.engine.store.atomic import flush
from quarkline.engine.store.locks import lock

UNREACHABLE = Rule(
    "QL-FETCH-001",
    "the server of a dataset can be reached",
    "There is no connection to the archive: no network here (a batch node, a train), a proxy that "
    "is not set (`HTTPS_PROXY`), or the archive is down. What has arrived is kept, and the same "
    "command goes on from there. Nothing else in Quarkline needs the network: files brought "
    "another way do as well.",
)
REFUSED = Rule(
    "QL-FETCH-002",
    "the server hands out what its record lists",
    "The archive answered with an error instead of the file, several times where it said that it "
    "was busy. Look at the record's page in a browser; the file may have moved.",
)
CORRUPT = Rule(
    "QL-FETCH-003",
    "a download has the published size and checksum",
    "The bytes that arrived are not those the archive's record describes. They have been removed, "
    "and no file with the name was left behind.",
)
NO_SPACE = Rule(
    "QL-FETCH-004",
    "there is room for what is downloaded",
    "The sizes in the archive's record are compared with the free space before anything is "
    "downloaded. Choose another folder, or fewer files with `--first` or `--files`.",
)

TIMEOUT = (15.0, 90.0)  # seconds to connect, and without a byte
BLOCK = 2**20
RETRIES = 3
BUSY = (429, 500, 502, 503, 504)
PARTIAL, NOT_SATISFIABLE = 206, 416
WORK, PART = ".partial", ".part"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file of an archive.

    Attributes:
        name: Its name, without folders.
        url: Where it is.
        size: Its size in bytes.
        checksum: Algorithm and hexadecimal digits, such as `md5:...` or `adler32:...`; "" if none
            is published.
    """

    name: str
    url: str
    size: int
    checksum: str = ""


def download(
    files: Sequence[RemoteFile], folder: Path, *, by_hand: str, progress: Progress
) -> dict[str, str]:
    """Download what is not there yet, one file after the other.

    A file has its name only once it is whole and its checksum is right; until then it lies in the
    folder `.partial`. Two processes do not download into one folder at the same time.

    Args:
        files: What to download.
        folder: Where to.
        by_hand: Page from which a person can download the files.
        progress: Told the bytes there, of all bytes, and the name of the file at work.

    Returns:
        For each name `there`, `downloaded`, or `resumed`.

    Raises:
        InputError: If there is too little space, before anything is written.
        WorkError: If a file cannot be had.
    """
    _check_space(files, folder)
    folder.mkdir(parents=True, exist_ok=True)
    total, before, states = sum(file.size for file in files), 0, {}
    with lock(folder / ".fetch.lock", wait=True):
        for file in files:

            def told(size: int, file: RemoteFile = file, before: int = before) -> None:
                progress(before + size, total, file.name)

            transfer = _Transfer(file, folder, by_hand, told)
            states[file.name] = "there" if is_there(file, folder) else transfer.run()
            before += file.size
            progress(before, total, file.name)
        _tidy(folder / WORK)
    return states


def read_json(url: str, *, by_hand: str, folder: Path) -> Any:
    """The JSON text at an address.

    Args:
        url: The address.
        by_hand: Page from which a person can download the files it lists.
        folder: Where those files would go.

    Raises:
        WorkError: If it cannot be had, or is no JSON.
    """
    try:
        with _session() as session, session.get(url, timeout=TIMEOUT) as response:
            _check_status(response, by_hand)
            return response.json()
    except requests.JSONDecodeError as error:
        finding = REFUSED.finding(f"{url} answers with something that is no JSON: {error}")
        raise WorkError(finding) from error
    except requests.RequestException as error:
        raise WorkError(_unreachable(url, error, by_hand, folder)) from error


def is_there(file: RemoteFile, folder: Path) -> bool:
    """Whether a file is there: it is given its name only after its checksum was right."""
    path = folder / file.name
    return path.is_file() and path.stat().st_size == file.size


class _Transfer:
    """One file on its way: what pooch calls, and may call again, to download it."""

    def __init__(
        self, file: RemoteFile, folder: Path, by_hand: str, told: Callable[[int], None]
    ) -> None:
        self.file, self.folder, self.by_hand, self.told = file, folder, by_hand, told
        self.partial = folder / WORK / f"{file.name}{PART}"
        self.resumed = False

    def run(self) -> str:
        """Download the file, trying again after interruptions, and give it its name.

        Raises:
            WorkError: If it cannot be had.
        """
        pooch.get_logger().setLevel(logging.ERROR)  # it would tell every attempt
        keeper = pooch.create(
            path=self.folder / WORK,
            base_url="",
            registry={self.file.name: None},
            urls={self.file.name: self.file.url},
            retry_if_failed=RETRIES,
        )
        try:
            arrived = keeper.fetch(self.file.name, downloader=self)
        except requests.RequestException as error:
            finding = _unreachable(self.file.url, error, self.by_hand, self.folder)
            raise WorkError(finding) from error
        except ValueError as error:
            raise WorkError(self._corrupt(str(error))) from error
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise WorkError(NO_SPACE.finding(f"the disk of {self.folder} is full")) from error
        Path(arrived).replace(self.folder / self.file.name)
        return "resumed" if self.resumed else "downloaded"

    def __call__(self, url: str, output_file: str, _: object) -> None:
        """One attempt, as pooch wants it: everything that is missing of `url` to `output_file`."""
        here = self.partial.stat().st_size if self.partial.exists() else 0
        if here >= self.file.size > 0:  # all of it came before, or it is of another file
            self.resumed = True
        else:
            here = self._receive(url, here)
        if here < self.file.size:
            msg = f"the connection ended after {here:,} of {self.file.size:,} bytes"
            raise requests.ConnectionError(msg)
        self._check()
        flush(self.partial)
        self.partial.replace(output_file)

    def _receive(self, url: str, here: int) -> int:
        """Append what the server sends; returns the size of the partial file."""
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={here}-"} if here else {})
        with (
            _session() as session,
            session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response,
        ):
            if response.status_code == NOT_SATISFIABLE:
                self.partial.unlink(missing_ok=True)
                msg = f"the server has no bytes from {here:,} on"
                raise requests.ConnectionError(msg)
            _check_status(response, self.by_hand)
            here = self._start(response, here)
            with self.partial.open("ab" if here else "wb") as stream:
                for block in response.iter_content(BLOCK):
                    here += stream.write(block)
                    self.told(min(here, self.file.size))
                    if here > self.file.size:
                        break
        return here

    def _start(self, response: requests.Response, here: int) -> int:
        """Where the bytes of a response begin; 0 where the server knows no ranges."""
        begins = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if here and response.status_code == PARTIAL and begins and int(begins[1]) == here:
            self.resumed = True
            return here
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) != self.file.size:
            raise WorkError(self._corrupt(f"the server offers {int(length):,} bytes"))
        return 0

    def _check(self) -> None:
        """Compare size and checksum with what the record says.

        Raises:
            ValueError: If they differ and old bytes were among them: try once more from the start.
            WorkError: If they differ in a file that came in one piece.
        """
        size = self.partial.stat().st_size
        algorithm, _, expected = self.file.checksum.partition(":")
        found = checksum(self.partial, algorithm) if expected else ""
        if size == self.file.size and found == expected.lower():
            return
        self.partial.unlink()
        what = f"{size:,} bytes with {algorithm or 'no checksum'} {found} arrived"
        if self.resumed:
            self.resumed = False
            raise ValueError(what)
        raise WorkError(self._corrupt(what))

    def _corrupt(self, what: str) -> Finding:
        return CORRUPT.finding(
            f"{self.file.name}: {what}; the record says {self.file.size:,} bytes"
            + (f" and {self.file.checksum}" if self.file.checksum else ""),
            suggestion=f"try again later, or look at {self.by_hand}",
        )


def checksum(path: Path, algorithm: str) -> str:
    """Checksum of a file as hexadecimal digits; `adler32` beside the hashes of `hashlib`."""
    with path.open("rb") as stream:
        if algorithm != "adler32":
            return hashlib.file_digest(stream, algorithm).hexdigest()
        value = 1
        while block := stream.read(BLOCK):
            value = zlib.adler32(block, value)
        return f"{value:08x}"


def _tidy(work: Path) -> None:
    """Remove what killed processes left; another call may go on with partial files."""
    for path in work.glob("*") if work.is_dir() else ():
        if path.suffix != PART:
            path.unlink()
    with contextlib.suppress(OSError):  # it holds partial files, or was never made
        work.rmdir()


def _check_space(files: Sequence[RemoteFile], folder: Path) -> None:
    """Refuse what does not fit on the disk, counting what is there already.

    Raises:
        InputError: If there is too little space.
    """
    partial = [folder / WORK / f"{file.name}{PART}" for file in files]
    needed = sum(
        max(0, file.size - (part.stat().st_size if part.exists() else 0))
        for file, part in zip(files, partial, strict=True)
        if not is_there(file, folder)
    )
    place = next(parent for parent in (folder, *folder.absolute().parents) if parent.is_dir())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise InputError(
            NO_SPACE.finding(
                f"{needed / 1e9:,.1f} GB are needed, {free / 1e9:,.1f} GB are free",
                place=Place(file=folder),
                suggestion="choose another folder with -o, or fewer files with --first",
            )
        )


def _session() -> requests.Session:
    """A session that asks a busy server again, after the time it says or a few seconds."""
    session = requests.Session()
    again = Retry(
        RETRIES, connect=0, read=0, status_forcelist=BUSY, backoff_factor=1, raise_on_status=False
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=again))
    return session


def _check_status(response: requests.Response, by_hand: str) -> None:
    if response.ok:
        return
    raise WorkError(
        REFUSED.finding(
            f"{response.url} answers {response.status_code} {response.reason}",
            suggestion=f"look at {by_hand}, and try again later",
        )
    )


def _unreachable(url: str, error: Exception, by_hand: str, folder: Path) -> Finding:
    return UNREACHABLE.finding(
        f"{url} cannot be reached ({type(error).__name__})",
        suggestion=f"the same command goes on later; or download from {by_hand} by hand into "
        f"{folder}",
        evidence={"error": str(error)},
    )
