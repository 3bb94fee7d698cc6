"""Bins of the fit: folded, merged, found from signal and background."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.templates.automatic import automatic_edges
from quarkline.templates.binning import fold_flow, merge_groups

from .made import analysis, built, histogram, template

FLOW = histogram([1, 2, 3, 4, 5.0], flow=(0.5, 7.0))


def test_what_lies_outside_joins_the_edge_bins():
    folded = fold_flow(FLOW)
    np.testing.assert_allclose(folded.sums, [0, 1.5, 2, 3, 4, 12, 0])
    np.testing.assert_allclose(folded.squares, [0, 1.5, 2, 3, 4, 12, 0])


@pytest.mark.parametrize("change", [fold_flow, lambda h: merge_groups(h, 2)])
def test_sums_are_conserved(change):
    changed = change(FLOW)
    assert changed.sums.sum() == FLOW.sums.sum()
    assert changed.squares.sum() == FLOW.squares.sum()


def test_bins_left_over_join_the_overflow():
    merged = merge_groups(FLOW, 2)
    np.testing.assert_allclose(merged.edges, [0, 2, 4])
    np.testing.assert_allclose(merged.sums, [0.5, 3, 7, 12])


@pytest.mark.parametrize(
    ("reads", "merge_flow", "contents"),
    [
        ("histograms", None, [1, 2]),
        ("histograms", True, [1.5, 5]),
        ("ntuples", None, [1.5, 5]),
        ("ntuples", False, [1, 2]),
    ],
)
def test_flow_is_merged_if_from_ntuples_or_if_asked(reads, merge_flow, contents):
    catalog = analysis(reads=reads, samples={"top": {}}, templates={"merge_flow": merge_flow})
    made = built(catalog, top=histogram([1, 2], flow=(0.5, 3.0)))
    np.testing.assert_allclose(template(made, "top").nominal.contents, contents)


def test_later_merging_and_its_edges():
    catalog = analysis(regions={"SR": {"merge": [0, 1, 3]}}, samples={"top": {}})
    made = template(built(catalog, top=[1, 2, 3, 4]), "top")
    np.testing.assert_allclose(made.nominal.contents, [1, 5])
    np.testing.assert_allclose(made.filled.contents, [1, 5])


def test_edges_within_bins_are_refused():
    catalog = analysis(regions={"SR": {"merge": [0, 1.5, 3]}}, samples={"top": {}})
    with pytest.raises(InputError, match=r"(?s)`SR`: the edges .* change `regions.SR.merge`"):
        built(catalog, top=[1, 2, 3])


def _bump(seed: int):
    """Signal on the right of a falling background, in fine bins."""
    random = np.random.default_rng(seed)
    x = np.linspace(0, 1, 120)
    signal = random.poisson(3 * x**3 + 0.05) * 0.4
    background = random.poisson(9 * (1 - x) + 0.3) * 0.7
    return histogram(signal, signal**0.5 * 0.6, width=0.01), histogram(background, width=0.01)


def _by_a_loop(rule, parameters, signal, background):
    """Low edges of bins as TRExFitter's description has them, from right to left, 1-based."""
    s, b, variances = signal.contents, background.contents, background.squares[1:-1]
    total_s, total_b = s.sum(), b.sum()
    lows, right = [len(s) + 1], len(s)
    goal, target, second = parameters[0], 1e5, False
    while right > 0:
        at, sum_s, sum_b, likelihood, variance = right, 0.0, 0.0, 0.0, 0.0
        before = 1e10
        while at > 0:
            sum_s, sum_b = sum_s + s[at - 1], sum_b + b[at - 1]
            variance += variances[at - 1]
            if s[at - 1] > 0 and b[at - 1] > 0:
                likelihood += s[at - 1] * log(1 + s[at - 1] / b[at - 1])
            distance = 1e10
            if rule == "TransfoD":
                filled = sum_b * parameters[1] / total_b + sum_s * parameters[0] / total_s
                passed, distance = filled > 1, abs((1 / filled if filled else 1) - 1)
            elif rule == "TransfoF":
                filled = sqrt(sum_b * parameters[1] / total_b) + sqrt(likelihood * parameters[0])
                passed = filled > 1 and sum_b > 0 and sqrt(variance) / sum_b < 0.1
            else:
                passed = sum_b > (target if second else goal)
                if passed and not second:
                    if sum_s / sum_b < parameters[1] * total_s / total_b:
                        second, target = True, b[:at].sum() / parameters[2]
                    else:
                        goal += 1
            if not (passed and distance > before):
                at -= 1
            before = distance
            if passed:
                break
        right = at
        few = rule == "TransfoD" and len(lows) <= sum(parameters) + 0.01
        if right == 0 and len(lows) > 1 and rule != "TransfoJ" and not few:
            lows.pop()
        lows.append(right + 1)
    lows[0] = len(s) + 1
    return sorted(background.edges[low - 1] for low in {*lows, 1, len(s) + 1})


