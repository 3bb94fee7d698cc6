"""Search for a signal: a classifier, its scores out of fold, and a fit of templates of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import Finding, InputError
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Stage
from quarkline.statistics import evaluation as _evaluation  # noqa: F401  (brings kinds of results)
from quarkline.statistics.likelihood import results as _fits  # noqa: F401  (the same)
from quarkline.studies.search import results as _results  # noqa: F401  (the same)
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.fits import results as _fit_results  # noqa: F401  (the same)

if TYPE_CHECKING:
    from quarkline.learning.training.search.trial import Trial


class Search:
    """The study: from ntuples to scores in friends, what they are worth, and a template fit."""

    name = "search"
    Config = SearchConfig
    tunes = "features"
    metrics: Mapping[str, Literal["maximize", "minimize"]] = {
        "significance": "maximize",
        "auc": "maximize",
        "loss": "minimize",
    }

    def stages(self, config: SearchConfig) -> list[Stage]:
        """Skim, features, train, evaluate, friends, templates, fit, figures."""
        from quarkline.studies.search.stages import stages

        return stages(config)

    def checks(self, config: SearchConfig) -> list[Finding]:
        """Findings on what is installed, the catalog, its files, classes and features."""
        from quarkline.studies.search.checks import check

        return [*missing_extra("train"), *check(config)]

    def samples(self, config: SearchConfig) -> list[InputSample]:
        """Each sample with files, with the cuts of the region that is trained in.

        Raises:
            InputError: If the region or a class is not one.
        """
        from quarkline.studies.search.checks import check_names
        from quarkline.studies.search.samples import input_samples

        if findings := check_names(config):
            raise InputError(*findings)
        return input_samples(config)

    def trial(self, config: SearchConfig, trial: Trial) -> float:
        """One training of `quarkline tune`, judged by events held out of it."""
        from quarkline.studies.search.tuning import run_trial

        return run_trial(config, trial)

    def headline(self, results: Mapping[str, Result]) -> str:
        """What was measured, or without a fit what the score is worth, in one sentence."""
        from quarkline.studies.search.sections import headline

        return headline(results)

    def report(self, run: Run) -> Path:
        """Write the report of a finished run."""
        from quarkline.studies.search.sections import write_report

        return write_report(run)


SEARCH = Search()
