"""`quarkline draw`: ROOT's histograms and statistics, one answer however the files are read."""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quarkline.cli.commands.draw import ASCII, BLOCKS, histogram, statistics
from quarkline.cli.main import main
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.tools import draw as draw_module
from quarkline.tools.binning import Bins, automatic_bins, parse_bins
from quarkline.tools.draw import draw
from tests.events.expressions import record_root

RECORDED = json.loads(record_root.TABLE.read_text(encoding="utf-8"))
HISTOGRAMS = [case for case in RECORDED["cases"] if "bins" in case]
NONE_AT_ALL = ["40", "0,0,1", "2,1,1", "2,3,1", "a,0,1", "2.5,0,1", "3,0,inf", "-1,0,1", "9,nan,1"]
numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.fixture(scope="module")
def small_file(tmp_path_factory) -> Path:
    return record_root.write_small(tmp_path_factory.mktemp("small"))


@pytest.fixture
def events(tmp_path) -> list[Path]:
    """Two files of 300 and 200 events with whole, real, jagged-free and NaN columns."""
    random = np.random.default_rng(3)
    paths = []
    for name, size in (("x1.npz", 300), ("x2.npz", 200)):
        mass = random.normal(91.2, 2.5, size)
        mass[::50] = np.nan
        columns = {"mass": mass, "n": random.poisson(3, size), "w": random.normal(1, 0.5, size)}
        np.savez(tmp_path / name, **columns)
        paths.append(tmp_path / name)
    return paths


def test_entry_numbers_run_through_all_files(events):
    for step in (7, 1000):
        found = draw(events, "Entry$ + LocalEntry$ / Entries$", step=step)
        local = np.concatenate([np.arange(300), np.arange(200)])
        assert found.sum == pytest.approx(np.sum(np.arange(500) + local / 500), rel=1e-14)


@pytest.mark.parametrize("case", HISTOGRAMS, ids=lambda case: case["expression"])
def test_histograms_are_roots(case, request, small_file):
    name, _, tree = case["file"].rpartition(":")
    small = name == small_file.name
    folder = small_file.parent if small else request.getfixturevalue("data_folder")
    select = case["select"] or None
    path = folder / name
    found = draw([path], case["expression"], tree=tree, select=select, bins=Bins(*case["bins"]))
    assert found.contents == pytest.approx(case["contents"], rel=1e-12, abs=1e-12)
    assert np.sqrt(found.sumw2) == pytest.approx(case["errors"], rel=1e-12)
    assert found.underflow == pytest.approx(case["underflow"], rel=1e-12)
    assert found.overflow == pytest.approx(case["overflow"], rel=1e-12)
    if found.underflow == found.overflow == 0:
        assert found.mean == pytest.approx(case["mean_inside"], rel=1e-12)
        assert found.std == pytest.approx(case["std_inside"], rel=1e-9)


def test_statistics_of_a_selection(events):
    found = draw(events, "mass", select="n > 2", weight="w")
    columns = [np.load(path) for path in events]
    mass, n, w = (np.concatenate([part[name] for part in columns]) for name in ("mass", "n", "w"))
    nan = np.isnan(mass)
    values, weights = mass[(n > 2) & ~nan], w[(n > 2) & ~nan]
    assert (found.files, found.events, found.n) == (2, 500, len(values))
    assert found.nan == (nan & (n > 2)).sum() > 0
    assert found.sum_weights == pytest.approx(math.fsum(weights))
    assert found.sum_weights2 == pytest.approx(math.fsum(weights**2))
    assert found.sum == pytest.approx(math.fsum(weights * values))
    assert found.mean == pytest.approx(np.average(values, weights=weights))
    spread = np.average((values - found.mean) ** 2, weights=weights)
    assert found.std == pytest.approx(math.sqrt(spread))
    assert (found.min, found.max) == (values.min(), values.max())
    assert sum(found.contents) == pytest.approx(found.sum_weights)
    assert (found.underflow, found.overflow) == (0, 0)