@pytest.mark.parametrize(
    ("rule", "parameters"),
    [
        ("TransfoD", [3, 3]),
        ("TransfoD", [5, 2]),
        ("TransfoD", [0, 4]),
        ("TransfoF", [3, 4]),
        ("TransfoJ", [5, 1, 4]),
        ("TransfoJ", [12, 0.4, 3]),
    ],
)
def test_edges_are_those_of_a_plain_loop(rule, parameters):
    for seed in range(15):
        signal, background = _bump(seed)
        edges = automatic_edges(rule, parameters, signal, background)
        np.testing.assert_allclose(edges, _by_a_loop(rule, parameters, signal, background))


def test_transfo_d_makes_about_as_many_bins_as_asked_for():
    for seed in range(15):
        edges = automatic_edges("TransfoD", [4, 3], *_bump(seed))
        assert 5 <= len(edges) - 1 <= 7


def test_bins_of_one_height_of_background_alone():
    flat = histogram(np.ones(100))
    edges = automatic_edges("TransfoD", [0, 5], histogram(np.zeros(100)), flat)
    np.testing.assert_allclose(np.diff(edges), 20, atol=1)


def test_all_samples_get_the_edges_that_signal_and_background_give():
    signal, background = _bump(1)
    catalog = analysis(
        samples={"data": {"role": "data"}, "signal": {"role": "signal"}, "a": {}, "b": {}},
        regions={"SR": {"binning": {"kind": "automatic", "parameters": [3, 3]}}},
    )
    half = background.scaled(0.5)
    made = built(catalog, data=background, signal=signal, a=half, b=half)
    expected = automatic_edges("TransfoD", [3, 3], signal, background)
    region = made.templates.regions["SR"]
    np.testing.assert_allclose(region.edges, expected)
    np.testing.assert_allclose(region.data.edges, expected)
    assert region.data.integral == pytest.approx(background.integral)


def test_bins_cannot_be_found_without_signal():
    catalog = analysis(
        samples={"top": {}},
        regions={"SR": {"binning": {"kind": "automatic", "parameters": [3, 3]}}},
    )
    with pytest.raises(InputError, match="`SR` has no signal to find its bins from"):
        built(catalog, top=[1, 2])


def test_dropped_bins_are_0_everywhere_and_do_not_count():
    catalog = analysis(
        samples={"data": {"role": "data"}, "top": {}},
        regions={"SR": {"drop_bins": [1, 3]}},
        systematics={"JES": {"kind": "varied", "up": {"weight": "u"}}},
    )
    made = built(catalog, data=[1, 2, 3, 4], top=[1, 2, 3, 4], top__JES__up=[9, 3, 9, 3])
    region = made.templates.regions["SR"]
    shift = region.templates["top"].shifts["JES"]
    assert region.dropped == (0, 2)
    for found in (region.data, region.templates["top"].nominal, shift.up, shift.down):
        assert found.contents[[0, 2]].tolist() == [0, 0]
        assert found.errors[[0, 2]].tolist() == [0, 0]
    assert shift.norm_up == 0
    np.testing.assert_allclose(shift.shape_up, [0, 3, 0, 3])
    np.testing.assert_allclose(region.templates["top"].filled.contents, [1, 2, 3, 4])
