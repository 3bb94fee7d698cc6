"""Record what ROOT itself gives for expressions.

`python -m tests.events.expressions.record_root FOLDER` with the folder of the test data needs ROOT
(`pip install ROOT`) and uproot; it writes `root_values.json` beside this file, and `nested.root` if
there is none. No case has `x % 0`, on which ROOT ends the process.
"""

from __future__ import annotations

import contextlib
import json
import math
import sys
import tempfile
from array import array
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

from tests.events.expressions.root_cases import SMALL, VALUES
from tests.events.expressions.root_loops import LOOPS, NESTED
from tests.events.expressions.root_published import AGGREGATES, HISTOGRAMS

HERE = Path(__file__).parent
TABLE = HERE / "root_values.json"

# The nested file.
I = [0, 1, 2, 1, 3, -1, 7, 1]  # noqa: E741
S = [0.5, -1.5, 2, 0, -0.25, 1, 1000, -1000]
X = [[1.5, -2.5, 3.25], [], [4], [0, -1], [5.5, 6.5, 7.5, 8.5], [2], [], [9, 10]]
Y = [[1, 0, 2], [], [0], [1, 1], [3, 2, 1, 0], [0], [], [0, 1]]
Z = [
    *([[1, 2], [3], [4, 5, 6]], [], [[7]], [[8], [9, 10]]),
    *([[11], [12], [], [13, 14]], [[15, 16]], [], [[], [17]]),
]

JETS = [[31.5, -2.5, 3.25], [], [4.0], [0.0, -1.0], [5.5, 6.5, 7.5, 8.5], [2.0], [], [9.0, 10.0]]
# ROOT reads beyond the end where one column has 1 element and a later one has more.
HITS = [[10, 20], [30], [40], [], [50, 60], [70], [80, 90, 100], [110, 120]]


def write_small(folder: Path) -> Path:
    """Eight events with every kind of column, awkward values included."""
    columns = {
        "i": np.array([-7, -3, 0, 1, 2, 3, 7, 10], np.int32),
        "j": np.array([3, -5, 2, -2, 5, 1, -3, 4], np.int32),
        "u": np.array([0, 1, 2, 3, 4_000_000_000, 5, 6, 7], np.uint32),
        "big": np.array([2**53, 2**53 + 1, 2**53 + 2, -(2**53), 2**62 + 1, 5, 6, 7], np.int64),
        "ubig": np.array([2**63, 2**63 + 2048, 1, 2, 3, 4, 5, 2**53 + 1], np.uint64),
        "byte": np.array([1, -1, 65, 66, -128, 127, 0, 3], np.int8),
        "flag": np.array([1, 0, 1, 1, 0, 0, 1, 0], np.bool_),
        "f": np.array([0.1, 0.2, 0.3, -0.4, 1e30, math.nan, math.inf, 2.5], np.float32),
        "d": np.array([0.5, -1.5, 2.0, 0.0, -0.25, 1.0, 1000.0, -1000.0]),
        "w": np.array([1.0, 0.5, -0.25, 2.0, 0.0, 1.5, 1.0, 0.125]),
        "v": np.arange(24.0).reshape(8, 3),
    }
    jagged = {
        "jets": ak.values_astype(ak.Array(JETS), np.float32),
        "hits": ak.values_astype(ak.Array(HITS), np.int32),
    }
    path = folder / SMALL
    types = {name: np.dtype((value.dtype, value.shape[1:])) for name, value in columns.items()}
    with uproot.recreate(path) as file:
        tree = file.mktree("T", types | {"jets": "var * float32", "hits": "var * int32"})
        tree.extend(columns | jagged)
    return path


def write_nested(ROOT, path: Path) -> None:
    """Eight events with vectors, vectors of vectors, and arrays of fixed and varying length."""
    with contextlib.chdir(path.parent):  # the file keeps the name it was opened by
        file = ROOT.TFile(path.name, "RECREATE")
    tree = ROOT.TTree("N", "nested")
    buffers = {
        "i": array("i", [0]),
        "k": array("i", [0]),
        "s": array("d", [0.0]),
        "n": array("i", [0]),
        "fix[2][3]": array("f", [0.0] * 6),
        "arr[n]": array("f", [0.0] * 4),
        "arr2[n][3]": array("f", [0.0] * 12),
    }
    vectors = {
        "x": ROOT.std.vector("float")(),
        "y": ROOT.std.vector("int")(),
        "idx": ROOT.std.vector("int")(),
        "b": ROOT.std.vector("bool")(),
        "z": ROOT.std.vector("vector<float>")(),
    }
    for name, buffer in buffers.items():
        tree.Branch(name.partition("[")[0], buffer, f"{name}/{buffer.typecode.upper()}")
    for name, vector in vectors.items():
        tree.Branch(name, vector)
    for event in range(8):
        fill(event, buffers, vectors, ROOT.std.vector("float"))
        tree.Fill()
    tree.Write()
    file.Close()


