"""Which epoch was chosen, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from quarkline.report import Block, Cell, Figures, Results, Row, Section, Table, Text, number
from quarkline.report import result_of as value_of
from quarkline.studies.tagging.analyze.blocks import choice_blocks, tables_of
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.drawing import CHOICE
from quarkline.studies.tagging.analyze.results import Judged, JudgedEpoch
from quarkline.studies.tagging.analyze.stage import OWN
from quarkline.studies.tagging.watch.judged import JudgedTagger


def choice_section(results: Results, draw: Figures) -> Section:
    """The choice, why, and the epochs that no other one beats."""
    choice = value_of(results, "choice", Choice)
    judged = value_of(results, "judged", Judged)
    words = "Performance against the distance of data and simulation on validation jets."
    blocks = [*choice_blocks(choice, draw(CHOICE, words, "analyze"), "analyze")]
    rows: list[Row] = [
        [Cell(one.name, strong=one is judged.chosen), ", ".join(one.reasons)]
        for one in judged.epochs
    ]
    blocks.append(
        Table(
            "looked-at",
            ["training/epoch", "reason"],
            rows,
            "analyze",
            "Epochs that were measured on test jets.",
            folded=len(rows) > 12,
        )
    )
    return Section("Choice of the epoch", blocks)


def performance_section(results: Results, draw: Figures) -> Section:
    """The chosen epoch beside the others of its training; and all trainings."""
    judged = value_of(results, "judged", Judged)
    tagger = value_of(results, "tagger", JudgedTagger)
    counts = ", ".join(f"{number:,} {name}" for name, number in judged.jets.items())
    beside = [one for one in judged.epochs if one.training == judged.chosen.training]
    blocks: list[Block] = [
        Text(f"Test jets, which neither trained nor chose anything: {counts}.", "analyze"),
        *tables_of(beside, [one.name for one in beside], "analyze"),
        *_trainings(judged.epochs),
        draw("signal_llp_efficiencies", "Efficiencies of the signal by its masses.", "analyze"),
        draw("bkg_falsePositives", "Background taken for signal.", "analyze"),
        draw("roc_curve_atlas_rej_bib__None", "Rejection of QCD and a tenth of BIB.", "analyze"),
        draw("SoverB_scan__None", "S/√B behind cuts on the signal output.", "analyze"),
        _merits(tagger),
    ]
    blocks += [
        draw(f"{output}_predictions", f"The output for {name}.", "analyze")
        for output, name in (("qcd", "QCD"), ("bib", "BIB"))
    ]
    return Section("Performance on test jets", blocks)


def _merits(tagger: JudgedTagger) -> Table:
    rows: list[Row] = [
        [
            curve.name or "QCD and BIB",
            number(curve.maximum),
            number(curve.thresholds[curve.best] if curve.best >= 0 else None),
            number(curve.area),
            "" if curve.status == "ok" else curve.status,
        ]
        for curve in tagger.merit.curves
    ]
    columns = ["background or signal", "largest S/√B", "at the cut", "area", ""]
    return Table("merit", columns, rows, "analyze", "Scans of S/√B, with all signal or one mass.")


def _trainings(epochs: Sequence[JudgedEpoch]) -> Iterator[Table]:
    """Each training's own choice, with the mean over the trainings and its error."""
    own = sorted((one for one in epochs if OWN in one.reasons), key=lambda one: one.training)
    if len(own) < 2:
        return
    quantities: dict[str, Callable[[JudgedEpoch], float]] = {"AUC": lambda one: one.auc.value}
    for place, point in enumerate(own[0].rejections):
        quantities[f"rejection at {point.at:g}"] = _point("rejections", place)
    for place, point in enumerate(own[0].efficiencies):
        quantities[f"efficiency at {point.at:g} of QCD"] = _point("efficiencies", place)
    if own[0].worst_ks:
        quantities["worst K-S"] = lambda one: one.worst_ks.value if one.worst_ks else math.nan
    rows: list[Row] = [[one.name, *(number(of(one)) for of in quantities.values())] for one in own]
    means = [_mean([of(one) for one in own]) for of in quantities.values()]
    rows.append([Cell("mean", strong=True), *means])
    yield Table(
        "trainings",
        ["training/epoch", *quantities],
        rows,
        "analyze",
        "Each training's own choice; behind the mean its error from the spread of the trainings.",
    )


def _point(kind: str, place: int) -> Callable[[JudgedEpoch], float]:
    return lambda one: float(getattr(one, kind)[place].value.value)


def _mean(values: Sequence[float]) -> Cell:
    from quarkline.engine.core.results import Quantity

    known = [value for value in values if math.isfinite(value)]
    if len(known) < 2:
        return Cell("–")
    mean = sum(known) / len(known)
    variance = sum((value - mean) ** 2 for value in known) / (len(known) - 1)
    error = math.sqrt(variance / len(known))
    return number(Quantity(mean, error, error))
