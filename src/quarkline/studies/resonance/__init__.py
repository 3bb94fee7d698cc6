"""Resonance search: anomaly detection in sidebands and a bump hunt (CATHODE)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quarkline.engine.core.extras import missing_extra
from quarkline.engine.core.findings import Finding
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Stage
from quarkline.studies.resonance import calibration_results as _calibrations  # noqa: F401
from quarkline.studies.resonance import results as _  # noqa: F401  (so that they can be read)
from quarkline.studies.resonance.config import ResonanceConfig


class Resonance:
    """The study: from NanoAOD-like events to the significance of a bump."""

    name = "resonance"
    Config = ResonanceConfig

    def stages(self, config: ResonanceConfig) -> list[Stage]:
        """Select, background, generate, check-flows, classify, hunt, the calibrations, figures."""
        from quarkline.studies.resonance.stages import stages

        return stages(config)

    def checks(self, config: ResonanceConfig) -> list[Finding]:
        """Findings on what is installed, files, columns, expressions and binnings."""
        from quarkline.studies.resonance.check_inputs import check
        from quarkline.studies.resonance.stages import select_config

        return [*missing_extra("train"), *check(config, select_config(config))]

    def samples(self, config: ResonanceConfig) -> list[InputSample]:
        """Data, and the samples of signal and background that the config names."""
        from quarkline.studies.resonance.check_inputs import (
            background_files,
            input_files,
            power_files,
        )
        from quarkline.studies.resonance.samples import input_samples
        from quarkline.studies.resonance.stages import select_config

        named = {
            "data": input_files(config.inputs),
            "background": background_files(config),
            "signal": power_files(config),
        }
        return input_samples(named, select_config(config))

    def headline(self, results: Mapping[str, Result]) -> str:
        """The pre-declared working point's significance in one sentence."""
        from quarkline.studies.resonance.sections import headline

        return headline(results)

    def report(self, run: Run) -> Path:
        """Write the report of a finished run."""
        from quarkline.studies.resonance.sections import write_report

        return write_report(run)


RESONANCE = Resonance()