def fill(event: int, buffers: dict, vectors: dict, inner: type) -> None:
    """Put one event of the nested file into its buffers."""
    length = len(X[event])
    for name, value in zip("iksn", (I[event], event - 3, S[event], length), strict=True):
        buffers[name][0] = value
    buffers["fix[2][3]"][:] = array("f", range(10 * event, 10 * event + 6))
    buffers["arr[n]"][:length] = array("f", X[event])
    rows = [100 * event + 10 * row + column for row in range(length) for column in range(3)]
    buffers["arr2[n][3]"][: 3 * length] = array("f", rows)
    for vector in vectors.values():
        vector.clear()
    for value, place in zip(X[event], Y[event], strict=True):
        vectors["x"].push_back(value)
        vectors["y"].push_back(place)
        vectors["idx"].push_back(place)
        vectors["b"].push_back(bool(place))
    for values in Z[event]:
        vectors["z"].push_back(inner(values))


def cases() -> list[dict[str, object]]:
    """All cases, without ROOT's answers."""
    small = [{"file": f"{SMALL}:T", "expression": e, "select": s} for e, s in VALUES]
    nested = [{"file": f"{NESTED}:N", "expression": e, "select": s} for e, s in LOOPS]
    large = [{"file": f, "expression": e, "select": s} for f, e, s in AGGREGATES]
    drawn = [
        {"file": f if ":" in f else f"{f}:T", "expression": e, "select": s, "bins": b}
        for f, e, s, b in HISTOGRAMS
    ]
    return small + nested + large + drawn


def main() -> None:
    """Ask ROOT."""
    import ROOT

    ROOT.gROOT.SetBatch(True)
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_small(Path(folder))
        if not (HERE / NESTED).exists():
            write_nested(ROOT, HERE / NESTED)
        own = {SMALL: Path(folder), NESTED: HERE}
        for case in cases():
            root = own.get(str(case["file"]).partition(":")[0], data)
            if root is None:
                sys.exit("name the folder with the data: record_root FOLDER")
            rows.append(case | answer(ROOT, root, case))
    text = ",\n".join(json.dumps(row, sort_keys=True) for row in rows)
    version = json.dumps(ROOT.__version__)
    TABLE.write_text(f'{{"root": {version}, "cases": [\n{text}\n]}}\n', encoding="utf-8")
    failed = [row for row in rows if "error" in row]
    print(f"{len(rows)} cases, {len(failed)} of them refused by ROOT")  # noqa: T201
    for row in failed:
        print(row)  # noqa: T201


def answer(ROOT, folder: Path, case: dict[str, object]) -> dict[str, object]:
    """What ROOT gives for one case."""
    ROOT.gErrorIgnoreLevel = ROOT.kFatal
    name, _, tree_name = str(case["file"]).rpartition(":")
    file = ROOT.TFile.Open(str(folder / name))
    tree = file.Get(tree_name)
    if bins := case.get("bins"):
        return histogram(ROOT, tree, case, bins)
    tree.SetEstimate(tree.GetEntries() + 10)
    if tree.Draw(case["expression"], case["select"], "goff") < 0:
        return {"error": "refused"}
    count = tree.GetSelectedRows()
    if count >= tree.GetEstimate():  # beyond its buffer ROOT hands out garbage
        tree.SetEstimate(count + 10)
        tree.Draw(case["expression"], case["select"], "goff")
    values = column(tree.GetV1(), count)
    weights = column(tree.GetW(), count)
    if name in {SMALL, NESTED}:
        return {"values": spelt(values), "weights": spelt(weights)}
    return aggregates(values, weights)


def column(buffer, count: int) -> np.ndarray:
    return np.array([buffer[row] for row in range(count)], dtype=np.float64)


def aggregates(values: np.ndarray, weights: np.ndarray) -> dict[str, object]:
    known = ~np.isnan(values) & ~np.isnan(weights)
    values, nan, weights = values[known], int((~known).sum()), weights[known]
    numbers = {
        "sum": math.fsum(values * weights),
        "sum2": math.fsum(values * values * weights),
        "sum_weights": math.fsum(weights),
        "min": float(values.min()) if len(values) else None,
        "max": float(values.max()) if len(values) else None,
    }
    return {"n": len(values), "nan": nan} | numbers


def histogram(ROOT, tree, case, bins) -> dict[str, object]:
    count, low, high = bins
    ROOT.TH1.SetDefaultSumw2(True)
    drawn = ROOT.TH1D("drawn", "", count, low, high)
    tree.Draw(f"{case['expression']}>>drawn", case["select"], "goff")
    inside = range(1, count + 1)
    return {
        "contents": [drawn.GetBinContent(number) for number in inside],
        "errors": [drawn.GetBinError(number) for number in inside],
        "underflow": drawn.GetBinContent(0),
        "overflow": drawn.GetBinContent(count + 1),
        "mean_inside": drawn.GetMean(),
        "std_inside": drawn.GetStdDev(),
    }


def spelt(numbers: np.ndarray) -> list[float | str]:
    """JSON has no NaN and infinities: they are written as text."""
    return [float(number) if math.isfinite(number) else str(number) for number in numbers]


if __name__ == "__main__":
    main()
