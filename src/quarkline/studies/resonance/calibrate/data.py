"""What the calibrations read: pairs and generated background with scores, and their cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.config import Config
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import HuntBinning, Spectrum, expected_background
from quarkline.studies.resonance.classify import read_scores
from quarkline.studies.resonance.events import Pairs, read_masses, read_pairs
from quarkline.studies.resonance.generate import hypothesis_name
from quarkline.studies.resonance.hunt import cut_at

Floats = NDArray[np.float64]
Score = Literal["rank", "probability"]

EXTRA_DEGREES = 2
"""How much richer than the fit is the polynomial that generated background is smoothed with."""


class CalibrationConfig(Config):
    """What every calibration depends on; `hypothesis` is the nominal degree and bins."""

    features: list[str]
    range: tuple[float, float]
    window: tuple[float, float]
    hypothesis: tuple[int, int]
    seed: int


@dataclass(frozen=True)
class CalibrationData:
    """The pairs that are searched and the generated background, read once when asked for."""

    context: Context

    @property
    def config(self) -> CalibrationConfig:
        """The stage's config."""
        config: CalibrationConfig = self.context.config
        return config

    @property
    def degree(self) -> int:
        """Degree of the nominal fit."""
        return self.config.hypothesis[0]

    @cached_property
    def binning(self) -> HuntBinning:
        """The nominal binning."""
        return HuntBinning(self.config.range, self.config.window, self.config.hypothesis[1])

    @cached_property
    def everything(self) -> Pairs:
        """Pairs of both signs."""
        return read_pairs(self.context.path("pairs"), self.config.features, self.config.window)

    @cached_property
    def pairs(self) -> Pairs:
        """The pairs that are searched."""
        return self.everything.searched()

    def score(self, kind: Score) -> Floats:
        """Score of the pairs that are searched."""
        name = f"{kind}_{hypothesis_name(*self.config.hypothesis)}"
        return read_scores(self.context.path("scores"), name)[~self.everything.control]

    def pool_score(self, kind: Score) -> Floats:
        """Score of the generated background."""
        return read_scores(self.context.path("pool_scores"), kind)

    @cached_property
    def pool_mass(self) -> Floats:
        """Mass of the generated background in GeV."""
        return read_masses(self.context.path("pool"))

    @cached_property
    def scale(self) -> float:
        """What makes the generated background the data's size, by their sidebands."""
        data, generated = (
            self.binning.count(mass).sidebands.sum() for mass in (self.pairs.mass, self.pool_mass)
        )
        return float(data / generated)

    def cuts(self, rates: Sequence[float]) -> list[float]:
        """The scores that let these fractions of the sidebands pass."""
        beside = self.score("rank")[~self.pairs.in_window]
        return [cut_at(rate, beside) for rate in rates]

    def spectra(self, rates: Sequence[float]) -> list[Spectrum]:
        """Data behind cuts of these rates."""
        score = self.score("rank")
        return [self.binning.count(self.pairs.mass[score >= cut]) for cut in self.cuts(rates)]

    def pool_spectra(self, rates: Sequence[float]) -> list[Spectrum]:
        """Generated background behind the data's cuts, as generated."""
        score = self.pool_score("rank")
        return [self.binning.count(self.pool_mass[score >= cut]) for cut in self.cuts(rates)]

    def smooth(self, rows: Floats) -> Floats:
        """Each row's fit with a polynomial over sidebands and window, with the shape of `rows`."""
        spectra = (Spectrum.from_cells(self.binning, row) for row in rows)
        degree = self.degree + EXTRA_DEGREES
        return np.stack([expected_background(spectrum, degree).cells for spectrum in spectra])
