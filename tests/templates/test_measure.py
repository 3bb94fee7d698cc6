"""What settings ask of the likelihood: data, fits, and all that follows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Model
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.measure import asked, measure
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


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "observed"),
        ({"regions__SR__data": "asimov"}, "mixed"),
        ({"fit__data": "asimov"}, "asimov"),
    ],
)
def test_results_say_what_data_they_are_of(changes: dict[str, Any], kind: str) -> None:
    catalog = small.catalog(limit={}, significance={}, **changes)
    found = measure(small.templates(), catalog, what=["limit", "significance"])
    assert found.data == kind
    assert found.limit is not None
    assert found.significance is not None
    assert (found.limit.observed is None) == (found.significance.z is None) == (kind == "asimov")
    if kind != "asimov":
        assert (found.limit.data, found.significance.data) == (kind, kind)


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
    catalog = {
        "samples__alternative": {
            "role": "reference",
            "asimov_for": {"name": "other", "sample": "fakes"},
        }
    }
    found = problem(**catalog, fit__pseudo_data="other")
    np.testing.assert_allclose(found.data.counts, [204, 140, 102, 70])
    with pytest.raises(InputError, match="set `others`"):
        problem(**catalog, fit__pseudo_data="others")


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
