"""Workspaces of pyhf, both ways: the same likelihood to the last digits, and wrong ones refused."""

from __future__ import annotations

import copy
import json
import math
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood import (
    BinScale,
    Gaussian,
    LikelihoodSpec,
    Model,
    Poisson,
    fit,
    patched,
    spec_from_workspace,
    workspace_from_spec,
)
from quarkline.statistics.likelihood.workspace_schema import schema_findings
from tests.statistics.likelihood.specs import mixed, workspace

pytest.importorskip("pyhf")
pytestmark = pytest.mark.filterwarnings("ignore:jsonschema.RefResolver:DeprecationWarning")
ARCHIVE = "root_samples/pyhf-ins1748602-probability-models.tar.gz"


def theirs(content: dict[str, Any], measurement: str | None = None, **options: Any) -> Any:
    """pyhf's model and data."""
    import pyhf

    full = pyhf.Workspace(content)
    model = full.model(measurement_name=measurement, **options)
    return model, full.data(model)


def values_near(model: Model, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0.0, 1.0, len(model.names))
    return np.where(model.initial == 0.0, 1.3 * drawn, np.abs(model.initial + 0.1 * drawn))


def assert_same_nll(
    content: dict[str, Any], measurement: str | None = None, *, seeds: int = 8, **options: Any
) -> None:
    pyhf_model, data = theirs(content, measurement, **options)
    ours = Model(spec_from_workspace(content, measurement=measurement))
    assert sorted(ours.names) == sorted(pyhf_model.config.par_names)
    order = [ours.index(name) for name in pyhf_model.config.par_names]
    assert ours.initial[order] == pytest.approx(pyhf_model.config.suggested_init())
    bounds = np.array(pyhf_model.config.suggested_bounds())
    assert np.column_stack([ours.low, ours.high])[order] == pytest.approx(bounds)
    assert list(ours.fixed[order]) == pyhf_model.config.suggested_fixed()
    for seed in range(seeds):
        values = values_near(ours, seed)
        expected = -float(pyhf_model.logpdf(values[order], data)[0])
        assert ours.nll(values, ours.data) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("measurement", [None, "first", "second"])
def test_every_modifier_has_pyhfs_likelihood(measurement):
    assert_same_nll(workspace(), measurement)


def test_a_staterror_over_several_channels_is_counted_through_them():
    content = workspace()
    for channel in content["channels"]:
        for sample in channel["samples"]:
            kept = [row for row in sample["modifiers"] if row["type"] != "staterror"]
            if sample["name"] == "top":
                errors = [0.1 * (at + 1) for at in range(len(sample["data"]))]
                kept.append({"name": "mc", "type": "staterror", "data": errors})
            sample["modifiers"] = kept
    content["measurements"] = content["measurements"][:1]
    assert_same_nll(content)


@pytest.fixture(scope="module")
def published(data_folder: Path) -> dict[str, Any]:
    """JSON files of a published ATLAS likelihood by name."""
    with tarfile.open(data_folder / ARCHIVE) as archive:
        wanted = [
            name
            for name in archive.getnames()
            if name.endswith(("BkgOnly.json", "patch.sbottom_600_280_150.json"))
        ]
        return {name: json.load(archive.extractfile(name)) for name in wanted}


@pytest.mark.parametrize("region", ["RegionA", "RegionB", "RegionC"])
def test_a_published_likelihood_is_pyhfs(published, region):
    content = published[f"{region}/BkgOnly.json"]
    patch = published[f"{region}/patch.sbottom_600_280_150.json"]
    assert_same_nll(patched(content, patch), seeds=3)
    if region == "RegionA":
        assert spec_from_workspace(content).poi is None
        assert spec_from_workspace(content, patch=patch).poi == "mu_SIG"


@pytest.mark.slow
def test_a_published_fit_is_pyhfs_with_minuit(published):
    import pyhf

    content = patched(
        published["RegionA/BkgOnly.json"], published["RegionA/patch.sbottom_600_280_150.json"]
    )
    pyhf_model, data = theirs(content)
    pyhf.set_backend("numpy", pyhf.optimize.minuit_optimizer())
    try:
        values, twice = pyhf.infer.mle.fit(data, pyhf_model, return_fitted_val=True)
    finally:
        pyhf.set_backend("numpy")
    found = fit(Model(spec_from_workspace(content)))
    # Minuit stops at a vertical distance of 1e-4 of twice the nll, about 0.01 errors.
    assert -2e-4 < 2 * found.nll - float(twice) < 1e-7
    for name, value in zip(pyhf_model.config.par_names, values, strict=True):
        parameter = found.by_name[name]
        assert abs(parameter.value - value) < 0.01 * parameter.error + 1e-9


