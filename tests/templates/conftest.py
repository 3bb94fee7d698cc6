"""Where TRExFitter's own inputs and results lie, and histograms of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.catalog import Catalog
from quarkline.templates.fill import HistRequest, fill, requests_of
from quarkline.templates.histograms import Histogram

from .official import catalog_of


@pytest.fixture(scope="session")
def official(data_folder: Path) -> Path:
    """TRExFitter's own tests, with inputs and reference results."""
    return data_folder / "trexfitter_configs" / "official_tests"


@pytest.fixture(scope="session")
def filled(official: Path) -> tuple[Catalog, dict[HistRequest, Histogram]]:
    """FitExampleNtuple, filled from its files; tests that ask for it share an xdist group."""
    catalog = catalog_of(official, "FitExampleNtuple")
    files = catalog.files.model_copy(update={"folders": [str(official / "inputs" / "Ntuple")]})
    catalog = catalog.model_copy(update={"files": files})
    return catalog, dict(fill(requests_of(catalog), catalog).histograms)
