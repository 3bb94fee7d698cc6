"""What systematic variations do to the score."""

from __future__ import annotations

from quarkline.report import Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.statistics.evaluation import ScoreShifts


def systematics_section(results: Results, draw: Figures) -> Section:
    """The variations, those that move the score most first."""
    found = result_of(results, "systematics", ScoreShifts)
    if not found.shifts:
        return Section("Systematics", [Text("No systematic changes the score.", "evaluate")])
    worst = found.shifts[0]
    rows: list[Row] = [
        [
            shift.name,
            shift.side,
            number(shift.mean),
            number(shift.rms),
            _percent(shift.largest),
            *(_percent(change) for change in shift.yields),
            number(shift.auc),
            number(shift.significance),
            number(shift.unmatched),
        ]
        for shift in found.shifts
    ]
    return Section(
        "Systematics",
        [
            Text(
                f"`{worst.name}` ({worst.side}) moves the score most: the background changes by "
                f"{_percent(worst.largest)} in the bin from {worst.largest_bin[0]:.3g} to "
                f"{worst.largest_bin[1]:.3g}.",
                "evaluate",
            ),
            Table(
                "systematics",
                [
                    "systematic",
                    "side",
                    "mean shift",
                    "rms",
                    "largest change of a bin",
                    *(f"{name} events" for name in found.classes),
                    "AUC",
                    "significance",
                    "rows on one side only",
                ],
                rows,
                "evaluate",
                "Shifts of the score, of expected events, and of what they lead to.",
            ),
            draw("systematics", "The same as a figure.", "evaluate"),
        ],
    )


def _percent(change: float) -> str:
    return f"{100 * change:+.2g} %"
