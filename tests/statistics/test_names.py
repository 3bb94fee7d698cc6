"""The public names of the floor, and what it may import."""

from __future__ import annotations

import subprocess
import sys

import quarkline.statistics as floor


def test_the_names_are_a_contract():
    assert floor.__all__ == [
        "BACKGROUNDS",
        "NAN_MASS",
        "BestWindow",
        "BumpHuntResult",
        "DegreeRow",
        "DegreeTest",
        "FitStatus",
        "GlobalSignificance",
        "HuntBatch",
        "HuntBinning",
        "HuntModel",
        "InjectionRow",
        "InjectionTest",
        "KsResult",
        "MassScanResult",
        "PValueRow",
        "Power",
        "ReweightedToys",
        "RocResult",
        "Spectrum",
        "SpectrumFit",
        "SpectrumGrid",
        "SpectrumScanResult",
        "SpuriousRow",
        "SpuriousSignal",
        "TrialsFactor",
        "TrialsRow",
        "WindowStatus",
        "auc",
        "binomial_interval",
        "bump_hunt",
        "degree_test",
        "excess_significance",
        "expected_background",
        "fit_band",
        "fit_batch",
        "fit_curve",
        "gaussian_signal",
        "global_significance",
        "hunt_model",
        "hunt_result",
        "injection_seed",
        "injection_test",
        "ks_two_sample",
        "likelihood_ratio_weights",
        "p_from_z",
        "p_value_rows",
        "poisson_interval",
        "power",
        "predicted_background",
        "reweighted_hunts",
        "roc_curve",
        "scan_spectrum",
        "scan_windows",
        "spectrum_fit",
        "spurious_signal",
        "tail_fraction",
        "threshold_at_fpr",
        "toy_hunts",
        "toy_p_value",
        "trials_factor",
        "window_positions",
        "with_scan",
        "with_toys",
        "z_from_p",
    ]
    assert all(hasattr(floor, name) for name in floor.__all__)


def test_importing_it_is_light():
    code = "import quarkline.statistics, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"torch", "matplotlib", "awkward", "scipy.stats", "scipy.optimize"} & set(
        loaded.split()
    )
