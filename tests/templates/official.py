"""TRExFitter's own examples: their configs, and what `fill` would give for them."""

from __future__ import annotations

from pathlib import Path

import uproot

from quarkline.catalog import Catalog, Varied
from quarkline.templates.build import Built
from quarkline.templates.fill import HistRequest
from quarkline.templates.histograms import Histogram
from quarkline.trexfitter import read_trexfitter, translate


def catalog_of(folder: Path, name: str) -> Catalog:
    """The catalog of an official config."""
    return translate(read_trexfitter(folder / "configs" / f"{name}.config")).validate(Catalog)


def histogram(path: Path, name: str) -> Histogram:
    """A histogram of a ROOT file."""
    with uproot.open(path) as file:
        found = file[name]
        return Histogram(
            found.axis().edges().astype(float),
            found.values(flow=True).astype(float),
            found.variances(flow=True).astype(float),
        )


def fit_example(folder: Path, catalog: Catalog) -> dict[HistRequest, Histogram]:
    """The histograms of FitExample, read without any code of ours."""
    inputs, histograms = folder / "inputs" / "Histo", {}
    for region, where in catalog.regions.items():
        tree = where.files.trees[0]
        for sample, chosen in catalog.samples.items():
            path = inputs / f"{chosen.files.names[0]}.root"
            histograms[HistRequest(sample, region)] = histogram(path, tree)
            for name, systematic in catalog.systematics_of(sample, region).items():
                if isinstance(systematic, Varied):
                    up = histogram(path, f"{tree}_jesUp")
                    histograms[HistRequest(sample, region, f"{name}:up")] = up
    return histograms


def kept_parts(path: Path) -> dict[tuple[str, str, str], str]:
    """What a reference keeps of each systematic, by region and sample."""
    kept, region, sample = {}, "", ""
    for line in path.read_text().splitlines():
        if line.startswith("In Region"):
            region = line.split(" : ")[1]
        elif " -> In Sample" in line:
            sample = line.split(" : ")[1]
        elif "--->>" in line and "not present" not in line:
            name, verdict = line.removeprefix(" --->>").split(" is ")
            kept[region, sample, name.strip()] = verdict.strip()
    return kept


def pruning_text(built: Built) -> dict[tuple[str, str, str], str]:
    """What is kept here of each systematic, in the same words."""
    words = {
        (True, True): "kept",
        (True, False): "norm only",
        (False, True): "shape only",
        (False, False): "dropped",
    }
    return {
        (region, sample, name): words[shift.norm_kept, shift.shape_kept]
        for region, templates in built.templates.regions.items()
        if region != "VR"
        for sample, template in templates.templates.items()
        for name, shift in template.shifts.items()
    }
