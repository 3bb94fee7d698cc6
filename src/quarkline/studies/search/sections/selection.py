"""What was read and kept."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.search.results import SampleSkim, Skim

YIELDS = ("sample", "files", "events read", "rows", "groups", "expected events", "negative", "zero")


def selection_section(results: Results, draw: Figures) -> Section:
    """Yields, cut-flows, and what was left out."""
    skim = result_of(results, "skim", Skim)
    blocks: list[Block] = [
        Text(
            f"Events of the region `{skim.region}`. Errors of expected events take groups as "
            "independent, not rows.",
            "skim",
        ),
        Table("yields", YIELDS, [_yields(sample) for sample in skim.samples], "skim"),
        *_trained_beyond(skim),
        *_left_out(skim),
        Table("cut-flow", *_flow(skim), "skim", "Cut-flow in expected events.", folded=True),
        draw("cut_flow", "The same as a figure, of samples with equal cuts.", "skim"),
    ]
    return Section("Selection", blocks)


def _yields(sample: SampleSkim) -> Row:
    return [
        sample.name,
        number(sample.files),
        number(sample.flow.events),
        number(sample.selected),
        number(sample.groups),
        number(sample.yield_),
        number(sample.negative),
        number(sample.zero),
    ]


def _trained_beyond(skim: Skim) -> list[Block]:
    rows: list[Row] = [
        [sample.name, number(sample.beyond)] for sample in skim.samples if sample.beyond
    ]
    words = "Rows outside the region that are trained on; nothing else looks at them."
    return [Table("beyond", ["sample", "rows"], rows, "skim", words)] if rows else []


def _left_out(skim: Skim) -> list[Block]:
    """Files that are absent or unreadable, and events that occur twice."""
    blocks: list[Block] = []
    if skim.missing:
        absent: list[Row] = [[name] for name in skim.missing]
        words = f"{len(absent)} files of the catalog that are not there."
        blocks.append(Table("missing-files", ["file"], absent, "skim", words, folded=True))
    bad: list[Row] = [
        [sample.name, file, reason]
        for sample in skim.samples
        for file, reason in sample.bad_files.items()
    ]
    if bad:
        words = "Files left out because they cannot be read."
        blocks.append(Table("bad-files", ["sample", "file", "why"], bad, "skim", words))
    twice = {sample.name: sample.duplicates for sample in skim.samples if sample.duplicates}
    if twice:
        shown = ", ".join(f"{number} in `{name}`" for name, number in twice.items())
        blocks.append(Text(f"Rows that repeat an event key: {shown}.", "skim"))
    return blocks


def _flow(skim: Skim) -> tuple[list[str], list[Row]]:
    samples = [sample for sample in skim.samples if sample.flow.steps]
    steps = [{step.name: step.sum_weights for step in sample.flow.steps} for sample in samples]
    names = dict.fromkeys(name for found in steps for name in found)
    rows: list[Row] = [["all events", *(number(sample.flow.sum_weights) for sample in samples)]]
    rows += [[f"`{name}`", *(number(found.get(name)) for found in steps)] for name in names]
    return ["cut", *(sample.name for sample in samples)], rows
