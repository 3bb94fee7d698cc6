"""Expectations with their errors: against plain loops, and what figures hide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.results import LikelihoodFit
from quarkline.templates.expectation import expected_after, expected_before
from quarkline.templates.likelihood import likelihood_of
from quarkline.templates.measure import measure
from quarkline.templates.predict import predict

from . import small


def fitted(**changes: Any) -> LikelihoodFit:
    found = measure(small.templates(), small.catalog(**changes)).fit
    assert found is not None
    return found


def test_every_region_is_predicted_with_its_samples() -> None:
    for fit in (None, fitted()):
        found = predict(small.templates(), small.catalog(), fit=fit)
        assert list(found) == ["CR", "SR", "VR"]
        assert [sample.name for sample in found["VR"].samples] == ["signal", "top", "fakes"]
        assert found["CR"].data == (141, 88)
        assert found["CR"].after_fit == (fit is not None)


def test_errors_before_the_fit_add_up_in_quadrature() -> None:
    found = predict(small.templates(), small.catalog())["CR"]
    statistical = np.array([0.2**2 + 3.0**2 + 2.0**2, 0.6**2 + 2.5**2 + 1.0**2])
    jes = np.array([105 - 96 + 4.4 - 3.7, 66 - 55 + 20.5 - 19.4]) / 2
    fakes = np.array([3.0, 1.0])
    np.testing.assert_allclose(found.contents, [134, 90])
    np.testing.assert_allclose(np.square(found.errors), statistical + jes**2 + fakes**2)
    total = statistical.sum() + jes.sum() ** 2 + fakes.sum() ** 2
    assert found.total_error == pytest.approx(total**0.5)
    (top,) = (sample for sample in found.samples if sample.name == "top")
    np.testing.assert_allclose(np.square(top.errors), [9 + 4.5**2, 6.25 + 5.5**2])


def test_norm_factors_scale_contents_and_errors_before_the_fit() -> None:
    once = predict(small.templates(), small.catalog())["SR"].samples[1]
    twice = predict(small.templates(), small.catalog(norm_factors__k__nominal=2.0))["SR"].samples[1]
    np.testing.assert_allclose(twice.contents, 2 * np.array(once.contents))
    np.testing.assert_allclose(twice.errors, 2 * np.array(once.errors))


def test_shifts_of_one_parameter_add_up_before_the_fit() -> None:
    together = small.catalog(systematics__XS__parameter="JES")
    found = expected_before(together, small.templates())["CR"]
    assert found.parameters == ("JES",)
    statistical = np.array([0.2**2 + 3.0**2 + 2.0**2, 0.6**2 + 2.5**2 + 1.0**2])
    half = np.array([9 + 0.7, 11 + 1.1]) / 2 + np.array([3.0, 1.0])
    np.testing.assert_allclose(np.square(found.sum_of().errors), statistical + half**2)


def test_contents_after_the_fit_are_those_of_the_model() -> None:
    fit = fitted()
    found = predict(small.templates(), small.catalog(), fit=fit)
    model = Model(likelihood_of(small.templates(), small.catalog()).spec)
    expected = model.expected(fit.values)
    np.testing.assert_allclose([*found["CR"].contents, *found["SR"].contents], expected)


def test_errors_after_the_fit_are_propagated_with_all_correlations() -> None:
    """A plain propagation by the model's derivatives, where these hardly change in an error."""
    fit = fitted()
    model = Model(likelihood_of(small.templates(), small.catalog()).spec)
    covariance, values = np.array(fit.covariance), fit.values
    slopes = np.array(
        [
            (model.expected(values + step) - model.expected(values - step)) / 2e-4
            for step in 1e-4 * np.eye(len(values))
        ]
    )
    expected = np.sqrt(np.einsum("pb,pq,qb->b", slopes, covariance, slopes))
    found = predict(small.templates(), small.catalog(), fit=fit)
    np.testing.assert_allclose([*found["CR"].errors, *found["SR"].errors], expected, rtol=3e-3)


def test_errors_of_the_simulation_stay_where_no_parameter_moves() -> None:
    catalog = small.catalog(fit__fitted_gammas=False)
    found = expected_after(catalog, small.templates(), fitted())
    np.testing.assert_allclose(found["CR"].statistical[2], [2.0, 1.0])
    assert not any(name.startswith("gamma") for name in found["CR"].parameters)
    moved = expected_after(small.catalog(), small.templates(), fitted())
    assert not moved["CR"].statistical.any()
    np.testing.assert_allclose(moved["VR"].statistical[2], [0.4, 0.2])


def test_fixed_parameters_have_no_error() -> None:
    fit = fitted(fit__fixed={"JES": 0.5})
    found = expected_after(small.catalog(), small.templates(), fit)["CR"]
    assert "JES" not in found.parameters


def test_parameters_outside_the_fit_keep_their_errors() -> None:
    only = {"kind": "varied", "samples": ["top"], "regions": ["VR"]}
    catalog = small.catalog(systematics={"JES": only})
    found = expected_after(catalog, small.templates(), fitted(systematics={}))["VR"]
    assert "JES" in found.parameters


