"""The jets that went in, and the files that came out."""

from __future__ import annotations

from quarkline.report import Results, Row, Section, Table, Text, number
from quarkline.report import result_of as value_of
from quarkline.studies.tagging.columns import Label
from quarkline.studies.tagging.export.results import Exports
from quarkline.studies.tagging.features.results import JetFeatures

CONTROL = {0: "simulation", 2: "data"}


def jets_section(results: Results) -> Section:
    """Jets by set, split and label, and what a network is told of them."""
    features = value_of(results, "features", JetFeatures)
    rows: list[Row] = []
    for count in features.counts:
        label = CONTROL[count.label] if count.set == "control" else Label(count.label).name
        rows.append([count.set, count.split, label, number(count.jets), number(count.weight, 4)])
    told = ", ".join(f"{name} {value}" for name, value in features.scaling.items())
    read = ", ".join(f"{jets:,} in `{name}`" for name, jets in features.read.items())
    return Section(
        "Jets",
        [
            Text(
                f"Jets that were read: {read}; tables of layout `{features.layout}`, scaled: "
                f"{told}. A split never separates jets of one event.",
                "features",
            ),
            Table(
                "jets",
                ["set", "split", "jets", "number", "sum of weights"],
                rows,
                "features",
                "Jets that are used, by what they are used for.",
            ),
            Table(
                "masses",
                ["m_H [GeV]", "m_S [GeV]", "jets"],
                [[number(one.mH), number(one.mS), number(one.jets)] for one in features.masses],
                "features",
                "Signal that is trained on.",
            ),
        ],
    )


def exports_section(results: Results) -> Section:
    """The files of the chosen network, or why a format has none."""
    exports = value_of(results, "exported", Exports)
    rows: list[Row] = [
        [one.format, ", ".join(one.files) or "–", number(one.tolerance), one.reason]
        for one in exports.formats
    ]
    return Section(
        "Exports",
        [
            Text(f"The chosen network, with content key `{exports.model}`.", "export"),
            Table(
                "exports",
                ["format", "files", "largest difference", "why not"],
                rows,
                "export",
                "Files in the stage's folder. The difference is of scores computed by a second "
                "program; of C++ the program among the files checks it.",
            ),
        ],
    )
