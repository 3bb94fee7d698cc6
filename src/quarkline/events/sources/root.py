"""ROOT files: TTrees and RNTuples behind one format."""

from __future__ import annotations

from pathlib import Path

from quarkline.events.sources.base import Source
from quarkline.events.sources.problems import opening
from quarkline.events.sources.rntuple import NtupleSource
from quarkline.events.sources.root_file import choose, matches, open_root, trees
from quarkline.events.sources.tree import TreeSource

__all__ = ["NAME", "SUFFIXES", "matches", "open_source", "trees"]

NAME = "ROOT"
SUFFIXES = (".root",)


def open_source(path: Path, tree: str | None = None) -> Source:
    """Open the TTree or RNTuple of that name, or the only one; of several cycles the highest.

    Raises:
        InputError: If the file is cut off or damaged, or the choice is not clear.
    """
    file = open_root(path)
    try:
        with opening(path):
            name, ntuple = choose(file, path, tree)
    except BaseException:
        file.close()
        raise
    return (NtupleSource if ntuple else TreeSource)(path, file, name)