def same_up_to_a_constant(spec: LikelihoodSpec, back: LikelihoodSpec) -> None:
    """Both likelihoods fall equally from their maximum along the parameters they share."""
    one, two = fit(Model(spec), minos=["mu"]), fit(Model(back), minos=["mu"])
    assert one.quality.converged
    assert two.quality.converged
    for name in set(one.by_name) & set(two.by_name):
        assert two.by_name[name].value == pytest.approx(one.by_name[name].value, abs=1e-6)
        assert two.by_name[name].error == pytest.approx(one.by_name[name].error, rel=1e-5, abs=1e-9)
    assert two.by_name["mu"].up == pytest.approx(one.by_name["mu"].up, rel=1e-4)
    assert two.by_name["mu"].down == pytest.approx(one.by_name["mu"].down, rel=1e-4)


@pytest.mark.parametrize("measurement", ["first", "second"])
def test_a_workspace_read_and_written_is_the_same_likelihood(measurement):
    spec = spec_from_workspace(workspace(), measurement=measurement)
    written = workspace_from_spec(spec)
    assert_same_nll(json.loads(json.dumps(written)))
    model, back = Model(spec), Model(spec_from_workspace(written))
    assert sorted(model.names) == sorted(back.names)
    order = [back.index(name) for name in model.names]
    for seed in range(5):
        values = values_near(model, seed)
        again = np.empty_like(values)
        again[order] = values
        assert back.nll(again, back.data) == pytest.approx(model.nll(values, model.data), rel=1e-9)


def with_gammas(constraint: Any, *, users: int = 3, missing: int | None = None) -> LikelihoodSpec:
    """A smooth likelihood whose gammas have one kind of constraint and act on some samples."""
    spec = mixed(3, smooth=True, systematics=2)
    parameters = [
        replace(row, constraint=constraint) if row.role == "gamma" else row
        for row in spec.parameters
    ]
    channels = []
    for channel in spec.channels:
        samples = []
        for at, sample in enumerate(channel.samples):
            modifiers = []
            for modifier in sample.modifiers:
                if isinstance(modifier, BinScale):
                    if at >= users:
                        continue
                    if missing is not None and at == 1:
                        names = list(modifier.parameters)
                        names[missing] = None
                        modifiers.append(BinScale(tuple(names)))
                        continue
                modifiers.append(modifier)
            samples.append(replace(sample, modifiers=tuple(modifiers)))
        channels.append(replace(channel, samples=tuple(samples)))
    return replace(spec, parameters=tuple(parameters), channels=tuple(channels))


@pytest.mark.parametrize(
    ("constraint", "options", "kinds"),
    [
        (Poisson(300.0), {"users": 1}, {"shapesys"}),
        (Poisson(300.0), {}, {"shapefactor"}),
        (Poisson(300.0, 280.0), {"missing": 1}, {"shapefactor"}),
        (Gaussian(1.0, 0.07), {}, {"staterror"}),
        (Gaussian(0.98, 0.07), {"missing": 1}, {"staterror"}),
    ],
    ids=["own", "shared", "shared, not everywhere", "Gaussian", "Gaussian, not everywhere"],
)
def test_gammas_survive_being_written(constraint, options, kinds):
    spec = with_gammas(constraint, **options)
    written = workspace_from_spec(spec)
    found = {
        modifier["type"]
        for channel in written["channels"]
        for sample in channel["samples"]
        for modifier in sample["modifiers"]
    }
    assert found == {"normfactor", "normsys", "histosys", *kinds}
    assert_same_nll(written)
    same_up_to_a_constant(spec, spec_from_workspace(written))


def test_what_pyhf_cannot_express_is_refused():
    spec = mixed(1)  # with other interpolation codes, and both kinds of gammas together
    with pytest.raises(InputError) as caught:
        workspace_from_spec(spec)
    text = str(caught.value)
    assert "interpolation code other than 4 and 4p" in text
    assert "pyhf has no set of factors such as `gamma_0`" in text
    free = mixed(1, smooth=True)
    loose = [
        replace(row, constraint=None) if row.role == "systematic" else row
        for row in free.parameters
    ]
    with pytest.raises(InputError, match="`s0` has no unit Gaussian constraint"):
        workspace_from_spec(replace(free, parameters=tuple(loose)))
    empty = replace(free, channels=tuple(replace(row, data=None) for row in free.channels))
    with pytest.raises(InputError, match="channel `C0`  a workspace has observations"):
        workspace_from_spec(empty)


def spoilt(change: Any) -> dict[str, Any]:
    content = copy.deepcopy(workspace())
    change(content)
    return content


