"""Histograms of outputs, against NumPy's and by their laws."""

from __future__ import annotations

import json

import numpy as np
import pytest

from quarkline.engine.core.results import result_from_json
from quarkline.statistics.tagging.outputs import CONTROL, FINE, LINEAR, output_histograms


def test_bins_are_the_published_ones():
    assert pytest.approx(np.linspace(0, 1, 30)) == LINEAR
    fine = np.concatenate([np.linspace(0, 0.0007, 5), np.logspace(-3, 0, 50)])
    assert pytest.approx(fine, rel=1e-12) == FINE
    assert FINE[-1] == 1.0


@pytest.mark.parametrize("edges", [LINEAR, FINE])
def test_contents_are_numpys(main, edges):
    for place, histogram in enumerate(
        output_histograms(main.scores, main.label, main.weight, edges=edges)
    ):
        for label, part in enumerate(histogram.parts):
            rows = main.label == label
            for power, found in ((1, part.counts), (2, part.variance)):
                expected = np.histogram(
                    main.scores[rows, place], edges, weights=main.weight[rows] ** power
                )[0]
                assert found == pytest.approx(expected, abs=1e-12)
            assert part.jets == rows.sum()
            assert part.shares[0].sum() == pytest.approx(1.0)


def test_a_full_output_is_in_the_last_bin_and_the_broken_are_counted():
    scores = np.array([[1.0, 0.0, 0.0], [1.0000001, -1e-9, 0.0], [np.nan, np.nan, np.nan]])
    qcd, signal, _ = output_histograms(scores, [0, 0, 0], np.ones(3), edges=FINE)
    assert qcd.parts[0].counts[-1] == signal.parts[0].counts[0] == 2
    assert (qcd.parts[0].jets, qcd.parts[0].not_finite) == (2, 1)
    assert qcd.parts[1].shares[0].sum() == 0.0


def test_pieces_add_up_to_the_whole(made):
    jets = made()
    whole = output_histograms(jets.scores, jets.label, jets.weight)
    pieces = [
        output_histograms(part.scores, part.label, part.weight)
        for part in (jets[:1000], jets[1000:])
    ]
    for one, *others in zip(whole, *pieces, strict=True):
        for part, *added in zip(one.parts, *(other.parts for other in others), strict=True):
            assert part.counts == pytest.approx(np.sum([each.counts for each in added], axis=0))
            assert part.jets == sum(each.jets for each in added)


def test_results_survive_a_file(made):
    jets = made(100)
    (found, *_) = output_histograms(
        jets.scores, jets.label == 1, jets.weight, names=CONTROL, region="lowPt"
    )
    assert [part.name for part in found.parts] == ["simulation", "data"]
    assert result_from_json(json.loads(json.dumps(found.as_json()))) == found
