"""Damaged copies of real and generated files: a finding or values, never a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import awkward as ak
import h5py
import numpy as np
import pytest

SCRIPT = Path(__file__).with_name("mutants.py")
CHECKED = {"events.parquet", "events.npz", "flat.h5"}  # files with a checksum on every piece


def run(path: Path, count: int, seed: int = 1) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, SCRIPT, path, str(seed), str(count)],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{path}: {done.stderr[-500:]}"
    *crashes, summary = done.stdout.splitlines()
    assert crashes == []
    words = summary.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


WRITTEN = {
    "events.root": "root",
    "ntuple.root": "rntuple",
    "events.parquet": "parquet",
    "events.h5": "hdf5",
    "flat.h5": "hdf5",
}


@pytest.fixture(params=[*WRITTEN, "old.h5", "phenoml", "lhe", "npz", "csv"])
def path(request, tmp_path, events, write, text_of) -> Path:
    flat = [name for name in events.fields if not name.startswith("Jet_") and name != "text"]
    if request.param in WRITTEN:
        names = flat if request.param == "flat.h5" else events.fields
        return write(request.param, events[names][:200], format=WRITTEN[request.param])
    if request.param in text_of:
        path = tmp_path / f"events.{request.param}"
        path.write_text(text_of[request.param](200))
        return path
    if request.param == "old.h5":
        return old_hdf5(tmp_path / request.param, events[flat][:200])
    random = np.random.default_rng(1)
    columns = {"mass": random.normal(size=200), "n": np.arange(200)}
    path = tmp_path / f"events.{request.param}"
    if request.param == "npz":
        np.savez_compressed(path, **columns)
        return path
    rows = "".join(f"{n},{mass}\n" for mass, n in zip(*columns.values(), strict=True))
    path.write_text("n,mass\n" + rows)
    return path


def old_hdf5(path: Path, events: ak.Array) -> Path:
    """A file in HDF5's oldest format, as most are: without checksums, chunked and compressed."""
    with h5py.File(path, "w") as file:
        for name in events.fields:
            file[f"sim/{name}"] = np.asarray(events[name])
        file.create_dataset("sim/chunked", data=np.arange(200.0), chunks=(50,), compression="gzip")
        file["record"] = np.zeros(200, [("a", "f4"), ("b", "i8"), ("s", "S3")])
    return path


def check(path: Path, count: int) -> None:
    counts = run(path, count)
    assert sum(counts.values()) == count
    assert counts["refused"] > 0
    if path.name in CHECKED:
        assert counts["other"] == 0


def test_a_few_mutants(path):
    check(path, 15)


@pytest.mark.slow
def test_many_mutants(path):
    check(path, 200)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "root_samples/uproot-HZZ-objects.root",
        "root_samples/uproot-sample-6.20.04-uncompressed.root",
        "root_samples/uproot-Zmumu-zstd.root",
        "calratio/expected/convert_sig_311314__as_qcd.parquet",
    ],
)
def test_many_mutants_of_real_files(data_folder, name):
    assert sum(run(data_folder / name, 200).values()) == 200
