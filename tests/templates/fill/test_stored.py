"""Histograms that are there already."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import uproot

from quarkline.catalog import Catalog
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import InputError
from quarkline.templates.fill import Allowed, HistRequest, fill, requests_of

STORED = """\
reads: histograms
files: {folders: [one, two], trees: HT}
luminosity: {value: 2.0}
samples:
  top: {files: {names: [a, b]}, scales: [1, 10, 100, 1000]}
  data: {role: data, files: {names: a}}
regions: {SR: {files: {tree_suffixes: _SR}}, CR: {files: {tree_suffixes: _CR}}}
systematics: {jes: {kind: varied, up: {files: {tree_suffixes: _up}}}}
"""
TOP, UP = HistRequest("top", "SR"), HistRequest("top", "SR", "jes:up")


def contents(number: int) -> np.ndarray:
    return np.arange(5.0) + number


@pytest.fixture
def stored(tmp_path) -> Catalog:
    for place, folder in enumerate(("one", "two")):
        (tmp_path / folder).mkdir()
        for offset, name in enumerate("ab"):
            with uproot.recreate(tmp_path / folder / f"{name}.root") as file:
                for number, tree in enumerate(("HT_SR", "HT_SR_up", "HT_CR", "HT_CR_up")):
                    values = contents(100 * place + 10 * offset + number)
                    file[tree] = uproot.writing.identify.to_TH1x(
                        fName=tree,
                        fTitle="",
                        data=np.pad(values, 1, constant_values=1.5),
                        fEntries=7.0,
                        fTsumw=0.0,
                        fTsumw2=0.0,
                        fTsumwx=0.0,
                        fTsumwx2=0.0,
                        fSumw2=np.pad(values, 1) * 3 if name == "a" else None,
                        fXaxis=uproot.writing.identify.to_TAxis("x", "", 5, 0.0, 5.0),
                    )
    (tmp_path / "stored.yaml").write_text(STORED)
    return load_config(tmp_path / "stored.yaml").validate(Catalog)


def test_every_folder_file_and_name_is_added_with_its_scale(stored):
    filled = fill(requests_of(stored), stored).histograms
    assert len(filled) == 6
    expected = sum(
        2.0 * 10**place * contents(number) for place, number in enumerate((0, 10, 100, 110))
    )
    np.testing.assert_allclose(filled[TOP].contents, expected)
    np.testing.assert_allclose(filled[TOP].sums[[0, -1]], 1.5 * 2 * 1111)
    up = sum(2.0 * 10**place * contents(n + 1) for place, n in enumerate((0, 10, 100, 110)))
    np.testing.assert_allclose(filled[UP].contents, up)
    data = filled[HistRequest("data", "CR")]
    np.testing.assert_allclose(data.contents, contents(2) + contents(102))
    np.testing.assert_array_equal(data.edges, np.arange(6.0))
    assert data.entries == 14


def test_errors_without_sums_of_squares_are_those_of_counts(stored):
    found = fill([TOP], stored).histograms[TOP]
    factors = (2.0 * 10.0 ** np.arange(4)) ** 2
    parts = (contents(0) * 3, contents(10), contents(100) * 3, contents(110))
    expected = sum(factor * part for factor, part in zip(factors, parts, strict=True))
    np.testing.assert_allclose(found.squares[1:-1], expected)


def test_a_name_that_is_not_there_has_near_misses(stored, tmp_path):
    (tmp_path / "stored.yaml").write_text(STORED.replace("_CR}", "_CRR}"))
    wrong = load_config(tmp_path / "stored.yaml").validate(Catalog)
    with pytest.raises(InputError, match=r"no histogram `HT_CRR`(.|\n)*did you mean `HT_CR`"):
        fill([HistRequest("data", "CR")], wrong)


def test_other_bins_are_refused(stored, tmp_path):
    with uproot.recreate(tmp_path / "two" / "a.root") as file:
        file["HT_SR"] = np.histogram([1.0], bins=3)
    with pytest.raises(InputError, match="5 and 3 bins"):
        fill([HistRequest("data", "SR")], stored)


def test_missing_files(stored, tmp_path):
    (tmp_path / "two" / "b.root").unlink()
    with pytest.raises(InputError, match=r"1 files are not there: .*two/b\.root"):
        fill([TOP, UP], stored)
    filled = fill([TOP, UP], stored, allowed=Allowed(missing=1))
    assert filled.histograms[TOP].entries == 21
    assert filled.histograms[UP].entries == 21
    assert not filled.findings


def in_bins(catalog: Catalog, binning: dict) -> Catalog:
    region = catalog.regions["SR"].model_dump() | {"binning": binning}
    data = catalog.model_dump() | {"regions": catalog.model_dump()["regions"] | {"SR": region}}
    return Catalog.model_validate(data)


@pytest.mark.parametrize(
    "binning",
    [
        {"kind": "edges", "edges": [1.0, 3.0, 4.0]},
        {"kind": "uniform", "bins": 2, "low": 0.0, "high": 4.0},
    ],
    ids=["edges", "uniform"],
)
def test_bins_of_a_region_merge_those_of_its_histograms(stored, binning):
    plain = fill([TOP, UP], stored).histograms
    merged = fill([TOP, UP], in_bins(stored, binning)).histograms
    edges = binning.get("edges") or np.linspace(0, 4, 3)
    for request in (TOP, UP):
        np.testing.assert_array_equal(merged[request].edges, edges)
        whole, starts = plain[request].sums, [0, *(int(edge) + 1 for edge in edges), 7]
        sums = [whole[a:b].sum() for a, b in pairwise(starts)]
        np.testing.assert_allclose(merged[request].sums, sums)


def test_bins_within_those_of_the_histograms_are_refused(stored):
    with pytest.raises(InputError, match=r"(?s)QL-TEMPLATE-010.*SR.*2.5"):
        fill([TOP], in_bins(stored, {"kind": "edges", "edges": [0.0, 2.5, 5.0]}))
