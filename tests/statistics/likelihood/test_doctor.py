"""The fit doctor: every illness made on purpose is found, and its healthy twin is not."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import Severity
from quarkline.engine.core.results import result_from_json
from quarkline.statistics.likelihood.doctor import Patient, diagnosis, examine
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.model import Data, Model
from quarkline.statistics.likelihood.results import FitDiagnosis, LikelihoodScan
from quarkline.statistics.likelihood.scans import scan
from quarkline.statistics.likelihood.spec import (
    BinScale,
    ChannelSpec,
    Gaussian,
    LikelihoodSpec,
    Modifier,
    NormShift,
    Parameter,
    Poisson,
    SampleSpec,
    Scale,
    ShapeShift,
)

SIGNAL, TOP = (2.0, 10.0, 20.0), (100.0, 60.0, 30.0)
REGIONS = ("SR", "CR", "CR2")


def systematic(name: str) -> Parameter:
    return Parameter(name, "systematic", 0.0, -5.0, 5.0, constraint=Gaussian())


def gammas(errors: Sequence[float], region: str = "SR") -> list[Parameter]:
    return [
        Parameter(
            f"gamma_{region}_{at}", "gamma", 1.0, 0.0, 1 + 5 * error, False, Poisson(error**-2)
        )
        for at, error in enumerate(errors)
    ]


def likelihood(
    top: Sequence[Modifier] = (NormShift("xs", 1.05, 0.95),),
    *,
    elsewhere: Sequence[Modifier] | None = None,
    signal: Sequence[float] = SIGNAL,
    background: Sequence[float] = TOP,
    extra: Sequence[Parameter] = (),
    errors: Sequence[float] = (0.02, 0.03, 0.05),
    data: Sequence[float] | None = None,
    mu: Parameter | None = None,
) -> LikelihoodSpec:
    """A signal region and two with background alone, fitted to what is expected."""
    stat = gammas(errors)
    scaled = BinScale(tuple(one.name for one in stat))
    samples = (
        SampleSpec("signal", tuple(signal), (Scale("mu"), scaled)),
        SampleSpec("top", tuple(background), (*top, scaled)),
    )
    sr = ChannelSpec("SR", samples, tuple(data or np.add(signal, background)))
    others = [
        ChannelSpec(name, (SampleSpec("top", (200.0,), _whole(elsewhere or top)),), (200.0,))
        for name in REGIONS[1:]
    ]
    known = {one.name: one for one in extra} | {"xs": systematic("xs")}
    return LikelihoodSpec(
        "made",
        (sr, *others),
        (mu or Parameter("mu", "norm-factor", 1.0, -10.0, 50.0), *known.values(), *stat),
        "mu",
    )


def _whole(modifiers: Sequence[Modifier]) -> tuple[Modifier, ...]:
    """The modifiers that regions of one bin can have."""
    return tuple(one for one in modifiers if not isinstance(one, ShapeShift))


def patient(spec: LikelihoodSpec, **options: Any) -> Patient:
    model = Model(spec)
    return Patient(model, model.data, fit(model, **options))


def codes(spec: LikelihoodSpec, **options: Any) -> set[int]:
    return {int(one.code[-3:]) for one in examine(patient(spec, **options))}


def shape(up: Sequence[float], down: Sequence[float]) -> ShapeShift:
    return ShapeShift("shape", tuple(up), tuple(down))


def with_shape(up: Sequence[float], down: Sequence[float], **more: Any) -> LikelihoodSpec:
    return likelihood([NormShift("xs", 1.05, 0.95), shape(up, down)], extra=[SHAPE], **more)


def with_factor(name: str, low: float = 0.0, high: float = 5.0) -> LikelihoodSpec:
    factor = Parameter(name, "norm-factor", 1.0, low, high)
    return likelihood([NormShift("xs", 1.05, 0.95), Scale(name)], extra=[factor])


def replaced(spec: LikelihoodSpec, region: str, data: Sequence[float]) -> LikelihoodSpec:
    channels = tuple(
        replace(one, data=tuple(data)) if one.name == region else one for one in spec.channels
    )
    return replace(spec, channels=channels)


def flipped(sign: float) -> LikelihoodSpec:
    spec = likelihood()
    last = spec.channels[-1]
    sample = replace(last.samples[0], modifiers=(NormShift("xs", 1 + sign, 1 - sign),))
    return replace(spec, channels=(*spec.channels[:-1], replace(last, samples=(sample,))))


SHAPE = systematic("shape")
OTHER = systematic("other")
UP, DOWN = (95.0, 60.0, 33.0), (105.0, 60.0, 27.0)
TWO = (
    Parameter("a", "norm-factor", 1.0, 0.0, 5.0),
    Parameter("b", "norm-factor", 1.0, 0.0, 5.0),
)
THREE = (*TWO, Parameter("c", "norm-factor", 1.0, 0.0, 5.0))
LOOSE = tuple(
    Parameter(name, "systematic", 0.0, -50.0, 50.0, constraint=Gaussian(0.0, 20.0))
    for name in "abc"
)


def alike(tells: float) -> LikelihoodSpec:
    """Two factors on the background; the control regions have one of them alone or both."""
    spec = likelihood([Scale("a"), Scale("b")], extra=TWO)
    return spec if tells else _without(spec, "b")


def _without(spec: LikelihoodSpec, name: str) -> LikelihoodSpec:
    channels = tuple(
        replace(
            channel,
            samples=tuple(
                replace(one, modifiers=tuple(each for each in one.modifiers if each != Scale(name)))
                for one in channel.samples
            ),
        )
        if channel.name != "SR"
        else channel
        for channel in spec.channels
    )
    return replace(spec, channels=channels)


def pulled(count: float) -> LikelihoodSpec:
    """One bin of 10,000 events and a systematic of 2 %."""
    samples = (SampleSpec("b", (1e4,), (NormShift("xs", 1.02, 0.98),)),)
    channel = ChannelSpec("R", samples, (count,))
    return LikelihoodSpec("one", (channel,), (systematic("xs"),))


def loose(width: float) -> LikelihoodSpec:
    """Three parameters of which only the sum is known, or that are each constrained tightly."""
    shifts = [NormShift(one.name, 1.05, 0.95) for one in LOOSE]
    extra = [replace(one, constraint=Gaussian(0.0, width)) for one in LOOSE]
    return likelihood(shifts, extra=extra)


ILL: dict[int, tuple[Callable[[], LikelihoodSpec], Callable[[], LikelihoodSpec]]] = {
    1: (lambda: alike(1.0), lambda: alike(0.0)),
    2: (
        lambda: replaced(with_factor("k", 0.0, 1.1), "CR", [400.0]),
        lambda: replaced(with_factor("k", 0.0, 5.0), "CR", [400.0]),
    ),
    10: (
        lambda: likelihood([NormShift("xs", 1.4, 0.6)]),
        lambda: likelihood([NormShift("xs", 1.03, 0.97)]),
    ),
    11: (
        lambda: pulled(10_700.0),
        lambda: pulled(10_150.0),
    ),
    12: (
        lambda: likelihood(
            [Scale("k")],
            extra=[Parameter("k", "norm-factor", 1.0, 0.0, 5.0)],
            signal=[10.0, 6.1, 3.0],
            elsewhere=[NormShift("xs", 1.05, 0.95)],
        ),
        lambda: with_factor("k"),
    ),
    13: (lambda: loose(20.0), lambda: loose(1.0)),
    14: (
        lambda: likelihood(extra=[OTHER]),
        lambda: likelihood(
            [NormShift("xs", 1.05, 0.95), NormShift("other", 1.02, 0.98)], extra=[OTHER]
        ),
    ),
    20: (
        lambda: likelihood(mu=Parameter("mu", "norm-factor", 1.0, 0.0, 5.0, fixed=True)),
        likelihood,
    ),
    21: (lambda: likelihood(signal=[0.0, 0.0, 0.0]), likelihood),
    22: (lambda: likelihood(signal=[0.02, 0.1, 0.2]), likelihood),
    23: (lambda: likelihood(errors=[0.25, 0.3, 0.3]), likelihood),
    30: (lambda: likelihood(background=[100.0, 60.0, -1.0]), likelihood),
    31: (lambda: likelihood(signal=[1e-6] * 3), likelihood),
    32: (
        lambda: likelihood(background=[100.0, 60.0, 1e-6], data=[102.0, 70.0, 20.0]),
        lambda: likelihood(background=[100.0, 60.0, 2.0], data=[102.0, 70.0, 22.0]),
    ),
    33: (lambda: likelihood(errors=[0.02, 0.03, 0.5]), likelihood),
    40: (
        lambda: likelihood([NormShift("xs", 2.1, 0.5)]),
        lambda: likelihood([NormShift("xs", 1.4, 0.7)]),
    ),
    41: (
        lambda: with_shape([75.0, 65.0, 50.0], [125.0, 55.0, 10.0]),
        lambda: with_shape(UP, DOWN),
    ),
    42: (lambda: with_shape(UP, UP), lambda: with_shape(UP, DOWN)),
    43: (lambda: flipped(-0.05), lambda: flipped(0.05)),
    50: (
        lambda: likelihood(data=[160.0, 40.0, 30.0]),
        lambda: likelihood(data=[100.0, 75.0, 47.0]),
    ),
    51: (
        lambda: replaced(likelihood(), "CR", [320.0]),
        lambda: replaced(likelihood(), "CR", [205.0]),
    ),
}


@pytest.mark.parametrize("code", ILL)
def test_an_illness_is_found_and_its_healthy_twin_is_silent(code: int) -> None:
    ill, healthy = ILL[code]
    assert code in codes(ill())
    assert code not in codes(healthy())


def test_a_sound_likelihood_has_no_findings() -> None:
    assert examine(patient(likelihood(), minos=["mu"])) == ()
    assert examine(patient(with_shape(UP, DOWN))) == ()


@pytest.mark.parametrize(
    ("up", "down"), [(UP, TOP), (TOP, DOWN)], ids=["nothing at -1", "nothing at +1"]
)
def test_a_side_without_effect_is_one_sided(up: Sequence[float], down: Sequence[float]) -> None:
    (found,) = (one for one in examine(patient(with_shape(up, down))) if one.code[-3:] == "042")
    assert "by nothing on the other" in found.message


def found(code: int, spec: LikelihoodSpec) -> dict[str, Any]:
    (one,) = (one for one in examine(patient(spec)) if one.code.endswith(f"{code:03d}"))
    return dict(one.evidence)


def test_evidence_names_who_constrains() -> None:
    """Two regions of 200 events know the yield as well as one another, the signal region less."""
    evidence = found(10, likelihood([NormShift("xs", 1.4, 0.6)]))
    assert evidence["region"] in ("CR", "CR2")
    assert evidence["bins"] == [1]
    assert evidence["after"] < 0.5


def test_pulls_have_the_significance_of_their_expected_size() -> None:
    """In closed form, as the bin is nearly linear in the parameter."""
    excess, shift = 700.0, 200.0
    evidence = found(11, pulled(1e4 + excess))
    information = shift**2 / 1e4
    pull = excess / shift * information / (1 + information)
    assert evidence["pull"] == pytest.approx(pull, rel=0.05)
    expected = excess / np.sqrt(1e4 * (1 + information))
    assert evidence["significance"] == pytest.approx(expected, rel=0.05)


def test_a_pull_counts_from_what_was_measured() -> None:
    spec = likelihood()
    model = Model(spec)
    shifted = model.initial.copy()
    shifted[model.index("xs")] = 2.0
    data = model.asimov(shifted, shift_measurements=True)
    there = Patient(model, data, fit(model, data))
    assert there.fitted.by_name["xs"].value == pytest.approx(2.0, abs=1e-3)
    assert examine(there) == ()


def test_rare_pulls_are_warnings_and_usual_ones_are_notes() -> None:
    def severity(count: float) -> Severity:
        (one,) = (one for one in examine(patient(pulled(count))) if one.code[-3:] == "011")
        return one.severity

    assert severity(10_400.0) is Severity.NOTE  # 1.6 errors, 1.8 of its expected shifts
    assert severity(10_700.0) is Severity.WARNING


def test_the_size_of_simulation_is_that_of_the_impact() -> None:
    """The same as the impact of a group: variance less that with the gammas held."""
    spec = likelihood(errors=[0.25, 0.3, 0.3])
    evidence = found(23, spec)
    whole = fit(Model(spec))
    held = {one.name: one.value for one in whole.parameters if one.role == "gamma"}
    less = fit(Model(spec), start=whole.values, fixed=held)
    simulation = np.sqrt(whole.by_name["mu"].error ** 2 - less.by_name["mu"].error ** 2)
    assert evidence["simulation"] == pytest.approx(simulation, rel=1e-3)


def test_few_events_are_a_warning_where_they_decide() -> None:
    def severity(signal: Sequence[float]) -> Severity:
        spec = likelihood(errors=[0.02, 0.5, 0.02], signal=signal)
        (one,) = (one for one in examine(patient(spec)) if one.code[-3:] == "033")
        return one.severity

    assert severity([0.0, 40.0, 2.0]) is Severity.WARNING
    assert severity([0.0, 0.0, 40.0]) is Severity.NOTE


def test_a_fit_can_make_a_sample_negative() -> None:
    """A deficit that only a signal of less than nothing explains."""
    spec = likelihood(data=[100.0, 55.0, 15.0])
    (one,) = (one for one in examine(patient(spec)) if one.code[-3:] == "030")
    assert one.evidence["sample"] == "signal"
    assert "after the fit" in one.message


def scanned(heights: Sequence[float | None]) -> set[str]:
    spec = likelihood()
    model = Model(spec)
    values = tuple(np.linspace(-3, 3, len(heights)))
    made = LikelihoodScan("mu", values, tuple(heights), 0.0)
    there = Patient(model, model.data, fit(model), (made,))
    return {message.split(":")[1] for message in (one.message for one in examine(there))}


def test_scans_that_are_not_smooth() -> None:
    x = np.linspace(-3, 3, 31)
    smooth = x**2 + 0.1 * x**3
    assert scanned(smooth) == set()
    jump = smooth + 0.5 * (x > 1.45)
    two = 2 * np.minimum(x**2, (x - 2.2) ** 2 + 0.3)
    assert "it jumps at" in scanned(jump).pop()
    assert "other minima at 2.2" in scanned(two).pop()
    assert "no fit converged at -3" in scanned([None, *smooth[1:]]).pop()
    assert "larger than at the fit" in scanned(smooth - 0.5 * (np.abs(x - 1) < 0.05) * 3).pop()


def test_real_scans_are_smooth() -> None:
    spec = with_shape(UP, DOWN)
    model = Model(spec)
    fitted = fit(model)
    scans = [scan(model, model.data, fitted, name) for name in ("mu", "shape", "xs")]
    assert examine(Patient(model, model.data, fitted, scans)) == ()


def test_lopsided_errors_are_noted() -> None:
    """One event over 0.6: the likelihood does not fall by 1/2 above no signal."""
    samples = (SampleSpec("signal", (1.0,), (Scale("mu"),)), SampleSpec("b", (0.6,)))
    channel = ChannelSpec("R", samples, (1.0,))
    mu = Parameter("mu", "norm-factor", 1.0, 0.0, 50.0)
    assert 3 in codes(LikelihoodSpec("few", (channel,), (mu,), "mu"), minos=["mu"])
    assert 3 not in codes(likelihood(), minos=["mu"])


def test_a_diagnosis_is_a_result_that_is_read_back() -> None:
    findings = examine(patient(likelihood(errors=[0.25, 0.3, 0.3])))
    result = diagnosis(findings)
    assert isinstance(result, FitDiagnosis)
    assert [one["code"] for one in result.findings] == [one.code for one in findings]
    assert result_from_json(result.as_json()).as_json() == result.as_json()


def test_warnings_come_first() -> None:
    findings = examine(patient(likelihood(errors=[0.02, 0.03, 0.5], signal=[1e-6] * 3)))
    severities = [one.severity for one in findings]
    assert severities == sorted(severities, key=lambda one: one is Severity.NOTE)
    assert Severity.NOTE in severities


def test_the_worst_variations_come_first() -> None:
    """Whatever their place in the likelihood, since only the first of a kind are shown."""
    names = {"b": 2.2, "a": 3.5, "c": 2.8}
    shifts = [NormShift(name, by, 0.9) for name, by in names.items()]
    spec = likelihood(
        [NormShift("xs", 1.05, 0.95), *shifts], extra=[systematic(name) for name in names]
    )
    found = examine(patient(spec))
    large = [one.evidence["parameter"] for one in found if one.code == "QL-FITDOCTOR-040"]
    assert large == ["a", "c", "b"]


def test_nothing_is_fitted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    there = patient(with_shape(UP, UP))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    module = importlib.import_module("quarkline.statistics.likelihood.minimum")
    monkeypatch.setattr(module, "_descend", refuse)
    assert examine(there)


def test_data_may_be_other_than_the_observed() -> None:
    model = Model(replaced(likelihood(), "CR", [320.0]))
    asimov = model.asimov(model.initial)
    assert examine(Patient(model, Data(asimov.counts, asimov.measured), fit(model, asimov))) == ()
