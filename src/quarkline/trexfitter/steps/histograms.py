"""Filling, `n` and `h`, and treatment, `b`: from ntuples or histograms to the job's histograms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.templates.build import build_templates, rebuild_templates
from quarkline.templates.fill import Allowed, fill, requests_of
from quarkline.templates.refusals import placed
from quarkline.trexfitter.steps.controls import draw_controls
from quarkline.trexfitter.steps.inputs import Inputs
from quarkline.trexfitter.steps.store import write_job_templates
from quarkline.trexfitter.steps.work import Work

NOT_THERE = Rule(
    "QL-TREX-068",
    "files that a config names are there",
    "`HistoChecks: NOCRASH` lets a job go on without some of its files. What is in the others is "
    "filled; a sample without any is empty.",
    Severity.WARNING,
)


def fill_job(work: Work, inputs: Inputs) -> None:
    """Fill all histograms, each file read once, make templates of them, and draw systematics."""
    requests = requests_of(work.catalog)
    work.tell(f"filling {len(requests):,} histograms")
    filled = fill(requests, work.catalog, executor=work.executor, allowed=_allowed(work))
    work.findings += [*_absent(filled.missing), *filled.findings]
    built = build_templates(work.catalog, filled.histograms)
    work.findings += placed(built.findings, work.job.file)
    work.files += write_job_templates(work.job, built.templates)
    inputs.forget()
    draw_controls(work, built.templates)


def _absent(missing: Sequence[Path]) -> Iterator[Finding]:
    """What to say of files that are not there, and may be missing."""
    if missing:
        message = f"{len(missing):,} files are not there, such as {missing[0]}"
        yield NOT_THERE.finding(message, suggestion="`check` lists what the config names")


def treat_again(work: Work, inputs: Inputs) -> None:
    """Smooth, symmetrise and combine anew what was filled, with the settings as they are now."""
    built = rebuild_templates(work.catalog, inputs.templates)
    work.findings += placed(built.findings, work.job.file)
    work.files += write_job_templates(work.job, built.templates)
    inputs.forget()
    draw_controls(work, built.templates)


def _allowed(work: Work) -> Allowed:
    """Files may be missing where the job says so."""
    return Allowed(missing=None if work.job.allow_missing else 0)
