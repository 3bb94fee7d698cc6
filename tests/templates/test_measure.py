"""What settings ask of the likelihood: data, fits, and all that follows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.catalog import Catalog
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.rng import rng
from quarkline.statistics.likelihood.discovery import discovery
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.results import CLsLimit
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.measure import What, asked, measure
from quarkline.templates.measure.fits import Problem, nominal_fit, problem_of
from quarkline.templates.sets import RegionTemplates, TemplateSet

from . import small


def problem(**changes: Any) -> Problem:
    return problem_of(small.templates(), small.catalog(**changes))


def expected(values: dict[str, float]) -> np.ndarray:
    model = Model(likelihood_of(small.templates(), small.catalog()).spec)
    point = model.initial.copy()
    for name, value in values.items():
        point[model.index(name)] = value
    return np.asarray(model.expected(point))


def test_observed_data_are_fitted_unless_settings_say_otherwise() -> None:
    np.testing.assert_array_equal(problem().data.counts, [141, 88, 70, 44])


def test_asimov_data_have_the_values_that_settings_give() -> None:
    found = problem(fit__data="asimov", fit__asimov={"mu": 2.0, "JES": 0.5})
    np.testing.assert_allclose(found.data.counts, expected({"mu": 2.0, "JES": 0.5}))
    nominal = problem(fit__data="asimov")
    np.testing.assert_array_equal(found.data.measured, nominal.data.measured)


def test_auxiliary_measurements_are_shifted_if_asked() -> None:
    given = {"mu": 2.0, "JES": 0.5, "gamma_stat_CR_bin_0": 1.1}
    found = problem(fit__data="asimov", fit__asimov=given, fit__shift_measurements=True)
    plain = problem(fit__data="asimov")
    changed = np.flatnonzero(found.data.measured != plain.data.measured)
    assert len(changed) == 2
    np.testing.assert_allclose(found.data.measured[changed[0]], 0.5)
    np.testing.assert_allclose(
        found.data.measured[changed[1]], 1.1 * plain.data.measured[changed[1]]
    )


def test_mixed_regions_are_fitted_in_two_steps() -> None:
    """The fit without signal of the control region gives its values to the signal region's data."""
    found = problem(regions__SR__data="asimov", fit__asimov={"mu": 1.5})
    control = likelihood_of(small.templates(), small.catalog(), regions=["CR"])
    alone = fit(Model(control.spec), fixed={"mu": 0.0})
    assert found.conditional is not None
    for row in alone.parameters:
        assert found.conditional.by_name[row.name].value == pytest.approx(row.value, abs=1e-4)
    values = {row.name: row.value for row in found.conditional.parameters if not row.fixed}
    np.testing.assert_array_equal(found.data.counts[:2], [141, 88])
    np.testing.assert_allclose(found.data.counts[2:], expected({**values, "mu": 1.5})[2:])


def test_values_of_parameters_replace_the_first_of_two_steps() -> None:
    found = problem(regions__SR__data="asimov", fit__asimov={"JES": -1.0})
    assert found.conditional is None
    np.testing.assert_allclose(found.data.counts[2:], expected({"JES": -1.0})[2:])


def test_a_blinded_region_has_asimov_data_and_a_finding() -> None:
    templates = small.templates()
    region = templates.regions["SR"]
    hidden = RegionTemplates(region.edges, region.templates)
    found = problem_of(TemplateSet({**templates.regions, "SR": hidden}), small.catalog())
    assert found.sources.asimov == ("SR",)
    assert [finding.code for finding in found.findings] == ["QL-TEMPLATE-044"]


def test_signal_regions_are_asimov_where_they_are_hidden() -> None:
    assert problem(hide={"signal_regions": True}).sources.asimov == ("SR",)


def test_pseudo_data_are_the_samples_with_others_in_their_place() -> None:
    found = problem(**ALTERNATIVE)
    np.testing.assert_allclose(found.data.counts, [204, 140, 102, 70])
    with pytest.raises(InputError, match="set `others`"):
        problem(**{**ALTERNATIVE, "fit__pseudo_data": "others"})


def test_values_come_from_files_of_fits(tmp_path: Path) -> None:
    text = tmp_path / "fit.txt"
    text.write_text("NUISANCE_PARAMETERS\nJES  0.25 +0.9 -0.9\nmu  1.25 +1 -1\n\n\nNLL\n12.5\n\n")
    found = problem(fit__data="asimov", fit__asimov_from=str(text))
    np.testing.assert_allclose(found.data.counts, expected({"JES": 0.25, "mu": 1.25}))
    result = nominal_fit(problem(), small.catalog())
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"schema": "x", "results": {"fit": result.as_json()}}))
    again = problem(fit__data="asimov", fit__asimov_from=str(file))
    values = {row.name: row.value for row in result.parameters}
    np.testing.assert_allclose(again.data.counts, expected(values))
    file.write_text("{}")
    with pytest.raises(InputError, match="holds no fit"):
        problem(fit__asimov_from=str(file))


