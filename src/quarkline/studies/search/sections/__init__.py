"""The report of a search, section by section."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.workflow.runs import Run
from quarkline.report import Figures, Page, Results, result_of, write_page
from quarkline.studies.search.fits.results import Measurement
from quarkline.studies.search.publish import publish_friends
from quarkline.studies.search.results import Quoted
from quarkline.studies.search.sections.fit import fit_sections
from quarkline.studies.search.sections.inputs import inputs_section
from quarkline.studies.search.sections.scores import friends_section, score_section
from quarkline.studies.search.sections.selection import selection_section
from quarkline.studies.search.sections.significance import significance_section
from quarkline.studies.search.sections.systematics import systematics_section
from quarkline.studies.search.sections.training import training_section

__all__ = ["headline", "write_report"]

SECTIONS = (
    significance_section,
    score_section,
    systematics_section,
    selection_section,
    inputs_section,
    training_section,
)


def headline(results: Results) -> str:
    """What was measured in one sentence, or without a fit what the score is worth."""
    if "measurement" in results:
        return result_of(results, "measurement", Measurement).text
    return result_of(results, "quoted", Quoted).text


def write_report(run: Run) -> Path:
    """Write the page of a finished run, and put its friends where `roots.friends` says."""
    results = run.results()
    draw = Figures(run.record("figures").files["figures"])
    sections = fit_sections(results, draw)
    sections += [section(results, draw) for section in SECTIONS]
    if "scored" in results:
        sections.append(friends_section(results, publish_friends(run)))
    page = Page(
        headline=headline(results),
        figure=draw("score", "The score out of fold: simulation stacked, and data.", "evaluate"),
        sections=sections,
    )
    return write_page(page, run)
