"""What must hold for any analysis: nothing depends on how the work is cut or shared out."""

from __future__ import annotations

import numpy as np
import uproot

from quarkline.engine.compute.local import LocalWorkers
from quarkline.engine.workflow.stage import Context
from quarkline.templates.fill import HistRequest, entries, fill, plan, requests_of, task
from tests.templates.fill.conftest import SMALL


def same(one, other) -> bool:
    return all(
        np.array_equal(one[item].sums, other[item].sums)
        and np.array_equal(one[item].squares, other[item].squares)
        and one[item].entries == other[item].entries
        for item in {*one, *other}
    )


def close(one, other) -> None:
    assert one.keys() == other.keys()
    for item, histogram in one.items():
        scale = np.abs(histogram.sums).max() * 1e-12
        np.testing.assert_allclose(other[item].sums, histogram.sums, rtol=1e-12, atol=scale)
        np.testing.assert_allclose(other[item].squares, histogram.squares, rtol=1e-12)
        assert other[item].entries == histogram.entries


def test_the_number_of_workers_does_not_matter(small, histograms, monkeypatch):
    monkeypatch.setattr(plan, "RANGE_ROWS", 250)
    ranges = fill(requests_of(small), small).histograms
    workers = fill(requests_of(small), small, executor=LocalWorkers(2)).histograms
    assert same(ranges, workers)
    close(histograms, ranges)


def test_a_stage_keeps_what_is_done(small, histograms, tmp_path, monkeypatch):
    told = {"stage": "templates", "version": 1, "config": None, "inputs": {}}
    context = Context(**told, out=tmp_path / "out", items=tmp_path / "items")
    assert same(histograms, fill(requests_of(small), small, context=context).histograms)
    monkeypatch.setattr(LocalWorkers, "_run", lambda *_: (_ for _ in ()))
    assert same(histograms, fill(requests_of(small), small, context=context).histograms)


def test_the_step_does_not_matter_but_for_rounding(small, histograms, monkeypatch):
    monkeypatch.setattr(task, "STEP_ROWS", 90)
    close(histograms, fill(requests_of(small), small).histograms)


def test_how_many_weights_are_summed_together_does_not_matter(small, histograms, monkeypatch):
    monkeypatch.setattr(entries, "MOST_WEIGHTS", 700)
    assert same(histograms, fill(requests_of(small), small).histograms)


def test_a_histogram_does_not_depend_on_the_others(small, histograms):
    some = [HistRequest("top", "jets", "pileup:up"), HistRequest("signal", "SR", "tree:up")]
    alone = fill(some, small).histograms
    assert list(alone) == some
    assert same(alone, {item: histograms[item] for item in some})
    assert same(histograms, fill(reversed(requests_of(small)), small).histograms)


def test_a_weight_of_elements_does_not_change_what_others_weigh(load, histograms):
    """A side with a weight of each jet has an entry for each, and no other histogram has."""
    jets = """\
  jet_weight:
    kind: varied
    samples: [top, other]
    regions: [SR, CR, jets]
    up: {weight_factor: jets_pt / 50}
    down: {weight_factor: "2 - jets_pt / 50"}
"""
    more = load(SMALL + jets)
    found = fill(requests_of(more), more).histograms
    assert same(histograms, {item: found[item] for item in histograms})
    alone = [item for item in found if item.systematic == "jet_weight"]
    assert len(alone) == 12
    for item in alone:
        assert same({item: found[item]}, fill([item], more).histograms)


def test_a_file_may_be_two(load, folder, histograms):
    with uproot.open(folder / "c.root") as file:
        tables = {tree: file[tree].arrays() for tree in ("nominal", "shifted")}
    for name, part in {"c1": slice(None, 251), "c2": slice(251, None)}.items():
        with uproot.recreate(folder / f"{name}.root") as file:
            for tree, table in tables.items():
                file[tree] = {field: table[field][part] for field in table.fields}
    split = load(SMALL.replace("names: c}", "names: [c2, c1]}"))
    close(histograms, fill(requests_of(split), split).histograms)


def test_nothing_is_lost(small, histograms, folder):
    inside = sum(histograms[HistRequest("data", region)].sums.sum() for region in ("SR", "CR"))
    with uproot.open(folder / "data.root") as file:
        quality = file["nominal"]["quality"].array(library="np")
    assert inside == (quality != 0).sum()
    assert histograms[HistRequest("data", "SR")].sums[-1] > 0


def test_an_empty_sum_is_that_of_no_events(small, load):
    nothing = load(SMALL.replace("selection: n > 1}", "selection: n > 100}"))
    found = fill([HistRequest("signal", "SR")], nothing).histograms[HistRequest("signal", "SR")]
    assert (found.sums == 0).all()
    assert found.entries == 0


def test_only_so_many_events_are_read(load, folder):
    some = load(SMALL + "templates: {max_events: 100}\n")
    found = fill([HistRequest("data", "SR")], some).histograms[HistRequest("data", "SR")]
    with uproot.open(folder / "data.root") as file:
        table = file["nominal"].arrays(["quality", "n"], library="np", entry_stop=100)
    assert found.entries == ((table["quality"] != 0) & (table["n"] > 1)).sum()
