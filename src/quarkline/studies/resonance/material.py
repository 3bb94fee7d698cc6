"""What the figures of a search draw, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from quarkline.engine.core.config import Config
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import HuntBinning, fit_batch, spectrum_fit
from quarkline.studies.resonance.classify import read_scores
from quarkline.studies.resonance.config import LabelsConfig
from quarkline.studies.resonance.events import SIGN_NAMES, Pairs, read_pairs
from quarkline.studies.resonance.generate import hypothesis_name
from quarkline.studies.resonance.hunt import cut_at
from quarkline.studies.resonance.methods import METHODS
from quarkline.studies.resonance.particles import typeset
from quarkline.studies.resonance.results import Classification, Selection, Variations

if TYPE_CHECKING:
    from quarkline import figures as draw

Floats = NDArray[np.float64]


class FiguresConfig(Config):
    """What the figures depend on; the first hypothesis is the nominal one."""

    features: list[str]
    range: tuple[float, float]
    window: tuple[float, float]
    masses: dict[str, float]
    hypothesis: tuple[int, int]
    working_point: float
    labels: LabelsConfig


@dataclass(frozen=True)
class Material:
    """Everything the figures draw, read once."""

    context: Context

    @property
    def config(self) -> FiguresConfig:
        """The stage's config."""
        config: FiguresConfig = self.context.config
        return config

    @cached_property
    def everything(self) -> Pairs:
        """All pairs."""
        return read_pairs(self.context.path("pairs"), self.config.features, self.config.window)

    @cached_property
    def rank(self) -> Floats:
        """Score of every pair."""
        name = f"rank_{hypothesis_name(*self.config.hypothesis)}"
        return read_scores(self.context.path("scores"), name)

    @cached_property
    def searched(self) -> Pairs:
        """The pairs that are searched."""
        return self.everything.searched()

    @cached_property
    def score(self) -> Floats:
        """Score of the pairs that are searched."""
        return self.rank[~self.everything.control]

    @cached_property
    def binning(self) -> HuntBinning:
        """The nominal binning."""
        return HuntBinning(self.config.range, self.config.window, self.config.hypothesis[1])

    def cut(self, rate: float) -> float:
        """The score that lets a fraction of the sidebands pass."""
        return cut_at(rate, self.score[~self.searched.in_window])

    @property
    def retrained(self) -> bool:
        """Whether classifiers were trained again for the variations."""
        variations = self.context.result("variations", Variations).variations
        return any(item.retrained for item in variations)

    @property
    def compared(self) -> bool:
        """Whether methods were compared."""
        return "comparison" in self.context.inputs

    @property
    def method(self) -> str:
        """Name of the method behind the scores."""
        return METHODS[self.context.result("classification", Classification).method].title

    @property
    def signs(self) -> tuple[str, str]:
        """The sign that is searched, and that of the control."""
        return SIGN_NAMES[self.context.result("selection", Selection).sign]

    @property
    def label(self) -> draw.Label:
        """The line above every figure."""
        return label_of(self.config.labels)

    def fitted(self, mass: Floats, name: str) -> draw.FittedSpectrum:
        """A spectrum in equal bins with the sidebands' fit."""
        from quarkline.figures import FittedSpectrum

        degree = self.config.hypothesis[0]
        z = float(fit_batch(self.binning.count(mass), degree).z)
        return FittedSpectrum.of(spectrum_fit(self.binning, mass, degree), name=name, z=z)

    @property
    def lines(self) -> dict[str, Any]:
        """What every spectrum shows: known masses, the axis and the label."""
        return spectrum_lines(self.config.masses, self.config.labels)


def label_of(labels: LabelsConfig) -> draw.Label:
    """The line above every figure."""
    from quarkline.figures import Label

    parts = [f"{labels.luminosity:g} fb$^{{-1}}$"] if labels.luminosity else []
    parts += [f"({labels.energy:g} TeV)"] if labels.energy else []
    return Label(labels.experiment, labels.data, " ".join(parts))


def spectrum_lines(masses: Mapping[str, float], labels: LabelsConfig) -> dict[str, Any]:
    """What every spectrum shows: known masses in GeV by name, the axis and the label."""
    from quarkline.figures import DIMUON_MASS

    marked = {typeset(name): mass for name, mass in masses.items()}
    return {"masses": marked, "mass_label": DIMUON_MASS, "label": label_of(labels)}
