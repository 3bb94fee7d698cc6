"""Rankings and grouped impacts: a plain loop of fits, and models that are solved on paper."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.goodness import goodness_of_fit
from quarkline.statistics.likelihood.impacts import grouped_impacts, standard_groups
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.ranking import ranking
from quarkline.statistics.likelihood.scans import scan
from quarkline.statistics.likelihood.spec import (
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Parameter,
    SampleSpec,
    Scale,
    ShapeShift,
)
from tests.statistics.likelihood.likelihoods import counting, mu, shapes


@pytest.fixture(scope="module")
def model():
    return Model(shapes((70.0, 75.0)))


@pytest.fixture(scope="module")
def fitted(model):
    return fit(model, model.data)


def test_shifts_are_those_of_a_plain_loop(model, fitted):
    best = fitted.by_name["mu"].value
    found = {row.name: row for row in ranking(model, model.data, fitted).rows}
    assert set(found) == {"shape", "scale", "other"}
    for name, row in found.items():
        start = fitted.by_name[name]
        moves = {"up": start.error, "down": -start.error, "up_before": 1.0, "down_before": -1.0}
        for side, step in moves.items():
            shift = getattr(row, side)
            if name == "other" and side.endswith("before"):
                assert shift is None
                continue
            held = fit(model, model.data, fixed={name: start.value + step})
            assert shift == pytest.approx(held.by_name["mu"].value - best, abs=1e-5)
        assert row.failed == ()


def test_the_largest_comes_first(model, fitted):
    rows = ranking(model, model.data, fitted).rows
    sizes = [max(abs(row.up), abs(row.down)) for row in rows]
    assert sizes == sorted(sizes, reverse=True)


def test_parameters_may_be_chosen(model, fitted):
    assert [row.name for row in ranking(model, model.data, fitted, parameters=["scale"]).rows] == [
        "scale"
    ]


def test_another_parameter_may_be_measured(model, fitted):
    found = ranking(model, model.data, fitted, poi="other")
    assert found.poi == "other"
    assert {row.name for row in found.rows} == {"mu", "shape", "scale"}


def test_a_parameter_is_not_moved_beyond_its_bounds():
    spec = counting((50.0, 52.0))
    tight = Parameter("gamma_0", "gamma", 1.0, 0.99, 1.01, constraint=spec.parameters[1].constraint)
    model = Model(LikelihoodSpec("tight", spec.channels, (mu(), tight, spec.parameters[2]), "mu"))
    row = {x.name: x for x in ranking(model, model.data, fit(model, model.data)).rows}["gamma_0"]
    held = fit(model, model.data, fixed={"gamma_0": 0.99})
    best = fit(model, model.data).by_name["mu"].value
    assert row.down_before == pytest.approx(held.by_name["mu"].value - best, abs=1e-5)


def linear():
    """Counts that depend on all parameters in straight lines: n = 10 mu + 100 + 6 a + 8 b."""
    background = (
        ShapeShift("a", (106.0,), (94.0,), "0"),
        ShapeShift("b", (108.0,), (92.0,), "0"),
    )
    samples = (
        SampleSpec("signal", (10.0,), (Scale("mu"),)),
        SampleSpec("background", (100.0,), background),
    )
    alphas = [Parameter(name, "systematic", 0.0, -5.0, 5.0, constraint=Gaussian()) for name in "ab"]
    channel = ChannelSpec("SR", samples, (110.0,))
    return Model(LikelihoodSpec("linear", (channel,), (mu(low=-20.0, high=20.0), *alphas), "mu"))


def test_impacts_of_a_counting_experiment_are_those_on_paper():
    model = linear()
    found = grouped_impacts(
        model, model.data, fit(model, model.data), {"A": ["a"], "B": ["b"]}, minos=False
    )
    assert found.statistical.error == pytest.approx(np.sqrt(110.0) / 10.0, rel=1e-3)
    assert found.total.error == pytest.approx(np.sqrt(110.0 + 36.0 + 64.0) / 10.0, rel=1e-3)
    by_name = {group.name: group.error for group in found.groups}
    assert by_name == pytest.approx({"FullSyst": 1.0, "A": 0.6, "B": 0.8}, rel=1e-3)


def test_shifts_of_a_counting_experiment_are_those_on_paper():
    model = linear()
    rows = {row.name: row for row in ranking(model, model.data, fit(model, model.data)).rows}
    assert rows["a"].up_before == pytest.approx(-0.6, rel=1e-4)
    assert rows["b"].down_before == pytest.approx(0.8, rel=1e-4)


def test_the_standard_groups_are_those_of_trexfitter():
    assert standard_groups(Model(counting())) == {
        "Gammas": ("gamma_0", "gamma_1"),
        "FullSyst": ("gamma_0", "gamma_1"),
    }
    assert standard_groups(Model(shapes()))["NormFactors"] == ("other",)


def test_a_group_of_nothing_has_no_impact_and_one_of_all_has_all(model, fitted):
    everything = [name for name in model.names if name != "mu"]
    found = grouped_impacts(model, model.data, fitted, {"none": [], "all": everything}, minos=False)
    by_name = {group.name: group for group in found.groups}
    assert by_name["none"].error == pytest.approx(0.0, abs=1e-6)
    assert by_name["all"].error == by_name["FullSyst"].error
    total, statistical = found.total.error, found.statistical.error
    assert by_name["all"].error ** 2 == pytest.approx(total**2 - statistical**2)


def test_a_group_with_an_unknown_parameter_is_refused(model, fitted):
    with pytest.raises(InputError, match="shap"):
        grouped_impacts(model, model.data, fitted, {"G": ["shap"]})


def test_a_likelihood_that_measures_nothing_has_no_ranking(fitted):
    spec = shapes()
    model = Model(LikelihoodSpec(spec.name, spec.channels, spec.parameters, None))
    with pytest.raises(InputError, match="does not say which parameter is measured") as caught:
        ranking(model, model.data, fitted)
    assert "norm factors here: mu, other" in str(caught.value)


def no_shift_down(low=0.0, *, fixed=False):
    """Fewer events than the background, so that a signal is best at its lower bound."""
    parameters = (
        Parameter("mu", "norm-factor", max(low, 0.0), low, 10.0, fixed),
        Parameter("b", "systematic", 0.0, -5.0, 5.0, constraint=Gaussian()),
    )
    background = SampleSpec("background", (100.0,), (ShapeShift("b", (110.0,), (90.0,)),))
    signal = SampleSpec("signal", (10.0,), (Scale("mu"),))
    return Model(
        LikelihoodSpec(
            "deficit", (ChannelSpec("R", (signal, background), (70.0,)),), parameters, "mu"
        )
    )


def test_a_bound_that_holds_the_measured_parameter_is_told():
    held, wide = no_shift_down(), no_shift_down(low=-10.0)
    for model, told in ((held, True), (wide, False)):
        fitted = fit(model, model.data)
        ranked = ranking(model, model.data, fitted)
        impacts = grouped_impacts(model, model.data, fitted, minos=False)
        assert ("`mu` ended at its bound" in ranked.note) is told
        assert ("`mu` ended at its bound" in impacts.note) is told
        assert (ranked.rows[0].size < 1e-3) is told  # 0 for no other reason


def test_a_measured_parameter_that_was_fixed_is_told():
    model = no_shift_down(fixed=True)
    fitted = fit(model, model.data)
    assert "`mu` was fixed" in ranking(model, model.data, fitted).note
    assert "`mu` was fixed" in grouped_impacts(model, model.data, fitted).note


def test_what_a_fit_has_held_stays_held(model):
    """A fit may hold what the model frees: shifts and errors are relative to that fit."""
    held = fit(model, model.data, fixed={"shape": 1.0})
    rows = {row.name: row for row in ranking(model, model.data, held).rows}
    assert set(rows) == {"scale", "other"}
    for name, row in rows.items():
        start = held.by_name[name]
        again = fit(model, model.data, fixed={"shape": 1.0, name: start.value + start.error})
        shift = again.by_name["mu"].value - held.by_name["mu"].value
        assert row.up == pytest.approx(shift, abs=1e-5)
    impacts = grouped_impacts(model, model.data, held, minos=False)
    assert impacts.total.error == pytest.approx(held.by_name["mu"].error, rel=1e-6)
    assert min(scan(model, model.data, held, "mu").heights) >= -1e-9
    free = goodness_of_fit(model, model.data, fit(model, model.data)).degrees
    without = fit(model, model.data, fixed={"mu": 1.0})
    assert goodness_of_fit(model, model.data, without).degrees == free + 1


def test_a_fit_of_other_parameters_is_refused(model):
    other = no_shift_down()
    with pytest.raises(InputError, match="have different parameters"):
        ranking(model, model.data, fit(other, other.data), poi="mu")


def test_a_parameter_without_an_error_is_no_parameter_without_a_shift():
    """Two factors of one sample: data tell their product only."""
    twins = [Parameter(name, "norm-factor", 1.0, 0.0, 10.0) for name in ("one", "two")]
    background = SampleSpec("background", (100.0,), (Scale("one"), Scale("two")))
    signal = SampleSpec("signal", (10.0,), (Scale("mu"),))
    channel = ChannelSpec("R", (signal, background), (110.0,))
    model = Model(LikelihoodSpec("twins", (channel,), (mu(), *twins), "mu"))
    fitted = fit(model, model.data)
    ranked = ranking(model, model.data, fitted)
    assert "did not converge" in ranked.note
    assert all(row.failed == ("up", "down") for row in ranked.rows if np.isnan(row.error))
