"""Histograms of real configs, against `TTree::Draw` of ROOT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog
from quarkline.catalog.files import is_there
from quarkline.templates.fill import Allowed, HistRequest, fill, requests_of
from quarkline.templates.fill.bins import Bins
from quarkline.templates.fill.requests import meaning_of
from quarkline.trexfitter import translate
from quarkline.trexfitter.parser import read_trexfitter
from tests.templates.fill.conftest import SMALL, events

pytestmark = pytest.mark.oracle
REGIONS = ["lep-pt-0", "lep-pt-1", "tau-pt-0", "n-jets", "N-events", "N-events-sr"]


@pytest.fixture(scope="module")
def root() -> Any:
    return pytest.importorskip("ROOT")


def drawn(root: Any, request: HistRequest, catalog: Catalog) -> tuple[np.ndarray, np.ndarray]:
    """Contents and errors as TRExFitter takes them, underflow and overflow at the ends."""
    meaning = meaning_of(request, catalog)
    edges = Bins.of(catalog.regions[request.region].binning).edges
    total = None
    for number, (file, scale) in enumerate(zip(meaning.files, meaning.scales, strict=True)):
        if not is_there(file.path):
            continue
        chain = root.TChain(file.tree)
        chain.Add(str(file.path))
        histogram = root.TH1D(f"h{number}", "", len(edges) - 1, edges)
        histogram.Sumw2()
        weight = f"({meaning.weight})*({meaning.selection})"
        assert chain.Draw(f"{meaning.variable}>>h{number}", weight, "goff") >= 0
        histogram.Scale(scale)
        if total is None:
            total = histogram
        else:
            total.Add(histogram)
    bins = range(len(edges) + 1)
    contents = np.array([total.GetBinContent(i) for i in bins])
    return contents, np.array([total.GetBinError(i) for i in bins])


def check(root: Any, catalog: Catalog, requests: list[HistRequest]) -> None:
    filled = fill(requests, catalog, allowed=Allowed(missing=None)).histograms
    for request in requests:
        contents, errors = drawn(root, request, catalog)
        found = filled[request]
        np.testing.assert_allclose(found.sums, contents, rtol=1e-9, err_msg=str(request))
        np.testing.assert_allclose(np.sqrt(found.squares), errors, rtol=1e-9, err_msg=str(request))


def test_leptoquarks(root: Any, data_folder: Path) -> None:
    config = data_folder / "lq" / "trex-fitter" / "configs" / "pre-fit.config"
    replaced = {"XXX_NtuplePaths": str(data_folder / "lq_ntuples")}
    catalog = translate(read_trexfitter(config, replace=replaced)).validate(Catalog)
    there = [
        name
        for name in catalog.samples
        if any(is_there(file.path) for file in catalog.files_of(name))
    ]
    assert len(there) >= 5
    check(root, catalog, [HistRequest(name, region) for name in there for region in REGIONS])


def test_example_of_trexfitter(root: Any, data_folder: Path, tmp_path: Path) -> None:
    folder = data_folder / "trexfitter_configs" / "official_tests"
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "inputs").symlink_to(folder / "inputs")
    config = tmp_path / "example.config"
    config.write_text((folder / "configs" / "FitExampleNtuple.config").read_text())
    catalog = translate(read_trexfitter(config)).validate(Catalog)
    requests = requests_of(catalog)
    assert len(requests) == 48
    check(root, catalog, requests)


LISTS = {
    "jets_pt": ["jets_pt > 25 && Alt$(jets_pt[1], -1) > 30", "Alt$(jets_pt[1], -1) > 30"],
    "jets_pt / 2": ["jets_pt[0] > 20 && Alt$(jets_pt[1], -1) > 30", "Sum$(jets_pt) > 60"],
    "n": ["jets_pt > 25 && Max$(jets_pt) > 40", "jets_pt"],
}


def test_lists(root: Any, load: Any, folder: Path) -> None:
    columns = events(700, 2)
    with uproot.recreate(folder / "c.root") as file:
        types = {name: getattr(found, "dtype", "var * float32") for name, found in columns.items()}
        file.mktree("nominal", types).extend(columns)
    regions = "".join(
        f'  R{at}{which}: {{variable: {variable}, selection: "{selection}", '
        'weight: "Alt$(jets_pt[0], 2)", '
        "binning: {kind: uniform, bins: 5, low: 0, high: 100}}\n"
        for at, (variable, selections) in enumerate(LISTS.items())
        for which, selection in enumerate(selections)
    )
    catalog = load(SMALL.replace("norm_factors:", f"{regions}norm_factors:"))
    names = [name for name in catalog.regions if name[0] == "R"]
    check(root, catalog, [HistRequest("top", name) for name in names])
