"""The likelihood of templates: which parameters it has, and what they change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.spec import (
    BinScale,
    Gaussian,
    NormShift,
    Poisson,
    Scale,
    ShapeShift,
)
from quarkline.templates.likelihood import Likelihood, likelihood_of
from quarkline.templates.sets import Template, TemplateSet

from . import small


def names(likelihood: Likelihood) -> list[str]:
    return [parameter.name for parameter in likelihood.spec.parameters]


def modifiers(likelihood: Likelihood, region: str, sample: str) -> list[object]:
    (channel,) = (one for one in likelihood.spec.channels if one.name == region)
    (found,) = (one for one in channel.samples if one.name == sample)
    return list(found.modifiers)


def test_fitted_regions_and_samples_are_in_it_and_no_others() -> None:
    spec = likelihood_of(small.templates(), small.catalog()).spec
    assert [channel.name for channel in spec.channels] == ["CR", "SR"]
    assert all(
        [sample.name for sample in channel.samples] == ["signal", "top", "fakes"]
        for channel in spec.channels
    )
    assert spec.channels[1].data == (70.0, 44.0)
    assert spec.poi == "mu"


def test_control_regions_or_names_can_be_chosen_but_never_validation() -> None:
    for wanted, fitted in ((["control"], ["CR"]), (["S*"], ["SR"]), (["VR", "CR"], ["CR"])):
        spec = likelihood_of(small.templates(), small.catalog(fit__regions=wanted)).spec
        assert [channel.name for channel in spec.channels] == fitted
    with pytest.raises(InputError, match="no region is among `VR`"):
        likelihood_of(small.templates(), small.catalog(fit__regions=["VR"]))


def test_parameters_have_the_names_and_the_order_of_text_output() -> None:
    likelihood = likelihood_of(small.templates(), small.catalog())
    assert names(likelihood) == [
        *("mu", "k", "JES", "XS"),
        *(f"gamma_stat_{region}_bin_{bin_}" for region in ("CR", "SR") for bin_ in (0, 1)),
    ]
    assert likelihood.titles["mu"] == "mu of it"
    assert likelihood.categories == {"JES": "Instrumental"}


def test_groups_are_sub_categories_norm_factors_and_gammas() -> None:
    likelihood = likelihood_of(small.templates(), small.catalog())
    assert likelihood.groups == {
        "Gammas": tuple(name for name in names(likelihood) if name.startswith("gamma_stat_")),
        "Instrumental": ("JES",),
        "NormFactors": ("k",),
        "Uncategorised": ("XS",),
    }


def test_a_shift_is_a_factor_and_a_shape_of_the_nominal_yield() -> None:
    found = modifiers(likelihood_of(small.templates(), small.catalog()), "CR", "top")
    norm = next(one for one in found if isinstance(one, NormShift))
    shape = next(one for one in found if isinstance(one, ShapeShift))
    assert (norm.parameter, shape.parameter) == ("JES", "JES")
    assert norm.up == pytest.approx(171 / 160)
    np.testing.assert_allclose(np.array(shape.up) * norm.up, [105, 66])
    np.testing.assert_allclose(np.array(shape.down) * norm.down, [96, 55])


def test_pruned_parts_are_left_out() -> None:
    templates = small.templates()
    region = templates.regions["CR"]
    top = region.templates["top"]
    for kept in ((True, False), (False, True), (False, False)):
        pruned = replace(top.shifts["JES"], norm_kept=kept[0], shape_kept=kept[1])
        with_it = dict(region.templates) | {
            "top": Template(top.nominal, top.filled, {"JES": pruned})
        }
        small_set = TemplateSet({"CR": replace(region, templates=with_it)})
        found = modifiers(likelihood_of(small_set, small.catalog()), "CR", "top")
        assert any(isinstance(one, NormShift) for one in found) == kept[0]
        assert any(isinstance(one, ShapeShift) for one in found) == kept[1]


@pytest.mark.parametrize(
    ("decorrelate", "expected"),
    [
        ("region", {"JES_CR", "JES_SR"}),
        ("sample", {"JES_top", "JES_signal"}),
        ("shape", {"JES_Acc", "JES_Shape"}),
    ],
)
def test_decorrelated_systematics_have_parameters_of_their_own(
    decorrelate: str, expected: set[str]
) -> None:
    catalog = small.catalog(systematics__JES__decorrelate=decorrelate)
    found = {name for name in names(likelihood_of(small.templates(), catalog)) if "JES" in name}
    assert found == expected


def test_systematics_share_a_parameter_of_one_name() -> None:
    catalog = small.catalog(systematics__JES__parameter="one", systematics__XS__parameter="one")
    found = names(likelihood_of(small.templates(), catalog))
    assert found.count("one") == 1
    assert "JES" not in found


def test_errors_of_the_simulation_are_poisson_terms_of_the_whole_region() -> None:
    likelihood = likelihood_of(small.templates(), small.catalog())
    parameter = next(one for one in likelihood.spec.parameters if one.name == "gamma_stat_SR_bin_1")
    relative = np.sqrt(0.6**2 + 2.5**2 + 1.0**2) / 90
    assert isinstance(parameter.constraint, Poisson)
    assert parameter.constraint.tau == pytest.approx(relative**-2)
    assert (parameter.initial, parameter.low) == (1.0, 0.0)
    assert parameter.high == pytest.approx(1 + 5 * relative)
    scaled = BinScale(("gamma_stat_SR_bin_0", "gamma_stat_SR_bin_1"))
    assert all(scaled in modifiers(likelihood, "SR", sample) for sample in ("signal", "top"))


def test_samples_without_mc_statistics_neither_count_nor_move() -> None:
    catalog = small.catalog(samples__top__mc_statistics=False)
    likelihood = likelihood_of(small.templates(), catalog)
    parameter = next(one for one in likelihood.spec.parameters if one.name == "gamma_stat_CR_bin_0")
    assert parameter.constraint == Poisson(pytest.approx(34**2 / (0.2**2 + 2.0**2)))
    assert not any(isinstance(one, BinScale) for one in modifiers(likelihood, "CR", "top"))


def test_bins_below_the_threshold_have_no_parameter() -> None:
    catalog = small.catalog(templates__mc_statistics_threshold=0.0285)
    likelihood = likelihood_of(small.templates(), catalog)
    assert "gamma_stat_CR_bin_0" not in names(likelihood)
    assert BinScale((None, "gamma_stat_CR_bin_1")) in modifiers(likelihood, "CR", "fakes")


def test_gaussian_errors_and_none() -> None:
    gaussian = small.catalog(templates__mc_statistics="gaussian")
    parameter = likelihood_of(small.templates(), gaussian).spec.parameters[-1]
    assert isinstance(parameter.constraint, Gaussian)
    assert parameter.constraint.centre == 1
    without = small.catalog(templates__mc_statistics=None)
    assert names(likelihood_of(small.templates(), without)) == ["mu", "k", "JES", "XS"]


def test_samples_may_have_errors_of_their_own_and_share_them() -> None:
    catalog = small.catalog(
        samples__top__separate_mc_statistics=True,
        samples__top__share_mc_statistics_in=["CR:SR"],
        samples__fakes__separate_mc_statistics=True,
        samples__fakes__share_mc_statistics_with="top",
    )
    found = names(likelihood_of(small.templates(), catalog))
    assert [name for name in found if name.startswith("gamma_shape_stat_")] == [
        *("gamma_shape_stat_top_CR_bin_0", "gamma_shape_stat_top_CR_bin_1"),
        *("gamma_shape_stat_top_SR_bin_0", "gamma_shape_stat_top_SR_bin_1"),
    ]
    likelihood = likelihood_of(small.templates(), catalog)
    shared = BinScale(("gamma_shape_stat_top_CR_bin_0", "gamma_shape_stat_top_CR_bin_1"))
    assert shared in modifiers(likelihood, "SR", "top")


def test_independent_systematics_have_one_parameter_a_bin() -> None:
    catalog = small.catalog(
        systematics__U={"kind": "independent", "up": 0.2, "samples": ["top"], "category": "Theory"}
    )
    likelihood = likelihood_of(small.templates(), catalog)
    parameter = next(
        one for one in likelihood.spec.parameters if one.name == "gamma_shape_U_CR_bin_1"
    )
    assert parameter.constraint == Poisson(pytest.approx(25))
    assert likelihood.groups["Theory"] == tuple(
        f"gamma_shape_U_{region}_bin_{bin_}" for region in ("CR", "SR") for bin_ in (0, 1)
    )


def test_statistical_systematics_shift_one_bin_by_its_error() -> None:
    catalog = small.catalog(
        systematics__S={"kind": "independent", "statistical": True, "samples": ["top"]}
    )
    found = modifiers(likelihood_of(small.templates(), catalog), "CR", "top")
    assert ShapeShift("S_CR_bin1", (100, 62.5), (100, 57.5)) in found


def test_free_systematics_have_no_constraint() -> None:
    catalog = small.catalog(systematics__JES__free=True)
    parameter = likelihood_of(small.templates(), catalog).spec.parameters[2]
    assert (parameter.name, parameter.constraint) == ("JES", None)
    assert (parameter.low, parameter.high) == (-5, 5)


def test_constant_factors_are_fixed_unless_the_fit_frees_them() -> None:
    fixed = small.catalog(norm_factors__mu__constant=True)
    assert likelihood_of(small.templates(), fixed).spec.parameters[0].fixed
    free = small.catalog(norm_factors__mu__constant=True, fit__free=["mu"])
    assert not likelihood_of(small.templates(), free).spec.parameters[0].fixed


def test_shape_factors_scale_each_bin_and_are_shared_by_regions() -> None:
    catalog = small.catalog(shape_factors__sf={"samples": ["fakes"]})
    likelihood = likelihood_of(small.templates(), catalog)
    assert [one.name for one in likelihood.spec.parameters if one.role == "shape-factor"] == [
        "gamma_sf_bin_0",
        "gamma_sf_bin_1",
    ]
    assert BinScale(("gamma_sf_bin_0", "gamma_sf_bin_1")) in modifiers(likelihood, "SR", "fakes")


def test_shape_factors_of_bins_that_no_region_has_are_no_parameters() -> None:
    templates = small.templates()
    dropped = {
        name: replace(region, dropped=(1,)) if name == "SR" else region
        for name, region in templates.regions.items()
    }
    catalog = small.catalog(shape_factors__sf={"samples": ["fakes"], "regions": ["SR"]})
    spec = likelihood_of(TemplateSet(dropped), catalog).spec
    assert [one.name for one in spec.parameters if one.role == "shape-factor"] == ["gamma_sf_bin_0"]
    quality = fit(Model(spec)).quality
    assert (quality.converged, quality.note) == (True, "")


def test_independent_errors_of_dropped_bins_are_no_parameters() -> None:
    templates = small.templates()
    region = replace(templates.regions["CR"], dropped=(0,))
    catalog = small.catalog(systematics__U={"kind": "independent", "up": 0.2, "samples": ["top"]})
    found = likelihood_of(TemplateSet({"CR": region}), catalog)
    assert [name for name in names(found) if "shape_U" in name] == ["gamma_shape_U_CR_bin_1"]
    assert {name for members in found.groups.values() for name in members} <= set(names(found))


def test_a_systematic_is_no_norm_factor_of_the_same_name() -> None:
    """One parameter for both would lose the systematic's constraint without a word."""
    for changes in (
        {"systematics__k": {"kind": "normalisation", "up": 0.1, "down": -0.1, "samples": ["top"]}},
        {"systematics__JES__parameter": "k"},
    ):
        catalog = small.catalog(**changes)
        with pytest.raises(
            InputError, match=r"norm factor `k` and systematic .* are one parameter"
        ):
            likelihood_of(small.templates(), catalog)
        assert names(likelihood_of(small.templates(), catalog, statistics_only=True)) == ["mu", "k"]


