"""Figures of likelihood fits: results of fits and predictions in, matplotlib figures out."""

from quarkline.figures.fits.correlation import plot_parameter_correlation
from quarkline.figures.fits.impacts import plot_grouped_impacts, plot_ranking
from quarkline.figures.fits.likelihood import plot_likelihood_scan, plot_likelihood_surface
from quarkline.figures.fits.limits import plot_cls, plot_limit_series, plot_limits
from quarkline.figures.fits.prediction import plot_prediction, plot_summary
from quarkline.figures.fits.pulls import plot_gammas, plot_norm_factors, plot_pulls
from quarkline.figures.fits.rows import pages

__all__ = [
    "pages",
    "plot_cls",
    "plot_gammas",
    "plot_grouped_impacts",
    "plot_likelihood_scan",
    "plot_likelihood_surface",
    "plot_limit_series",
    "plot_limits",
    "plot_norm_factors",
    "plot_parameter_correlation",
    "plot_prediction",
    "plot_pulls",
    "plot_ranking",
    "plot_summary",
]
