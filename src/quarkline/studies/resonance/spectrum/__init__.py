"""Whole-spectrum search: every mass window of lepton pairs hunted in, known resonances named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quarkline.engine.core.findings import Finding
from quarkline.engine.core.results import Result
from quarkline.engine.workflow.runs import Run
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Stage
from quarkline.studies.resonance import results as _selection  # noqa: F401  (to be read)
from quarkline.studies.resonance.spectrum import results as _  # noqa: F401  (to be read)
from quarkline.studies.resonance.spectrum.config import SpectrumConfig


class Spectrum:
    """The study: from NanoAOD-like events to the significance of every mass window."""

    name = "spectrum"
    Config = SpectrumConfig

    def stages(self, config: SpectrumConfig) -> list[Stage]:
        """Select, scan, figures."""
        from quarkline.studies.resonance.spectrum.stages import stages

        return stages(config)

    def checks(self, config: SpectrumConfig) -> list[Finding]:
        """Findings on files, columns and expressions."""
        from quarkline.studies.resonance.check_inputs import check_events
        from quarkline.studies.resonance.spectrum.stages import select_config

        return check_events(config.inputs, select_config(config))

    def samples(self, config: SpectrumConfig) -> list[InputSample]:
        """The data."""
        from quarkline.studies.resonance.check_inputs import input_files
        from quarkline.studies.resonance.samples import input_samples
        from quarkline.studies.resonance.spectrum.stages import select_config

        return input_samples({"data": input_files(config.inputs)}, select_config(config))

    def headline(self, results: Mapping[str, Result]) -> str:
        """The best window outside known resonances, and those found, in one sentence."""
        from quarkline.studies.resonance.spectrum.sections import headline

        return headline(results)

    def report(self, run: Run) -> Path:
        """Write the report of a finished run."""
        from quarkline.studies.resonance.spectrum.sections import write_report

        return write_report(run)


SPECTRUM = Spectrum()
