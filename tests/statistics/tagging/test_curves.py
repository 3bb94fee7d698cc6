"""Families of ROC curves: golden numbers of a real network, scikit-learn, and laws."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics

from quarkline.engine.core.results import result_from_json
from quarkline.statistics.tagging import QCD, cut_removing, tagger_curves


def _arrays(jets):
    return jets.scores, jets.label, jets.weight, jets.mass


def test_a_real_network_has_the_golden_areas(main):
    found = tagger_curves(*_arrays(main), upstream=True)
    areas = [one.area.value for one in found.cuts]
    assert areas == pytest.approx([0.833217, 0.824821, 0.806791], abs=1e-6)
    assert found.cuts[0].cut is None


def test_cuts_have_their_golden_values(main):
    """The fact sheet's values are those of the QCD output of QCD jets."""
    qcd = main.scores[main.label == 0, 0]
    cuts = [cut_removing(qcd, fraction) for fraction in (0.0, 0.0316, 0.1)]
    assert cuts == pytest.approx([0.998353, 0.997326, 0.996015], abs=1e-6)


def test_without_a_cut_the_curve_is_scikit_learns(main):
    weight = np.where(main.label == 2, 0.1 * main.weight, main.weight)
    signal = main.label == 1
    expected = metrics.roc_auc_score(signal, main.scores[:, 1], sample_weight=weight)
    for upstream in (False, True):
        (curve,) = tagger_curves(*_arrays(main), cuts=(0.0,), upstream=upstream).cuts
        assert curve.area.value == pytest.approx(expected, abs=1e-12)
        assert curve.kept == (1.0, 1.0)
        area = np.trapezoid(curve.signal, curve.background)
        assert area == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("third", "other"), [(2, 0), (0, 2)])
def test_a_curve_is_that_of_plain_counts(made, third, other):
    jets = made(400)
    (curve,) = tagger_curves(*_arrays(jets), cuts=(0.1,), third=third).cuts
    weight = jets.weight.copy()
    for label in (0, 1, 2):
        chosen = jets.label == label
        weight[chosen] *= chosen.sum() / weight[chosen].sum()
    weight[jets.label == third] *= 0.1
    passed = jets.scores[:, third] < curve.cut
    removed = weight[(jets.label == third) & ~passed].sum() / weight[jets.label == third].sum()
    assert removed == pytest.approx(0.1, abs=0.03)
    signal, background = jets.label == 1, jets.label != 1
    for threshold in (0.2, 0.5, 0.8):
        kept = passed & (jets.scores[:, 1] >= threshold)
        x = weight[background & kept].sum() / weight[background].sum()
        y = weight[signal & kept].sum() / weight[signal].sum()
        below, above = np.interp((x - 1e-9, x + 1e-9), curve.background, curve.signal)
        assert below - 1e-6 <= y <= above + 1e-6
    assert curve.kept[0] == pytest.approx(weight[signal & passed].sum() / weight[signal].sum())


def test_each_mass_meets_all_background_and_no_mass_is_made_up(made):
    jets = made()
    found = tagger_curves(*_arrays(jets))
    assert [one.mass for one in found.masses] == [125.0, 600.0]
    for one in found.masses:
        rows = (jets.label != 1) | (jets.mass[:, 0] == one.mass)
        weight = jets.weight[rows].copy()
        label = jets.label[rows]
        for value in (0, 2):
            chosen = label == value
            weight[chosen] *= (0.1 if value == 2 else 1) * chosen.sum() / weight[chosen].sum()
        expected = metrics.roc_auc_score(label == 1, jets.scores[rows, 1], sample_weight=weight)
        assert one.area.value == pytest.approx(expected, abs=1e-9)
        assert 0 < one.area.up < 0.05


def test_the_third_class_may_be_qcd(made):
    jets = made()
    found = tagger_curves(*_arrays(jets), third=QCD)
    assert found.third == "QCD"
    assert all(0.5 < one.area.value < 1 for one in found.cuts)
    assert found.cuts[2].kept[0] > 0.5  # of the signal: it stays what is kept on purpose


def test_classes_without_jets_are_told(main):
    signal = main[main.label == 1]
    (curve, *_) = tagger_curves(*_arrays(signal)).cuts
    assert curve.status == "no jets of background"
    nothing = tagger_curves(*_arrays(main[main.label != 1]))
    assert nothing.cuts[0].status == "no jets of signal"
    assert nothing.masses == ()
    broken = main.scores.copy()
    broken[3] = np.nan
    (curve, *_) = tagger_curves(broken, main.label, main.weight, main.mass).cuts
    assert curve.status == "outputs are not finite"
    without = tagger_curves(*_arrays(main[main.label != 2]))
    assert [one.cut for one in without.cuts] == [None, None, None]


def test_nothing_given_is_changed_and_order_does_not_matter(main):
    before = [array.copy() for array in _arrays(main)]
    found = tagger_curves(*_arrays(main))
    assert all(np.array_equal(*pair) for pair in zip(before, _arrays(main), strict=True))
    mixed = main[np.random.default_rng(1).permutation(main.label.size)]
    other = tagger_curves(*_arrays(mixed))
    areas = [[one.area.value for one in result.cuts] for result in (found, other)]
    assert areas[0] == pytest.approx(areas[1], abs=1e-12)
    assert result_from_json(json.loads(json.dumps(found.as_json()))) == found