def test_a_narrow_peak_far_from_zero_keeps_its_width(tmp_path):
    time = 1.7e9 + np.random.default_rng(1).normal(0, 1e-3, 2000)
    np.savez(tmp_path / "t.npz", time=time)
    assert draw([tmp_path / "t.npz"], "time").std == pytest.approx(time.std(), rel=1e-6)


@pytest.mark.parametrize("step", [1, 7, 200, 10**6])
@pytest.mark.parametrize("bins", [None, Bins(13, 88, 95)])
def test_the_result_does_not_depend_on_the_chunks(events, step, bins):
    whole = draw(events, "mass", select="n > 1", weight="w", bins=bins)
    assert draw(events, "mass", select="n > 1", weight="w", bins=bins, step=step) == whole


def test_files_too_large_to_keep_are_read_twice(events, monkeypatch):
    kept = draw(events, "mass", weight="w")
    monkeypatch.setattr(draw_module, "KEPT_IN_MEMORY", 10)
    assert draw(events, "mass", weight="w", step=50) == kept


def test_a_glob_reads_files_in_order(events):
    assert draw([events[0].parent / "x*.npz"], "mass") == draw(events, "mass")


def test_edges_belong_to_the_bin_above(tmp_path):
    values = np.array([0.0, 0.5, 1.0, 1.5, 2.0, -0.5, np.nan])
    np.savez(tmp_path / "e.npz", x=values, single=np.float32([0.1] * 7))
    found = draw([tmp_path / "e.npz"], "x", bins=Bins(2, 0, 2))
    assert found.contents == (2, 2)
    assert (found.underflow, found.overflow, found.nan, found.n) == (1, 1, 1, 6)
    promoted = draw([tmp_path / "e.npz"], "single", bins=Bins(1, 0.1, 0.2))
    assert promoted.contents == (7,)  # the float32 nearest to 0.1 is above it
    assert draw([tmp_path / "e.npz"], "single", bins=Bins(1, 0, 0.1)).overflow == 7


@given(
    st.integers(1, 300),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.lists(st.floats(-2e6, 2e6), max_size=20),
)
@settings(max_examples=200, deadline=None)
def test_a_value_is_in_the_bin_between_its_edges(count, low, width, values):
    bins = Bins(count, low, low + width)
    edges = bins.edges
    values = np.array([*values, *edges, *np.nextafter(edges, -np.inf)])
    below = np.concatenate([[-np.inf], edges])
    above = np.concatenate([edges, [np.inf]])
    found = bins.find(values)
    assert ((below[found] <= values) & (values < above[found])).all()


@given(numbers, numbers)
@settings(max_examples=200, deadline=None)
def test_automatic_bins_hold_all_values(first, second):
    low, high = sorted((first, second))
    for whole in (False, True):
        ends = (float(round(low)), float(round(high))) if whole else (low, high)
        bins = automatic_bins(*ends, whole=whole)
        assert 1 <= bins.count <= 64
        assert bins.low <= ends[0] or abs(ends[0]) > 1e300
        assert bins.high > ends[1] or abs(ends[1]) > 1e300


@pytest.mark.parametrize(
    ("low", "high", "whole", "bins"),
    [
        (0, 3, True, Bins(4, -0.5, 3.5)),
        (5, 5, True, Bins(1, 4.5, 5.5)),
        (3.2, 60.1, False, Bins(30, 2, 62)),
        (4.8, 17.2, False, Bins(26, 4.5, 17.5)),
        (-2.4, 2.3, False, Bins(24, -2.4, 2.4)),
        (0, 900, True, Bins(19, -0.5, 949.5)),
        (math.nan, math.nan, False, Bins(10, 0, 1)),
    ],
)
def test_automatic_bins_are_round(low, high, whole, bins):
    assert automatic_bins(low, high, whole=whole) == bins


def test_infinities_are_outside_every_bin(tmp_path):
    np.savez(tmp_path / "i.npz", x=np.array([1.0, np.inf, 2.0, -np.inf]))
    found = draw([tmp_path / "i.npz"], "x")
    assert (found.n, found.underflow, found.overflow, sum(found.contents)) == (4, 1, 1, 2)
    assert json.loads(json.dumps(found.as_json(), allow_nan=False))["max"] is None


