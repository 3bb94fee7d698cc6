"""Section `Calibration`: a short text, a figure and a table for each question."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.statistics import InjectionTest, Power, TrialsFactor
from quarkline.studies.resonance.calibration_results import (
    Calibration,
    ChainPower,
    FitCheck,
    FitChecks,
    Injections,
    Reweighting,
)
from quarkline.studies.resonance.sections.parts import plus_minus, selection_name, without_unit


def calibration_section(results: Results, draw: Figures) -> Section:
    """What a referee asks: false alarms, trials, injected signal, power, and the weighted fit."""
    return Section(
        "Calibration",
        [
            *_scan_toys(results, draw),
            *_trials(results, draw),
            *_injection(results, draw),
            *(_power(results, draw) if "power" in results else []),
            *_spurious(results, draw),
            *_reweighting(results, draw),
        ],
    )


def _scan_toys(results: Results, draw: Figures) -> list[Block]:
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
    return [
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
            folded=True,
        ),
        draw(
            "toys",
            "Significances of the toys at the working point, against the asymptotic expectation.",
            "calibrate",
        ),
        draw("p_value_calibration", "Fraction of toys at or below a p-value.", "calibrate"),
    ]


def _trials(results: Results, draw: Figures) -> list[Block]:
    trials = result_of(results, "trials", TrialsFactor)
    rows: list[Row] = [
        [
            number(row.z),
            number(row.p_local),
            number(row.p_global),
            number(row.factor),
            number(row.effective),
        ]
        for row in trials.rows
    ]
    return [
        Text(
            f"What the {trials.hunts} cuts of the scan cost: they are nested, so they count as "
            "fewer independent trials than there are. Above the last significance that some toy "
            "reaches only the upper errors mean anything.",
            "calibrate",
        ),
        draw("trials_factor", "Trials factor and effective number of trials.", "calibrate"),
        Table(
            "trials",
            ["largest local Z", "p local", "p global", "p global / p local", "effective trials"],
            rows,
            "calibrate",
            f"From {trials.n_toys:,} toys.",
            folded=True,
        ),
    ]


def _injection(results: Results, draw: Figures) -> list[Block]:
    injections = result_of(results, "injection", Injections)
    masses = ", ".join(f"{mass:.3f}" for mass in injections.masses)
    tests = [(selection_name(item.rate), item.test) for item in injections.tests]
    slopes = "; ".join(
        f"{name}: {plus_minus(test.slope)}, "
        + ("every coverage" if test.covers else "not every coverage")
        + " within the 99.7 % binomial band of 68.27 %"
        for name, test in tests
    )
    rows: list[Row] = [[name, *cells] for name, test in tests for cells in _injection_rows(test)]
    return [
        Text(
            f"Signal was added to toys of the background that the sidebands predict: Gaussians at "
            f"{masses} GeV with a relative resolution of {injections.resolution:g}. Injected are "
            "events in the window; what leaks beside it is added to the sidebands. Slopes of "
            f"fitted against injected signal: {slopes}. Where a handful of events is counted, the "
            "outcomes are few and the coverage of any interval moves around its level.",
            "inject",
        ),
        draw(
            "injection",
            "Fitted against injected signal, in standard deviations of the fitted signal without "
            "any, and the coverage of the intervals.",
            "inject",
        ),
        draw(
            "injection_power",
            "How often toys with injected signal reach 3 and 5 standard deviations. The cut is "
            "already made: signal lost by it is not in this figure.",
            "inject",
        ),
        Table(
            "injection",
            [
                "selection",
                "strength",
                "injected",
                "fitted",
                "bias",
                "mean pull",
                "pull width",
                "coverage",
                "median Z",
                "Z >= 3",
                "Z >= 5",
                "left out",
            ],
            rows,
            "inject",
            f"{tests[0][1].n_toys:,} toys a row; bias is the mean of fitted less injected signal.",
            folded=True,
        ),
    ]


def _injection_rows(test: InjectionTest) -> list[Row]:
    return [
        [
            number(row.strength),
            number(row.injected),
            number(without_unit(row.fitted)),
            number(row.fitted.value - row.injected),
            number(row.pull),
            number(row.pull_width),
            number(row.coverage),
            number(row.power.z_median),
            number(row.power.evidence),
            number(row.power.discovery),
            row.left_out,
        ]
        for row in test.rows
    ]


def _power(results: Results, draw: Figures) -> list[Block]:
    power = result_of(results, "power", ChainPower)
    kinds = ((selection_name(power.rate), power.chain), (selection_name(1.0), power.inclusive))
    rows: list[Row] = [[name, *_power_row(item)] for name, items in kinds for item in items]
    return [
        Text(
            f"Pseudo-experiments of {power.events:,.0f} background pairs on average, drawn from "
            "the flows, with pairs of the given signal sample: each has its own flow, generated "
            "background and classifiers, the declared cut and the fit.",
            "power",
        ),
        draw(
            "power",
            "How often the whole chain reaches 3 and 5 standard deviations, against the mean "
            "number of signal events in the window before the cut.",
            "power",
        ),
        Table(
            "power",
            [
                "selection",
                "injected",
                "experiments",
                "failed",
                "mean Z",
                "median Z",
                "Z >= 3",
                "Z >= 5",
            ],
            rows,
            "power",
            "Pseudo-experiments with signal.",
        ),
    ]


def _power_row(item: Power) -> Row:
    return [
        number(item.injected),
        item.experiments,
        item.failed,
        number(item.z_mean),
        number(item.z_median),
        number(item.evidence),
        number(item.discovery),
    ]


def _spurious(results: Results, draw: Figures) -> list[Block]:
    result = result_of(results, "fit_checks", FitChecks)
    chosen = ", ".join(
        f"degree {check.f_test.chosen} ({selection_name(check.rate)})" for check in result.checks
    )
    rows: list[Row] = [
        [selection_name(check.rate), *cells]
        for check in result.checks
        for cells in _degree_rows(check)
    ]
    return [
        Text(
            f"Which degree the background asks for: the F-test on the sidebands of the data stops "
            f"at {chosen}; the nominal one is {result.degree}. The spurious signal is what each "
            "degree finds in generated background. Without a cut its masses follow the nominal "
            "polynomial by construction, so there only lower degrees are tested.",
            "judge-fit",
        ),
        draw(
            "spurious_signal",
            "Spurious signal of each degree; errors are those of the generated sample's size.",
            "judge-fit",
        ),
        Table(
            "degrees",
            [
                "selection",
                "degree",
                "spurious signal",
                "error of the template",
                "over statistical error",
                "mean over toys",
                "chi2 / bins less coefficients",
                "p of the fit",
                "F",
                "p of F",
            ],
            rows,
            "judge-fit",
            "Spurious signal and F-test by degree. F compares with the degree before.",
            folded=True,
        ),
    ]


def _degree_rows(check: FitCheck) -> list[Row]:
    return [
        [
            spurious.degree,
            number(spurious.signal.value),
            number(error),
            number(spurious.ratio),
            number(without_unit(spurious.toy_signal)),
            f"{f_test.chi2:.1f} / {f_test.ndf}",
            number(f_test.p_fit),
            number(f_test.f),
            number(f_test.p_f),
        ]
        for spurious, error, f_test in zip(
            check.spurious.rows, check.template_errors, check.f_test.rows, strict=True
        )
    ]


def _reweighting(results: Results, draw: Figures) -> list[Block]:
    result = result_of(results, "reweighting", Reweighting)
    rows: list[Row] = [
        [number(row.z), number(row.p_asymptotic), number(row.p_toys)] for row in result.rows
    ]
    verdict = (
        "They agree within two standard deviations, so the asymptotic p-value is quoted."
        if result.agrees
        else "They do not agree within two standard deviations, so the p-value of the toys is "
        "quoted."
    )
    limit = "" if result.resolved else ", a limit set by their number"
    return [
        Text(
            f"The hunt in reweighted events went through {result.toys:,} background-only toys, "
            "each with its own signal fraction and weights. The table compares their p-values "
            f"with the asymptotic ones. {verdict} For the data: Z = {result.z_local:.2f} "
            f"asymptotic; p = {plus_minus(result.p_toys)} by toys, Z = {result.z_toys:.2f}{limit}. "
            f"With one weight an interval of the score, as toys have, the data's Z is "
            f"{result.z_cells:.2f}.",
            "reweight",
        ),
        Table(
            "reweighting",
            ["Z", "p asymptotic", "p of toys"],
            rows,
            "reweight",
            "The reweighted hunt without signal.",
        ),
        draw(
            "reweighted_calibration",
            "Fraction of reweighted toys at or below an asymptotic p-value.",
            "reweight",
        ),
    ]
