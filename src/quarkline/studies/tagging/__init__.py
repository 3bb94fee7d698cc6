"""The tagging study: displaced jets told from multijets and beam-induced background."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import Finding, InputError
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Stage
from quarkline.statistics import tagging as _statistics  # noqa: F401  (brings kinds of results)
from quarkline.studies.tagging.analyze import choose as _choose  # noqa: F401  (the same)
from quarkline.studies.tagging.analyze import results as _judged  # noqa: F401  (the same)
from quarkline.studies.tagging.build import results as _built  # noqa: F401  (the same)
from quarkline.studies.tagging.config import TaggingConfig
from quarkline.studies.tagging.convert import results as _converted  # noqa: F401  (the same)
from quarkline.studies.tagging.export import results as _exported  # noqa: F401  (the same)
from quarkline.studies.tagging.features import results as _features  # noqa: F401  (the same)
from quarkline.studies.tagging.simulate import stage as _simulated  # noqa: F401  (the same)
from quarkline.studies.tagging.train import results as _trained  # noqa: F401  (the same)
from quarkline.studies.tagging.watch import judged as _tagger  # noqa: F401  (the same)


class Tagging:
    """The study: from ntuples to a network that does not learn the simulation's mistakes."""

    name = "tagging"
    Config = TaggingConfig

    def stages(self, config: TaggingConfig) -> list[Stage]:
        """Simulate or convert, build, features, train, analyze, export, figures."""
        from quarkline.studies.tagging.stages import stages

        return stages(config)

    def checks(self, config: TaggingConfig) -> list[Finding]:
        """Findings on what is installed, and on the files that jets come from."""
        found = [*missing_extra("train")]
        try:
            self.stages(config)
        except InputError as error:
            found += error.findings
        return found

    def samples(self, config: TaggingConfig) -> list[InputSample]:
        """The ntuples or tables that the config reads, kind by kind.

        Raises:
            InputError: If the files cannot be named.
        """
        from quarkline.studies.tagging.samples import input_samples

        return input_samples(config)

    def headline(self, results: Mapping[str, Result]) -> str:
        """What the chosen epoch is worth on test jets, in one sentence."""
        from quarkline.studies.tagging.sections import headline

        return headline(results)

    def report(self, run: Run) -> Path:
        """Write the report of a finished run."""
        from quarkline.studies.tagging.sections import write_report

        return write_report(run)


TAGGING = Tagging()
