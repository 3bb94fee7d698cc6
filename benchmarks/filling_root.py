"""Fills the histograms of `filling.py` with RDataFrame: `python filling_root.py JOB`."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import ROOT


def main() -> None:
    """Book the histograms of all samples, run all graphs, and write the contents."""
    job = json.loads(Path(sys.argv[1]).read_text())
    ROOT.EnableImplicitMT(job["cores"])
    started, before = time.perf_counter(), sum(os.times()[:4])
    frames = [ROOT.RDataFrame("nominal", file) for file in job["files"]]
    nominal = [book(frame, job) for frame in frames]
    varied = [list(map(ROOT.RDF.Experimental.VariationsFor, results)) for results in nominal]
    booked = time.perf_counter() - started
    ROOT.RDF.RunGraphs([results[0] for results in nominal])
    names = ["nominal", *(f"syst:{name}" for name in job["variations"])]
    contents = [
        np.asarray(histograms[name])
        for results in varied
        for histograms in results
        for name in names
    ]
    seconds, spent = time.perf_counter() - started, sum(os.times()[:4]) - before
    told = f"{seconds:.1f} s ({booked:.1f} s to book), processor {spent:.1f} s"
    print(f"RDataFrame: {told}; load {os.getloadavg()[0]:.1f}")
    np.save(job["result"], np.concatenate(contents))


def book(frame: object, job: dict) -> list:
    """The histograms of one sample by region, with their variations."""
    varied = ", ".join(f"w * {name}" for name in job["variations"])
    frame = frame.Filter(job["preselection"]).Define("w", job["weight"])
    frame = frame.Vary("w", f"ROOT::RVecD{{{varied}}}", job["variations"], "syst")
    results = []
    for variable, selection, bins, low, high in job["regions"]:
        region = frame.Filter(selection).Define("value", f"double({variable})")
        results.append(region.Histo1D(("h", "", int(bins), low, high), "value", "w"))
    return results


if __name__ == "__main__":
    main()
