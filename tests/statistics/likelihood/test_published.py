"""A published likelihood of ATLAS (HEPData ins1748602): pyhf's numbers, and a limit for all."""

from __future__ import annotations

import warnings
from pathlib import Path

import pyhf
import pytest

from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.limits import asymptotic_limit, cls_points
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.workspace import patched, spec_from_workspace
from quarkline.tools.workspaces import read_json, read_likelihood

REGIONS = [
    pytest.param("RegionA", marks=pytest.mark.slow),
    "RegionB",
    pytest.param("RegionC", marks=pytest.mark.slow),
]
FAST = [("RegionA", "sbottom_1300_850_60")]
SLOW = [  # signals that the data can tell: pyhf's minimiser stops early for weaker ones
    ("RegionA", "sbottom_1000_650_60"),
    ("RegionA", "sbottom_1100_450_60"),
    ("RegionA", "sbottom_1300_205_60"),
    ("RegionA", "sbottom_1600_850_60"),
    ("RegionB", "sbottom_400_390_260"),
    ("RegionB", "sbottom_600_280_150"),
    ("RegionB", "sbottom_800_550_60"),
    ("RegionC", "sbottom_1100_1095_60"),
    ("RegionC", "sbottom_1400_650_60"),
    ("RegionC", "sbottom_1600_1050_60"),
    ("RegionC", "sbottom_700_650_60"),
]


@pytest.fixture(scope="module")
def archive(data_folder) -> Path:
    return data_folder / "root_samples" / "pyhf-ins1748602-probability-models.tar.gz"


@pytest.fixture(autouse=True)
def _own_backend():
    """pyhf with its own optimiser, whatever other tests have set."""
    pyhf.set_backend("numpy", "scipy")


def theirs(archive: Path, region: str, patch: str | None) -> tuple[pyhf.Model, list[float]]:
    read = read_json(f"{archive}:{region}", patch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        workspace = pyhf.Workspace(patched(read.content, read.operations or []))
        model = workspace.model(poi_name="mu_SIG" if patch else None)
    return model, workspace.data(model)


def bounds(model: pyhf.Model) -> list[tuple[float, float]]:
    """Those of the model, but for the signal's, which is 10 in pyhf unless something is said."""
    found = model.config.suggested_bounds()
    found[model.config.poi_index] = (0.0, 1e3)
    return found


def check_cls(archive: Path, region: str, patch: str, *, at_limit: bool) -> None:
    """CLs with and without a look at the data are pyhf's, for the signal as it is or its limit."""
    ours = Model(read_likelihood(f"{archive}:{region}", patch=patch).spec)
    model, data = theirs(archive, region, patch)
    limit = asymptotic_limit(ours, ours.data)
    assert limit.complete
    for value in (1.0, limit.observed) if at_limit else (1.0,):
        (point,) = cls_points(ours, ours.data, [value])
        observed, expected = pyhf.infer.hypotest(
            value, data, model, par_bounds=bounds(model), return_expected_set=True
        )
        assert point.observed == pytest.approx(float(observed), abs=1e-4)
        assert point.expected == pytest.approx([float(x) for x in expected], abs=1e-4)


@pytest.mark.parametrize("region", REGIONS)
def test_the_background_fit_is_that_of_pyhf(archive, region):
    read = read_json(f"{archive}:{region}")
    ours = Model(spec_from_workspace(read.content))
    model, data = theirs(archive, region, None)
    values, twice = pyhf.infer.mle.fit(data, model, return_fitted_val=True)
    found = fit(ours, ours.data)
    assert found.quality.converged
    assert found.nll == pytest.approx(float(twice) / 2.0, abs=1e-4)
    assert found.nll <= float(twice) / 2.0 + 1e-6
    theirs_by_name = dict(zip(model.config.par_names, values, strict=True))
    for row in found.parameters:
        assert row.value == pytest.approx(theirs_by_name[row.name], abs=0.02 * row.error)


@pytest.mark.parametrize(("region", "patch"), FAST)
def test_cls_is_that_of_pyhf(archive, region, patch):
    check_cls(archive, region, patch, at_limit=False)


@pytest.mark.slow
@pytest.mark.parametrize(("region", "patch"), SLOW)
def test_cls_and_limits_of_more_signals_are_those_of_pyhf(archive, region, patch):
    check_cls(archive, region, patch, at_limit=True)


@pytest.mark.slow
@pytest.mark.parametrize("region", ["RegionA", "RegionB", "RegionC"])
def test_every_tenth_signal_has_limits(archive, region):
    names = read_json(f"{archive}:{region}").patches[::10]
    for name in names:
        model = Model(read_likelihood(f"{archive}:{region}", patch=name).spec)
        limit = asymptotic_limit(model, model.data)
        found = [value for value in limit.expected if value is not None]
        assert limit.observed is not None, (name, limit.note)
        assert found == sorted(found)
        # errors of a signal's simulation can hide it whatever its strength is
        assert limit.complete or "CLs stays above 0.05" in limit.note, (name, limit.note)
