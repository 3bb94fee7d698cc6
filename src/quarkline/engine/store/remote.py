"""Files on other computers, read through fsspec: piece by piece, or copied once into the cache."""

from __future__ import annotations

import functools
import hashlib
import importlib
import io
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field

from quarkline.engine.core.addresses import address_of, scheme_of
from quarkline.engine.core.config import Config
from quarkline.engine.core.extras import MISSING_EXTRA
from quarkline.engine.core.findings import InputError, Place, Rule, WorkError
from quarkline.engine.store.atomic import atomic_path, write_atomic
from quarkline.engine.store.cache import cache_folder
from quarkline.engine.store.keys import KEY_BYTES
from quarkline.engine.store.locks import lock

BLOCK = 2**18
KEPT_BLOCKS = 64
XROOTD_FINAL = ("[3010]", "[3011]")  # not authorised; not found
FINAL = frozenset({401, 403, 404, 410})  # answers of a web server that will not change
FIRST_PAUSE = 0.5  # seconds before the second attempt; doubled before each further one

UNREACHABLE = Rule(
    "QL-REMOTE-001",
    "a remote file can be reached",
    "The server did not answer, or broke off, as many times as `retries` allows, each time within "
    "`timeout` seconds. There may be no network here (a batch node), a proxy that is not set, a "
    "certificate or token that has expired, or the server is down.",
)
NO_REMOTE_FILE = Rule(
    "QL-REMOTE-002",
    "a remote file exists and may be read",
    "The server says that there is no such file, or that you may not read it. Addresses are case-"
    "sensitive; credentials are those that the protocol's own tools use (`AWS_...` variables or "
    "`~/.aws`, a grid proxy).",
)
NO_RANGES = Rule(
    "QL-REMOTE-003",
    "a server hands out pieces of a file",
    "Reading some columns of a remote file needs a server that answers requests for a range of "
    "bytes. Where it sends the whole file each time, copy it: `--copy`, or `remote: {copy: true}`.",
)

T = TypeVar("T")


class RemoteConfig(Config):
    """How files on other computers are read; never part of a content key."""

    copy_files: bool = Field(
        False, alias="copy", description="Copy each file once into the cache, and read it there."
    )
    retries: int = Field(3, ge=0, description="Further attempts after one that failed.")
    timeout: float = Field(60.0, gt=0, description="Seconds without an answer.")


DEFAULT = RemoteConfig()


def open_binary(path: Path, config: RemoteConfig = DEFAULT) -> io.BufferedReader:
    """Open a file for reading, here or on another computer.

    Raises:
        InputError: If a remote file does not exist, or a package for its protocol is missing.
        WorkError: If a server does not answer.
    """
    address = address_of(path)
    if address is None:
        return path.open("rb")
    return io.BufferedReader(_RemoteStream(address, config))


def file_size(path: Path) -> int:
    """Size in bytes of a file, here or on another computer."""
    address = address_of(path)
    return path.stat().st_size if address is None else _Server(address).size


def local_path(path: Path, config: RemoteConfig = DEFAULT) -> Path:
    """The file itself if it is here, else its copy in the cache.

    A copy is made once and again when the server's file has another size, tag or time.

    Raises:
        InputError: If the remote file does not exist, or a package for its protocol is missing.
        WorkError: If the server does not answer.
    """
    address = address_of(path)
    if address is None:
        return path
    server = _Server(address, config)
    digest = hashlib.blake2b(address.encode(), digest_size=KEY_BYTES).hexdigest()
    folder = cache_folder() / "remote" / digest
    folder.mkdir(parents=True, exist_ok=True)
    copy, note = folder / path.name, folder / "origin.json"
    with lock(folder / ".copy.lock", wait=True):
        origin = {"address": address, **server.state}
        if not (copy.is_file() and _read_note(note) == origin):
            note.unlink(missing_ok=True)
            with atomic_path(copy) as temporary:
                server.copy_to(temporary)
            write_atomic(note, json.dumps(origin) + "\n")
    return copy


def expand_glob(address: str, config: RemoteConfig = DEFAULT) -> list[str]:
    """The addresses that a pattern on an S3 or XRootD server matches."""
    server = _Server(address, config)
    found = server.attempt(lambda: server.files.glob(server.path))
    start = address[: len(address) - len(server.path)] if server.path in address else ""
    return [start + str(name) for name in found]


