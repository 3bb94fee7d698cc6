"""The config of a whole-spectrum search."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config
from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.study import StudyConfig
from quarkline.learning.training.trackers.config import Tracked
from quarkline.statistics import SpectrumGrid
from quarkline.statistics.spectrum_scan import check_degree
from quarkline.studies.resonance.config import InputsConfig, Interval, LabelsConfig, PairConfig
from quarkline.studies.resonance.masks import Masks, masks


class SpectrumScanConfig(Config):
    """The windows, and the backgrounds under them."""

    range: Interval = Field((0.3, 20.0), description="Lowest and highest mass in GeV.")
    resolution: float = Field(
        0.01, description="Width of a narrow peak over its mass; a window is 2.8 times as wide."
    )
    degree: int = Field(3, description="Degree of the local background polynomials in ln m.")
    mask: list[str | Interval] = Field(
        default=["known"],
        description="Kept out of sidebands: `known` resonances, names of some, or intervals.",
    )
    toys: int = Field(1000, ge=0, description="Background-only toys.")

    @property
    def masks(self) -> Masks:
        """The masked intervals, and the resonances named."""
        return masks(self.mask, self.range)

    @property
    def grid(self) -> SpectrumGrid:
        """Cells and windows."""
        return SpectrumGrid(self.range, self.resolution, self.masks.intervals)

    @model_validator(mode="after")
    def _can_be_scanned(self) -> Self:
        try:
            check_degree(self.degree)
            _ = self.grid
        except InputError as error:
            finding = error.findings[0]
            msg = f"{finding.message}; {finding.suggestion}"
            raise ValueError(msg) from error
        return self


class SpectrumConfig(StudyConfig, Tracked):
    """A whole-spectrum search, from NanoAOD-like events to the significance of every window."""

    inputs: InputsConfig
    pair: PairConfig = Field(default_factory=PairConfig)
    scan: SpectrumScanConfig = Field(default_factory=SpectrumScanConfig)
    labels: LabelsConfig = Field(default_factory=LabelsConfig)
