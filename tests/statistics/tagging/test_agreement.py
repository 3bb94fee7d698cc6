"""K-S tests of outputs in bins of jet pT: golden numbers of a real network, and laws."""

from __future__ import annotations

import json

import numpy as np
import pytest

from quarkline.engine.core.results import result_from_json
from quarkline.statistics import ks_two_sample
from quarkline.statistics.tagging import OUTPUTS, agreement, bin_names, bin_rows, output_agreement

GOLDEN = {
    "all": (0.136729, 0.132245, 0.208565),
    "lowPt": (0.170450, 0.162138, 0.213718),
    "midPt": (0.175403, 0.175403, 0.342514),
    "highPt": (0.200585, 0.200585, 0.340199),
}
JETS = {"all": (226, 223), "lowPt": (108, 85), "midPt": (34, 25), "highPt": (84, 113)}
SUMS = (0.546438, 0.538126, 0.896430)


@pytest.fixture(scope="module")
def control(golden):
    """Outputs, whether data, weights, and jet pT in GeV."""
    return (
        golden["cr_scores"],
        golden["cr_label"] == 1,
        golden["cr_weight"],
        golden["cr_jet_pt"] * 500,
    )


@pytest.mark.parametrize("lost", [False, True])
def test_a_real_network_has_the_golden_distances(control, lost):
    found = output_agreement(*control, lost_boundaries=lost)
    for region, expected in GOLDEN.items():
        tests = [found.test(output, region) for output in OUTPUTS]
        assert [one.statistic for one in tests] == pytest.approx(expected, abs=1e-6)
        assert {one.jets for one in tests} == {JETS[region]}
    assert [one.value for one in found.sums] == pytest.approx(SUMS, abs=2e-6)
    assert found.worst.value == pytest.approx(0.342514, abs=1e-6)
    assert (found.worst_test.output, found.worst_test.region) == ("bib", "midPt")


def test_distances_are_those_of_the_plain_test(control):
    scores, data, weight, _ = control
    test = output_agreement(*control).test("sig")
    plain = ks_two_sample(
        scores[~data, 1], scores[data, 1], first_weight=weight[~data], second_weight=weight[data]
    )
    assert test.statistic == pytest.approx(plain.statistic, abs=1e-12)
    assert test.p_asymptotic == pytest.approx(plain.p_value, abs=1e-12)
    assert test.effective == pytest.approx((plain.effective_first, plain.effective_second))


def test_the_order_of_jets_changes_nothing(control):
    mixed = np.random.default_rng(3).permutation(len(control[1]))
    found = output_agreement(*control, permutations=50)
    assert output_agreement(*(array[mixed] for array in control), permutations=50) == found


def test_permutations_are_the_same_in_pieces(control, monkeypatch):
    whole = output_agreement(*control, permutations=50)
    monkeypatch.setattr(agreement, "CELLS_AT_ONCE", 3000)
    assert output_agreement(*control, permutations=50) == whole


def test_the_scale_of_the_weights_changes_nothing(control):
    scores, data, weight, jet_pt = control
    found = output_agreement(*control, permutations=50)
    scaled = output_agreement(scores, data, weight * np.where(data, 3.0, 0.2), jet_pt)
    for one, other in zip(found.tests, scaled.tests, strict=True):
        assert other.statistic == pytest.approx(one.statistic, abs=1e-12)


def test_what_is_given_stays_as_it_is(control):
    before = [array.copy() for array in control]
    output_agreement(*control, permutations=5)
    assert all(np.array_equal(one, other) for one, other in zip(before, control, strict=True))


def test_a_jet_at_an_edge_is_in_one_bin():
    edges = (0.0, 125.0, 250.0, 500.0)
    jet_pt = np.array([0.0, 124.9, 125.0, 250.0, 499.0, 500.0, 500.1, -1.0, np.nan])
    rows = bin_rows(jet_pt, edges)
    assert {name: np.flatnonzero(chosen).tolist() for name, chosen in rows.items()} == {
        "lowPt": [0, 1],
        "midPt": [2],
        "highPt": [3, 4, 5],
    }
    data, weight = np.arange(9) % 2 == 0, np.ones(9)
    scores = np.random.default_rng(1).dirichlet((1, 1, 1), 9)
    assert output_agreement(scores, data, weight, jet_pt).outside == 3
    lost = output_agreement(scores, data, weight, jet_pt, lost_boundaries=True)
    assert [lost.test("sig", name).jets for name in rows] == [(2, 1), (0, 0), (1, 2)]
    assert lost.outside == 3  # the two at inner edges and the one without pT


