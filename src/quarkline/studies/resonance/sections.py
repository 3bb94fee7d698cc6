"""The report of a resonance search, section by section."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from quarkline.engine.core.results import Quantity, Result
from quarkline.engine.workflow.runs import Run
from quarkline.report import Block, Cell, Figure, Page, Section, Table, Text, number, write_page
from quarkline.statistics import BumpHuntResult
from quarkline.studies.resonance.results import (
    BackgroundModel,
    Bump,
    Calibration,
    FlowCheck,
    Scan,
    Scans,
    Sculpting,
    Selection,
    Variations,
    WorkingPoint,
)

R = TypeVar("R", bound=Result)
Row = list[Cell | str | float | int | None]

HUNT_COLUMNS = (
    "FPR",
    "events",
    "in the window",
    "signal",
    "background",
    "q0",
    "Z local",
    "p local",
    "fit",
)


def headline(point: WorkingPoint, scans: Scans, calibration: Calibration) -> str:
    """The quoted result in one sentence."""
    hunt, inclusive = point.hunt, scans.scans[0].points[0]
    signal = f"S = {hunt.signal.value:.0f} ± {hunt.signal.up or 0.0:.0f}"
    return (
        f"Z = {hunt.z_local:.1f} σ local at the declared FPR of {point.rate:g} "
        f"(inclusive {inclusive.z_local:.1f} σ) · {signal} · "
        f"same sign {point.same_sign.z_local:.1f} σ · "
        f"best of the scan {calibration.z_global:.1f} σ global"
    )


def write_report(run: Run, sentence: str) -> Path:
    """Write the page of a finished run."""
    results = run.results()
    figures = run.record("figures").files["figures"]
    draw = _Figures(figures)
    page = Page(
        headline=sentence,
        figure=draw(
            "p_value_scan",
            "Background-only p-value against the false-positive rate of each cut. The ring "
            "marks the declared working point.",
            "hunt",
        ),
        sections=[
            _result(
                _get(results, "working_point", WorkingPoint), _get(results, "scans", Scans), draw
            ),
            _selection(_get(results, "selection", Selection), draw),
            _background(
                _get(results, "training", BackgroundModel),
                _get(results, "flow_check", FlowCheck),
                draw,
            ),
            _score(_get(results, "sculpting", Sculpting), draw),
            _control(_get(results, "scans", Scans), draw),
            _variations(_get(results, "variations", Variations), draw),
            _calibration(_get(results, "calibration", Calibration), draw),
        ],
    )
    return write_page(page, run)


class _Figures:
    """Figures of the run by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str, caption: str, stage: str) -> Figure:
        return Figure(self.folder / name, caption, stage)


def _get(results: Mapping[str, Result], name: str, kind: type[R]) -> R:
    value = results[name]
    if not isinstance(value, kind):
        msg = f"result `{name}` is {type(value)}, not {kind}"
        raise TypeError(msg)
    return value


def _hunt_row(bump: Bump) -> Row:
    return [
        number(bump.rate),
        number(bump.events),
        number(bump.n_window),
        number(_without_unit(bump.signal)),
        number(_without_unit(bump.background)),
        number(bump.q0),
        number(bump.z_local),
        number(bump.p_local),
        bump.status,
    ]


def _quoted_row(rate: float, events: int, hunt: BumpHuntResult) -> Row:
    return [
        number(rate),
        number(events),
        number(int(hunt.n_window)),
        number(_without_unit(hunt.signal)),
        number(_without_unit(hunt.background)),
        number(hunt.q0),
        number(hunt.z_local),
        number(hunt.p_local),
        str(hunt.status),
    ]


def _without_unit(quantity: Quantity | None) -> Quantity | None:
    return quantity and Quantity(quantity.value, quantity.up, quantity.down)


def _result(point: WorkingPoint, scans: Scans, draw: _Figures) -> Section:
    methods = [scan.best for scan in scans.scans]
    rows: list[Row] = [
        ["declared working point", *_quoted_row(point.rate, point.events, point.hunt)],
        ["no cut", *_hunt_row(scans.scans[0].points[0])],
        ["all events, reweighted", *_hunt_row(scans.reweighted)],
        *(
            [f"best of the scan: {_method(scan)}", *_hunt_row(best)]
            for scan, best in zip(scans.scans, methods, strict=True)
        ),
        [
            "same sign, declared working point",
            *_quoted_row(point.rate, point.same_sign_events, point.same_sign),
        ],
    ]
    blocks: list[Block] = [
        Text(
            "The significance that is quoted belongs to the working point declared in the config. "
            "The best points of the scans are shown beside it; they were chosen after looking, and "
            "the section on calibration gives the trials-corrected value.",
        ),
        Table("result", ["selection", *HUNT_COLUMNS], rows, "hunt", "Bump hunts in the window."),
    ]
    if point.hunt.p_toys is not None:
        text = number(_without_unit(point.hunt.p_toys)).text
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
                "Opposite-sign pairs behind cuts of falling false-positive rate, with the fit "
                "of the sidebands.",
                "hunt",
            ),
            draw("background_fit", "The hunt at the working point.", "hunt"),
            Table(
                "scan",
                ["method", *HUNT_COLUMNS],
                [[_method(scan), *_hunt_row(bump)] for scan in scans.scans for bump in scan.points],
                "hunt",
                "Every hunt of every scan.",
                folded=True,
            ),
        ],
    )


