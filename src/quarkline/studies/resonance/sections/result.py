"""The quoted result, the scans beside it, and the control of the other sign."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.resonance.calibration_results import Calibration, Envelope, Reweighting
from quarkline.studies.resonance.results import Bump, Scans, WorkingPoint
from quarkline.studies.resonance.sections.parts import (
    HUNT_COLUMNS,
    cut_on,
    hunt_row,
    quoted_row,
    signs,
    without_unit,
)


def headline(results: Results) -> str:
    """The quoted result in one sentence."""
    point = result_of(results, "working_point", WorkingPoint)
    scans = result_of(results, "scans", Scans)
    calibration = result_of(results, "calibration", Calibration)
    _, control = signs(results)
    hunt, inclusive = point.hunt, scans.scans[0].points[0]
    signal = f"S = {hunt.signal.value:.0f} ± {hunt.signal.up or 0.0:.0f}"
    return (
        f"Z = {hunt.z_local:.1f} σ local at the declared FPR of {point.rate:g} "
        f"(inclusive {inclusive.z_local:.1f} σ) · {signal} · "
        f"{control} {point.control.z_local:.1f} σ · "
        f"best of the scan {calibration.z_global:.1f} σ global"
    )


def result_section(results: Results, draw: Figures) -> Section:
    """The quoted hunt, and all others."""
    point = result_of(results, "working_point", WorkingPoint)
    scans = result_of(results, "scans", Scans)
    searched, control = signs(results)
    methods = [scan.best for scan in scans.scans]
    rows: list[Row] = [
        ["declared working point", *quoted_row(point.rate, point.events, point.hunt)],
        ["no cut", *hunt_row(scans.scans[0].points[0])],
        _reweighted_row(scans.reweighted, result_of(results, "reweighting", Reweighting)),
        *(
            [f"best of the scan: {cut_on(scan)}", *hunt_row(best)]
            for scan, best in zip(scans.scans, methods, strict=True)
        ),
        [
            f"{control}, declared working point",
            *quoted_row(point.rate, point.control_events, point.control),
        ],
    ]
    spread = result_of(results, "envelope", Envelope).refitted
    blocks: list[Block] = [
        Text(
            "The significance that is quoted belongs to the working point declared in the config: "
            f"Z = {spread.z.nominal:.2f}, between {spread.z.low:.2f} and {spread.z.high:.2f} over "
            f"{spread.variations} degrees and bins of the fit. "
            "The best points of the scans are shown beside it; they were chosen after looking, and "
            "the section on calibration gives the trials-corrected value.",
        ),
        Table("result", ["selection", *HUNT_COLUMNS], rows, "hunt", "Bump hunts in the window."),
    ]
    if point.hunt.p_toys is not None:
        text = number(without_unit(point.hunt.p_toys)).text
        blocks.append(
            Text(
                f"Local p-value at the working point by {point.hunt.n_toys:,} toys of the "
                f"background-only "
                f"fit: {text} (asymptotic {point.hunt.p_local:.2g}). With no toy above the "
                "observation this is an upper limit set by their number.",
                "hunt",
            )
        )
    return Section(
        "Result",
        [
            *blocks,
            draw(
                "spectra",
                f"Pairs of {searched} behind cuts of falling false-positive rate, with the fit of "
                "the sidebands.",
                "hunt",
            ),
            draw("background_fit", "The hunt at the working point.", "hunt"),
            draw(
                "significance",
                "Local significance of each mass bin at the working point over the fit of the "
                "sidebands, whose error is part of it. It is not corrected for the number of bins.",
                "hunt",
            ),
            Table(
                "scan",
                ["method", *HUNT_COLUMNS],
                [[cut_on(scan), *hunt_row(bump)] for scan in scans.scans for bump in scan.points],
                "hunt",
                "Every hunt of every scan.",
                folded=True,
            ),
        ],
    )


def control_section(results: Results, draw: Figures) -> Section:
    """The hunt in pairs of the other sign."""
    scans = result_of(results, "scans", Scans)
    searched, control = signs(results)
    best = scans.control.best
    return Section(
        f"{control.capitalize()} as control",
        [
            Text(
                f"The classifier trained on pairs of {searched} is applied to pairs of {control}, "
                "behind the same cuts. No resonance decays to two equal charges. The largest local "
                f"significance of its scan is {best.z_local:.2f} at FPR {best.rate:.3g}.",
                "hunt",
            ),
            draw("control", "Pairs of both signs at the working point.", "hunt"),
            draw("control_scan", f"The scan of the false-positive rate, {control}.", "hunt"),
        ],
    )


def _reweighted_row(bump: Bump, reweighting: Reweighting) -> Row:
    """The reweighted hunt; its significance is that of toys unless these confirm the other."""
    row = hunt_row(bump)
    if reweighting.agrees:
        return ["all events, reweighted", *row]
    z, p = HUNT_COLUMNS.index("Z local"), HUNT_COLUMNS.index("p local")
    row[z] = number(reweighting.z_toys)
    row[p] = number(without_unit(reweighting.p_toys))
    name = "by toys" if reweighting.resolved else "limit of the toys"
    return [f"all events, reweighted; Z and p {name}", *row]
