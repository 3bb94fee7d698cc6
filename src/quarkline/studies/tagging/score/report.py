"""The report on scores of tables of jets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from quarkline.engine.store.atomic import write_atomic
from quarkline.report import Block, Document, Figure, Row, Section, Table, Text, number
from quarkline.studies.tagging.plot.config import CONTROL_LABELS, MAIN_LABELS
from quarkline.studies.tagging.score.scores import EDGES, NETWORK_OUTPUTS, Scored
from quarkline.studies.tagging.tables import MASSES


def score_report(model: str, scored: Mapping[str, Scored], folder: Path) -> Document:
    """Write up the scores of some tables.

    Args:
        model: Which network it is, in words.
        scored: Scores by name of the table.
        folder: Takes figures.
    """
    total = sum(sum(one.jets.values()) for one in scored.values())
    sections = [Section(name, [*_of_table(name, one, folder)]) for name, one in scored.items()]
    return Document("scores of jets", f"{total:,} jets scored by `{model}`", sections)


def _of_table(name: str, scored: Scored, folder: Path) -> Iterator[Block]:
    yield Text(f"Jets of `{scored.table.path}`; scores in `{scored.path}`.")
    rows: list[Row] = [["all", number(sum(scored.jets.values())), *_shares(scored.shares[-1])]]
    rows += [
        [_label(scored, label), number(scored.jets[label]), *_shares(scored.shares[label])]
        for label in sorted(scored.jets)
    ]
    yield Table(
        f"{name}-shares",
        ["jets", "number", "signal largest", "signal > 0.5", "signal > 0.8"],
        rows,
        caption="Shares of the jets by their signal output.",
    )
    if scored.jets:
        yield _figure(name, scored, folder)


def _shares(shares: Sequence[float]) -> list[str]:
    return [f"{share:.4f}" if np.isfinite(share) else "–" for share in shares]


def _label(scored: Scored, label: int) -> str:
    names = MAIN_LABELS if MASSES[0] in scored.table.columns else CONTROL_LABELS
    return names.get(label, f"label {label}")


def _figure(name: str, scored: Scored, folder: Path) -> Figure:
    from quarkline import figures

    width = float(EDGES[1] - EDGES[0])
    columns = [
        figures.ComparedColumn(
            output,
            EDGES,
            {
                _label(scored, label): counts[place] / (counts[place].sum() * width)
                for label, counts in sorted(scored.counts.items())
            },
        )
        for place, output in enumerate(NETWORK_OUTPUTS)
    ]
    figure = figures.plot_compared(columns)
    stem = folder / f"{name}-scores"
    figures.save(figure, stem)
    write_atomic(stem.with_name(f"{stem.name}.svg"), figures.to_svg(figure))
    return Figure(stem, f"The three outputs for jets of {name}, each with an area of one.")
