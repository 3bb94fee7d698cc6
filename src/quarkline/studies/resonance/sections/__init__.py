"""The report of a resonance search, section by section."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.workflow.runs import Run
from quarkline.report import Figures, Page, write_page
from quarkline.studies.resonance.sections.background import background_section
from quarkline.studies.resonance.sections.calibration import calibration_section
from quarkline.studies.resonance.sections.methods import methods_section
from quarkline.studies.resonance.sections.result import control_section, headline, result_section
from quarkline.studies.resonance.sections.score import score_section
from quarkline.studies.resonance.sections.selection import selection_section
from quarkline.studies.resonance.sections.variations import variations_section

__all__ = ["headline", "write_report"]

SECTIONS = (
    result_section,
    selection_section,
    background_section,
    score_section,
    control_section,
    variations_section,
    calibration_section,
)
ASKED = {"comparison": methods_section}
"""Sections of what has to be asked for, by the result they show."""


def write_report(run: Run) -> Path:
    """Write the page of a finished run."""
    results = run.results()
    asked = [section for name, section in ASKED.items() if name in results]
    draw = Figures(run.record("figures").files["figures"])
    page = Page(
        headline=headline(results),
        figure=draw(
            "p_value_scan",
            "Background-only p-value against the false-positive rate of each cut. The ring "
            "marks the declared working point.",
            "hunt",
        ),
        sections=[section(results, draw) for section in (*SECTIONS, *asked)],
    )
    return write_page(page, run)