def test_an_empty_selection_is_an_answer(events):
    found = draw(events, "mass", select="n > 1000")
    assert (found.n, found.sum, found.sum_weights) == (0, 0, 0)
    assert math.isnan(found.mean)
    assert found.as_json()["mean"] is None
    assert "no entry is selected" in "\n".join(histogram(found, BLOCKS))


def test_a_result_survives_json(events):
    found = draw(events, "mass", select="n < 2 && n > 3 || n > 1")
    assert found.warnings[0]["code"] == "QL-EXPR-007"
    assert result_from_json(found.as_json()) == found


@pytest.mark.parametrize("text", [*NONE_AT_ALL, "2000000,0,1", "9,1,1.0000000000000002", ""])
def test_bins_that_are_none_are_refused(text):
    with pytest.raises(InputError, match=r"QL-EXPR-017.*\n.*N,LO,HI"):
        parse_bins(text)


def test_all_expressions_are_checked_before_any_event_is_read(events):
    with pytest.raises(InputError) as refused:
        draw(events, "masss", select="nn > 2", weight="w +")
    labels = [finding.place.label for finding in refused.value.findings]
    assert labels == ["expression", "selection", "weight"]


@pytest.mark.parametrize("count", [1, 3, 24, 63, 64, 65, 200, 1000])
def test_the_plot_fits_a_terminal(events, count):
    found = draw(events, "mass", weight="1e5*w", bins=Bins(count, 80, 100))
    lines = [*histogram(found, BLOCKS), *statistics(found).split("\n")]
    assert max(map(len, lines)) <= 80
    tops = [line for line in lines if "█" in line]
    assert 1 <= len(tops) <= 12


def test_the_plot_has_the_shape_of_the_histogram(tmp_path):
    np.savez(tmp_path / "s.npz", x=np.repeat([0, 1, 2, 3], [0, 1, 6, 12]))
    found = draw([tmp_path / "s.npz"], "x", bins=Bins(4, -0.5, 3.5))
    plot = [line[13:].ljust(64) for line in histogram(found, ASCII) if "|" in line]
    heights = [sum(row[column] == "#" for row in plot) for column in (8, 24, 40, 56)]
    assert heights == [0, 1, 6, 12]


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["quarkline", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_the_command_writes_one_json_object(events, monkeypatch, capsys):
    options = ["--select", "n > 1", "--weight", "w", "--bins", "20,80,100", "--json"]
    code, out, err = run(monkeypatch, capsys, "draw", *events, "mass", *options)
    assert (code, err) == (0, "")
    expected = draw(events, "mass", select="n > 1", weight="w", bins=Bins(20, 80, 100))
    assert json.loads(out) == json.loads(json.dumps(expected.as_json()))
    assert {"n", "sum", "mean", "std", "min", "max", "edges", "contents"} <= set(json.loads(out))


def test_the_command_draws_and_warns(events, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "draw", *events, "mass", "--select", "n>3 || n<=3")
    assert code == 0
    assert "selection: n>3 || n<=3" in out
    assert "500 events of 2 files" in out
    assert any(block in out for block in BLOCKS.fill[1:])
    assert "QL-EXPR-008" in err
    assert max(map(len, out.splitlines())) <= 80


def test_the_command_says_what_is_wrong(events, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, "draw", *events, "masss")
    assert (code, out) == (2, "")
    assert "QL-EXPR-001" in err
    assert "did you mean `mass`?" in err
    code, _, err = run(monkeypatch, capsys, "draw", *events, "mass", "--bins", "7")
    assert code == 2
    assert "bins `7` are not a number of bins and two edges" in err


def test_sums_keep_their_order():
    terms = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(1000) ** 0.3
    for cuts in itertools.combinations(range(0, 1000, 250), 2):
        summed = draw_module.RunningSum()
        for part in np.split(terms, cuts):
            summed.add(part)
        assert summed.total == np.add.accumulate(terms)[-1]