def first_modifiers(content: dict[str, Any]) -> list[dict[str, Any]]:
    return content["channels"][0]["samples"][0]["modifiers"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("observations"), "QL-FIT-005  workspace  `observations` is missing"),
        (
            lambda w: first_modifiers(w).append({"name": "x", "type": "normsy", "data": None}),
            r"samples\[0\].modifiers\[2\]  pyhf has no modifier of type `normsy`\n.*`normsys`",
        ),
        (
            lambda w: (
                w["channels"][1]["samples"].pop(0)["data"].append(1.0)
                or w["channels"][0]["samples"][0]["data"].append(1.0)
            ),
            "QL-FIT-003",
        ),
        (
            lambda w: first_modifiers(w).append(first_modifiers(w)[0]),
            "normfactor `mu` on sample `signal` of channel `SR`  it is there twice",
        ),
        (
            lambda w: w["channels"][1]["samples"][2]["modifiers"].append(
                {"name": "mc_CR", "type": "normfactor", "data": None}
            ),
            "the normfactor `mc_CR` has a name that other parameters have",
        ),
        (
            lambda w: w["measurements"][0]["config"]["parameters"].clear(),
            "parameter `lumi`  the measurement does not say its inits, bounds, auxdata, sigmas",
        ),
        (
            lambda w: w["measurements"][0]["config"]["parameters"].append(
                {"name": "mu", "inits": [1.0, 2.0]}
            ),
            "parameter `mu` of the measurement  2 inits for 1 parameters",
        ),
        (
            lambda w: w["measurements"][0]["config"]["parameters"].append(
                {"name": "mu", "sigmas": [1.0]}
            ),
            "it has no sigmas",
        ),
        (
            lambda w: w["channels"][0]["samples"][1]["modifiers"].append(
                {"name": "short", "type": "staterror", "data": [1.0]}
            ),
            "1 errors where the channel has 3 bins",
        ),
    ],
    ids=["schema", "modifier", "lengths", "twice", "clash", "lumi", "inits", "sigmas", "errors"],
)
def test_wrong_workspaces_are_refused_with_the_place(change, message):
    with pytest.raises(InputError, match=message):
        Model(spec_from_workspace(spoilt(change)))


def schema_allows(content: Any) -> bool:
    """Whether pyhf's own schema has nothing against a workspace."""
    import pyhf

    try:
        pyhf.schema.validate(content, "workspace.json")
    except pyhf.exceptions.InvalidSpecification:
        return False
    return True


def spots(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of a JSON value, one of each kind of list."""
    if isinstance(content, dict):
        inside = [place for key in content for place in spots(content[key], (*path, key))]
    elif isinstance(content, list):
        inside = [place for at in range(len(content)) for place in spots(content[at], (*path, at))]
    else:
        inside = []
    return [path, *inside]


def with_value(content: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(content)
    target = changed
    for key in path[:-1]:
        target = target[key]
    if value is KeyError:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return changed


OTHERS = [None, "text", 1, -2.5, [], [1.0], ["text"], {}, {"name": "x"}, [[0.0]]]


@pytest.mark.parametrize(
    "value",
    [KeyError, *(pytest.param(value, marks=pytest.mark.slow) for value in OTHERS)],
    ids=repr,
)
def test_the_types_allow_what_pyhfs_schema_allows(value):
    content = workspace()
    content["channels"] = content["channels"][:1]
    content["measurements"] = content["measurements"][1:]
    for path in spots(content)[1:]:
        changed = with_value(content, path, value)
        assert (not schema_findings(changed)) == schema_allows(changed), path


def test_wrong_measurements_and_patches_are_refused():
    with pytest.raises(InputError, match="no measurement `frist`\n   did you mean `first`"):
        spec_from_workspace(workspace(), measurement="frist")
    wrong = [{"op": "replace", "path": "/channels/7/name", "value": "x"}]
    with pytest.raises(InputError, match=r"QL-FIT-006.*cannot be applied"):
        spec_from_workspace(workspace(), patch=wrong)


def test_a_patch_changes_a_copy():
    content = workspace()
    before = copy.deepcopy(content)
    changed = patched(content, [{"op": "replace", "path": "/channels/0/name", "value": "x"}])
    assert changed["channels"][0]["name"] == "x"
    assert content == before


def test_not_a_number_is_refused_before_any_fit():
    content = workspace()
    content["channels"][0]["samples"][0]["data"][1] = math.nan
    with pytest.raises(InputError, match="bin 1 holds nan"):
        Model(spec_from_workspace(content))


def test_a_missing_extra_is_one_line(monkeypatch):
    extras = "quarkline.engine.core.extras"
    monkeypatch.setattr(f"{extras}._packages", lambda extra: ["iminuit", "pyhf"])
    monkeypatch.setattr(f"{extras}._installed", lambda name: False)
    with pytest.raises(InputError, match=r'pip install "quarkline\[fit\]"'):
        patched(workspace(), [])