def _selection(selection: Selection, draw: _Figures) -> Section:
    rows: list[Row] = [
        [step.name, step.opposite, "" if step.same is None else number(step.same)]
        for step in selection.steps
    ]
    regions: list[Row] = [
        ["opposite sign", *selection.regions, sum(selection.regions)],
        ["same sign", *selection.regions_same, sum(selection.regions_same)],
    ]
    repeated = f"{selection.duplicates} rows repeat an event's identity"
    text = f"{selection.files} files were read; {repeated}."
    blocks: list[Block] = [Text(text, "select")]
    if selection.bad_files:
        listed = [[name, reason] for name, reason in selection.bad_files.items()]
        blocks.append(Table("bad-files", ["file", "why"], listed, "select", "Files left out."))
    return Section(
        "Selection",
        [
            *blocks,
            Table(
                "cut-flow",
                ["step", "events, then opposite sign", "same sign"],
                rows,
                "select",
                "Cut-flow. Until a pair is chosen, events are counted once.",
            ),
            Table(
                "regions",
                ["pairs", "below", "window", "above", "all"],
                regions,
                "select",
                "Pairs by region.",
            ),
            draw("cut_flow", "The same as a figure.", "select"),
            draw("mass_spectrum", "Opposite-sign pairs before any cut on the score.", "select"),
        ],
    )


def _background(model: BackgroundModel, check: FlowCheck, draw: _Figures) -> Section:
    flows: list[Row] = [
        [
            flow.seed,
            len(flow.validation),
            flow.best + 1,
            flow.validation[flow.best],
            flow.log_likelihood,
        ]
        for flow in model.flows
    ]
    tests: list[Row] = [
        [name, check.ks_statistic[name], number(check.ks_p_value[name])]
        for name in check.ks_statistic
    ]
    areas: list[Row] = [
        ["both", number(check.auc)],
        ["lower", number(check.auc_low)],
        ["upper", number(check.auc_high)],
    ]
    return Section(
        "Background model",
        [
            Text(
                f"{len(model.flows)} conditional flows learned the features of "
                f"{model.sideband_events:,} opposite-sign sideband events as a function of mass; "
                f"held-out log-likelihood {number(_without_unit(model.log_likelihood)).text} "
                f"nats an event.",
                "background",
            ),
            Table(
                "flows",
                ["flow", "epochs", "kept", "validation loss", "log-likelihood [nats]"],
                flows,
                "background",
                "Trainings.",
            ),
            draw(
                "training_losses",
                "Losses per epoch, with 5-epoch moving averages; the kept epochs are marked.",
                "background",
            ),
            Text(
                "Generated events are compared with data in the sidebands, where both are known. A "
                "classifier that sees the features but not the mass, scored out of fold, "
                "should not "
                "tell them apart.",
            ),
            Table(
                "auc",
                ["sidebands", "area under the ROC curve"],
                areas,
                "check-flows",
                "0.5 is indistinguishable.",
            ),
            Table(
                "ks",
                ["feature", "K-S distance", "p-value"],
                tests,
                "check-flows",
                "Kolmogorov-Smirnov tests.",
            ),
            draw("flow_check", "Sideband data and generated events.", "check-flows"),
            draw("roc_curve", "ROC curves of the classifier, one a repetition.", "check-flows"),
        ],
    )


def _score(sculpting: Sculpting, draw: _Figures) -> Section:
    rows: list[Row] = [
        [number(rate), number(distance), number(p)]
        for rate, distance, p in zip(
            sculpting.rates, sculpting.statistic, sculpting.p_value, strict=True
        )
    ]
    return Section(
        "Score",
        [
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


def _control(scans: Scans, draw: _Figures) -> Section:
    best = scans.same_sign.best
    return Section(
        "Same-sign control",
        [
            Text(
                "No resonance decays to two equal charges. The classifier trained on opposite-sign "
                "pairs is applied to same-sign pairs, behind the same cuts; the largest local "
                f"significance of its scan is {best.z_local:.2f} at FPR {best.rate:.3g}.",
                "hunt",
            ),
            draw("same_sign", "Opposite- and same-sign pairs at the working point.", "hunt"),
            draw(
                "same_sign_scan", "The scan of the false-positive rate in same-sign pairs.", "hunt"
            ),
        ],
    )


def _variations(variations: Variations, draw: _Figures) -> Section:
    rows: list[Row] = [
        [
            item.degree,
            item.bins,
            "trained again" if item.retrained else "fitted again",
            number(item.working_point.z_local),
            number(item.working_point.signal),
            number(item.working_point.background),
            number(item.scan.best.z_local),
            number(item.scan.best.rate),
            item.working_point.status,
        ]
        for item in variations.variations
    ]
    columns = [
        "degree",
        "bins",
        "classifier",
        "Z local",
        "signal",
        "background",
        "best Z",
        "at FPR",
        "fit",
    ]
    blocks: list[Block] = [
        Table(
            "variations",
            columns,
            rows,
            "hunt",
            "Other degrees and bins at the declared working point; the nominal choice first.",
        ),
        draw("significance_variations", "Fitted again on the nominal scores.", "hunt"),
    ]
    if any(item.retrained for item in variations.variations):
        blocks.append(
            draw(
                "significance_variations_retrained",
                "With background generated and classifiers trained again.",
                "hunt",
            )
        )
    return Section("Variations of the fit", blocks)


def _calibration(calibration: Calibration, draw: _Figures) -> Section:
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
                f"{number(_without_unit(best.p_global)).text} of the toys reach as much at some "
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


def _method(scan: Scan) -> str:
    return f"`{scan.method}`"
