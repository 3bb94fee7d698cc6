"""Arrays and histograms in, result values out: hunts, fits, toys; no files, no torch."""

from __future__ import annotations

from quarkline.statistics.backgrounds import BACKGROUNDS
from quarkline.statistics.band import fit_band, fit_curve
from quarkline.statistics.batch import FitStatus, HuntBatch, fit_batch
from quarkline.statistics.binning import NAN_MASS, HuntBinning, Spectrum
from quarkline.statistics.cuts import likelihood_ratio_weights, threshold_at_fpr
from quarkline.statistics.degree import DegreeRow, DegreeTest, degree_test
from quarkline.statistics.hunt import (
    BumpHuntResult,
    SpectrumFit,
    bump_hunt,
    hunt_result,
    spectrum_fit,
    with_scan,
    with_toys,
)
from quarkline.statistics.injection import (
    InjectionRow,
    InjectionTest,
    gaussian_signal,
    injection_seed,
    injection_test,
    predicted_background,
)
from quarkline.statistics.ks import KsResult, ks_two_sample
from quarkline.statistics.model import HuntModel, hunt_model
from quarkline.statistics.power import Power, power
from quarkline.statistics.reweighted import ReweightedToys, reweighted_hunts
from quarkline.statistics.roc import RocResult, auc, roc_curve
from quarkline.statistics.scan import MassScanResult, scan_windows, window_positions
from quarkline.statistics.significance import (
    binomial_interval,
    excess_significance,
    p_from_z,
    poisson_interval,
    tail_fraction,
    z_from_p,
)
from quarkline.statistics.spectrum_grid import SpectrumGrid
from quarkline.statistics.spectrum_scan import (
    BestWindow,
    SpectrumScanResult,
    WindowStatus,
    scan_spectrum,
)
from quarkline.statistics.spurious import SpuriousRow, SpuriousSignal, spurious_signal
from quarkline.statistics.toys import expected_background, toy_hunts, toy_p_value
from quarkline.statistics.trials import (
    GlobalSignificance,
    PValueRow,
    TrialsFactor,
    TrialsRow,
    global_significance,
    p_value_rows,
    trials_factor,
)

__all__ = [
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
