"""Figures of a comparison of training files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from quarkline.engine.store.atomic import write_atomic
from quarkline.report import Figure
from quarkline.studies.tagging.plot.contents import Contents, Kind

AT_ONCE = 8
"""Columns of one figure, which with the legend fill three rows."""

Selected = Mapping[str, tuple[Contents, Sequence[Kind]]]
"""What is drawn on top of each other: by name, kinds of jets of a file."""


def draw_columns(
    stem: str, names: Sequence[str], selected: Selected, caption: str, folder: Path
) -> Iterator[Figure]:
    """Draw columns of several samples, some columns a figure.

    Args:
        stem: What the names of the figures' files begin with.
        names: The columns, of which those that no sample has are left out.
        selected: What is drawn.
        caption: What it shows.
        folder: Takes the figures in every form.
    """
    from quarkline import figures
    from quarkline.figures.compared import ComparedColumn

    columns = []
    for name in names:
        densities = {}
        for legend, (contents, kinds) in selected.items():
            held = contents.columns.get(name)
            density = held.density(kinds) if held else None
            if held is not None and density is not None:
                densities[legend] = density
                label, edges = held.label, held.edges
        if densities:
            columns.append(ComparedColumn(label, edges, densities))
    for number, start in enumerate(range(0, len(columns), AT_ONCE), start=1):
        place = folder / re.sub(r"[^\w.-]+", "-", f"{stem}-{number}")
        figure = figures.plot_compared(columns[start : start + AT_ONCE])
        figures.save(figure, place)
        write_atomic(place.with_name(f"{place.name}.svg"), figures.to_svg(figure))
        yield Figure(place, caption)
