"""Systematics: what each setting makes of two sides, norm and shape, pruning."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.templates.build import build_templates
from quarkline.templates.distances import alike
from quarkline.templates.fill import HistRequest

from .made import analysis, built, histogram, shift, template, varied

TOP = {"top": {}}
SIDES = {"top": [10, 20, 30], "top__JES__up": [12, 20, 34], "top__JES__down": [9, 18, 30]}


def _jes(*, samples=None, templates=None, region=None, sides=SIDES, **keys):
    """The shift of one systematic with these settings."""
    catalog = analysis(
        samples=samples or TOP,
        regions={"SR": region or {}},
        systematics={"JES": varied(**keys)},
        templates=templates or {},
    )
    return shift(built(catalog, **sides), "top", "JES")


class TestNormAndShape:
    def test_their_product_is_the_variation(self):
        jes, nominal = _jes(), np.array([10, 20, 30])
        np.testing.assert_allclose((1 + jes.norm_up) * jes.shape_up, jes.up.contents)
        np.testing.assert_allclose((1 + jes.norm_down) * jes.shape_down, jes.down.contents)
        assert jes.shape_up.sum() == pytest.approx(nominal.sum())
        assert (jes.norm_up, jes.norm_down) == pytest.approx((0.1, -0.05))

    def test_one_bin_has_no_shape(self):
        jes = _jes(sides={"top": [10], "top__JES__up": [12], "top__JES__down": [9]})
        assert (jes.shape_up, jes.shape_kept, jes.norm_kept) == (None, False, True)

    def test_a_variation_without_events_has_the_nominal_shape(self):
        jes = _jes(sides={**SIDES, "top__JES__down": [0, 0, 0]})
        assert jes.norm_down == -1
        np.testing.assert_allclose(jes.shape_down, [10, 20, 30])

    def test_a_stated_change_of_the_yield(self):
        systematic = {"kind": "normalisation", "up": 0.1, "down": -0.2}
        catalog = analysis(samples=TOP, systematics={"XS": systematic})
        found = shift(built(catalog, **SIDES), "top", "XS")
        assert (found.norm_up, found.norm_down, found.shape_up) == (0.1, -0.2, None)
        assert (found.norm_kept, found.shape_kept, found.filled_up) == (True, False, None)
        np.testing.assert_allclose(found.down.contents, [8, 16, 24])

    def test_errors_of_every_bin(self):
        systematics = {
            "bins": {"kind": "independent", "up": 0.1, "down": -0.1},
            "statistics": {"kind": "independent", "statistical": True},
        }
        made = built(analysis(samples=TOP, systematics=systematics), **SIDES)
        np.testing.assert_allclose(shift(made, "top", "bins").shape_up, [11, 22, 33])
        np.testing.assert_allclose(
            shift(made, "top", "statistics").shape_down, [10, 20, 30] - np.sqrt([10, 20, 30])
        )


class TestSettings:
    def test_scales_of_one_side_of_regions_and_of_samples(self):
        up = {"weight": "u", "scales": ["2", "SR:3", "CR:7", "W:5"]}
        jes = _jes(up=up)
        np.testing.assert_allclose(jes.up.contents, [22, 20, 54])
        np.testing.assert_allclose(jes.down.contents, [9, 18, 30])

    def test_scales_come_before_symmetrising(self):
        up = {"weight": "u", "scales": ["3"]}
        jes = _jes(up=up, symmetrise="two-sided")
        np.testing.assert_allclose(jes.up.contents, [13.5, 21, 36])

    def test_dropped_norms(self):
        for where in ("SR", "top", "all", "S*"):
            jes = _jes(drop_norm=[where])
            assert (jes.norm_up, jes.norm_down) == pytest.approx((0, 0))
            assert (jes.norm_kept, jes.shape_kept) == (False, True)
        assert _jes(drop_norm=["CR"]).norm_kept

    def test_dropped_shapes(self):
        for where in ("SR", "top", "all"):
            jes = _jes(drop_shape=[where])
            np.testing.assert_allclose(jes.up.contents, [11, 22, 33])
            assert (jes.norm_kept, jes.shape_kept) == (True, False)

    def test_regions_may_forbid_smoothing_and_not_symmetrising(self):
        sides = {"top": [100.0] * 6, "top__JES__up": [101, 120, 95, 110, 90, 107]}
        keys = {"down": None, "symmetrise": "one-sided", "smoothing": 40, "sides": sides}
        jes = _jes(region={"smooth": False}, **keys)
        np.testing.assert_allclose(jes.up.contents, sides["top__JES__up"])
        np.testing.assert_allclose(jes.down.contents, 200 - jes.up.contents)
        assert not np.allclose(_jes(**keys).up.contents, sides["top__JES__up"])

    def test_a_sample_without_effect(self):
        samples = {"top": {}, "W": {}}
        catalog = analysis(
            samples=samples,
            systematics={
                "JES": varied(samples=["top"], without_effect_on=["W"], keep_norm_for=["top+W"])
            },
        )
        made = built(catalog, **SIDES, W=[40, 0.0, 0.0][:3])
        assert shift(made, "W", "JES").norm_up == pytest.approx(100 / 106 - 1)
        total = shift(made, "W", "JES").up.integral + shift(made, "top", "JES").up.integral
        assert total == pytest.approx(100)

    @pytest.mark.parametrize(
        ("kind", "up"),
        [("linear", [12, 20, 26]), ("triangular", [10, 20, 26]), ("none", [12, 20, 34])],
    )
    def test_forced_shapes(self, kind, up):
        np.testing.assert_allclose(_jes(force_shape=kind).up.contents, up)

    @pytest.mark.parametrize(
        ("bins", "factors"),
        [(4, [0, 0.5, 0.5, 0]), (6, [0, 1 / 3, 2 / 3, 2 / 3, 1 / 3, 0]), (5, [0, 0.5, 1, 0, -0.5])],
    )
    def test_a_forced_triangle_rises_and_falls(self, bins, factors):
        """In an odd number of bins it falls below 0, in TRExFitter too."""
        sides = {"top": [10.0] * bins, "top__JES__up": [13.0] * bins}
        jes = _jes(force_shape="triangular", down=None, sides=sides)
        np.testing.assert_allclose(jes.up.contents, 10 + 3 * np.array(factors))
        np.testing.assert_allclose(jes.down.contents, 10 - 3 * np.array(factors))

    def test_a_missing_side_is_the_nominal_histogram(self):
        jes = _jes(down=None, sides={name: SIDES[name] for name in ("top", "top__JES__up")})
        np.testing.assert_allclose(jes.down.contents, [10, 20, 30])

    def test_relative_variations_of_another_sample(self):
        samples = {"top": {}, "copy": {"use_systematics": False, "systematics_from": "top"}}
        catalog = analysis(samples=samples, systematics={"JES": varied()})
        made = built(catalog, **SIDES, copy=[1, 1, 2])
        np.testing.assert_allclose(shift(made, "copy", "JES").up.contents, [1.2, 1, 2 * 34 / 30])


WITH_OTHER = {"other": {"role": "reference"}, "top": {}}


class TestReferences:
    def _made(self, sides=None, **keys):
        contents = SIDES | {"other": [5, 5, 10]} | (sides or {})
        return _jes(samples=WITH_OTHER, sides=contents, reference="other", **keys)

    def test_shifts_are_relative_to_it_and_the_yield_changes_as_its(self):
        jes = self._made()
        shape = np.array([12 / 5 * 10, 20 / 5 * 20, 34 / 10 * 30])
        np.testing.assert_allclose(jes.up.contents, shape * (66 / 20) * 60 / shape.sum())

    def test_the_yield_may_follow_the_bins(self):
        jes = self._made(keep_reference_norm=False)
        np.testing.assert_allclose(jes.up.contents, [24, 80, 102])

    def test_its_own_variation_is_taken_off(self):
        catalog = analysis(
            samples={"data": {"role": "data"}, "top": {}},
            systematics={"JES": varied(reference="data", subtract_reference=True)},
        )
        sides = {"data__JES__up": [11, 10, 10], "data__JES__down": [10, 10, 10]}
        made = built(catalog, **SIDES, data=[10, 10, 10], **sides)
        np.testing.assert_allclose(shift(made, "top", "JES").up.contents, [11, 20, 34])

    def test_samples_are_sides(self):
        systematic = {"kind": "varied", "up": {"sample": "other"}, "samples": ["top"]}
        catalog = analysis(samples=WITH_OTHER, systematics={"gen": systematic})
        made = built(catalog, top=[10, 20, 30], other=[11, 25, 30])
        np.testing.assert_allclose(shift(made, "top", "gen").up.contents, [11, 25, 30])
        np.testing.assert_allclose(shift(made, "top", "gen").down.contents, [10, 20, 30])

    def test_samples_are_sides_relative_to_another_one(self):
        systematic = {
            "kind": "varied",
            "up": {"sample": "other"},
            "reference": "fast",
            "samples": ["top"],
        }
        samples = {"fast": {"role": "reference"}, **WITH_OTHER}
        catalog = analysis(samples=samples, systematics={"gen": systematic})
        made = built(catalog, top=[10, 20, 30], other=[11, 25, 30], fast=[10, 25, 20])
        np.testing.assert_allclose(shift(made, "top", "gen").up.contents, [11, 20, 45])

    def test_another_sample_is_smoothed_and_its_ratios_are_copied(self):
        samples = {"fine": {}, "top": {}}
        keys = {"smoothing": 40, "symmetrise": "one-sided", "reference_smoothing": "fine"}
        catalog = analysis(samples=samples, systematics={"JES": varied(**keys)})
        fine = {"fine": [1e3, 2e3, 3e3], "fine__JES__up": [1.1e3, 2e3, 3.3e3]}
        made = built(catalog, **SIDES, **fine, fine__JES__down=fine["fine"])
        jes, theirs = shift(made, "top", "JES"), shift(made, "fine", "JES")
        ratio = theirs.up.contents / fine["fine"]
        np.testing.assert_allclose(jes.up.contents, ratio * [10, 20, 30])


COMBINED = (([12, 20], [9, 20]), ([11, 23], [10, 19]), ([13, 20], [8, 21]))


class TestCombinations:
    def _made(self, rule):
        systematics = {
            name: varied(combine={"name": "scales", "rule": rule}) for name in ("a", "b", "c")
        }
        contents = {
            f"top__{name}__{side}": found
            for name, both in zip("abc", COMBINED, strict=True)
            for side, found in zip(("up", "down"), both, strict=True)
        }
        return built(analysis(samples=TOP, systematics=systematics), top=[10, 20], **contents)

    def test_envelope(self):
        made = self._made("envelope")
        np.testing.assert_allclose(shift(made, "top", "a").up.contents, [13, 23])
        np.testing.assert_allclose(shift(made, "top", "a").down.contents, [8, 19])

    @pytest.mark.parametrize(
        ("rule", "freedom"),
        [("standard-deviation", 2), ("standard-deviation-without-dof", 3), ("hessian", 1)],
    )
    def test_spreads(self, rule, freedom):
        made = self._made(rule)
        larger = np.array([[2, 0], [1, 3], [3, 1]])
        width = np.sqrt(((larger - larger.mean(axis=0)) ** 2).sum(axis=0) / freedom)
        np.testing.assert_allclose(shift(made, "top", "a").up.contents, np.add([10, 20], width))
        np.testing.assert_allclose(
            shift(made, "top", "a").down.contents, np.subtract([10, 20], width)
        )

    def test_the_others_are_left_without_effect(self):
        made = self._made("envelope")
        for name in "bc":
            found = shift(made, "top", name)
            np.testing.assert_allclose(found.up.contents, [10, 20])
            assert (found.norm_kept, found.shape_kept) == (False, False)
            assert found.reason == "part of `a`"

    def test_shifts_of_one_parameter_are_added(self):
        systematics = {"JES": varied(), "more": varied(parameter="JES")}
        contents = {"top__more__up": [10, 21, 30], "top__more__down": [10, 20, 28]}
        made = built(analysis(samples=TOP, systematics=systematics), **SIDES, **contents)
        np.testing.assert_allclose(shift(made, "top", "JES").up.contents, [12, 21, 34])
        np.testing.assert_allclose(shift(made, "top", "JES").down.contents, [9, 18, 28])
        assert shift(made, "top", "more").reason == "part of `JES`"


class TestPruning:
    def _kept(self, **pruning):
        jes = _jes(templates={"pruning": pruning})
        return jes.norm_kept, jes.shape_kept

    def test_thresholds_of_0_keep_all(self):
        assert self._kept() == (True, True)

    def test_small_parts_go(self):
        # norms 0.1 and 0.05, largest change of a bin 0.0909 (12 / 1.1 - 10)
        assert self._kept(norm=0.0999) == (True, True)
        assert self._kept(norm=0.1001) == (False, True)
        assert self._kept(shape=0.0908) == (True, True)
        assert self._kept(shape=0.0910) == (True, False)
        jes = _jes(templates={"pruning": {"norm": 1, "shape": 1}})
        assert jes.reason == "norm below the threshold, shape below the threshold"

    def test_large_ones_go_whole_or_in_parts(self):
        assert self._kept(large=0.0999) == (False, False)
        assert self._kept(large=0.1001) == (True, True)
        jes = _jes(templates={"pruning": {"large": 0.0999, "remove_large": False}})
        assert (jes.norm_kept, jes.shape_kept, jes.bad) == (False, True, ("norm",))
        jes = _jes(templates={"pruning": {"large": 0.05, "remove_large": False}})
        assert set(jes.bad) == {"norm", "shape"}

    def test_relative_to_all_backgrounds_or_the_signal_too(self):
        samples = {"top": {}, "W": {}, "signal": {"role": "signal"}}
        for reference, total in (("sample", 60), ("background", 100), ("combined", 160)):
            for threshold, kept in ((5.99 / total, True), (6.01 / total, False)):
                catalog = analysis(
                    samples=samples,
                    systematics={"JES": varied(samples=["top"])},
                    norm_factors={"mu": {"samples": ["signal"], "nominal": 2}},
                    templates={"pruning": {"norm": threshold, "reference": reference}},
                )
                made = built(catalog, **SIDES, W=[20, 10, 10], signal=[10, 10, 10])
                assert shift(made, "top", "JES").norm_kept is kept

    def test_some_are_never_pruned(self):
        jes = _jes(prune=False, templates={"pruning": {"norm": 1, "shape": 1}})
        assert (jes.norm_kept, jes.shape_kept) == (True, True)

    def test_another_sample_decides(self):
        catalog = analysis(
            samples={"top": {}, "W": {}},
            systematics={"JES": varied(reference_pruning="W")},
            templates={"pruning": {"norm": 0.08}},
        )
        same = {"W": [10, 20, 30], "W__JES__up": [10, 21, 30], "W__JES__down": [10, 20, 30]}
        assert not shift(built(catalog, **SIDES, **same), "top", "JES").norm_kept

    def test_the_test_of_shapes(self):
        small = {"top": [100, 200, 300], "top__JES__up": [101, 200, 299]}
        small["top__JES__down"] = small["top"]
        pruning = {"shape": 0.1, "shape_test": "ks-test"}
        assert not _jes(sides=small, templates={"pruning": pruning}).shape_kept
        large = small | {"top__JES__up": [160, 200, 240]}
        assert _jes(sides=large, templates={"pruning": pruning}).shape_kept

    @pytest.mark.oracle
    def test_probabilities_are_about_those_of_root(self):
        """ROOT's toys are others; where its p-value is 0.65, ours was 0.60."""
        root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
        random = np.random.default_rng(0)
        for at in range(12):
            first = random.uniform(5, 60, 6)
            pair = [histogram(first * random.normal(1, 0.15, 6)), histogram(first)]
            if at % 3 == 0:
                pair[0] = histogram(pair[0].contents, np.zeros(6))
            theirs = []
            for which, found in enumerate(pair):
                theirs.append(root.TH1D(f"h{at}{which}", "", 6, 0.0, 6.0))
                for bin_ in range(6):
                    theirs[-1].SetBinContent(bin_ + 1, found.contents[bin_])
                    theirs[-1].SetBinError(bin_ + 1, found.errors[bin_])
            expected = np.mean([theirs[0].KolmogorovTest(theirs[1], "X") for _ in range(5)])
            assert alike(*pair) == pytest.approx(expected, abs=0.08)