def test_fixed_parameters_and_the_background_alone() -> None:
    held = measure(small.templates(), small.catalog(fit__fixed={"JES": 0.5})).fit
    assert held is not None
    assert (held.by_name["JES"].value, held.by_name["JES"].fixed) == (0.5, True)
    background = measure(small.templates(), small.catalog(fit__hypothesis="background")).fit
    assert background is not None
    assert (background.by_name["mu"].value, background.by_name["mu"].fixed) == (0.0, True)


def test_the_fit_of_statistics_alone_keeps_the_rest_at_its_best_values() -> None:
    found = measure(small.templates(), small.catalog(fit__statistics_only=True))
    assert found.fit is not None
    assert found.statistics_only is not None
    assert found.statistics_only.free == ("mu", "k")
    full, alone = found.fit.by_name, found.statistics_only.by_name
    assert alone["JES"].value == full["JES"].value
    assert alone["mu"].value == pytest.approx(full["mu"].value, abs=0.01 * full["mu"].error)
    assert alone["mu"].error < full["mu"].error


def test_a_random_start_ends_at_the_same_minimum() -> None:
    plain = measure(small.templates(), small.catalog()).fit
    moved = small.catalog(fit__random_start={"width": 0.3, "seed": 5})
    random = measure(small.templates(), moved).fit
    assert plain is not None
    assert random is not None
    for row in plain.parameters:
        assert random.by_name[row.name].value == pytest.approx(row.value, abs=0.01 * row.error)


def test_everything_that_is_asked_for_is_done() -> None:
    catalog = small.catalog(
        fit={
            "goodness_of_fit": True,
            "scans": [
                {"parameters": "mu", "steps": 3},
                {"parameters": ["mu", "JES"], "low": [0, -1], "high": [2, 1], "steps": [2, 3]},
            ],
            "toys": 2,
            "minos": ["mu"],
        },
        ranking={},
        limit={},
        significance={},
    )
    assert set(asked(catalog)) == {
        *("fit", "goodness", "toys", "scans", "ranking", "limit", "significance", "impacts"),
    }
    found = measure(small.templates(), catalog)
    assert found.fit is not None
    assert found.fit.quality.converged
    assert [one.parameter for one in found.scans] == ["mu"]
    assert (found.surfaces[0].x, found.surfaces[0].y) == ((0, 2), (-1, 0, 1))
    assert found.ranking is not None
    assert "mu" not in [row.name for row in found.ranking.rows]
    assert found.limit is not None
    assert found.limit.observed is not None
    assert found.significance is not None
    assert found.significance.z is not None
    assert found.impacts is not None
    assert {"FullSyst", "Gammas", "Instrumental", "NormFactors", "Uncategorised"} == {
        group.name for group in found.impacts.groups
    }
    assert found.goodness is not None
    assert found.goodness.degrees == 2
    assert found.toys is not None
    assert found.toys.truth == 1.0
    assert set(found.results) == {
        *("fit", "goodness", "scan-mu", "scan-mu-JES", "ranking", "impacts", "limit"),
        *("significance", "toys"),
    }


def test_blind_limits_look_at_no_data() -> None:
    templates, blind = small.templates(), small.catalog(limit={"data": "asimov"})
    without = TemplateSet(
        {
            name: RegionTemplates(region.edges, region.templates)
            for name, region in templates.regions.items()
        }
    )
    limits = [measure(one, blind, what=["limit"]).limit for one in (templates, without)]
    assert limits[0] is not None
    assert limits[0].observed is None
    assert limits[0] == limits[1]


ALTERNATIVE: dict[str, Any] = {
    "samples__alternative": {
        "role": "reference",
        "asimov_for": {"name": "other", "sample": "fakes"},
    },
    "fit__pseudo_data": "other",
}


def with_data(counts: dict[str, list[float]]) -> TemplateSet:
    """The small templates with other data."""
    regions = dict(small.templates().regions)
    for name, contents in counts.items():
        regions[name] = replace(regions[name], data=small.histogram(contents))
    return TemplateSet(regions)


def test_limits_of_pseudo_data_are_of_the_data_that_are_fitted() -> None:
    """As if these were observed; no data are looked at, but nothing is hidden either."""
    same = with_data({"CR": [204, 140], "SR": [102, 70]})
    what: list[What] = ["limit", "significance"]
    found = measure(small.templates(), small.catalog(**ALTERNATIVE), what=what)
    wanted = measure(same, small.catalog(), what=what)
    assert found.limit is not None
    assert found.limit.observed is not None
    assert found.limit == wanted.limit
    assert found.significance == wanted.significance


