"""ROOT files as such: whole or cut off, the tables in them, and what our own sink wrote beside."""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uproot

from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.engine.store.remote import open_binary
from quarkline.events.schema import LABEL, NOTES, own_notes
from quarkline.events.sources.problems import AGAIN, TreeInfo, choose_tree, opening

MAGIC = b"root"
TREES = frozenset({"TTree", "TNtuple", "TNtupleD"})
RNTUPLE = "ROOT::RNTuple"

# The public `uproot.ZLIB.library` reaches compression alone (uproot 5.7).
uproot.compression._decompress_ZLIB.library = "isal"  # noqa: SLF001

TRUNCATED = Rule(
    "QL-EVENTS-004",
    "a ROOT file is as long as its header says",
    "A ROOT file states its length in its header. A shorter file was cut off: a copy that broke, "
    "a full disk, or a job that died. Copy or make it again; what lies before the cut is not "
    "read, because nothing says how much of it is missing.",
)


def trees(path: Path) -> list[TreeInfo]:
    """The TTrees and RNTuples of a ROOT file, of several cycles the highest."""
    with open_root(path) as file, opening(path):
        return _listing(file)


def matches(_path: Path, head: bytes) -> bool:
    """Whether a file's first bytes are those of a ROOT file."""
    return head.startswith(MAGIC)


def open_root(path: Path) -> Any:
    """Open a file that is as long as it says.

    Raises:
        InputError: If it is cut off or damaged.
    """
    _check_length(path)
    with opening(path):
        if address_of(path):
            return uproot.open(open_binary(path), array_cache=None, object_cache=None)
        return uproot.open(
            path,
            handler=uproot.MultithreadedFileSource,
            num_workers=1,
            array_cache=None,
            object_cache=None,
        )


def choose(file: Any, path: Path, tree: str | None) -> tuple[str, bool]:
    """The table that is meant, and whether it is an RNTuple.

    All tables are looked into only to say what there is.
    """
    kinds = {
        name: kind
        for name, kind in file.classnames(cycle=False).items()
        if kind in TREES or kind == RNTUPLE
    }
    if tree is None and len(kinds) == 1:
        name = str(next(iter(kinds)))
    else:
        name = (
            tree if tree is not None and tree in kinds else choose_tree(path, tree, _listing(file))
        )
    return name, kinds[name] == RNTUPLE


def own_metadata(file: Any) -> dict[str, Mapping[str, Any]]:
    """What our own sink wrote beside the tree, as TObjStrings."""
    kinds = file.classnames(recursive=False, cycle=False)
    ours = [name for name in (LABEL, *NOTES) if kinds.get(name) == "TObjString"]
    return own_notes({name: str(file[name]) for name in ours})


def _check_length(path: Path) -> None:
    """Compare the file's length with `fEND` in its header (layout: ROOT's TFile reference)."""
    with open_binary(path) as stream:
        head = stream.read(20)
        size = stream.seek(0, io.SEEK_END)
    stated = None
    if len(head) == 20:
        (version,) = struct.unpack(">i", head[4:8])
        stated = struct.unpack(">q" if version >= 1_000_000 else ">i4x", head[12:20])[0]
    if stated is None or size < stated:
        whole = "" if stated is None else f" of {stated}"
        raise InputError(
            TRUNCATED.finding(
                f"the file ends after {size}{whole} bytes",
                place=Place(file=path),
                suggestion=AGAIN,
                evidence={"size": size, "stated": stated},
            )
        )


def _listing(file: Any) -> list[TreeInfo]:
    found = []
    for name, kind in file.classnames(cycle=False).items():
        if kind in TREES or kind == RNTUPLE:
            tree = file[name]
            columns = tree.fields if kind == RNTUPLE else tree.branches
            found.append(TreeInfo(name, int(tree.num_entries), len(columns)))
    return found
