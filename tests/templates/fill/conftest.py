"""A small analysis of ntuples with weights, lists, friends and several trees."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog
from quarkline.engine.core.config import load_config
from quarkline.templates.fill import HistRequest, fill, requests_of
from quarkline.templates.histograms import Histogram

SMALL = """\
files: {folders: ntuples, trees: nominal}
selection: "quality != 0"
weights: {generator: "weight_mc * 2", pileup: weight_pu}
luminosity: {value: 3.0, scale: 2.0}
poi: mu
samples:
  signal: {role: signal, files: {names: [a, b]}, scales: [0.5, 2.0]}
  top:
    files: {names: c}
    weight: 1.2
    selection: "truth == 1"
  other: {files: {names: c}, selection: "truth != 1", normalised_by_theory: false}
  ghost: {role: reference, files: {names: b}}
  data: {role: data, files: {names: data}}
regions:
  SR: {variable: pt / 1e3, binning: {kind: uniform, bins: 5, low: 0, high: 100}, selection: n > 1}
  CR:
    role: control
    variable: pt / 1e3
    binning: {kind: edges, edges: [0, 10, 40, 90]}
    selection: n <= 1
    weight: sf
  count: {variable: n, binning: {kind: uniform, bins: 4, low: 0, high: 4}, selection: n}
  jets:
    variable: jets_pt
    binning: {kind: uniform, bins: 4, low: 20, high: 100}
    selection: "n > 0 && jets_pt > 25"
norm_factors: {mu: {samples: signal}}
systematics:
  lumi: {kind: normalisation, up: 0.01, down: -0.01}
  pileup:
    kind: varied
    up: {weight_factor: pu_up / weight_pu}
    down: {weight_factor: "2 - pu_up / weight_pu"}
  scale:
    kind: varied
    samples: [top, other]
    up: {columns: {pt: "1.1 * pt"}}
    down: {columns: {pt: "0.9 * pt"}}
  other_weight: {kind: varied, samples: top, regions: CR, up: {weight: "1.3"}}
  tree: {kind: varied, samples: signal, up: {files: {trees: shifted}}}
"""
ROWS = {"a": 500, "b": 300, "c": 700, "data": 400}


def events(rows: int, seed: int) -> dict[str, ak.Array | np.ndarray]:
    """Columns of some events."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 4, rows)
    jets = ak.unflatten(rng.uniform(20, 130, lengths.sum()).astype(np.float32), lengths)
    return {
        "quality": rng.integers(0, 5, rows).astype(np.int32),
        "n": lengths.astype(np.int32),
        "pt": rng.exponential(40e3, rows).astype(np.float32),
        "truth": rng.integers(0, 3, rows).astype(np.int32),
        "weight_mc": rng.normal(1, 0.5, rows).astype(np.float32),
        "weight_pu": rng.uniform(0.5, 1.5, rows).astype(np.float32),
        "pu_up": rng.uniform(0.5, 1.5, rows),
        "sf": rng.uniform(0.9, 1.1, rows),
        "jets_pt": jets,
    }


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of events, written once; tests change copies of them."""
    target = tmp_path_factory.mktemp("analysis") / "ntuples"
    target.mkdir()
    for number, (name, rows) in enumerate(ROWS.items()):
        with uproot.recreate(target / f"{name}.root") as file:
            file["nominal"] = events(rows, number)
            file["shifted"] = events(rows + 5, number + 10)
    return target


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """Files of events."""
    return shutil.copytree(written, tmp_path / "ntuples")


def read(folder: Path, text: str) -> Catalog:
    path = folder / "small.yaml"
    path.write_text(text)
    return load_config(path).validate(Catalog)


@pytest.fixture(scope="session")
def histograms(written: Path) -> Mapping[HistRequest, Histogram]:
    """What the analysis gives, filled once."""
    catalog = read(written.parent, SMALL)
    return fill(requests_of(catalog), catalog).histograms


@pytest.fixture
def load(tmp_path: Path, folder: Path) -> Callable[[str], Catalog]:
    """Read an analysis whose files are there."""

    def load(text: str = SMALL) -> Catalog:
        return read(tmp_path, text)

    return load


@pytest.fixture
def small(load: Callable[[str], Catalog]) -> Catalog:
    """The analysis."""
    return load(SMALL)
