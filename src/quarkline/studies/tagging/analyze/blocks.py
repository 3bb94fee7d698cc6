"""Tables and words on the choice of an epoch and on what epochs are worth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from quarkline.engine.core.results import Quantity
from quarkline.report import Block, Cell, Figure, Row, Table, Text, number
from quarkline.studies.tagging.analyze.choose import Choice
from quarkline.studies.tagging.analyze.results import JudgedEpoch


def choice_blocks(choice: Choice, figure: Figure, stage: str = "") -> Iterator[Block]:
    """Why an epoch was chosen, all of them in a plane, and those that no other one beats."""
    chosen = choice.chosen
    yield Text(f"Chosen is `{chosen.training}/{chosen.epoch}`: {choice.why}.", stage)
    yield figure
    rows: list[Row] = []
    for item in choice.front:
        strong = (item.training, item.epoch) == (chosen.training, chosen.epoch)
        name = Cell(f"{item.training}/{item.epoch}", strong=strong)
        rows.append([name, number(item.performance, 4), number(item.ks)])
    yield Table(
        "front",
        ["epoch", choice.performance, f"K-S ({choice.ks})"],
        rows,
        stage,
        "Epochs that no other one beats in both; the chosen one is bold.",
    )


def tables_of(
    epochs: Sequence[JudgedEpoch], names: Sequence[str], stage: str = ""
) -> Iterator[Table]:
    """Efficiencies by mass, false positives and working points; the best of each row is bold."""
    columns = [*names]
    masses = dict.fromkeys(share.mass for epoch in epochs for share in epoch.shares.signal)
    rows: list[Row] = []
    for mass in sorted(masses):
        found = [
            next((share.share for share in epoch.shares.signal if share.mass == mass), None)
            for epoch in epochs
        ]
        rows.append([*(Cell(f"{value:g}", value) for value in mass), *best_bold(found)])
    yield Table(
        "efficiencies",
        ["m_H [GeV]", "m_S [GeV]", *columns],
        rows,
        stage,
        "Share of signal jets whose largest output is the signal's; the best of a row is bold.",
    )
    rows = [
        [epochs[0].shares.background[place].name, *best_bold(values, highest=False)]
        for place, values in enumerate(
            zip(*([one.share for one in epoch.shares.background] for epoch in epochs), strict=True)
        )
    ]
    yield Table(
        "false-positives",
        ["jets", *columns],
        rows,
        stage,
        "Share of background jets whose largest output is the signal's; the least is bold.",
    )
    rows = [
        ["AUC", *best_bold([epoch.auc for epoch in epochs])],
        ["largest S/√B", *best_bold([Quantity(epoch.best_merit) for epoch in epochs])],
    ]
    for place, point in enumerate(epochs[0].rejections):
        values = [epoch.rejections[place].value for epoch in epochs]
        rows.append([f"rejection at signal efficiency {point.at:g}", *best_bold(values)])
    for place, point in enumerate(epochs[0].efficiencies):
        values = [epoch.efficiencies[place].value for epoch in epochs]
        rows.append([f"signal efficiency at QCD efficiency {point.at:g}", *best_bold(values)])
    worst = [Quantity(epoch.worst_ks.value) if epoch.worst_ks else None for epoch in epochs]
    if any(worst):
        rows.append(["worst K-S", *best_bold(worst, highest=False)])
    yield Table(
        "performance",
        ["quantity", *columns],
        rows,
        stage,
        "Rejections are of QCD and a tenth of BIB, as in the ROC curves; the best is bold.",
    )


def best_bold(values: Sequence[Quantity | None], *, highest: bool = True) -> list[Cell]:
    """Cells of which the best stand out; none does where there is nothing to compare."""
    known = [item.value for item in values if item and math.isfinite(item.value)]
    best = (max if highest else min)(known, default=math.nan)
    several = len(known) > 1 and len(set(known)) > 1
    return [
        replace(number(item), strong=bool(several and item is not None and item.value == best))
        for item in values
    ]
