"""How well data and simulation agree in the outputs."""

from __future__ import annotations

from collections.abc import Iterator

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number
from quarkline.report import result_of as value_of
from quarkline.statistics.tagging import OUTPUTS, OutputAgreement
from quarkline.studies.tagging.analyze.results import Judged
from quarkline.studies.tagging.watch.judged import JudgedTagger


def agreement_section(results: Results, draw: Figures) -> Iterator[Section]:
    """K-S tests of the chosen epoch on test jets of the control region; nothing without one."""
    agreement = value_of(results, "tagger", JudgedTagger).agreement
    if agreement is None:
        return
    judged = value_of(results, "judged", Judged)
    counts = " and ".join(f"{number:,} of {name}" for name, number in judged.control.items())
    blocks: list[Block] = [
        Text(f"Test jets of the control region: {counts}. {_words(agreement)}", "analyze"),
        _tests(agreement),
        *(
            draw(f"adv_{output}_predictions", f"The {output} output.", "analyze")
            for output in OUTPUTS
        ),
        *(
            draw(f"ks_{output}", f"K-S distances of the {output} output by epoch.", "train")
            for output in OUTPUTS
        ),
    ]
    yield Section("Data and simulation", blocks)


def _words(agreement: OutputAgreement) -> str:
    worst = agreement.worst
    if not agreement.permutations:
        return f"The largest K-S distance is {worst.value:.3g}."
    return (
        f"The largest K-S distance is {worst.value:.3g}. Jets of one distribution would have "
        f"{worst.expected:.3g}, and less than {worst.limit:.3g} in 95 % of cases: "
        f"p = {worst.p_value:.3g}."
    )


def _tests(agreement: OutputAgreement) -> Table:
    rows: list[Row] = [
        [
            test.output,
            test.region,
            number(test.statistic),
            number(test.p_value),
            number(test.p_asymptotic),
            *(number(count) for count in test.jets),
            *(number(size) for size in test.effective),
            "" if test.status == "ok" else test.status,
        ]
        for test in agreement.tests
    ]
    columns = [
        *("output", "jets", "K-S", "p, permutations", "p, asymptotic"),
        *("simulation", "data", "effective, simulation", "effective, data", ""),
    ]
    return Table("ks", columns, rows, "analyze", "K-S tests by output and bin of pT.")
