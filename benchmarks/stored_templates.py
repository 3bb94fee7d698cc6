"""Templates to ROOT files and back, beside uproot object by object.

    python benchmarks/stored_templates.py [--regions 30] [--samples 15] [--variations 20]

Made-up templates are written as TRExFitter's folder `Histograms` has them, and read. Then uproot
reads every histogram that we read, one after the other, and writes them to another file, which is
scaled to the number that we write. Times are the processor's, so that other work on the machine
counts little.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import uproot

from quarkline.catalog import Catalog
from quarkline.templates.histograms import Histogram
from quarkline.templates.restore import read_templates
from quarkline.templates.root_histograms import read_histogram, root_histogram
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet
from quarkline.templates.store import write_templates


def main() -> None:
    """Print times and their ratios."""
    options = arguments()
    catalog = analysis(options)
    templates = made(options, catalog)
    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        ours = Path(folder) / "ours"
        files: list[Path] = []
        writing = timed(lambda: files.extend(write_templates(templates, catalog, ours, "job")))
        reading = timed(lambda: read_templates(catalog, ours, "job"))
        size = sum(path.stat().st_size for path in files)
        stored: dict[str, Histogram] = {}
        number = sum(len(names(path)) for path in files)
        their_reading = timed(lambda: stored.update(one_by_one(files)))
        path = Path(folder) / "theirs.root"
        their_writing = timed(lambda: write_one_by_one(path, stored)) * number / len(stored)
    print(f"{number:,} histograms in {len(files)} files, {size / 1e6:.0f} MB")
    print(f"written in {writing:.2f} s; by uproot one by one {their_writing:.1f} s")
    print(f"{len(stored):,} read in {reading:.2f} s; by uproot one by one {their_reading:.1f} s")
    print(f"writing {their_writing / writing:.1f} x, reading {their_reading / reading:.1f} x")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, number in {"regions": 30, "samples": 15, "variations": 20, "bins": 10}.items():
        parser.add_argument(f"--{name}", type=int, default=number)
    return parser.parse_args()


def analysis(options: argparse.Namespace) -> Catalog:
    """An analysis with as many regions, samples and variations."""
    simulated = {
        f"s{at}": {"role": "background" if at else "signal"} for at in range(options.samples)
    }
    return Catalog.model_validate(
        {
            "poi": "mu",
            "samples": {"data": {"role": "data"}, **simulated},
            "regions": {f"R{at}": {"role": "signal"} for at in range(options.regions)},
            "systematics": {f"v{at}": {"kind": "varied"} for at in range(options.variations)},
            "norm_factors": {"mu": {"samples": ["s0"]}},
        }
    )


def made(options: argparse.Namespace, catalog: Catalog) -> TemplateSet:
    """Templates with random contents."""
    rng, edges = np.random.default_rng(1), np.linspace(0.0, 100.0, options.bins + 1)

    def histogram() -> Histogram:
        contents = rng.uniform(10.0, 20.0, options.bins)
        return Histogram.of(edges, contents, np.sqrt(contents))

    def shift() -> Shift:
        sides, filled, shapes = ([histogram(), histogram()] for _ in range(3))
        up, down = (one.contents for one in shapes)
        return Shift(*sides, *filled, 0.1, -0.1, up, down)

    def template() -> Template:
        shifts = {name: shift() for name in catalog.systematics}
        return Template(histogram(), histogram(), shifts)

    simulated = [name for name in catalog.samples if name != "data"]
    regions = {}
    for name in catalog.regions:
        data = histogram()
        templates = {sample: template() for sample in simulated}
        regions[name] = RegionTemplates(edges, templates, data, {"data": data})
    return TemplateSet(regions)


def names(path: Path) -> list[str]:
    """The histograms of a file."""
    with uproot.open(path) as file:
        return list(file.keys(cycle=False, filter_classname="TH1D"))


def one_by_one(files: list[Path]) -> dict[str, Histogram]:
    """The histograms that templates are made of, as uproot reads them."""
    found = {}
    for path in files:
        with uproot.open(path) as file:
            for name in file.keys(cycle=False, filter_classname="TH1D"):
                if not name.endswith("_regBin"):
                    found[name] = read_histogram(file[name])
    return found


def write_one_by_one(path: Path, histograms: dict[str, Histogram]) -> None:
    """Histograms, as uproot writes them."""
    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[name] = root_histogram(name, histogram)


def timed(work: Callable[[], Any]) -> float:
    """Seconds of the processor that it takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
