"""Methods side by side on the same events."""

from __future__ import annotations

from statistics import median

from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.resonance.compare import mean_over_seeds
from quarkline.studies.resonance.methods import METHODS, method_name
from quarkline.studies.resonance.results import ComparedMethod, Comparison

COLUMNS = (
    "method",
    "data in the window against",
    "Z local",
    "signal",
    "Z control",
    "K-S distance",
    "K-S p-value",
)


def methods_section(results: Results, draw: Figures) -> Section:
    """Every compared method at the declared working point and along the scan."""
    comparison = result_of(results, "comparison", Comparison)
    seeds = len(comparison.seeds)
    curves: list[Row] = [
        [number(rate), *(number(item.mean[index]) for item in comparison.methods)]
        for index, rate in enumerate(comparison.rates)
    ]
    each: list[Row] = [
        [
            method_name(item),
            point.seed,
            number(point.hunt.z_local),
            number(point.hunt.signal.value),
            number(point.control.z_local),
            number(point.ks_p_value),
        ]
        for item in comparison.methods
        for point in item.working_point
    ]
    return Section(
        "Methods",
        [
            Text(
                f"Each method searched the same events {seeds} times, from {seeds} seeds, with "
                "flows, generated events and classifiers of its own. Errors are standard errors of "
                "the mean over the seeds: they hold the spread of the training, not that of the "
                "data. None of this enters the quoted result.",
                "compare",
            ),
            draw(
                "method_comparison",
                "Mean significance of each method against the false-positive rate of the cut.",
                "compare",
            ),
            Table(
                "methods",
                COLUMNS,
                [_working_point(item) for item in comparison.methods],
                "compare",
                f"The declared working point, FPR {comparison.working_point:g}. The K-S test "
                "compares the masses of passing and failing sideband events: a small p-value says "
                "that the cut changes their shape. Medians over the seeds are given.",
            ),
            Table(
                "methods-scan",
                ["FPR", *(method_name(item) for item in comparison.methods)],
                curves,
                "compare",
                "Mean local significance at every cut.",
                folded=True,
            ),
            Table(
                "methods-seeds",
                ["method", "seed", "Z local", "signal", "Z control", "K-S p-value"],
                each,
                "compare",
                "The declared working point, seed by seed.",
                folded=True,
            ),
        ],
    )


def _working_point(item: ComparedMethod) -> Row:
    points = item.working_point
    means = [
        mean_over_seeds([point.hunt.z_local for point in points]),
        mean_over_seeds([point.hunt.signal.value for point in points]),
        mean_over_seeds([point.control.z_local for point in points]),
    ]
    return [
        method_name(item),
        METHODS[item.method].against,
        *(number(mean) for mean in means),
        number(median(point.ks_statistic for point in points)),
        number(median(point.ks_p_value for point in points)),
    ]
