"""What is simulated: sizes, masses, slices, and how collision data differ from simulation."""

from __future__ import annotations

import itertools
from typing import Literal, Self

from pydantic import Field, model_validator

from quarkline.engine.core.config import Config

Source = Literal["signal", "qcd", "bib", "control-simulation", "control-data"]
"""What a simulated file holds."""


class MassPoint(Config):
    """A signal: H decays to two long-lived S."""

    mH: float = Field(gt=0, description="Mass of the heavy scalar in GeV.")  # noqa: N815
    mS: float = Field(gt=0, description="Mass of the long-lived scalar in GeV.")  # noqa: N815
    lifetime: float = Field(gt=0, description="Mean proper lifetime times c, in m.")

    @model_validator(mode="after")
    def _can_decay(self) -> Self:
        if 2 * self.mS >= self.mH:
            msg = f"mH = {self.mH:g} is too light for two S of mS = {self.mS:g}"
            raise ValueError(msg)
        return self


BENCHMARKS = (
    *((60, 5, 0.22), (60, 16, 0.66), (125, 5, 0.13), (125, 16, 0.58), (125, 35, 1.3)),
    *((125, 55, 1.1), (200, 50, 1.25), (400, 100, 1.45), (600, 50, 0.52), (600, 150, 1.7)),
    *((600, 275, 2.5), (1000, 50, 0.38), (1000, 275, 1.75), (1000, 475, 3.0)),
)
"""mH and mS in GeV of the published benchmarks, and lifetimes times c in m near theirs."""


class Slice(Config):
    """Multijets whose harder jet was generated in a range of momenta."""

    name: str = Field(description="Name, such as JZ2.")
    min_pt: float = Field(gt=0, description="Least generated momentum in GeV.")
    max_pt: float = Field(gt=0, description="Largest.")
    share: float = Field(gt=0, description="Share of the generated events.")

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.max_pt <= self.min_pt:
            msg = f"{self.name}: max_pt is not above min_pt"
            raise ValueError(msg)
        return self


SLICES = (
    ("JZ1", 35, 60, 0.35),
    ("JZ2", 60, 160, 0.35),
    ("JZ3", 160, 400, 0.2),
    ("JZ4", 400, 800, 0.1),
)


class JetNumbers(Config):
    """How many jets of each kind; the last event of a file may bring one more."""

    signal: int = Field(42_000, ge=0, description="Displaced decays, shared among the masses.")
    qcd: int = Field(42_000, ge=0, description="Multijets.")
    bib: int = Field(42_000, ge=0, description="Beam-induced background.")
    control_simulation: int = Field(24_000, ge=0, description="Simulation in the control region.")
    control_data: int = Field(24_000, ge=0, description="Data in the control region.")

    @property
    def backgrounds(self) -> dict[Source, int]:
        """Jets of each source that is no signal."""
        return {
            "qcd": self.qcd,
            "bib": self.bib,
            "control-simulation": self.control_simulation,
            "control-data": self.control_data,
        }


class ShiftConfig(Config):
    """How collision data differ from simulation; all of it vanishes with `strength: 0`."""

    strength: float = Field(1.0, ge=0, le=3, description="Multiplies everything below.")
    time_offset: float = Field(-0.4, description="Added to times of clusters, in ns.")
    time_smear: float = Field(
        0.15, ge=0, description="Further spread of a jet's and of its clusters' times, in ns."
    )
    strips: float = Field(
        0.12, gt=-0.3, lt=0.3, description="Relative change of energies before the middle layer."
    )
    hadronic: float = Field(
        0.02, gt=-0.3, lt=0.3, description="Relative change of energies in the hadronic layers."
    )
    track_loss: float = Field(0.03, ge=0, lt=0.3, description="Fraction of tracks not found.")
    soft_clusters: float = Field(
        -0.2, gt=-0.3, lt=0.3, description="Relative change of the number of soft clusters."
    )
    segments: float = Field(
        0.8, gt=-0.3, le=2, description="Relative change of the number of background segments."
    )


class SimulateConfig(Config):
    """Simulated jets of three classes and of a control region."""

    jets: JetNumbers = Field(default_factory=JetNumbers)
    masses: list[MassPoint] = Field(
        default_factory=lambda: [MassPoint(mH=h, mS=s, lifetime=ct) for h, s, ct in BENCHMARKS],
        min_length=1,
        description="The signals.",
    )
    slices: list[Slice] = Field(
        default_factory=lambda: [
            Slice(name=name, min_pt=low, max_pt=high, share=share)
            for name, low, high, share in SLICES
        ],
        min_length=1,
        description="The slices of multijets.",
    )
    pt: tuple[float, float] = Field(
        (40.0, 500.0), description="Range of the momenta of jets that count, in GeV."
    )
    pile_up: float = Field(35.0, ge=0, description="Mean number of other collisions.")
    impurity: float = Field(
        0.2, ge=0, le=1, description="Fraction of multijets among beam-induced background."
    )
    shift: ShiftConfig = Field(default_factory=ShiftConfig)
    file_jets: int = Field(
        20_000, ge=1, le=400_000, description="Jets of a file; part of what a seed means."
    )
    write: Literal["tables", "ntuples", "both"] = Field(
        "tables", description="Tables of jets, ntuples for the converter, or both."
    )

    @model_validator(mode="after")
    def _ranges_make_sense(self) -> Self:
        if not 0 < self.pt[0] < self.pt[1]:
            msg = f"pt: {list(self.pt)} is no range of momenta"
            raise ValueError(msg)
        for one, other in itertools.pairwise(self.slices):
            if one.max_pt != other.min_pt:
                msg = f"slices: {one.name} ends at {one.max_pt:g} GeV, and {other.name} begins at "
                raise ValueError(msg + f"{other.min_pt:g} GeV")
        if not self.slices[0].min_pt < self.pt[1] or self.slices[-1].max_pt <= self.pt[0]:
            msg = f"slices: none has momenta of {self.pt[0]:g} to {self.pt[1]:g} GeV"
            raise ValueError(msg)
        names = [(point.mH, point.mS) for point in self.masses]
        if len(set(names)) < len(names):
            msg = "masses: a pair of masses stands there twice"
            raise ValueError(msg)
        return self