def test_expected_limits_have_the_parameters_of_the_data_that_are_fitted() -> None:
    """Asimov data with a background three times as large have its limits, not nominal ones."""
    asimov = {"fit__data": "asimov", "fit__asimov": {"k": 2.5, "mu": 2.0}}
    what: list[What] = ["limit", "significance"]
    nominal = measure(small.templates(), small.catalog(fit__data="asimov"), what=what)
    found = measure(small.templates(), small.catalog(**asimov), what=what)
    blind = {"limit__data": "asimov", "significance__data": "asimov"}
    hidden = measure(small.templates(), small.catalog(**asimov, **blind), what=what)
    model = Model(likelihood_of(small.templates(), small.catalog(), name="x").spec)
    assert hidden.limit == found.limit
    assert hidden.significance == found.significance
    for one, strength in ((found.limit, 0.0), (found.significance, 1.0)):
        assert one is not None
        values = model.initial.copy()
        values[model.index("k")], values[model.index("mu")] = 2.5, strength
        data = model.asimov(values)
        if isinstance(one, CLsLimit):
            seen = asymptotic_limit(model, data)
            assert one.observed is None
            assert one.complete
            assert nominal.limit is not None
            assert one.expected == pytest.approx(seen.expected, rel=1e-4)
            assert one.expected[2] != pytest.approx(nominal.limit.expected[2], rel=0.1)
            assert {point.observed for point in one.points} == {None}
        else:
            assert one.z is None
            assert nominal.significance is not None
            assert one.z_expected == pytest.approx(discovery(model, data).z_expected, rel=1e-4)
            assert one.z_expected != pytest.approx(nominal.significance.z_expected, rel=0.1)


def test_only_what_is_wanted_is_done() -> None:
    found = measure(small.templates(), small.catalog(ranking={}), what=["limit"])
    assert found.limit is not None
    assert (found.fit, found.ranking) == (None, None)


def test_an_earlier_fit_is_not_repeated() -> None:
    first = measure(small.templates(), small.catalog()).fit
    again = measure(small.templates(), small.catalog(), what=["ranking"], fit=first)
    assert again.fit is first


def test_ranked_and_scanned_parameters_are_chosen_by_name() -> None:
    catalog = small.catalog(ranking={"parameters": ["JES", "gamma_stat_CR"]})
    found = measure(small.templates(), catalog, what=["ranking"]).ranking
    assert found is not None
    assert {row.name for row in found.rows} == {
        *("JES", "gamma_stat_CR_bin_0", "gamma_stat_CR_bin_1"),
    }


def test_names_that_the_likelihood_has_not_are_said_and_passed_over() -> None:
    catalog = small.catalog(
        fit={
            "fixed": {"JEZ": 1.0},
            "minos": ["gone", "mu"],
            "scans": [{"parameters": "JEZ"}],
            "asimov": {"nothing": 2.0},
        }
    )
    found = measure(small.templates(), catalog)
    assert found.fit is not None
    assert found.fit.by_name["mu"].up is not None
    assert found.scans == ()
    assert [str(finding.place) for finding in found.findings] == [
        *("fit.fixed", "fit.asimov", "fit.scans", "fit.minos"),
    ]
    assert "did you mean `JES`?" in str(found.findings[0])


def test_asymmetric_errors_of_a_constant_parameter_are_passed_over() -> None:
    """As in the config of the leptoquark search, whose signal is constant."""
    catalog = small.catalog(norm_factors__mu__constant=True, fit__minos=["mu"])
    found = measure(small.templates(), catalog)
    assert [one.code for one in found.findings] == ["QL-FITDOCTOR-020"]
    assert found.fit is not None
    assert found.fit.by_name["mu"].up is None


def two_measured(**changes: Any) -> Catalog:
    """The small analysis, in which the scale of `top` is measured, too."""
    return small.catalog(further_pois=["k"], **changes)


def test_each_measured_parameter_has_a_ranking_and_is_in_none() -> None:
    found = measure(small.templates(), two_measured(ranking={}), what=["fit", "ranking"])
    assert found.fit is not None
    assert found.ranking is not None
    (other,) = found.further_rankings
    assert (found.ranking.poi, other.poi) == ("mu", "k")
    for one in (found.ranking, other):
        assert not {"mu", "k"} & {row.name for row in one.rows}
    model = Model(likelihood_of(small.templates(), two_measured()).spec)
    (jes,) = (row for row in other.rows if row.name == "JES")
    best = found.fit.by_name
    moved = fit(model, fixed={"JES": best["JES"].value + best["JES"].error})
    assert jes.up == pytest.approx(moved.by_name["k"].value - best["k"].value, abs=2e-4)
    assert "ranking-k" in found.results


