"""Every published hunt, against numbers recorded by its authors and an independent solver."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.statistics import FitStatus, HuntBinning, bump_hunt, fit_batch

CASES = (
    *(
        f"OS_{degree}_{edges}{on}"
        for degree in (3, 5)
        for edges in (8, 12)
        for on in ("", "_on_SS")
    ),
    *(f"OS_7_{edges}{on}" for edges in (8, 12, 16) for on in ("", "_on_SS")),
    "SS_5_12_on_OS",
)


def test_the_cases_are_all_there(published):
    assert sorted(CASES) == sorted(published.expected["cases"])
    assert sum(len(case["cuts"]) for case in published.expected["cases"].values()) == 105


@pytest.mark.parametrize("name", CASES)
def test_every_cut_of_a_case(published, name):
    case = published.expected["cases"][name]
    spectrum = published.spectrum(case)
    found = fit_batch(spectrum, case["poly_degree"])
    assert not found.failed.any()
    for index, cut in enumerate(case["cuts"]):
        assert spectrum.sidebands[index].sum() == cut["n_sb_binned"]
        assert found.n_window[index] == cut["n_sr"]
        assert found.z[index] == pytest.approx(cut["z_converged"], abs=1e-6)
        assert found.signal[index] == pytest.approx(cut["S_converged"], abs=1e-3)
        assert found.background[index] == pytest.approx(cut["B_converged"], abs=1e-3)
        if cut["primary"]:
            assert found.z[index] == pytest.approx(cut["z_recorded"], abs=1e-3)


@pytest.mark.parametrize("degree", [3, 5, 7])
@pytest.mark.parametrize("edges", [8, 12, 16])
def test_before_isolation(published, degree, edges):
    expected = published.expected["preiso"].get(f"{degree}_{edges}")
    if expected is None:
        assert (edges, degree) in {(16, 3), (16, 5)}  # withheld
        return
    spectrum = HuntBinning(bins=edges - 1).count(published.before_isolation)
    found = fit_batch(spectrum, degree)
    assert found.z == pytest.approx(expected["z_converged"], abs=1e-6)
    assert found.signal == pytest.approx(expected["S_converged"], abs=1e-3)


def test_the_paper_before_any_cut(published):
    found = bump_hunt(HuntBinning().count(published.events["OS"]["mass"]), 5)
    assert found.status is FitStatus.CONVERGED
    assert found.z_local == pytest.approx(1.59558, abs=1e-5)
    assert found.signal.value == pytest.approx(97.16, abs=0.01)
    assert found.background.value == pytest.approx(1594.84, abs=0.01)
    assert found.p_local == pytest.approx(0.0552913, rel=1e-4)


def test_published_toys_agree_with_ours(published, data_folder):
    """500 toys of the authors, from flows and through their fits, at the loosest cut."""
    from quarkline.statistics import expected_background, toy_hunts

    with np.load(data_folder / "upsilon_cms" / "bkg_toys_z.npz", allow_pickle=False) as file:
        theirs = file["z_toys"][0]
    spectrum = HuntBinning().count(published.events["OS"]["mass"])
    ours = toy_hunts(expected_background(spectrum, 5), 5, 4000).z
    for level in (0.0, 0.5, 1.0):
        fraction = (ours > level).mean()
        error = np.sqrt(fraction * (1 - fraction) / np.isfinite(theirs).sum())
        assert (theirs > level).mean() == pytest.approx(fraction, abs=4 * error)