def test_bins_have_upstreams_names_if_they_are_three():
    assert bin_names((0, 100, 200, 300)) == ("lowPt", "midPt", "highPt")
    assert bin_names((40, 62.5, 500)) == ("pt40-62.5", "pt62.5-500")


def test_bins_without_a_test_say_why_and_leave_the_sums_to_the_others(control):
    _, data, _, jet_pt = control
    empty = (jet_pt >= 250) & data
    kept = [array[~empty] for array in control]
    found = output_agreement(*kept, edges=(0, 125, 250, 500, 600), permutations=9)
    statuses = {one.region: one.status for one in found.tests}
    assert statuses["pt250-500"] == "no jets of data"
    assert statuses["pt500-600"] == "no jets of simulation"
    low, middle = (found.test("qcd", name).statistic for name in ("pt0-125", "pt125-250"))
    assert found.sums[0].value == pytest.approx(low + middle, abs=1e-12)
    assert np.isnan(found.test("qcd", "pt250-500").statistic)
    nothing = output_agreement(*(array[:0] for array in control), permutations=9)
    assert {one.status for one in nothing.tests} == {"no jets of simulation"}
    assert nothing.worst_test is None
    assert np.isnan([one.value for one in (*nothing.sums, nothing.worst)]).all()


def test_bad_weights_and_outputs_are_told(control):
    scores, data, weight, jet_pt = control
    found = output_agreement(scores, data, np.where(data, weight, 0.0), jet_pt)
    assert found.test("sig").status == "the weights of simulation do not add up to more than zero"
    broken = scores.copy()
    broken[np.flatnonzero(jet_pt < 125)[:2]] = np.nan
    found = output_agreement(broken, data, weight, jet_pt)
    assert found.test("sig").status == "outputs of 2 jets are not finite"
    assert found.test("sig", "highPt").statistic == pytest.approx(0.200585, abs=1e-6)


def test_ties_are_one_step():
    data = np.array([True, True, False, False])
    scores = np.repeat([[0.5, 0.3, 0.2]], 4, axis=0)
    found = output_agreement(scores, data, np.ones(4), np.full(4, 50.0), permutations=20)
    assert found.test("sig").statistic == pytest.approx(0.0, abs=1e-12)
    assert found.test("sig").p_value == 1.0


def _null_p_values(number, data, simulation, spread, permutations=39):
    """P-values of samples of one parent; weights of simulation spread by chance."""
    random = np.random.default_rng(5)
    side = np.arange(data + simulation) < data
    for _ in range(number):
        weight = np.where(side, 1.0, np.exp(spread * random.normal(size=side.size)))
        scores = random.dirichlet((2, 1, 1), side.size)
        jet_pt = random.uniform(0, 500, side.size)
        found = output_agreement(
            scores, side, weight, jet_pt, permutations=permutations, edges=(0, 250, 500)
        )
        yield (found.test("sig").p_value, found.sums[1].p_value, found.worst.p_value)


@pytest.mark.parametrize(("data", "simulation", "spread"), [(60, 60, 0.0), (120, 40, 1.0)])
def test_permutations_are_uniform_without_a_difference(data, simulation, spread):
    found = np.array(list(_null_p_values(400, data, simulation, spread)))
    for column in found.T:
        for level in (0.1, 0.25, 0.5, 0.75):
            error = np.sqrt(level * (1 - level) / len(found))
            assert (column <= level).mean() == pytest.approx(level, abs=4 * error)


def test_a_difference_is_found_and_the_floor_is_told():
    random = np.random.default_rng(6)
    data = np.arange(600) < 300
    logits = random.normal(size=(600, 3)) + np.where(data[:, None], [0.6, 0.0, 0.0], 0.0)
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = output_agreement(
        scores, data, np.ones(600), random.uniform(0, 500, 600), permutations=200
    )
    assert found.worst.p_value <= 0.02
    assert found.worst.value > found.worst.limit > found.worst.expected > 0.1
    assert 0.2 < found.sums[2].expected < 0.6


def test_results_survive_a_file(control):
    found = output_agreement(*control, permutations=9)
    assert result_from_json(json.loads(json.dumps(found.as_json()))) == found
