"""Blind data are in no file of a run: nothing that it writes gives their number away."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from quarkline.tools.run import load_analysis, run
from tests.farm.here import here

from .conftest import CONFIG, toy, write_all

pytestmark = pytest.mark.xdist_group("search")

HIDDEN, REST, SEEN, OUTSIDE = 1777, 613, 947, 1283
"""Data events in the bins of the blind region, in the region trained in beside it, elsewhere."""
BLIND = HIDDEN + REST
SECRETS = {
    HIDDEN: "the bin",
    BLIND: "the blind region",
    HIDDEN + SEEN: "the bin and the open region",
    BLIND + SEEN: "the open region with the blind events in it",
    BLIND + OUTSIDE: "the blind region and the validation region",
    HIDDEN + OUTSIDE: "the bin and the validation region",
}
SEARCHED = (
    CONFIG.replace(
        "  SR: {variable: score,",
        "  SR: {variable: score, binning: {kind: edges, edges: [0, 0.3, 0.5, 0.7, 1]},",
    )
    .replace(
        "systematics:\n",
        """\
  HR: {role: control, variable: pt, binning: {kind: edges, edges: [40, 60, 100]},
       selection: "pass_ == 1 && pt > 40", blind: true}
  VR: {role: validation, variable: eta, binning: {kind: uniform, bins: 4, low: -3, high: 3},
       selection: "pass_ == 0"}
systematics:
""",
    )
    .replace("{kind: resnet, blocks: 1, width: 8}", "{kind: bdt, trees: 5}")
    .replace("  fit: {epochs: 3, batch_size: 64}\n", "")
    + """\
norm_factors: {mu: {samples: signal, min: -5, max: 50}}
poi: mu
fit: {goodness_of_fit: true, scans: [{parameters: mu}], regions: [SR, control]}
ranking: {}
limit: {}
significance: {}
"""
)


def data() -> dict[str, Any]:
    """Columns of the data: how many are where is given by the numbers above."""
    numbers = {(50, 1): HIDDEN, (80, 1): REST, (25, 1): SEEN, (25, 0): OUTSIDE}
    columns = toy(0, 20.0, sum(numbers.values()), seed=5)
    columns["pt"] = np.concatenate([np.full(n, at[0]) for at, n in numbers.items()])
    columns["pass_"] = np.concatenate([np.full(n, at[1]) for at, n in numbers.items()])
    order = np.random.default_rng(1).permutation(len(columns["pt"]))
    for name, kind in (("pt", np.float32), ("pass_", np.int32)):
        columns[name] = columns[name][order].astype(kind)
    return columns


def numbers_in(values: Any) -> Iterator[float]:
    """The numbers of a JSON value, and of its lists of numbers how many they are and their sum."""
    if isinstance(values, Mapping):
        for item in values.values():
            yield from numbers_in(item)
    elif isinstance(values, list):
        plain = [item for item in values if isinstance(item, int | float)]
        yield from (float(len(values)), float(sum(plain)))
        for item in values:
            yield from numbers_in(item)
    elif isinstance(values, int | float) and not isinstance(values, bool):
        yield float(values)
    elif isinstance(values, str):
        yield from numbers_of_text(values)


def numbers_of_text(text: str) -> Iterator[float]:
    """Numbers that stand alone in a text, thousands with or without a comma."""
    for found in re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w])", text):
        yield float(found.replace(",", "") or 0)


def numbers_of_json(path: Path) -> Iterator[float]:
    for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
        yield from numbers_in(json.loads(line))


def numbers_of_page(path: Path) -> Iterator[float]:
    """Numbers of a page or drawing; outlines and embedded files are searched as files."""
    text = re.sub(r'\b(?:d|href|transform|points)="[^"]*"', "", path.read_text())
    yield from numbers_of_text(text)


def numbers_of_pdf(path: Path) -> Iterator[float]:
    """Numbers in the texts of a PDF, whose letters may stand apart."""
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.DOTALL):
        try:
            content = zlib.decompress(packed)
        except zlib.error:
            continue
        for shown in re.findall(rb"\[(.*?)\] ?TJ|(\(.*?\)) ?Tj", content, re.DOTALL):
            parts = re.findall(rb"\((.*?)\)", b"".join(shown))
            yield from numbers_of_text(b"".join(parts).decode("latin-1"))


def arrays(values: np.ndarray) -> Iterator[float]:
    """Numbers of an array, how many they are, and their sum."""
    yield float(values.size)
    if values.dtype.kind in "iufb" and values.size:
        yield from np.unique(values.astype(np.float64)).tolist()
        yield float(np.nansum(values.astype(np.float64)))


def numbers_of_table(path: Path) -> Iterator[float]:
    table = pq.read_table(path)
    yield float(table.num_rows)
    for column in table.columns:
        if not str(column.type).startswith(("list", "large_list", "fixed_size_list")):
            yield from arrays(np.asarray(column.to_numpy(zero_copy_only=False)))


def numbers_of_npz(path: Path) -> Iterator[float]:
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            yield from (float(length) for length in file[name].shape)
            yield from arrays(file[name])


def numbers_of_npy(path: Path) -> Iterator[float]:
    yield from arrays(np.load(path, allow_pickle=False))


def numbers_of_root(path: Path) -> Iterator[float]:
    """Histograms with their entries, and the values of trees; a tree has the entries of its file."""
    with uproot.open(path) as file:
        for name, kind in file.classnames().items():
            if kind.startswith("TH1"):
                histogram = file[name]
                yield from arrays(histogram.values(flow=True))
                yield float(histogram.member("fEntries"))
            elif kind == "TTree":
                tree = file[name]
                for branch in tree.branches:
                    found = branch.array(library="np")
                    if found.dtype.kind == "f":
                        yield float(np.isfinite(found).sum())
                        yield from np.unique(found[np.isfinite(found)]).tolist()
            elif kind == "TObjString":
                yield from numbers_in(json.loads(str(file[name])))


READERS: Mapping[str, Callable[[Path], Iterator[float]]] = {
    ".json": numbers_of_json,
    ".jsonl": numbers_of_json,
    ".parquet": numbers_of_table,
    ".npz": numbers_of_npz,
    ".npy": numbers_of_npy,
    ".root": numbers_of_root,
    ".pdf": numbers_of_pdf,
    ".svg": numbers_of_page,
    ".html": numbers_of_page,
}


def told(folder: Path) -> dict[int, list[str]]:
    """Where each secret number is found in a folder; files of text are read as such."""
    found: dict[int, list[str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".png":
            reader = READERS.get(path.suffix, lambda path: numbers_of_text(path.read_text("latin-1")))
            for number in SECRETS.keys() & set(reader(path)):
                found.setdefault(number, []).append(str(path.relative_to(folder)))
    return found
