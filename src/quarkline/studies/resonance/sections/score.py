"""The score, and what a cut on it does to the mass."""

from __future__ import annotations

from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.resonance.methods import METHODS, method_name
from quarkline.studies.resonance.results import Classification, Sculpting


def score_section(results: Results, draw: Figures) -> Section:
    """Scores by region, and the mass behind cuts on them."""
    sculpting = result_of(results, "sculpting", Sculpting)
    made = result_of(results, "classification", Classification)
    rows: list[Row] = [
        [number(rate), number(distance), number(p)]
        for rate, distance, p in zip(
            sculpting.rates, sculpting.statistic, sculpting.p_value, strict=True
        )
    ]
    return Section(
        "Score",
        [
            Text(
                f"{method_name(made)}: classifiers told {made.candidates:,} pairs in the window "
                f"from {METHODS[made.method].against}, {made.templates:,} events, out of "
                f"{made.folds} folds in {made.repetitions} repetitions.",
                "classify",
            ),
            draw(
                "anomaly_score_distribution",
                "The score by region; the line is the working point's cut.",
                "classify",
            ),
            draw("score_vs_mass", "Score against mass.", "classify"),
            draw(
                "feature_distributions",
                "Features of events in the window behind cuts of falling rate.",
                "classify",
            ),
            Text(
                "A cut may change the shape of the background's mass as long as it stays "
                "smooth: the classifier sees no mass, but backgrounds of different origin "
                "have different spectra. Passing and failing sideband events are compared; "
                "the spurious signal under Calibration says what it does to the fit."
            ),
            Table(
                "sculpting",
                ["FPR", "K-S distance", "p-value"],
                rows,
                "hunt",
                "Shape of the sidebands' mass, passing against failing.",
            ),
            draw("sculpting", "Sideband masses before and after a cut.", "hunt"),
        ],
    )
