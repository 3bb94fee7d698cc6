"""Figures of likelihood fits: results of fits and predictions in, matplotlib figures out."""

from quarkline.figures.fits.compare import plot_poi_comparison
from quarkline.figures.fits.composition import plot_pie_charts, plot_signal_regions
from quarkline.figures.fits.correlation import plot_parameter_correlation
from quarkline.figures.fits.grids import plot_normalisation, plot_pruning
from quarkline.figures.fits.impacts import plot_grouped_impacts, plot_ranking
from quarkline.figures.fits.likelihood import plot_likelihood_scan, plot_likelihood_surface
from quarkline.figures.fits.limits import plot_cls, plot_limit_series, plot_limits
from quarkline.figures.fits.merged import plot_merged
from quarkline.figures.fits.prediction import plot_prediction, plot_summary
from quarkline.figures.fits.pulls import plot_gammas, plot_norm_factors, plot_pulls
from quarkline.figures.fits.rows import pages
from quarkline.figures.fits.shapes import plot_separation
from quarkline.figures.fits.systematics import plot_systematic, plot_systematic_on_total
from quarkline.figures.fits.toys import plot_toy_fits

__all__ = [
    "pages",
    "plot_cls",
    "plot_gammas",
    "plot_grouped_impacts",
    "plot_likelihood_scan",
    "plot_likelihood_surface",
    "plot_limit_series",
    "plot_limits",
    "plot_merged",
    "plot_norm_factors",
    "plot_normalisation",
    "plot_parameter_correlation",
    "plot_pie_charts",
    "plot_poi_comparison",
    "plot_prediction",
    "plot_pruning",
    "plot_pulls",
    "plot_ranking",
    "plot_separation",
    "plot_signal_regions",
    "plot_summary",
    "plot_systematic",
    "plot_systematic_on_total",
    "plot_toy_fits",
]
