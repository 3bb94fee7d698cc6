"""S/sqrt(B) scans: golden numbers of a real network, a plain loop, and laws."""

from __future__ import annotations

import json

import numpy as np
import pytest

from quarkline.engine.core.results import result_from_json
from quarkline.statistics.tagging import tagger_merit

GOLDEN = {
    "": (3.003375, 1.530597),
    "QCD only": (10.432755, 3.842170),
    "BIB only": (3.410004, 1.801229),
}


def _curves(jets):
    found = tagger_merit(jets.scores, jets.label, jets.weight, jets.mass)
    return {curve.name: curve for curve in found.curves}


def test_a_real_network_has_the_golden_scans(main):
    found = _curves(main)
    for name, (maximum, area) in GOLDEN.items():
        assert found[name].maximum == pytest.approx(maximum, abs=1e-6)
        assert found[name].area == pytest.approx(area, abs=1e-6)
    assert found["mH125.0"].merit == found[""].merit  # the only mass there is


def test_points_are_those_of_a_plain_loop(made):
    jets = made()
    found = _curves(jets)["mH600.0"]
    score, bib, qcd = jets.scores[:, 1], jets.label == 2, jets.label == 0
    for place in range(0, len(found.thresholds), 60):
        above = score > found.thresholds[place]
        background = (bib & above).sum() + jets.weight[qcd & above].sum() * (
            bib.sum() / jets.weight[qcd].sum()
        )
        signal = ((jets.label == 1) & (jets.mass[:, 0] == 600) & above).sum()
        assert found.background[place] == pytest.approx(background)
        assert found.merit[place] == pytest.approx(signal / np.sqrt(background))


def test_the_scan_ends_where_too_little_background_is_left(made):
    for curve in _curves(made()).values():
        assert min(curve.background) > 10
        assert len(curve.thresholds) < 720


def test_no_background_gives_no_scan(main):
    few = np.flatnonzero((main.label == 1) | (np.cumsum(main.label == 2) <= 3))
    found = tagger_merit(main.scores[few], main.label[few], main.weight[few], main.mass[few])
    by_name = {curve.name: curve for curve in found.curves}
    assert by_name["BIB only"].status == "no cut leaves a background above 10"
    assert np.isnan(by_name["BIB only"].maximum)
    broken = main.scores.copy()
    broken[0] = np.nan
    (only,) = tagger_merit(broken, main.label, main.weight, main.mass).curves
    assert only.status == "outputs are not finite"


def test_nothing_given_is_changed_and_order_does_not_matter(main):
    weight = main.weight.copy()
    found = _curves(main)
    assert np.array_equal(weight, main.weight)
    mixed = _curves(main[np.random.default_rng(1).permutation(main.label.size)])
    assert mixed[""].merit == pytest.approx(found[""].merit)


def test_results_survive_a_file(main):
    found = tagger_merit(main.scores, main.label, main.weight, main.mass)
    assert result_from_json(json.loads(json.dumps(found.as_json()))) == found