@pytest.mark.parametrize(
    ("ratio", "threshold", "hidden"),
    [
        ("s/b", 0.2, (1,)),
        ("s/b", 0.3, ()),
        ("s/(s+b)", 0.2, (1,)),
        ("s/sqrt(b)", 0.2, (0, 1)),
        ("s/sqrt(s+b)", 2.2, ()),
    ],
)
def test_bins_with_much_signal_are_hidden(
    ratio: str, threshold: float, hidden: tuple[int, ...]
) -> None:
    catalog = small.catalog(hide={"ratio": ratio, "threshold": threshold})
    assert predict(small.templates(), catalog)["CR"].hidden == hidden


def test_hidden_bins_follow_the_fit_unless_they_are_to_stay() -> None:
    fit = fitted(fit__fixed={"mu": 3.0})
    for same, hidden in ((False, (1,)), (True, ())):
        catalog = small.catalog(hide={"threshold": 0.4, "same_after_fit": same})
        assert predict(small.templates(), catalog, fit=fit)["CR"].hidden == hidden


def test_regions_may_show_no_data() -> None:
    for changes in (
        {"regions__SR__data": "asimov"},
        {"regions__SR__blind": True},
        {"hide": {"signal_regions": True}},
    ):
        found = predict(small.templates(), small.catalog(**changes))
        assert (found["SR"].data, found["SR"].chi2) == (None, None)
        assert found["CR"].data is not None


def test_chi2_is_that_of_a_plain_loop() -> None:
    full = predict(small.templates(), small.catalog())["CR"]
    counts = predict(small.templates(), small.catalog(drawing={"chi2_errors": "statistical"}))["CR"]
    difference = np.array([141 - 134, 88 - 90])
    statistical = np.array([134 + 0.04 + 9 + 4, 90 + 0.36 + 6.25 + 1])
    jes, fakes = np.array([5.4, 6.5]), np.array([3.0, 1.0])
    covariance = np.diag(statistical) + np.outer(jes, jes) + np.outer(fakes, fakes)
    assert full.chi2 == pytest.approx(difference @ np.linalg.inv(covariance) @ difference)
    assert counts.chi2 == pytest.approx((difference**2 / statistical).sum())
    assert (full.degrees, counts.degrees) == (2, 2)


def test_hidden_bins_are_not_in_chi2() -> None:
    found = predict(small.templates(), small.catalog(hide={"threshold": 0.2}))["CR"]
    assert found.degrees == 1


def test_pseudo_data_are_shown_where_they_are_fitted() -> None:
    instead = {"role": "reference", "asimov_for": {"name": "other", "sample": "fakes"}}
    catalog = small.catalog(samples__alternative=instead, fit__pseudo_data="other")
    assert predict(small.templates(), catalog)["CR"].data == (204, 140)


def test_samples_are_scaled_to_what_data_leave_them() -> None:
    """229 events are seen in `CR`, and 24 + 40 of 224 expected ones are of other samples."""
    catalog, plain = small.catalog(drawing={"scale_to_data": "top"}), small.catalog()
    scale = (229 - 24 - 40) / 160
    found, before = (predict(small.templates(), one)["CR"] for one in (catalog, plain))
    for mine, other in zip(found.samples, before.samples, strict=True):
        factor = scale if mine.name == "top" else 1.0
        np.testing.assert_allclose(mine.contents, factor * np.array(other.contents))
        np.testing.assert_allclose(mine.errors, factor * np.array(other.errors))
    assert found.total == pytest.approx(229)


def test_samples_are_scaled_after_the_fit_from_their_fitted_contents() -> None:
    fit = fitted()
    catalog = small.catalog(drawing={"scale_to_data": ["top", "fakes"]})
    found = predict(small.templates(), catalog, fit=fit)["SR"]
    before = predict(small.templates(), small.catalog(), fit=fit)["SR"]
    own = {sample.name: sample.total for sample in before.samples}
    scale = (114 - own["signal"]) / (own["top"] + own["fakes"])
    assert [sample.total for sample in found.samples] == pytest.approx(
        [own["signal"], scale * own["top"], scale * own["fakes"]]
    )


@pytest.mark.parametrize(
    "hidden",
    [
        {"hide__signal_regions": True},
        {"regions__SR__data": "asimov"},
        {"regions__SR__blind": True},
        {"samples__data__blind": True},
        {"samples__data__exclude": "SR"},
    ],
)
def test_samples_are_not_scaled_to_data_that_nobody_is_to_see(hidden: dict[str, Any]) -> None:
    catalog = small.catalog(drawing={"scale_to_data": "top"}, **hidden)
    with pytest.raises(InputError, match=r"the data of `[SC]R`, which shows none"):
        predict(small.templates(), catalog)
    elsewhere = small.catalog(drawing={"scale_to_data": "alternative"}, **hidden)
    predict(small.templates(), elsewhere)
