"""Samples: empty bins, arithmetic, smoothing of nominal histograms."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.smooth import RULES

from .made import analysis, built, histogram, shift, template, varied

JES = {"JES": varied()}


class TestEmptyBins:
    def test_they_are_set_and_the_sum_stays(self):
        made = built(analysis(samples={"top": {}}), top=histogram([3, 0, 2], [1, 0, 0.5]))
        top = template(made, "top")
        assert top.guessed == (1,)
        assert top.nominal.integral == pytest.approx(5)
        assert top.nominal.contents[1] == pytest.approx(1e-6, rel=1e-5)
        np.testing.assert_allclose(top.nominal.errors, [1, 1e-6, 0.5])
        assert top.filled.contents[1] == 0

    def test_the_least_error_is_taken_if_one_is_to_be_guessed(self):
        catalog = analysis(samples={"top": {}}, templates={"guess_empty_bins": True})
        made = built(catalog, top=histogram([3, 0, 2], [1, 0, 0.5]))
        np.testing.assert_allclose(template(made, "top").nominal.errors, [1, 0.5, 0.5])

    def test_errors_of_negative_bins_stay(self):
        made = built(analysis(samples={"top": {}}), top=histogram([3, -0.4, 2], [1, 0.3, 0.5]))
        np.testing.assert_allclose(template(made, "top").nominal.errors, [1, 0.3, 0.5])
        assert template(made, "top").nominal.integral == pytest.approx(4.6)
        (finding,) = made.findings
        assert finding.message == "`top` in `SR` has no or a negative content in bin 2"

    @pytest.mark.parametrize(("repair", "total"), [(False, 1 + 2e-6), (True, 1e-6)])
    def test_negative_sums(self, repair, total):
        catalog = analysis(samples={"top": {}}, templates={"repair_negative_sums": repair})
        made = built(catalog, top=[1, -2, -3])
        assert template(made, "top").nominal.integral == pytest.approx(total)
        assert "`top` in `SR` sums to -4" in [found.message for found in made.findings]

    def test_variations_are_filled_there_too_and_keep_their_sums(self):
        catalog = analysis(samples={"top": {}}, systematics=JES)
        made = built(catalog, top=[3, 0, 2], top__JES__up=[4, -1, 2], top__JES__down=[3, 1, 1])
        jes = shift(made, "top", "JES")
        np.testing.assert_allclose(jes.up.contents, np.array([4, 1e-6, 2]) * 5 / 6.000001)
        np.testing.assert_allclose(jes.down.contents, [3, 1, 1])

    @pytest.mark.parametrize("symmetrise", ["one-sided", "two-sided", "absolute-mean", "maximum"])
    @pytest.mark.parametrize("rule", sorted(RULES))
    def test_samples_without_events_go_through_all_steps(self, rule, symmetrise):
        steps = [{"kind": "normalise", "samples": ["other"]}]
        catalog = analysis(
            samples={"other": {}, "top": {"smooth": True, "arithmetic": steps}},
            systematics={
                "JES": varied(smoothing=40, smoothing_rule=rule, symmetrise=symmetrise),
                "gen": varied(reference="other", samples=["top"], smooth_before=True),
            },
            templates={"pruning": {"norm": 0.1, "shape": 0.1, "large": 0.5}},
        )
        nothing, some = [0.0] * 5, [1.0, 2, 3, 4, 5]
        contents = {"other": nothing, "top": nothing}
        for name in ("other__JES", "top__JES", "top__gen"):
            contents |= {f"{name}__up": some, f"{name}__down": nothing}
        made = built(catalog, **contents)
        assert made.findings[-1].code.startswith("QL-TEMPLATE")
        assert "`top` in `SR` has no events" in [found.message for found in made.findings]
        for found in template(made, "top").shifts.values():
            assert np.isfinite([found.norm_up, found.norm_down]).all()

    def test_signals_and_data_stay(self):
        samples = {"data": {"role": "data"}, "signal": {"role": "signal"}}
        made = built(analysis(samples=samples), data=[0, 1], signal=[0, 2])
        assert template(made, "signal").nominal.contents[0] == 0
        assert made.templates.regions["SR"].data.contents[0] == 0
        assert made.findings == ()

    def test_odd_bins_of_variations_are_told_and_mended(self):
        samples = {"signal": {"role": "signal"}}
        made = built(
            analysis(samples=samples, systematics=JES),
            signal=[1, 2, 3],
            signal__JES__up=[1, -2, 3],
            signal__JES__down=[np.nan, 2, 400],
        )
        np.testing.assert_allclose(shift(made, "signal", "JES").up.contents, [1, 1e-6, 3])
        np.testing.assert_allclose(shift(made, "signal", "JES").down.contents, [1, 2, 400])
        told = " ".join(found.message for found in made.findings)
        assert "`JES` (up) of `signal` in `SR`: bins 2 negative" in told
        assert "bins 1 no number; bins 3 over a hundred times the nominal content" in told


class TestArithmetic:
    def _made(self, kind, others=("b",)):
        steps = [{"kind": kind, "samples": list(others)}]
        samples = {name: {"role": "reference"} for name in "bc"} | {"a": {"arithmetic": steps}}
        return built(analysis(samples=samples), a=[8, 6.0], b=[2, 3.0], c=[1, 1.0])

    @pytest.mark.parametrize(
        ("kind", "contents", "squares"),
        [
            ("add", [10, 9], [10, 9]),
            ("subtract", [6, 3], [10, 9]),
            ("multiply", [16, 18], [8 * 4 + 2 * 64, 6 * 9 + 3 * 36]),
            ("divide", [4, 2], [(8 * 4 + 2 * 64) / 16, (6 * 9 + 3 * 36) / 81]),
            ("normalise", [8 * 5 / 14, 6 * 5 / 14], [8 * 25 / 196, 6 * 25 / 196]),
        ],
    )
    def test_contents_and_errors(self, kind, contents, squares):
        nominal = template(self._made(kind), "a").nominal
        np.testing.assert_allclose(nominal.contents, contents)
        np.testing.assert_allclose(nominal.errors**2, squares)

    def test_several_samples(self):
        made = self._made("subtract", ("b", "c"))
        np.testing.assert_allclose(template(made, "a").nominal.contents, [5, 2])

    def test_earlier_samples_are_taken_as_they_are_by_then(self):
        samples = {
            "a": {"arithmetic": [{"kind": "add", "samples": ["b"]}]},
            "b": {"arithmetic": [{"kind": "add", "samples": ["a"]}]},
        }
        made = built(analysis(samples=samples), a=[1.0], b=[10.0])
        assert template(made, "a").nominal.integral == 11
        assert template(made, "b").nominal.integral == 21

    def test_systematics_of_both_go_with_it(self):
        samples = {
            "b": {"role": "reference", "use_systematics": True},
            "a": {"arithmetic": [{"kind": "subtract", "samples": ["b"]}]},
        }
        systematics = {
            "both": varied(),
            "own": varied(samples=["a"]),
            "XS": {"kind": "normalisation", "up": 0.5, "down": -0.5, "samples": ["b"]},
        }
        made = built(
            analysis(samples=samples, systematics=systematics),
            a=[8, 6],
            a__both__up=[9, 6],
            a__both__down=[8, 6],
            a__own__up=[8, 8],
            a__own__down=[8, 6],
            b=[2, 3],
            b__both__up=[2, 4],
            b__both__down=[2, 3],
        )
        shifts = template(made, "a").shifts
        np.testing.assert_allclose(shifts["both"].up.contents, [7, 2])
        np.testing.assert_allclose(shifts["own"].up.contents, [6, 5])
        np.testing.assert_allclose(shifts["XS"].up.contents, [5, 1.5])
        np.testing.assert_allclose(shifts["XS"].norm_up, 6.5 / 9 - 1)
        assert shifts["XS"].shape_up is not None  # the yield of `b` is a shape of the difference

    def test_a_quotient_shifts_against_what_it_is_divided_by(self):
        made = built(
            analysis(
                samples={
                    "b": {"role": "reference", "use_systematics": True},
                    "a": {"arithmetic": [{"kind": "divide", "samples": ["b"]}]},
                },
                systematics={"JES": varied(samples=["b"])},
            ),
            a=[8, 6],
            b=[2, 3],
            b__JES__up=[2.2, 3],
            b__JES__down=[2, 3],
        )
        np.testing.assert_allclose(shift(made, "a", "JES").up.contents, [4 * 0.9, 2])

    def test_an_absent_sample_is_told(self):
        samples = {
            "b": {"regions": ["CR"]},
            "a": {"arithmetic": [{"kind": "add", "samples": ["b"]}]},
        }
        made = built(analysis(samples=samples), a=[1.0])
        assert made.findings[0].message == "`a` needs `b` in `SR`, which is not there"


class TestNominalSmoothing:
    CONTENTS = np.array([50, 60, 52, 61, 49, 58, 51, 95.0])

    def _made(self, **sample):
        catalog = analysis(samples={"top": {"smooth": True, **sample}}, systematics=JES)
        return built(
            catalog,
            top=histogram(self.CONTENTS, np.full(8, 6.0)),
            top__JES__up=self.CONTENTS * 2.5,
            top__JES__down=self.CONTENTS * 0.9,
        )

    def test_sum_and_its_error_stay_and_steps_shrink(self):
        nominal = template(self._made(), "top").nominal
        assert nominal.integral == pytest.approx(self.CONTENTS.sum())
        assert np.sqrt((nominal.errors**2).sum()) == pytest.approx(6 * np.sqrt(8))
        assert np.abs(np.diff(nominal.contents[:-1])).max() < 9

    def test_no_bin_moves_by_more_than_two_errors_at_once(self):
        nominal = template(self._made(), "top").nominal
        assert nominal.contents[-1] > 80

    def test_symmetrised_variations_stay_below_the_double(self):
        systematics = {"JES": varied(symmetrise="one-sided")}
        catalog = analysis(samples={"top": {"smooth": True}}, systematics=systematics)
        made = built(catalog, top=[10, 20], top__JES__up=[25, 20], top__JES__down=[10, 20])
        nominal, jes = template(made, "top").nominal, shift(made, "top", "JES")
        assert jes.up.contents[0] == pytest.approx(1.99 * nominal.contents[0])
        assert jes.down.contents[0] == pytest.approx(0.01 * nominal.contents[0])

    def test_a_region_may_forbid_it(self):
        catalog = analysis(samples={"top": {"smooth": True}}, regions={"SR": {"smooth": False}})
        made = built(catalog, top=self.CONTENTS)
        np.testing.assert_array_equal(template(made, "top").nominal.contents, self.CONTENTS)


def test_errors_are_scaled_where_asked():
    catalog = analysis(samples={"top": {"mc_statistics_scale": 0.5}})
    top = template(built(catalog, top=[4, 9]), "top")
    np.testing.assert_allclose(top.nominal.errors, [1, 1.5])
    np.testing.assert_allclose(top.filled.errors, [2, 3])


def test_negative_bins_of_signals_are_no_part_of_the_likelihood():
    """With and without systematics of the yield, as in the histograms that TRExFitter fits."""
    lumi = {"kind": "normalisation", "up": 0.1, "down": -0.1}
    for systematics in ({}, {"lumi": lumi}):
        catalog = analysis(
            samples={"signal": {"role": "signal"}, "top": {}}, systematics=systematics
        )
        made = built(catalog, signal=[5.0, -1.0], top=[20.0, 10.0])
        (channel,) = likelihood_of(made.templates, catalog).spec.channels
        assert channel.samples[0].contents == (5.0, 1e-6)


def test_a_stated_error_of_what_is_subtracted_makes_no_negative_bin():
    """Data less a background of 9: at +20 % of it less than nothing would be left of 1."""
    catalog = analysis(
        samples={
            "fakes": {"arithmetic": [{"kind": "subtract", "samples": ["top"]}]},
            "top": {"role": "reference", "use_systematics": True},
        },
        systematics={"XS": {"kind": "normalisation", "up": 0.2, "down": -0.2, "samples": "top"}},
    )
    made = built(catalog, fakes=[10.0, 30.0], top=[9.0, 9.0])
    found = shift(made, "fakes", "XS")
    np.testing.assert_allclose(found.up.contents, [1e-6, 19.2])
    np.testing.assert_allclose(found.down.contents, [2.8, 22.8])
