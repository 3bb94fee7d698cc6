"""The report of the tagging study, section by section."""

from __future__ import annotations

from pathlib import Path

from quarkline.engine.workflow.runs import Run
from quarkline.report import Figures, Page, Results, result_of, write_page
from quarkline.studies.tagging.analyze.results import Judged
from quarkline.studies.tagging.figures import FIGURES
from quarkline.studies.tagging.sections.chosen import choice_section, performance_section
from quarkline.studies.tagging.sections.region import agreement_section
from quarkline.studies.tagging.sections.taken import exports_section, jets_section
from quarkline.studies.tagging.sections.trained import training_section

__all__ = ["headline", "write_report"]


def headline(results: Results) -> str:
    """What the chosen epoch is worth on test jets, in one sentence."""
    return result_of(results, "judged", Judged).text


def write_report(run: Run) -> Path:
    """Write the page of a finished run."""
    results = run.results()
    draw = Figures(run.record("figures").files[FIGURES])
    sections = [
        choice_section(results, draw),
        performance_section(results, draw),
        *agreement_section(results, draw),
        training_section(results, draw),
        jets_section(results),
        *([exports_section(results)] if "exported" in results else []),
    ]
    lead = draw("sig_predictions", "The signal output of the chosen epoch on test jets.", "analyze")
    return write_page(Page(headline(results), lead, sections), run)