class TestOrder:
    def test_of_samples_and_systematics_does_not_matter(self):
        samples = {"top": {}, "W": {}, "signal": {"role": "signal"}}
        systematics = {
            "JES": varied(smoothing=40, symmetrise="two-sided"),
            "XS": {"kind": "normalisation", "up": 0.1, "down": -0.1},
            "gen": varied(symmetrise="one-sided", samples=["W"]),
        }
        random = np.random.default_rng(4)
        contents = {name: random.uniform(5, 50, 6) for name in samples}
        for name in samples:
            for key in ("JES", "gen"):
                for side in ("up", "down"):
                    contents[f"{name}__{key}__{side}"] = contents[name] * random.uniform(
                        0.8, 1.2, 6
                    )
        results = []
        for first, second in zip(permutations(samples), permutations(systematics), strict=True):
            catalog = analysis(
                samples={name: samples[name] for name in first},
                systematics={name: systematics[name] for name in second},
                templates={"pruning": {"norm": 0.01, "shape": 0.01, "reference": "background"}},
            )
            made = built(catalog, **contents)
            results.append(
                {
                    (name, key): (*found.up.contents, found.norm_kept, found.shape_kept)
                    for name in samples
                    for key, found in template(made, name).shifts.items()
                }
            )
        assert all(result == results[0] for result in results)