class _Server:
    """One remote file as fsspec sees it, with attempts that are repeated."""

    def __init__(self, address: str, config: RemoteConfig = DEFAULT) -> None:
        self.address, self.config = address, config
        self.files, self.path = _filesystem(address, config.timeout)

    @functools.cached_property
    def info(self) -> dict[str, Any]:
        """What the server says about the file."""
        return dict(self.attempt(lambda: self.files.info(self.path)))

    @property
    def size(self) -> int:
        """Size in bytes."""
        size = self.info.get("size")
        if size is None:
            raise WorkError(self._finding(NO_RANGES, "the server does not tell its size"))
        return int(size)

    @property
    def state(self) -> dict[str, str]:
        """What changes when the file does."""
        names = ("size", "ETag", "Last-Modified", "LastModified", "mtime")
        return {name: str(self.info[name]) for name in names if self.info.get(name) is not None}

    def fetch(self, start: int, stop: int) -> bytes:
        """Bytes [start, stop)."""
        stop = min(stop, self.size)
        data = self.attempt(lambda: self.files.cat_file(self.path, start=start, end=stop))
        if len(data) == self.size > stop - start:
            raise WorkError(self._finding(NO_RANGES, "the server sends only whole files"))
        if len(data) != stop - start:
            msg = f"{len(data)} of {stop - start} bytes came"
            raise WorkError(self._finding(UNREACHABLE, msg))
        return bytes(data)

    def copy_to(self, path: Path) -> None:
        """Copy the whole file."""
        self.attempt(lambda: self.files.get_file(self.path, str(path)))
        expected, found = self.info.get("size"), path.stat().st_size
        if expected is not None and int(expected) != found:
            raise WorkError(self._finding(UNREACHABLE, f"{found} of {expected} bytes came"))

    def attempt(self, work: Callable[[], T]) -> T:
        """Do something, again after a pause if it fails.

        Raises:
            InputError: If there is no such file.
            WorkError: If it failed as often as is allowed.
        """
        for number in range(self.config.retries + 1):
            if number:
                time.sleep(FIRST_PAUSE * 2 ** (number - 1))
            try:
                return work()
            except Exception as error:
                if _says_no(error):
                    finding = self._finding(
                        NO_REMOTE_FILE, "there is no such file, or it is private"
                    )
                    raise InputError(finding) from error
                last = error
        why = f"{type(last).__name__}: {last}" if str(last) else type(last).__name__
        tries = self.config.retries + 1
        raise WorkError(
            self._finding(UNREACHABLE, f"cannot be reached ({tries} attempts; {why[:300]})")
        ) from last

    def _finding(self, rule: Rule, message: str) -> Any:
        return rule.finding(
            message,
            place=Place(label=self.address),
            suggestion="check the address, the network and your credentials",
        )


class _RemoteStream(io.RawIOBase):
    """A remote file as a stream; blocks that were read lately are kept."""

    def __init__(self, address: str, config: RemoteConfig) -> None:
        from fsspec.caching import BlockCache

        server = _Server(address, config)
        self._size, self._position = server.size, 0
        self._cache = BlockCache(BLOCK, server.fetch, self._size, KEPT_BLOCKS)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Any) -> int:
        fetch = self._cache._fetch  # noqa: SLF001 (the interface of fsspec's caches)
        data = fetch(self._position, self._position + len(buffer))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _filesystem(address: str, timeout: float) -> tuple[Any, str]:
    """The file system of an address, and the file's path in it.

    Raises:
        InputError: If a package for the protocol is missing.
    """
    import fsspec

    scheme = scheme_of(address)
    try:
        files, path = fsspec.core.url_to_fs(address, **_OPTIONS[scheme](timeout))
    except ImportError as error:
        raise InputError(
            MISSING_EXTRA.finding(
                f"`{scheme}://` addresses need a package that is not installed ({error})",
                suggestion=f'pip install "quarkline[{EXTRAS.get(scheme, "remote")}]"',
            )
        ) from error
    return files, path


def _http_options(timeout: float) -> dict[str, Any]:
    import aiohttp

    limits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
    return {"client_kwargs": {"timeout": limits}}


def _s3_options(timeout: float) -> dict[str, Any]:
    limits = {"connect_timeout": timeout, "read_timeout": timeout, "retries": {"max_attempts": 0}}
    return {"config_kwargs": limits, "use_listings_cache": False}


def _xrootd_options(timeout: float) -> dict[str, Any]:
    client = importlib.import_module("XRootD.client")
    seconds = math.ceil(timeout)
    client.EnvPutInt("ConnectionWindow", seconds)  # else it tries five times for two minutes
    client.EnvPutInt("ConnectionRetry", 1)
    return {"timeout": seconds, "use_listings_cache": False}


EXTRAS = {"root": "xrootd"}
"""The extra that a protocol needs where it is not `remote`."""

_OPTIONS = {
    "http": _http_options,
    "https": _http_options,
    "s3": _s3_options,
    "root": _xrootd_options,
}


def _says_no(error: Exception) -> bool:
    """Whether the server answered that there is nothing to be had.

    fsspec also calls a web server that is down or busy a missing file, and keeps the cause.
    """
    if not isinstance(error, FileNotFoundError | PermissionError):
        return isinstance(error, OSError) and any(code in str(error) for code in XROOTD_FINAL)
    return error.__cause__ is None or getattr(error.__cause__, "status", None) in FINAL


def _read_note(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None