def test_only_factors_are_left_without_systematics() -> None:
    likelihood = likelihood_of(small.templates(), small.catalog(), statistics_only=True)
    assert names(likelihood) == ["mu", "k"]
    assert modifiers(likelihood, "CR", "signal") == [Scale("mu")]
    job = small.catalog(templates__statistics_only=True)
    assert names(likelihood_of(small.templates(), job)) == ["mu", "k"]


def test_formulas_and_penalties_of_factors_are_refused() -> None:
    for key, value in (("expression", "2*mu"), ("tau", 3.0)):
        catalog = small.catalog(**{f"norm_factors__k__{key}": value})
        with pytest.raises(InputError, match=f"norm factor `k` has `{key}"):
            likelihood_of(small.templates(), catalog)


def test_a_factor_of_zero_stays_positive() -> None:
    templates = small.templates()
    region = templates.regions["CR"]
    top = region.templates["top"]
    empty = Template(top.nominal, top.filled, {"XS": small.norm_shift(top.nominal, 3.0, -1.0)})
    small_set = TemplateSet({"CR": replace(region, templates={**region.templates, "top": empty})})
    found = modifiers(likelihood_of(small_set, small.catalog()), "CR", "top")
    assert NormShift("XS", 4.0, 1e-8) in found


def test_dropped_bins_are_not_fitted_and_keep_the_names_of_others() -> None:
    templates = small.templates()
    region = replace(templates.regions["CR"], dropped=(0,))
    dropped = TemplateSet({**templates.regions, "CR": region})
    whole = likelihood_of(templates, small.catalog())
    found = likelihood_of(dropped, small.catalog(), regions=["CR"])
    (channel,) = found.spec.channels
    assert (channel.bins, channel.data) == (1, (88.0,))
    assert BinScale(("gamma_stat_CR_bin_1",)) in modifiers(found, "CR", "top")
    (all_of_it,) = (one for one in modifiers(whole, "CR", "top") if isinstance(one, ShapeShift))
    (rest,) = (one for one in modifiers(found, "CR", "top") if isinstance(one, ShapeShift))
    assert rest.up == all_of_it.up[1:]


def test_a_systematic_that_was_added_to_another_one_is_there_once() -> None:
    templates = small.templates()
    region = templates.regions["CR"]
    top = region.templates["top"]
    contents = list(top.nominal.contents)
    idle = small.shift(top.nominal, contents, contents)
    both = Template(top.nominal, top.filled, {**top.shifts, "other": idle})
    small_set = TemplateSet({"CR": replace(region, templates={**region.templates, "top": both})})
    other = {"kind": "varied", "samples": ["top"], "parameter": "JES"}
    shared = likelihood_of(small_set, small.catalog(systematics__other=other))
    plain = likelihood_of(TemplateSet({"CR": region}), small.catalog())
    assert shared.spec == plain.spec
