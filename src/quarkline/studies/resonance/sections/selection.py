"""What was read and kept."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.resonance.results import Selection
from quarkline.studies.resonance.sections.parts import signs


def selection_section(results: Results, draw: Figures) -> Section:
    """The cut-flow and the regions."""
    selection = result_of(results, "selection", Selection)
    searched, control = signs(results)
    rows: list[Row] = [
        [step.name, step.searched, "" if step.control is None else number(step.control)]
        for step in selection.steps
    ]
    regions: list[Row] = [
        [searched, *selection.regions, sum(selection.regions)],
        [control, *selection.regions_control, sum(selection.regions_control)],
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
                ["step", f"events, then {searched}", control],
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
            draw("mass_spectrum", f"Pairs of {searched} before any cut on the score.", "select"),
        ],
    )
