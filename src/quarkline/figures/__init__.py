"""Result values in, matplotlib figures out; reads no files and fits nothing."""

from quarkline.figures.calibration import (
    EVENTS,
    IN_SIGMA,
    plot_injection,
    plot_power,
    plot_spurious_signal,
    plot_trials_factor,
)
from quarkline.figures.checks import plot_flow_check, plot_sculpting
from quarkline.figures.choice import plot_choice
from quarkline.figures.compared import ComparedColumn, plot_compared
from quarkline.figures.curves import plot_roc_curves, plot_signal_roc
from quarkline.figures.cutflow import plot_cut_flow
from quarkline.figures.features import (
    FEATURES,
    FeatureStyle,
    feature_style,
    plot_feature_distributions,
)
from quarkline.figures.hunt import plot_hunt, plot_scan
from quarkline.figures.learning_rate import plot_learning_rate_scan
from quarkline.figures.matrices import plot_confusion_matrix, plot_correlation
from quarkline.figures.methods import plot_method_comparison
from quarkline.figures.nminus1 import plot_n_minus_one
from quarkline.figures.outputs import plot_output_agreement, plot_outputs
from quarkline.figures.overtraining import plot_calibration, plot_overtraining
from quarkline.figures.pieces import DIMUON_MASS, MASS, plain_text
from quarkline.figures.ranking import (
    plot_agreement,
    plot_attribution,
    plot_importance,
    plot_score_shifts,
)
from quarkline.figures.save import save, to_svg
from quarkline.figures.scans import (
    plot_p_value_scan,
    plot_significance,
    plot_significance_variations,
)
from quarkline.figures.scores import (
    plot_anomaly_score_distribution,
    plot_roc_curve,
    plot_score_vs_mass,
)
from quarkline.figures.spectrum import (
    FittedSpectrum,
    plot_background_fit,
    plot_control,
    plot_mass_spectrum,
    plot_spectra,
)
from quarkline.figures.spectrum_scan import plot_spectrum_scan
from quarkline.figures.stack import plot_stack
from quarkline.figures.style import Label
from quarkline.figures.tables import Table, drawn
from quarkline.figures.tagging import (
    plot_epoch_history,
    plot_false_positives,
    plot_merit,
    plot_rejection,
    plot_signal_efficiencies,
)
from quarkline.figures.thresholds import (
    plot_binned_significance,
    plot_significance_scan,
    plot_yields,
)
from quarkline.figures.toys import plot_p_value_calibration, plot_toys
from quarkline.figures.training import plot_training_losses, plot_training_metrics
from quarkline.figures.tuning import (
    plot_tuning_history,
    plot_tuning_importance,
    plot_tuning_slices,
)

__all__ = [
    "DIMUON_MASS",
    "EVENTS",
    "FEATURES",
    "IN_SIGMA",
    "MASS",
    "ComparedColumn",
    "FeatureStyle",
    "FittedSpectrum",
    "Label",
    "Table",
    "drawn",
    "feature_style",
    "plain_text",
    "plot_agreement",
    "plot_anomaly_score_distribution",
    "plot_attribution",
    "plot_background_fit",
    "plot_binned_significance",
    "plot_calibration",
    "plot_choice",
    "plot_compared",
    "plot_confusion_matrix",
    "plot_control",
    "plot_correlation",
    "plot_cut_flow",
    "plot_epoch_history",
    "plot_false_positives",
    "plot_feature_distributions",
    "plot_flow_check",
    "plot_hunt",
    "plot_importance",
    "plot_injection",
    "plot_learning_rate_scan",
    "plot_mass_spectrum",
    "plot_merit",
    "plot_method_comparison",
    "plot_n_minus_one",
    "plot_output_agreement",
    "plot_outputs",
    "plot_overtraining",
    "plot_p_value_calibration",
    "plot_p_value_scan",
    "plot_power",
    "plot_rejection",
    "plot_roc_curve",
    "plot_roc_curves",
    "plot_scan",
    "plot_score_shifts",
    "plot_score_vs_mass",
    "plot_sculpting",
    "plot_signal_efficiencies",
    "plot_signal_roc",
    "plot_significance",
    "plot_significance_scan",
    "plot_significance_variations",
    "plot_spectra",
    "plot_spectrum_scan",
    "plot_spurious_signal",
    "plot_stack",
    "plot_toys",
    "plot_training_losses",
    "plot_training_metrics",
    "plot_trials_factor",
    "plot_tuning_history",
    "plot_tuning_importance",
    "plot_tuning_slices",
    "plot_yields",
    "save",
    "to_svg",
]
