"""Which event is in which bin, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics import HuntBinning, Spectrum


@pytest.mark.parametrize(
    ("bins", "below", "above"), [(7, 17, 23), (11, 27, 37), (15, 37, 50), (8, 20, 27), (1, 2, 3)]
)
def test_complete_bins_beside_the_window(bins, below, above):
    binning = HuntBinning(bins=bins)
    assert (len(binning.low_edges) - 1, len(binning.high_edges) - 1) == (below, above)
    assert binning.n_sidebands == below + above == len(binning.centres)
    assert binning.low_edges[-1] == 9.0
    assert binning.high_edges[0] == 10.6
    assert len(binning.edges) == below + bins + above + 1
    np.testing.assert_allclose(np.diff(binning.edges), 1.6 / bins, rtol=1e-9)


def test_edges_belong_where_the_documentation_says():
    binning = HuntBinning((0.0, 10.0), (4.0, 6.0), 2)
    spectrum = binning.count([0.0, 1.0, 3.999, 4.0, 4.001, 5.999, 6.0, 7.0, 9.999, 10.0, -0.1, 11])
    assert spectrum.sidebands.tolist() == [1, 1, 0, 1, 1, 1, 0, 1]
    assert spectrum.window == 2
    edged = binning.histogram([0.0, 4.0, 5.0, 6.0, 10.0])
    assert edged.tolist() == [1, 0, 0, 0, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("edge", [7.4, 5.8, 12.2, 13.8, 15.4])
def test_decimal_masses_on_decimal_edges_go_up(edge):
    """Edges are decimal numbers, although 9 - 11 * (1.6 / 11) is not 7.4 in binary."""
    binning = HuntBinning()
    edges = np.concatenate([binning.low_edges, binning.high_edges])
    assert edge in edges
    spectrum = binning.count([edge])
    above = np.flatnonzero(binning.centres > edge)[0]
    assert spectrum.sidebands[above] == 1


def test_the_window_is_never_rounded():
    window = (9.123456789012345, 10.6543210987654)
    binning = HuntBinning(window=window)
    assert binning.low_edges[-1] == window[0]
    assert binning.high_edges[0] == window[1]
    assert {*window} <= {*binning.edges}


def test_incomplete_bins_are_ignored():
    spectrum = HuntBinning().count([5.0, 5.07, 5.08, 15.97, 15.99])
    assert spectrum.sidebands.sum() == 2


def test_weights_are_summed_with_their_squares():
    random = np.random.default_rng(1)
    mass, weight = random.uniform(5, 16, 500), random.normal(1, 2, 500)
    binning = HuntBinning(bins=3)
    spectrum = binning.count(mass, weight)
    for index, centre in enumerate(binning.centres):
        inside = np.abs(mass - centre) < binning.width / 2
        assert spectrum.sidebands[index] == pytest.approx(weight[inside].sum(), abs=1e-12)
        assert spectrum.sidebands_w2[index] == pytest.approx((weight[inside] ** 2).sum())
    inside = (mass > 9) & (mass < 10.6)
    assert spectrum.window == pytest.approx(weight[inside].sum())
    assert spectrum.window_w2 == pytest.approx((weight[inside] ** 2).sum())


def test_bins_add_up_to_coarser_ones():
    mass = np.random.default_rng(2).uniform(5, 16, 4000)
    fine, coarse = (HuntBinning(bins=bins).count(mass) for bins in (8, 4))
    assert fine.window == coarse.window
    assert coarse.sidebands[0] == fine.sidebands[0:2].sum()


def test_stack_keeps_order_and_refuses_mixtures():
    binning = HuntBinning()
    first, second = binning.count([5.5]), binning.count([9.5, 12.0])
    both = Spectrum.stack([first, second])
    assert both.window.tolist() == [0, 1]
    assert both.sidebands.shape == (2, 64)
    for other in (HuntBinning(bins=7).count([5.5]), binning.count([5.5], [2.0])):
        with pytest.raises(ValueError, match="do not stack"):
            Spectrum.stack([first, other])
    with pytest.raises(ValueError, match="expected"):
        Spectrum(binning, np.zeros(63), np.array(0.0))


@pytest.mark.parametrize(
    ("mass_range", "window"),
    [
        ((5, 16), (4, 10.6)),
        ((5, 16), (9, 17)),
        ((5, 16), (10, 9)),
        ((5, 16), (9, 9)),
        ((16, 5), (9, 10)),
        ((5, float("inf")), (9, 10)),
        ((float("nan"), 16), (9, 10)),
    ],
)
def test_a_window_outside_the_range_is_refused(mass_range, window):
    with pytest.raises(InputError, match="is not inside the range") as caught:
        HuntBinning(mass_range, window)
    assert caught.value.findings[0].code == "QL-STAT-001"


def test_what_cannot_be_counted_is_refused_with_numbers():
    binning = HuntBinning()
    with pytest.raises(InputError, match="1 of 3 masses are not a number"):
        binning.count([9.1, np.nan, 7.0])
    with pytest.raises(InputError, match="2 of 3 weights are not finite"):
        binning.count([9.1, 8.0, 7.0], [1.0, np.inf, np.nan])
    with pytest.raises(InputError, match="0 bins"):
        HuntBinning(bins=0)


def test_negative_weights_need_positive_sums():
    binning = HuntBinning()
    binning.count([9.1, 9.2], [2.0, -1.0]).check()
    binning.count([9.1, 9.2], [0.0, 0.0]).check()
    for weights in ([1.0, -1.0], [-1.0, 0.5]):
        with pytest.raises(InputError, match="sum of weights of zero or less") as caught:
            binning.count([9.1, 9.2], weights).check()
        assert caught.value.findings[0].code == "QL-STAT-003"
