"""RNTuples written here: names as ATLAS spells them, and ROOT reading every type."""

from __future__ import annotations

import json
import subprocess
import sys

import awkward as ak
import pytest
import uproot

from quarkline.events.sinks.rntuple import NtupleSink
from quarkline.events.sources.base import record_array

PT = ak.Array([[30.0, 20.0], [], [10.0]])
READ = """
import sys, json, ROOT
frame = ROOT.RDataFrame("Events", sys.argv[1])

def plain(value):
    if isinstance(value, (str, ROOT.std.string)):
        return str(value)
    return [plain(v) for v in value] if hasattr(value, "__len__") else float(value)

names = sys.argv[2].split(",")
print(json.dumps({n: [plain(v) for v in frame.AsNumpy([n])[n]] for n in names}))
"""


def test_dots_are_spelt_as_colons(write):
    path = write("a.root", record_array({"jets.pt": PT}, 3), format="rntuple")
    with uproot.open(path) as file:
        assert file["Events"].keys() == ["jets:pt"]


def test_blocks_are_clusters(write, monkeypatch):
    monkeypatch.setattr(NtupleSink, "block_rows", 2)
    path = write("a.root", record_array({"pt": PT}, 3), format="rntuple")
    with uproot.open(path) as file:
        assert [int(c.num_entries) for c in file["Events"].cluster_summaries] == [2, 1]


@pytest.mark.oracle
def test_root_reads_what_was_written(write, events):
    """In a process of its own: of what `import ROOT` changes, nothing is given back."""
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    nested = ak.Array([[[1.5, 2.5], []], [], [[3.5]]])  # ROOT has no dictionary for integers
    columns = {"pt": PT, "nested": nested, "text": ak.Array(["é", "", "c"])}
    columns |= {name: events[name][:3] for name in ("flat_int32", "flat_float32", "Jet_float64")}
    path = write("a.root", record_array(columns, 3), format="rntuple")
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path), ",".join(columns)],
        check=True,
        timeout=200,
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    for name, array in columns.items():
        assert found[name] == array.to_list(), name
