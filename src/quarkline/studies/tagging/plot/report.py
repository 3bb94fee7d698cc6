"""The report of a comparison of training files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quarkline.report import Block, Cell, Document, Row, Section, Text, number
from quarkline.report import Table as Shown
from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.plot.config import PlotConfig
from quarkline.studies.tagging.plot.contents import (
    Contents,
    Kind,
    NamedTable,
    contents_of,
    edges_of,
    label_of,
    readings_by_table,
)
from quarkline.studies.tagging.plot.drawing import draw_columns
from quarkline.studies.tagging.plot.reading import STORED


@dataclass(frozen=True)
class Compared:
    """Files with what was found in them.

    Attributes:
        config: What is drawn.
        tables: The files.
        contents: What is in each, by its name.
        common: Columns drawn of every comparison.
        folder: Takes figures.
    """

    config: PlotConfig
    tables: Sequence[NamedTable]
    contents: Mapping[str, Contents]
    common: Sequence[str]
    folder: Path

    def of_kind(self, *, main: bool) -> list[NamedTable]:
        """The files to train on, or those of the control region."""
        return [item for item in self.tables if item.main == main]

    def label(self, item: NamedTable, label: int) -> str:
        """What a label is called in a file."""
        config = self.config
        names = config.data_labels_main if item.main else config.data_labels_adversary
        return names.get(label, f"label {label}")

    def draw(
        self, stem: str, selected: Mapping[str, tuple[str, Sequence[Kind]]], caption: str
    ) -> list[Block]:
        """The common columns of some jets, by what the legend says: the file's name and kinds.

        Where there is nothing to compare, nothing is drawn.
        """
        found = {
            legend: (self.contents[name], kinds)
            for legend, (name, kinds) in selected.items()
            if any(kind in self.contents[name].rows for kind in kinds)
        }
        if len(found) < 2:
            return []
        return list(draw_columns(stem, self.common, found, caption, self.folder))


def compare_files(tables: Sequence[NamedTable], config: PlotConfig, folder: Path) -> Document:
    """Read files and draw their columns.

    Args:
        tables: The files.
        config: What is drawn.
        folder: Takes figures.
    """
    readings = readings_by_table(tables, config.common_plots)
    common = list(readings)
    if config.plot_every_column:
        every = dict.fromkeys(name for item in tables for name in _flat_names(item))
        readings |= readings_by_table(tables, [name for name in every if name not in readings])
    by_name = {item.name: item.table for item in tables}
    axes = {
        column: (
            label_of(column, tables, found),
            edges_of([(by_name[name], reading) for name, reading in found.items()]),
        )
        for column, found in readings.items()
    }
    contents = {
        item.name: contents_of(
            item.table,
            {column: found[item.name] for column, found in readings.items() if item.name in found},
            axes,
        )
        for item in tables
    }
    compared = Compared(config, tables, contents, common, folder)
    sections = [
        Section("Files", list(_files(compared))),
        Section("All files", _all_files(compared, common, "all-files")),
        *_sections_by_label(compared),
        *(Section(item.name, list(_of_file(compared, item))) for item in tables),
        Section("Columns", [_columns(tables)]),
    ]
    if rest := [column for column in readings if column not in common]:
        sections.append(Section("Every column", _all_files(compared, rest, "every-column")))
    rows = sum(sum(one.rows.values()) for one in contents.values())
    return Document("training files", f"{_count(len(tables), 'file')}, {rows:,} jets", sections)


def _flat_names(item: NamedTable) -> Iterator[str]:
    """Every number of a jet that a table has; of a list its first constituent."""
    for name in item.table.columns:
        if not name.startswith("_"):
            yield f"{name}_0" if name in STORED else name


def _files(compared: Compared) -> Iterator[Block]:
    labels = sorted({kind[0] for one in compared.contents.values() for kind in one.rows})
    rows: list[Row] = []
    for item in compared.tables:
        contents = compared.contents[item.name]
        total = sum(contents.rows.values())
        counts = [sum(contents.rows[kind] for kind in contents.labelled(one)) for one in labels]
        kind = f"{'main' if item.main else 'control region'}, {item.table.layout}"
        shares = [
            Cell(f"{count:,} ({100 * count / total:.3g} %)" if total else "0", count)
            for count in counts
        ]
        about = [item.name, item.table.path.name, kind, item.scaling]
        rows.append([*about, number(total), *shares])
    names = ["name", "file", "kind", "scaling", "jets"]
    yield Shown(
        "files",
        [*names, *(f"label {label}" for label in labels)],
        rows,
        caption="Jets of each file, by label: 0 multijet simulation, 1 signal, 2 beam-induced "
        "background, or in a control region data.",
    )
    if len({item.scaling for item in compared.tables}) > 1:
        yield Text(
            "The files are scaled in different ways, so that their numbers are not in the same "
            "units: a difference of a column may be one of scaling."
        )


def _all_files(compared: Compared, columns: Sequence[str], stem: str) -> list[Block]:
    selected = {
        item.name: (compared.contents[item.name], list(compared.contents[item.name].rows))
        for item in compared.tables
    }
    caption = (
        "All jets of each file, weighted; each has an area of one with what lies beyond the axis. "
        "Places without a constituent are left out."
    )
    return [*draw_columns(stem, columns, selected, caption, compared.folder)]


def _sections_by_label(compared: Compared) -> Iterator[Section]:
    """The files of a kind beside each other, label by label, if there are several."""
    for main, title in ((True, "main files"), (False, "files of the control region")):
        items = compared.of_kind(main=main)
        if len(items) < 2:
            continue
        labels = sorted({kind[0] for item in items for kind in compared.contents[item.name].rows})
        for label in labels:
            selected = {
                item.name: (item.name, compared.contents[item.name].labelled(label))
                for item in items
            }
            words = compared.label(items[0], label)
            stem = f"{'main' if main else 'control'}-label-{label}"
            blocks = compared.draw(stem, selected, f"Jets with label {label}: {words}.")
            if blocks:
                yield Section(f"{words.capitalize()} in all {title}", blocks)
        for kind in _common_masses(compared, items):
            selected = {item.name: (item.name, [kind]) for item in items}
            words = f"Signal of {_masses(kind)} in all {title}"
            stem = f"masses-{kind[1]:g}-{kind[2]:g}"
            yield Section(words, compared.draw(stem, selected, f"{words}."))


def _common_masses(compared: Compared, items: Sequence[NamedTable]) -> list[Kind]:
    """Signal of masses that several of the files have."""
    rows = [compared.contents[item.name].rows for item in items]
    found = sorted({kind for one in rows for kind in one if kind[0] == Label.SIGNAL})
    return [kind for kind in found if sum(kind in one for one in rows) > 1]


def _of_file(compared: Compared, item: NamedTable) -> Iterator[Block]:
    contents = compared.contents[item.name]
    labels = sorted({kind[0] for kind in contents.rows})
    by_label = {
        compared.label(item, label): (item.name, contents.labelled(label)) for label in labels
    }
    yield from compared.draw(f"{item.name}-labels", by_label, f"Jets of {item.name} by label.")
    if not item.main:
        return
    signal = contents.labelled(Label.SIGNAL)
    rows: list[Row] = [[*_shown(kind), number(contents.rows[kind])] for kind in signal]
    if rows:
        yield Shown(
            f"{item.name}-masses",
            ["m_H [GeV]", "m_S [GeV]", "jets"],
            rows,
            caption="Signal jets by the masses of the heavy and of the long-lived scalar.",
        )
    by_mass = {_masses(kind): (item.name, [kind]) for kind in signal}
    caption = f"Signal jets of {item.name} by m_H, m_S."
    yield from compared.draw(f"{item.name}-masses", by_mass, caption)


def _shown(kind: Kind) -> list[Cell]:
    return [Cell(f"{mass:g}", mass) for mass in kind[1:]]


def _masses(kind: Kind) -> str:
    return f"{kind[1]:g}, {kind[2]:g} GeV"


def _columns(tables: Sequence[NamedTable]) -> Shown:
    columns = sorted({name for item in tables for name in item.table.columns})
    return Shown(
        "columns",
        ["column", *(item.name for item in tables)],
        [
            [name, *("X" if name in item.table.columns else "" for item in tables)]
            for name in columns
        ],
        caption="Which file has which column.",
        folded=len(columns) > 60,
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
