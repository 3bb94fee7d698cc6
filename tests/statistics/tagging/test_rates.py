"""Tagged shares, rejections and efficiencies at working points: golden numbers and plain counts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from quarkline.engine.core.results import result_from_json
from quarkline.statistics.tagging import (
    arg_max_fractions,
    balanced_weights,
    rejection,
    signal_efficiency,
    tagged_shares,
)
from quarkline.statistics.working_point import efficiency_at, rejection_at
from quarkline.studies.tagging.columns import Label


def test_labels_are_those_of_the_tables():
    from quarkline.statistics import tagging

    assert (tagging.QCD, tagging.SIGNAL, tagging.BIB) == (Label.QCD, Label.SIGNAL, Label.BIB)


def test_a_real_network_has_the_golden_shares(main):
    shares = arg_max_fractions(main.scores, main.label)
    assert shares == pytest.approx(
        np.array([[0.7965, 0.1327, 0.0708], [0.0789, 0.1842, 0.7368], [0.1219, 0.0968, 0.7814]]),
        abs=5e-5,
    )
    found = tagged_shares(main.scores, main.label, main.mass)
    (signal,) = found.signal
    assert (signal.mass, signal.jets) == ((125.0, 5.0), 76)
    assert signal.share.value == pytest.approx(0.184211, abs=1e-6)
    names = {one.name: one.share.value for one in found.background}
    assert names["QCD"] == pytest.approx(0.1327, abs=5e-5)
    assert names["BIB"] == pytest.approx(0.0968, abs=5e-5)
    assert names["background"] == pytest.approx((30 + 54) / (226 + 558), abs=1e-9)


def test_errors_of_shares_are_clopper_and_pearsons(main):
    (signal,) = tagged_shares(main.scores, main.label, main.mass).signal
    tested = stats.binomtest(14, 76).proportion_ci(0.6826894921370859, method="exact")
    assert signal.share.value - signal.share.down == pytest.approx(tested.low)
    assert signal.share.value + signal.share.up == pytest.approx(tested.high)


def test_shares_are_counted_by_mass(made):
    jets = made()
    found = tagged_shares(jets.scores, jets.label, jets.mass)
    assert [one.mass for one in found.signal] == [(125.0, 16.0), (600.0, 50.0), (600.0, 150.0)]
    for one in found.signal:
        chosen = [
            scores
            for scores, label, mass in zip(jets.scores, jets.label, jets.mass, strict=True)
            if label == 1 and tuple(mass) == one.mass
        ]
        assert one.jets == len(chosen)
        tagged = sum(max(range(3), key=list(scores).__getitem__) == 1 for scores in chosen)
        assert one.share.value == pytest.approx(tagged / len(chosen))
    assert result_from_json(json.loads(json.dumps(found.as_json()))) == found


def test_no_jets_have_no_share(main):
    found = tagged_shares(main.scores[:0], main.label[:0], main.mass[:0])
    assert found.signal == ()
    assert all(np.isnan(one.share.value) for one in found.background)


def test_weights_of_a_class_add_up_to_its_number(main, made):
    for jets in (main, made()):
        weight = jets.weight.copy()
        balanced = balanced_weights(jets.label, jets.weight)
        assert np.array_equal(weight, jets.weight)
        for label in range(3):
            chosen = jets.label == label
            assert balanced[chosen].sum() == pytest.approx(chosen.sum())
        twice = balanced_weights(jets.label, balanced)
        assert twice == pytest.approx(balanced)


def test_a_class_without_positive_weight_keeps_it():
    weight = np.array([1.0, -2.0, 4.0])
    assert balanced_weights([0, 0, 1], weight).tolist() == [1.0, -2.0, 1.0]


def test_working_points_are_those_of_a_plain_count():
    random = np.random.default_rng(4)
    signal, background = random.normal(1.0, 1.0, 4001), random.normal(size=20000)
    cut = np.quantile(signal, 0.5)
    found = rejection_at(signal, background, 0.5)
    assert found.value == pytest.approx(1 / (background >= cut).mean(), rel=2e-3)
    reverse = efficiency_at(signal, background, 0.01)
    expected = (signal >= np.quantile(background, 0.99)).mean()
    assert reverse.value == pytest.approx(expected, abs=1e-3)


def test_errors_cover_the_truth():
    random = np.random.default_rng(8)
    truth = 1 - stats.norm.cdf(stats.norm.ppf(0.99) - 1.0)
    inside = 0
    for _ in range(400):
        signal, background = random.normal(1.0, 1.0, 400), random.normal(size=2000)
        found = efficiency_at(signal, background, 0.01)
        inside += found.value - found.down <= truth <= found.value + found.up
    assert inside / 400 == pytest.approx(0.683, abs=0.1)


def test_whole_weights_are_repetitions():
    random = np.random.default_rng(9)
    signal, background = random.normal(1.0, 1.0, 2000), random.normal(size=2000)
    copies = random.integers(1, 4, 2000)
    weighted = rejection_at(signal, background, 0.5, background_weight=copies)
    repeated = rejection_at(signal, np.repeat(background, copies), 0.5)
    assert weighted.value == pytest.approx(repeated.value)
    assert weighted.up > repeated.up  # copies are no new events


def test_rejection_is_infinite_where_nothing_is_left():
    found = rejection_at([0.8, 0.9, 1.0], [0.1, 0.2], 0.5)
    assert found.value == np.inf
    assert found.down is None
    assert np.isnan(rejection_at([], [0.1], 0.5).value)
    with pytest.raises(ValueError, match=r"within \(0, 1\) is needed, not 1"):
        efficiency_at([0.1], [0.1], 1.0)


def test_rates_of_a_tagger_weigh_bib_by_a_tenth(made):
    jets = made(6000)
    score = jets.scores[:, 1]
    cut = np.quantile(score[jets.label == 1], 0.5)
    passed = {}
    for label in (0, 2):
        chosen = jets.label == label
        passed[label] = np.average(score[chosen] >= cut, weights=jets.weight[chosen])
    numbers = {label: (jets.label == label).sum() for label in (0, 2)}
    mixed = (passed[0] * numbers[0] + 0.1 * passed[2] * numbers[2]) / (
        numbers[0] + 0.1 * numbers[2]
    )
    arrays = (jets.scores, jets.label, jets.weight)
    assert rejection(*arrays).value == pytest.approx(1 / mixed, rel=0.01)
    assert rejection(*arrays, against="qcd").value == pytest.approx(1 / passed[0], rel=0.01)
    assert rejection(*arrays, against="bib").value == pytest.approx(1 / passed[2], rel=0.01)
    qcd, weight = score[jets.label == 0], jets.weight[jets.label == 0]
    order = np.argsort(qcd)[::-1]
    cut = qcd[order][np.searchsorted(np.cumsum(weight[order]) / weight.sum(), 0.01)]
    found = signal_efficiency(*arrays)
    assert found.value == pytest.approx((score[jets.label == 1] >= cut).mean(), abs=0.01)


def test_the_order_of_jets_changes_nothing(made):
    jets = made()
    mixed = jets[np.random.default_rng(2).permutation(len(jets.label))]
    one, other = (
        (
            rejection(part.scores, part.label, part.weight).value,
            tagged_shares(part.scores, part.label, part.mass),
        )
        for part in (jets, mixed)
    )
    assert one[0] == pytest.approx(other[0])
    assert one[1] == other[1]
