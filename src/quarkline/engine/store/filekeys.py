"""Content keys of input files: the hash of all bytes, remembered while the file stays the same.

A file is known again by (path, size, modification time, inode); its key is that of its content,
so a copy elsewhere has the same key. Above `WHOLE_FILE_LIMIT` only the size, the first and the
last MiB are hashed and the key is marked weak, unless the caller asks to verify. So it is for a
file on another computer above 2 MiB; such a file is asked for every time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.findings import Rule, WorkError
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.store.cache import cache_folder
from quarkline.engine.store.keys import KEY_BYTES
from quarkline.engine.store.remote import file_size, open_binary

WHOLE_FILE_LIMIT = 4 * 2**30
ENDS = 2**20
SETTLED_NS = 2 * 10**9  # a younger file may change again within one tick of the clock

CHANGED_WHILE_READ = Rule(
    "QL-STORE-101",
    "an input file does not change while it is read",
    "A file's content key is the hash of its bytes. When the size or modification time differs "
    "after hashing, somebody is still writing the file and no key describes it. Wait until the "
    "writer has finished, or copy the file first.",
)


@dataclass(frozen=True)
class FileKey:
    """Content key of a file.

    Attributes:
        digest: blake2b-128 as 32 hexadecimal digits.
        weak: Whether only the size and both ends were hashed.
    """

    digest: str
    weak: bool = False


def file_key(path: Path, *, verify: bool = False) -> FileKey:
    """The content key of a file.

    Args:
        path: The file.
        verify: Hash every byte, whatever the size, and trust nothing remembered. The whole hash of
            a large file is not remembered: keys of plans must not depend on who verified.

    Raises:
        WorkError: If the file changes meanwhile.
    """
    if address_of(path):
        size = file_size(path)
        whole = verify or size <= 2 * ENDS
        return FileKey(_hash_all(path) if whole else _hash_ends(path, size), not whole)
    state = _state(path)
    if not verify and (known := _recall(path, state)):
        return known
    began = time.time_ns()
    large = state["size"] > WHOLE_FILE_LIMIT
    weak = large and not verify
    key = FileKey(_hash_ends(path, state["size"]) if weak else _hash_all(path), weak)
    if _state(path) != state:
        raise WorkError(
            CHANGED_WHILE_READ.finding(
                f"{path} changed while it was read", suggestion="wait until its writer has finished"
            )
        )
    if state["mtime_ns"] < began - SETTLED_NS and not (large and verify):
        _remember(path, state, key)
    return key


def source_id(key: FileKey) -> int:
    """The first 8 bytes of a content key, little endian: the `_source` of a row id."""
    return int.from_bytes(bytes.fromhex(key.digest)[:8], "little")


def _state(path: Path) -> dict[str, int]:
    status = path.stat()
    return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "inode": status.st_ino}


def _hash_all(path: Path) -> str:
    with open_binary(path) as stream:
        return hashlib.file_digest(stream, _blake2b).hexdigest()


def _hash_ends(path: Path, size: int) -> str:
    """Hash the size and both ends; the first MiB of a ROOT file holds its UUID."""
    digest = _blake2b()
    digest.update(f"weak:{size}:".encode())
    with open_binary(path) as stream:
        digest.update(stream.read(ENDS))
        stream.seek(size - ENDS)
        digest.update(stream.read(ENDS))
    return digest.hexdigest()


def _blake2b() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=KEY_BYTES)


def _note(path: Path) -> Path:
    name = hashlib.blake2b(os.fsencode(path.absolute()), digest_size=KEY_BYTES).hexdigest()
    return cache_folder() / "filekeys" / name[:2] / f"{name}.json"


def _recall(path: Path, state: dict[str, int]) -> FileKey | None:
    """The remembered key, if the note is whole and the file is still the one it speaks of."""
    try:
        note = json.loads(_note(path).read_text())
        key = FileKey(str(note["digest"]), bool(note["weak"]))
        fresh = note["state"] == state and len(bytes.fromhex(key.digest)) == KEY_BYTES
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return key if fresh else None


def _remember(path: Path, state: dict[str, int], key: FileKey) -> None:
    note = {"path": str(path.absolute()), "state": state, "digest": key.digest, "weak": key.weak}
    try:
        write_atomic(_note(path), json.dumps(note) + "\n")
    except OSError:  # a read-only or full cache only costs time
        return
