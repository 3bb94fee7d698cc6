"""What the search gives without a signal."""

from __future__ import annotations

from quarkline.report import Section, Table, Text, number
from quarkline.studies.resonance.results import Calibration
from quarkline.studies.resonance.sections.parts import (
    Figures,
    Results,
    Row,
    result_of,
    without_unit,
)


def calibration_section(results: Results, draw: Figures) -> Section:
    """Toys through every cut, and the best point of the scan corrected for trials."""
    calibration = result_of(results, "calibration", Calibration)
    best = calibration.best
    rows: list[Row] = [
        [number(rate), number(zero), number(p), number(spurious)]
        for rate, zero, p, spurious in zip(
            calibration.rates,
            calibration.zero_fraction,
            calibration.ks_p_value,
            calibration.spurious,
            strict=True,
        )
    ]
    return Section(
        "Calibration",
        [
            Text(
                f"{calibration.toys:,} background-only toys from the flows went through the frozen "
                "classifiers, every cut and the fit. The best point of the data's scan is "
                f"Z = {best.z_local:.2f} local at FPR {calibration.rates[best.best]:.3g}; "
                f"{number(without_unit(best.p_global)).text} of the toys reach as much at some "
                f"cut, which is Z = {best.z_global:.2f} global"
                + ("." if calibration.resolved else ", a limit set by their number. ")
                + f" Counting each of the {len(calibration.rates)} cuts as a trial gives at least "
                f"Z = {calibration.z_bound:.2f}.",
                "calibrate",
            ),
            Table(
                "calibration",
                ["FPR", "fraction with q0 = 0", "K-S p-value of the rest", "spurious signal"],
                rows,
                "calibrate",
                "Toys: half are expected at zero for large counts, and the others' p-values "
                "uniform. The spurious signal is what the fit finds in generated background, "
                "at the size of the data.",
            ),
            draw(
                "toys",
                "Significances of the toys at the working point, against the asymptotic "
                "expectation.",
                "calibrate",
            ),
            draw("p_value_calibration", "Fraction of toys at or below a p-value.", "calibrate"),
        ],
    )
