"""Limits and significances in ROOT files."""

from __future__ import annotations

import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.statistics.likelihood.results import CLsLimit, DiscoverySignificance, LimitPoint
from quarkline.trexfitter.outputs import limits

EXPECTED = (0.5, 0.75, 1.0, 1.5, 2.0)


def limit(**changes) -> CLsLimit:
    points = (LimitPoint(1.0, 0.2, (0.0, 0.01, 0.05, 0.2, 0.4)),)
    content = {
        "poi": "mu",
        "level": 0.95,
        "observed": 1.25,
        "expected": EXPECTED,
        "injected": None,
        "injected_value": None,
        "points": points,
        "method": "asymptotic",
        "complete": True,
    }
    return CLsLimit(**content | changes)


def test_a_limit_is_one_entry_of_floats(tmp_path):
    path = limits.write_limit(tmp_path / "a.root", limit(), best=0.5, label="mass", value=300.0)
    with uproot.open(path) as file:
        tree = file["stats"]
        values = tree.arrays(library="np")
        assert tree.num_entries == 1
        assert set(tree.typenames().values()) == {"float"}
    assert values["obs_upperlimit"][0] == 1.25
    assert values["exp_upperlimit_minus2"][0] == 0.5
    assert values["exp_upperlimit_plus2"][0] == 2.0
    assert values["mass"][0] == 300.0
    assert values["mu_hat_obs"][0] == 0.5


def test_limits_come_back(tmp_path):
    path = limits.write_limit(tmp_path / "a.root", limit(observed=None), best=None)
    found = limits.read_limit(path)
    assert found.expected == EXPECTED
    assert found.observed is None


def test_a_significance_is_one_entry(tmp_path):
    found = DiscoverySignificance("mu", 4.0, 0.02275, 2.0, 3.0, 1.0)
    path = limits.write_significance(tmp_path / "a.root", found)
    with uproot.open(path) as file:
        values = file["p0"].arrays(library="np")
    assert values["obs_sig"][0] == 2.0
    assert values["med_q0"][0] == 9.0
    assert values["med_pval"][0] == pytest.approx(1.35e-3, rel=1e-3)


def test_names_tell_blind_ones():
    assert limits.limit_name("myLimit", "_a", 0.95, blind=True) == "myLimit_a_BLIND_CL95.root"
    assert limits.significance_name("mySignificance", "", blind=False) == "mySignificance_p0.root"


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="run action `l` first"):
        limits.read_limit(tmp_path / "a.root")
    limits.write_significance(
        tmp_path / "a.root", DiscoverySignificance("mu", None, None, None, 3.0, 1.0)
    )
    with pytest.raises(InputError, match="holds no tree `stats`"):
        limits.read_limit(tmp_path / "a.root")
