"""Blind data are in no file of a run: nothing that it writes gives their number away."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from quarkline.figures.save import save
from quarkline.figures.style import canvas
from quarkline.tools.run import load_analysis, run
from tests.farm.here import here

from .conftest import CONFIG, toy, write_all

pytestmark = pytest.mark.xdist_group("search")

HIDDEN, REST, SEEN, OUTSIDE, NOWHERE = 1777, 613, 947, 1283, 731
"""Data events in the bins of the blind region, beside it in the region trained in, in the
validation region, and in none."""
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
    .replace("  fit: {epochs: 3, batch_size: 64}\n", "  fit: {weights: none, balance: none}\n")
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
    numbers = {(50, 1): HIDDEN, (80, 1): REST, (25, 1): SEEN, (25, 0): OUTSIDE, (25, 2): NOWHERE}
    columns: dict[str, Any] = toy(0, 20.0, sum(numbers.values()), seed=5)
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
    found = re.findall(r"(?<![\w.])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?!\w)", text)
    yield from (float(number.replace(",", "")) for number in found)


def numbers_of_json(path: Path) -> Iterator[float]:
    for line in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
        yield from numbers_in(json.loads(line))


def numbers_of_page(path: Path) -> Iterator[float]:
    """Numbers of a page or drawing and of its tables; outlines are none."""
    text = path.read_text()
    for packed in re.findall(r"data:(?:text/csv|application/json);base64,([\w+/=]+)", text):
        yield from numbers_of_text(base64.b64decode(packed).decode())
    yield from numbers_of_text(re.sub(r'\b(?:d|href|transform|points)="[^"]*"', "", text))


def numbers_of_pdf(path: Path) -> Iterator[float]:
    """Numbers in the texts of a PDF, whose letters may stand apart."""
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", path.read_bytes(), re.DOTALL):
        try:
            content = zlib.decompress(packed)
        except zlib.error:
            continue
        for shown in re.findall(rb"BT\n(.*?)\nET", content, re.DOTALL):
            letters = b"".join(re.findall(rb"(?<!\\)\((.*?)(?<!\\)\)", shown, re.DOTALL))
            yield from numbers_of_text(letters.replace(b"\0", b"").decode("latin-1"))


def arrays(values: np.ndarray) -> Iterator[float]:
    """Numbers of an array, how many they are, and their sum."""
    yield from totals(values)
    if values.dtype.kind in "iufb":
        yield from np.unique(values.astype(np.float64)).tolist()


def totals(values: np.ndarray) -> Iterator[float]:
    """How many numbers are in an array, how many are none, and their sum."""
    yield float(values.size)
    if values.dtype.kind in "iufb":
        there = np.isfinite(values)
        yield from (float(there.sum()), float((~there).sum()))
        yield float(values[there].astype(np.float64).sum())


def numbers_of_table(path: Path) -> Iterator[float]:
    """Totals of columns; the values are of single events, and row ids among them."""
    table = pq.read_table(path)
    yield float(table.num_rows)
    for column in table.columns:
        if not str(column.type).startswith(("list", "large_list", "fixed_size_list")):
            yield from totals(column.to_numpy())


def numbers_of_npz(path: Path) -> Iterator[float]:
    with np.load(path, allow_pickle=False) as file:
        for name in file.files:
            yield from (float(length) for length in file[name].shape)
            yield from arrays(file[name])


def numbers_of_npy(path: Path) -> Iterator[float]:
    yield from arrays(np.load(path, allow_pickle=False))


def numbers_of_root(path: Path) -> Iterator[float]:
    """Histograms with their entries, and totals of the values of trees."""
    with uproot.open(path) as file:
        for name, kind in file.classnames().items():
            if kind.startswith("TH1"):
                histogram = file[name]
                yield from arrays(histogram.values(flow=True))
                yield float(histogram.member("fEntries"))
            elif kind == "TTree":
                for branch in file[name].branches:
                    yield from totals(branch.array(library="np"))
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
            for number in SECRETS.keys() & set(READERS.get(path.suffix, numbers_of_file)(path)):
                found.setdefault(number, []).append(str(path.relative_to(folder)))
    return found


def numbers_of_file(path: Path) -> Iterator[float]:
    yield from numbers_of_text(path.read_text(encoding="latin-1"))


def write_root(path: Path) -> None:
    with uproot.recreate(path) as file:
        file.mktree("tree", {"score": np.float64})
        file["tree"].extend({"score": np.array([1.0] * HIDDEN + [np.nan] * 5)})


def write_histogram(path: Path) -> None:
    with uproot.recreate(path) as file:
        file["data"] = np.array([3.0, HIDDEN]), np.array([0.0, 1.0, 2.0])


def write_pdf(path: Path) -> None:
    with canvas(None, label=None, style="quarkline") as frame:
        frame.main.text(0.5, 0.5, f"data: {HIDDEN:,}")
    save(frame.figure, path.with_suffix(""), formats=["pdf"])


def write_page_with_table(path: Path) -> None:
    packed = base64.b64encode(f"bin,events\n1,{HIDDEN}\n".encode()).decode()
    path.write_text(f'<a href="data:text/csv;base64,{packed}">CSV</a>')


PLANTED: Mapping[str, Callable[[Path], object]] = {
    "number.json": lambda path: path.write_text(f'{{"a": [{{"b": {HIDDEN}.0}}]}}'),
    "sum.json": lambda path: path.write_text(f"[[{HIDDEN - 3}, 3]]"),
    "words.json": lambda path: path.write_text(f'"found {HIDDEN:,} events"'),
    "table.csv": lambda path: path.write_text(f"947,{HIDDEN},12\n"),
    "run.log": lambda path: path.write_text(f"2026-01-01 read {HIDDEN:,} events\n"),
    "page.html": lambda path: path.write_text(f'<td data-value="{HIDDEN}">many</td>'),
    "tables.html": write_page_with_table,
    "drawing.svg": lambda path: path.write_text(f"<svg><text>{HIDDEN}</text></svg>"),
    "figure.pdf": write_pdf,
    "rows.parquet": lambda path: pq.write_table(pa.table({"pt": np.zeros(HIDDEN)}), path),
    "sums.npz": lambda path: np.savez(path, sums=np.array([1.0, HIDDEN])),
    "tree.root": write_root,
    "histogram.root": write_histogram,
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_number_is_found_in_every_kind_of_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    PLANTED[name](tmp_path / "run" / name)
    assert told(tmp_path) == {HIDDEN: [f"run/{name}"]}


@pytest.fixture
def config(tmp_path: Path, toys: Mapping[str, Mapping[str, Any]]) -> Path:
    path: Path = write_all(tmp_path, {**toys, "data/15": data()}, SEARCHED)
    return path


def searched(config: Path, runs: Path, *overrides: str, until: str | None = None) -> Path:
    with here():
        run(load_analysis(config, overrides=[f"roots.runs={runs}", *overrides]), until=until)
    return runs


@pytest.mark.parametrize("until", ["fit", pytest.param(None, marks=pytest.mark.slow)])
def test_no_file_of_a_run_tells_the_number_of_blind_data(
    config: Path, tmp_path: Path, until: str | None
) -> None:
    runs = tmp_path / "runs"
    assert told(searched(config, runs, until=until)) == {}
    opened = told(searched(config, runs, "unblind=approved", until=until))
    assert {HIDDEN, BLIND, BLIND + SEEN} <= opened.keys()
    endings = {Path(file).suffix for files in opened.values() for file in files}
    assert {".json", ".parquet", ".npz", ".root"} <= endings
    if until is None:
        assert ".html" in endings
