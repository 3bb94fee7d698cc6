"""Other degrees and bins."""

from __future__ import annotations

from quarkline.report import Block, Section, Table, number
from quarkline.studies.resonance.results import Variations
from quarkline.studies.resonance.sections.parts import Figures, Results, Row, result_of


def variations_section(results: Results, draw: Figures) -> Section:
    """The hunt with other degrees and bins."""
    variations = result_of(results, "variations", Variations)
    rows: list[Row] = [
        [
            item.degree,
            item.bins,
            "trained again" if item.retrained else "fitted again",
            number(item.working_point.z_local),
            number(item.working_point.signal),
            number(item.working_point.background),
            number(item.scan.best.z_local),
            number(item.scan.best.rate),
            item.working_point.status,
        ]
        for item in variations.variations
    ]
    columns = [
        "degree",
        "bins",
        "classifier",
        "Z local",
        "signal",
        "background",
        "best Z",
        "at FPR",
        "fit",
    ]
    blocks: list[Block] = [
        Table(
            "variations",
            columns,
            rows,
            "hunt",
            "Other degrees and bins at the declared working point; the nominal choice first.",
        ),
        draw("significance_variations", "Fitted again on the nominal scores.", "hunt"),
    ]
    if any(item.retrained for item in variations.variations):
        blocks.append(
            draw(
                "significance_variations_retrained",
                "With background generated and classifiers trained again.",
                "hunt",
            )
        )
    return Section("Variations of the fit", blocks)