class TestProblems:
    def test_a_missing_nominal_histogram_stops(self):
        with pytest.raises(InputError, match="`top` has no histogram in `SR`"):
            built(analysis(samples=TOP))

    def test_a_missing_side_leaves_the_systematic_out_and_is_told(self):
        catalog = analysis(samples=TOP, systematics={"JES": varied()})
        made = built(catalog, top=SIDES["top"], top__JES__up=SIDES["top__JES__up"])
        assert template(made, "top").shifts == {}
        (finding,) = made.findings
        assert finding.message == "`JES:down` of `top` has no histogram in `SR`"
        assert finding.severity == "warning"

    def test_unknown_rules_of_smoothing_are_refused_with_the_nearest(self):
        catalog = analysis(samples=TOP, templates={"smoothing_rule": "MAXVARATION"})
        with pytest.raises(InputError, match=r"(?s)smoothing_rule` is `MAXVARATION`.*MAXVARIATION"):
            built(catalog, **SIDES)

    def test_a_systematic_that_changes_nothing_is_refused(self):
        catalog = analysis(samples=TOP, systematics={"bins": {"kind": "independent"}})
        with pytest.raises(InputError, match=r"`systematics.bins` changes no bin"):
            built(catalog, **SIDES)

    def test_scales_that_are_no_factors_are_refused(self):
        up = {"weight": "u", "scales": ["SR:twice"]}
        with pytest.raises(InputError, match=r"JES.up.scales` has `SR:twice`, which is no factor"):
            _jes(up=up)

    def test_bins_that_are_not_there_cannot_be_left_out(self):
        with pytest.raises(InputError, match=r"SR.drop_bins` names 0, 4, and there are 3 bins"):
            _jes(region={"drop_bins": [0, 4]})

    def test_parameters_of_samples_do_not_go_with_sums_of_samples(self):
        samples = {"top": {}, "W": {"arithmetic": [{"kind": "add", "samples": ["top"]}]}}
        with pytest.raises(InputError, match="`W` is made of several samples"):
            _jes(samples=samples, decorrelate="sample")

    def test_settings_without_effect_are_told(self):
        systematics = {"JES": varied(smooth_before=True)}
        made = built(analysis(samples=TOP, systematics=systematics), **SIDES)
        assert made.findings[0].message.endswith("smooth_before` has no effect without `two-sided`")

    def test_sides_on_one_side_are_told(self):
        keys = {"symmetrise": "two-sided"}
        catalog = analysis(samples=TOP, systematics={"JES": varied(**keys)})
        errors = np.full(2, 0.1)
        made = built(
            catalog,
            top=histogram([10, 20], errors),
            top__JES__up=histogram([13, 21], errors),
            top__JES__down=histogram([12, 19], errors),
        )
        (finding,) = made.findings
        assert finding.message == "`JES` shifts `top` in `SR` the same way up and down in bin 1"

    def test_a_combination_without_its_first_systematic_is_told(self):
        combine = {"name": "scales"}
        systematics = {"a": varied(combine=combine, samples=["W"]), "b": varied(combine=combine)}
        catalog = analysis(samples=TOP, systematics=systematics)
        made = built(catalog, top=[1, 2], top__b__up=[2, 2], top__b__down=[1, 2])
        assert made.findings[0].message == "`top` in `SR` has `b` and not `a`"

    def test_hidden_data_are_not_needed_and_not_shown(self):
        samples = {"data": {"role": "data"}, "top": {}}
        catalog = analysis(samples=samples, regions={"SR": {"blind": True}})
        made = built(catalog, top=[1, 2])
        assert made.templates.regions["SR"].data is None

    def test_hidden_data_that_were_filled_on_purpose_are_shown(self):
        samples = {"data": {"role": "data"}, "top": {}}
        catalog = analysis(samples=samples, regions={"SR": {"blind": True}})
        made = built(catalog, top=[1, 2], data=[1, 3])
        assert made.templates.regions["SR"].data.integral == 4

    def test_statistics_only_leaves_systematics_out(self):
        catalog = analysis(
            samples=TOP, systematics={"JES": varied()}, templates={"statistics_only": True}
        )
        histograms = {HistRequest("top", "SR"): histogram([1, 2])}
        made = build_templates(catalog, histograms)
        assert template(made, "top").shifts == {}
