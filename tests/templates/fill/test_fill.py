"""Filling, against loops over events written here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import uproot

from quarkline.templates.fill import HistRequest, fill, requests_of
from tests.templates.fill.conftest import SMALL


def read(folder: Path, name: str, tree: str = "nominal") -> dict[str, np.ndarray]:
    with uproot.open(folder / f"{name}.root") as file:
        return file[tree].arrays(library="np")


def looped(values, weights, edges) -> tuple[np.ndarray, np.ndarray, int]:
    """Sums, squares and entries, event by event."""
    sums, squares, entries = np.zeros(len(edges) + 1), np.zeros(len(edges) + 1), 0
    for value, weight in zip(values, weights, strict=True):
        place = sum(edge <= value for edge in edges)
        sums[place] += weight
        squares[place] += weight**2
        entries += weight != 0
    return sums, squares, entries


def check(found, sums, squares, entries) -> None:
    np.testing.assert_allclose(found.sums, sums, rtol=1e-12)
    np.testing.assert_allclose(found.squares, squares, rtol=1e-12)
    assert found.entries == entries


def test_every_histogram_of_the_analysis_is_asked_for(small):
    asked = requests_of(small)
    assert len(asked) == len(set(asked))
    of_top = {item.variation for item in asked if item.sample == "top" and item.region == "CR"}
    both = ["pileup:up", "pileup:down", "scale:up", "scale:down"]
    assert of_top == {"", *both, "other_weight:up"}
    assert {item.variation for item in asked if item.sample in {"ghost", "data"}} == {""}


def test_weights_scales_and_selections(histograms, folder):
    edges = np.linspace(0, 100, 6)
    for variation, tree in (("", "nominal"), ("tree:up", "shifted"), ("pileup:up", "nominal")):
        total = [np.zeros(7), np.zeros(7), 0]
        for name, own in (("a", 0.5), ("b", 2.0)):
            table = read(folder, name, tree)
            passed = (table["quality"] != 0) & (table["n"] > 1)
            weight = table["weight_mc"] * 2.0 * table["weight_pu"].astype(float)
            if variation == "pileup:up":
                weight = weight * (table["pu_up"] / table["weight_pu"])
            scaled = weight[passed] * own * 6.0
            for place, part in enumerate(looped(table["pt"][passed] / 1e3, scaled, edges)):
                total[place] = total[place] + part
        check(histograms[HistRequest("signal", "SR", variation)], *total)


def test_columns_are_shifted(histograms, folder):
    table = read(folder, "c")
    passed = (table["quality"] != 0) & (table["n"] > 1) & (table["truth"] != 1)
    found = looped(
        (1.1 * table["pt"]).astype(np.float32)[passed] / 1e3,
        np.ones(passed.sum()),
        np.linspace(0, 100, 6),
    )
    check(histograms[HistRequest("other", "SR", "scale:up")], *found)


def test_a_sides_own_weight_replaces_that_of_the_sample(histograms, folder):
    table = read(folder, "c")
    passed = (table["quality"] != 0) & (table["n"] <= 1) & (table["truth"] == 1)
    weight = table["weight_mc"] * 2.0 * table["weight_pu"].astype(float) * table["sf"] * 1.3 * 6
    found = looped(table["pt"][passed] / 1e3, weight[passed], [0, 10, 40, 90])
    check(histograms[HistRequest("top", "CR", "other_weight:up")], *found)


def test_data_have_no_weight_and_a_count_multiplies_it(histograms, folder, load):
    table = read(folder, "data")
    passed = (table["quality"] != 0) & (table["n"] > 1)
    found = looped(table["pt"][passed] / 1e3, np.ones(passed.sum()), np.linspace(0, 100, 6))
    check(histograms[HistRequest("data", "SR")], *found)
    alone = load(small_without_selection())
    filled = fill([HistRequest("data", "count")], alone).histograms[HistRequest("data", "count")]
    counts = np.bincount(table["n"], minlength=4) * np.arange(4)
    np.testing.assert_array_equal(filled.contents, counts)
    assert filled.entries == (table["n"] > 0).sum()


def small_without_selection() -> str:
    return SMALL.replace('selection: "quality != 0"\n', "", 1)


def test_lists_are_drawn_element_by_element(histograms, folder):
    table = read(folder, "data")
    values = [
        jet
        for quality, jets in zip(table["quality"], table["jets_pt"], strict=True)
        for jet in jets
        if quality != 0 and jet > 25
    ]
    found = looped(values, np.ones(len(values)), np.linspace(20, 100, 5))
    check(histograms[HistRequest("data", "jets")], *found)


def test_a_value_with_a_default_counts_for_the_first_entry_of_a_loop(load, folder):
    """Weight and selection are one expression, as in `TTree::Draw`."""
    of_jets = 'selection: "n > 0 && jets_pt > 25"'
    cut = load(SMALL.replace(of_jets, 'selection: "jets_pt > 25 && Alt$(jets_pt[0], 0) > 30"'))
    weighed = load(
        SMALL.replace(of_jets, 'selection: jets_pt > 25\n    weight: "Alt$(jets_pt[0], 2)"')
    )
    edges = np.linspace(20, 100, 5)
    for catalog, sample, name in ((cut, "data", "data"), (weighed, "other", "c")):
        table = read(folder, name)
        chosen = (table["quality"] != 0) & ((name == "data") | (table["truth"] != 1))
        entries = [
            (float(pt), 1.0 if name == "data" else float(pt) if at == 0 else 2.0)
            for row in table["jets_pt"][chosen]
            for at, pt in enumerate(row)
            if pt > 25 and (name != "data" or (at == 0 and pt > 30))
        ]
        request = HistRequest(sample, "jets")
        check(fill([request], catalog).histograms[request], *looped(*np.transpose(entries), edges))