def test_measured_parameters_rank_one_another_if_asked() -> None:
    catalog = two_measured(ranking={"include_pois": True})
    found = measure(small.templates(), catalog, what=["ranking"])
    assert found.ranking is not None
    names = [{row.name for row in one.rows} for one in (found.ranking, *found.further_rankings)]
    assert names[0] >= {"k", "JES"}
    assert names[1] >= {"mu", "JES"}
    assert ("mu" in names[0], "k" in names[1]) == (False, False)


def test_no_measured_parameter_is_held_for_the_errors_of_groups() -> None:
    found = measure(small.templates(), two_measured(ranking={}), what=["fit", "impacts"])
    assert found.fit is not None
    assert found.impacts is not None
    assert "k" not in {name for group in found.impacts.groups for name in group.parameters}
    kept = {row.name: row.value for row in found.fit.parameters if row.name not in ("mu", "k")}
    model = Model(likelihood_of(small.templates(), two_measured()).spec)
    alone = fit(model, fixed=kept).by_name["mu"]
    assert found.impacts.statistical.error == pytest.approx(alone.error, rel=1e-3)


def test_statistics_alone_leave_all_measured_parameters_free() -> None:
    settings = {"statistics_only": True, "fix_norm_factors": True}
    for catalog in (small.catalog(fit=settings), two_measured(fit=settings)):
        found = measure(small.templates(), catalog, what=["fit"]).statistics_only
        assert found is not None
        assert set(found.free) == set(catalog.pois)


def test_tests_of_one_parameter_have_the_others_nominal_in_asimov_data() -> None:
    """What settings of the fit say about measured parameters is not meant for limits."""
    said = {"fit__data": "asimov", "fit__asimov": {"mu": 2.0, "k": 1.4, "JES": 0.5}}
    for catalog, k in ((two_measured(**said), 1.0), (small.catalog(**said), 1.4)):
        found = problem_of(small.templates(), catalog, strength=("mu", 0.0))
        wanted = expected({"mu": 0.0, "k": k, "JES": 0.5})
        np.testing.assert_allclose(found.data.counts, wanted)


def test_tests_in_mixed_regions_have_the_others_as_the_first_fit_found_them() -> None:
    catalog = two_measured(regions__SR__data="asimov", fit__asimov={"mu": 2.0, "k": 1.4})
    found = problem_of(small.templates(), catalog, strength=("mu", 0.0))
    assert found.conditional is not None
    values = {row.name: row.value for row in found.conditional.parameters if not row.fixed}
    assert values["k"] != 1.4
    np.testing.assert_allclose(found.data.counts[2:], expected({**values, "mu": 0.0})[2:])


def test_asimov_values_of_measured_parameters_leave_mixed_fits_mixed() -> None:
    catalog = two_measured(regions__SR__data="asimov", fit__asimov={"mu": 1.5, "k": 1.2})
    assert problem_of(small.templates(), catalog).conditional is not None


def test_the_background_alone_is_without_the_first_measured_parameter() -> None:
    """TRExFitter holds that one alone, too."""
    found = problem_of(small.templates(), two_measured(fit__hypothesis="background")).model
    assert [name for name, fixed in zip(found.names, found.fixed, strict=True) if fixed] == ["mu"]


def test_fits_of_toys_hold_what_they_do_not_know_of() -> None:
    """Toys have a shifted parameter, and its fits the nominal value of it."""
    settings = {"toys": 4, "toys_with": {"JES": 1.0, "mu": 0.0}, "toys_hold": ["JES"], "seed": 3}
    found = measure(small.templates(), small.catalog(fit=settings), what=["toys"]).toys
    assert found is not None
    assert found.truth == 0.0
    model = Model(likelihood_of(small.templates(), small.catalog()).spec)
    truth = model.initial.copy()
    truth[model.index("JES")], truth[model.index("mu")] = 1.0, 0.0
    for at, value in enumerate(found.values):
        toy = model.toy(truth, rng(3, "fit-toys", at))
        expected = fit(model, toy, fixed={"JES": 0.0}).by_name["mu"]
        assert value == pytest.approx(expected.value, abs=2e-3 * expected.error)


def test_what_toys_hold_is_named() -> None:
    catalog = small.catalog(fit={"toys": 1, "toys_hold": ["JEZ"]})
    (found,) = problem_of(small.templates(), catalog).findings
    assert "no parameter `JEZ`" in found.message
