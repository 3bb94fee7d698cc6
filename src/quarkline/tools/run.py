"""Run a config: from the file to a finished run and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quarkline.engine.compute.config import compute_overrides
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import Finding
from quarkline.engine.workflow.plan import Plan
from quarkline.engine.workflow.run import (
    Analysis,
    Watcher,
    check_analysis,
    open_analysis,
    plan_analysis,
    run_analysis,
)
from quarkline.engine.workflow.runs import Run
from quarkline.tools.tracking import tracked


@dataclass(frozen=True)
class RunOutcome:
    """What a run came to.

    Attributes:
        run: Its folder.
        warnings: Findings that did not stop it.
        headline: The result in one sentence; None while stages are missing.
        report: The report page; None while stages are missing.
    """

    run: Run
    warnings: list[Finding]
    headline: str | None
    report: Path | None

    @property
    def figures(self) -> list[Path]:
        """Every figure the run has drawn, as PDF."""
        folders = [record.files.get("figures") for record in self.run.records().values()]
        return sorted(path for folder in folders if folder for path in folder.glob("*.pdf"))


def load_analysis(
    config: Path,
    *,
    site: Path | None = None,
    overrides: Sequence[str] = (),
    compute: Mapping[str, Any] | None = None,
) -> Analysis:
    """Read and validate a config.

    Args:
        config: The YAML file.
        site: Compute and storage settings of this computer.
        overrides: `key=value` texts that win over the file.
        compute: Values of the `compute` section that win over everything.

    Raises:
        InputError: With one finding for each mistake in the config.
    """
    texts = compute_overrides(compute or {})
    return open_analysis(load_config(config, site=site, overrides=[*overrides, *texts]))


def plan(
    analysis: Analysis, *, only: str | None = None, until: str | None = None, verify: bool = False
) -> tuple[Plan, list[Finding]]:
    """Check an analysis's inputs and work out what would run and why.

    Raises:
        InputError: If an input is wrong; nothing has been written.
    """
    warnings = check_analysis(analysis)
    return plan_analysis(analysis, only=only, until=until, verify=verify), warnings


def run(
    analysis: Analysis,
    *,
    new: bool = False,
    only: str | None = None,
    until: str | None = None,
    verify: bool = False,
    watcher: Watcher | None = None,
) -> RunOutcome:
    """Run what is not finished yet and write the report.

    Args:
        analysis: From `load_analysis`.
        new: Start a new run even if an equal one exists.
        only: Run this stage alone.
        until: Run up to and including this stage.
        verify: Hash large input files whole.
        watcher: Is told as stages start and end.

    Raises:
        InputError: If an input is wrong; nothing has been written.
        WorkError: If a stage failed.
    """
    watcher = tracked(analysis, watcher)
    planned, warnings = plan(analysis, only=only, until=until, verify=verify)
    finished, report = run_analysis(analysis, planned, new=new, watcher=watcher)
    headline = analysis.study.headline(finished.results()) if finished.complete else None
    return RunOutcome(finished, warnings, headline, report)
