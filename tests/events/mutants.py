"""Read damaged copies of one file in a process with little memory; print what was not a finding.

Usage: python mutants.py FILE SEED COUNT. Writes one line for each mutant that raised something
else than findings, and at the end the counts of mutants that were refused, gave the same values
as the file, and gave others.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import warnings
from pathlib import Path

import awkward as ak
import numpy as np

from quarkline.engine.core.findings import QuarklineError
from quarkline.events.sources import list_trees, open_source

MEMORY = 3 * 2**30


def mutant(data: bytes, random: np.random.Generator) -> bytes:
    """One damaged copy: cut short, bits flipped, bytes zeroed, or a piece doubled."""
    kind = random.integers(4)
    where = int(random.integers(len(data)))
    size = int(random.integers(1, 64))
    if kind == 0:
        return data[:where]
    if kind == 1:
        damaged = bytearray(data)
        for position in random.integers(len(data), size=int(random.integers(1, 9))):
            damaged[position] ^= 1 << int(random.integers(8))
        return bytes(damaged)
    if kind == 2:
        return data[:where] + bytes(len(data[where : where + size])) + data[where + size :]
    return data[:where] + data[where : where + size] + data[where:]


def read(path: Path) -> list[object]:
    """Everything in a file: name, columns and values of each tree."""
    found: list[object] = []
    names = [tree.name or None for tree in list_trees(path)] or [None]
    for name in names:
        with open_source(path, tree=name) as source:
            columns = list(source.schema.columns)
            chunks = [chunk.array for chunk in source.chunks(columns, step=1000)]
            found.append((name, columns, ak.to_list(ak.concatenate(chunks))))
    return found


def main(file: Path, seed: int, count: int) -> None:
    """Read `count` mutants of `file`."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    data = file.read_bytes()
    original = repr(read(file))
    refused = same = other = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"mutant{file.suffix}"
        for number in range(count):
            path.write_bytes(mutant(data, np.random.default_rng([seed, number])))
            try:
                found = repr(read(path))
            except QuarklineError:
                refused += 1
            except Exception as error:
                sys.stdout.write(f"mutant {number}: {type(error).__name__}: {error}\n")
            else:
                same, other = same + (found == original), other + (found != original)
    sys.stdout.write(f"refused {refused} same {same} other {other}\n")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
