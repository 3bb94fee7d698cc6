"""The config of a resonance search."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from quarkline.engine.core.config import Config, ConfigPath
from quarkline.engine.core.findings import InputError
from quarkline.engine.store.remote import RemoteConfig
from quarkline.engine.workflow.study import StudyConfig
from quarkline.learning.training.trackers.config import Tracked
from quarkline.studies.resonance.particles import known_resonance

Interval = tuple[float, float]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class InputsConfig(Config):
    """Which events are read."""

    files: Annotated[list[ConfigPath], BeforeValidator(_as_list)] = Field(
        default_factory=list, description="Event files or addresses; names may hold wildcards."
    )
    files_from: ConfigPath | None = Field(
        None, description="A text file with further event files, one a line, relative to itself."
    )
    tree: str | None = Field(None, description="Name of the tree, where a file has several.")
    identity: list[str] = Field(
        default=["run", "event"], min_length=1, description="Columns that identify an event."
    )
    trigger: Annotated[list[str], BeforeValidator(_as_list)] = Field(
        default_factory=list, description="Trigger flags; an event passes if any of them fired."
    )
    certified: ConfigPath | None = Field(
        None, description="List of certified luminosity sections (CMS JSON); others are left out."
    )
    max_files: int | None = Field(None, ge=1, description="Read this many files only.")
    max_events: int | None = Field(None, ge=1, description="Read this many events only.")
    fraction: float = Field(
        1.0, gt=0, le=1, description="Keep this fraction of the events, chosen by seed."
    )
    remote: RemoteConfig = Field(
        default_factory=RemoteConfig, description="How files on other computers are read."
    )
    allow_bad_files: int = Field(
        0, ge=0, description="How many unreadable files are left out before the run is refused."
    )

    @model_validator(mode="after")
    def _some_files(self) -> Self:
        if not self.files and self.files_from is None:
            msg = "name event files as `files` or `files_from`"
            raise ValueError(msg)
        return self


class PairConfig(Config):
    """How a pair of leptons is chosen."""

    objects: Literal["Muon", "Electron"] = Field("Muon", description="The collection.")
    require: str | None = Field(
        "tightId", description="Selection of single leptons, in the collection's variables."
    )
    sign: Literal["opposite", "same"] = Field(
        "opposite",
        description="Charges of the pairs that are searched; the others are the control.",
    )
    cuts: str | None = Field(None, description="Selection of pairs, in the pair's variables.")


class ResonanceWindow(Config):
    """A resonance given by numbers."""

    window: Interval = Field(description="Signal region [low, high) in GeV.")
    range: Interval = Field(description="Fit range [low, high) in GeV.")
    marked: dict[str, float] = Field(
        default_factory=dict, description="Masses to mark in figures, in GeV, by name."
    )

    @model_validator(mode="after")
    def _inside(self) -> Self:
        low, high = self.range
        if not low < self.window[0] < self.window[1] < high:
            msg = f"window {self.window} does not lie inside the range {self.range}"
            raise ValueError(msg)
        return self


def _resonance(value: Any) -> Any:
    """Turn a name into its default windows."""
    if not isinstance(value, str):
        return value
    try:
        known = known_resonance(value)
    except InputError as error:
        finding = error.findings[0]
        msg = f"{finding.message}; {finding.suggestion}"
        raise ValueError(msg) from error
    return {"window": known.window, "range": known.range, "marked": known.masses}


class FlowConfig(Config):
    """Shape and training of the conditional flow."""

    transforms: int = Field(1, ge=1, description="Number of autoregressive spline transforms.")
    hidden: list[int] = Field(default=[64, 64], description="Widths of the hidden layers.")
    spline_bins: int = Field(8, ge=2, description="Number of bins of each spline.")
    batch_size: int = Field(1024, ge=8, description="Events in a batch.")
    learning_rate: float = Field(4e-3, gt=0, description="Adam's step size.")
    average_decay: float = Field(
        0.995, ge=0, lt=1, description="Decay of the running average of the weights."
    )
    max_epochs: int = Field(100, ge=1, description="Most epochs of training.")
    patience: int = Field(
        5, ge=1, description="Stop after so many epochs that gain less than 0.001 nats in all."
    )
    validation: float = Field(0.2, gt=0, lt=1, description="Held-out fraction of the sidebands.")


Method = Literal["cathode", "cwola", "ideal", "lacathode"]


class BackgroundConfig(Config):
    """How the background in the window is learned, and what data there are compared with."""

    kind: Method = Field(
        "cathode",
        description="What the classifier learns against: generated events, the sidebands, a given "
        "sample, or noise in the flow's latent space.",
    )
    files: Annotated[list[ConfigPath], BeforeValidator(_as_list)] = Field(
        default_factory=list,
        description="Event files of background alone, for `ideal`; names may hold wildcards.",
    )
    flow: FlowConfig = Field(default_factory=FlowConfig)
    seeds: int = Field(5, ge=1, description="Number of flows, trained from different seeds.")
    oversample: float = Field(
        5.0, gt=0, description="Generated background in the window over the expected background."
    )
    pool: int = Field(
        500_000, ge=1000, description="Generated background over the whole range, for toys."
    )

    @model_validator(mode="after")
    def _ideal_has_files(self) -> Self:
        if self.kind == "ideal" and not self.files:
            msg = "`kind: ideal` needs `files`, event files of background alone"
            raise ValueError(msg)
        return self


class _FoldsConfig(Config):
    """What every family of classifiers has."""

    folds: int = Field(5, ge=2, description="Parts of the data; each is scored by the others.")
    ensemble: int = Field(10, ge=1, description="Repetitions with a new partition into folds.")


class BdtConfig(_FoldsConfig):
    """Data in the window against background: boosted trees, out of fold."""

    kind: Literal["bdt"] = Field("bdt", description="Boosted trees of LightGBM.")
    trees: int = Field(50, ge=1, description="Trees of a classifier.")
    depth: int = Field(3, ge=1, description="Depth of a tree.")
    learning_rate: float = Field(0.1, gt=0, description="Weight of each new tree.")
    subsample: float = Field(0.7, gt=0, le=1, description="Fraction of the events a tree sees.")
    min_leaf: int = Field(50, ge=1, description="Fewest events in a leaf.")


class MlpConfig(_FoldsConfig):
    """Data in the window against background: small neural networks, out of fold."""

    kind: Literal["mlp"] = Field("mlp", description="Multi-layer perceptrons of PyTorch.")
    hidden: list[int] = Field(
        default=[32, 32], min_length=1, description="Widths of the hidden layers."
    )
    batch_size: int = Field(512, ge=8, description="Events in a batch.")
    learning_rate: float = Field(2e-3, gt=0, description="Adam's step size.")
    average_decay: float = Field(
        0.99, ge=0, lt=1, description="Decay of the running average of the weights."
    )
    max_epochs: int = Field(50, ge=1, description="Most epochs of training.")
    patience: int = Field(
        5, ge=1, description="Stop after so many epochs that gain less than 0.0001 nats in all."
    )
    validation: float = Field(
        0.2, gt=0, lt=1, description="Held-out fraction of the events a network is trained on."
    )


def _kind_of_classifier(value: Any) -> Any:
    """The kind of a classifier section; without `kind:` it means trees."""
    kind = value.get("kind", "bdt") if isinstance(value, Mapping) else getattr(value, "kind", "bdt")
    return str(kind)


ClassifierConfig = Annotated[
    Annotated[BdtConfig, Tag("bdt")] | Annotated[MlpConfig, Tag("mlp")],
    Discriminator(_kind_of_classifier),
]


def classifier_of_kind(kind: str, declared: BdtConfig | MlpConfig) -> BdtConfig | MlpConfig:
    """The declared classifier if it is of that kind; else another with its folds and ensemble."""
    if declared.kind == kind:
        return declared
    other = MlpConfig if kind == "mlp" else BdtConfig
    return other(folds=declared.folds, ensemble=declared.ensemble)


class ComparisonConfig(Config):
    """Several methods on the same events, from several seeds; without this section, none."""

    methods: list[Method] = Field(
        default=["cathode", "cwola", "lacathode"],
        min_length=1,
        description="Kinds of `background` to compare; `ideal` needs `background.files`.",
    )
    classifiers: list[Literal["bdt", "mlp"]] = Field(
        default=["bdt"],
        min_length=1,
        description="Kinds of `classifier` for each method; one that `classifier` does not "
        "declare has its defaults, with the same folds and ensemble.",
    )
    seeds: int = Field(
        5, ge=2, description="Trainings of everything from different seeds, the first from `seed`."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name, values in (("methods", self.methods), ("classifiers", self.classifiers)):
            if repeated := [value for value, times in Counter(values).items() if times > 1]:
                msg = f"`{name}` names `{repeated[0]}` more than once"
                raise ValueError(msg)
        return self


class ScanConfig(Config):
    """Working points of the scan, equally spaced in the logarithm of the false-positive rate."""

    start: float = Field(1.0, gt=0, le=1, description="Largest false-positive rate.")
    stop: float = Field(1e-3, gt=0, le=1, description="Smallest false-positive rate.")
    points: int = Field(25, ge=2, description="Number of working points.")

    @property
    def rates(self) -> list[float]:
        """The false-positive rates, largest first."""
        step = (math.log10(self.stop) - math.log10(self.start)) / (self.points - 1)
        return [10 ** (math.log10(self.start) + step * i) for i in range(self.points)]


class VariationsConfig(Config):
    """Other degrees and bins of the background fit."""

    degrees: list[int] = Field(default=[3, 5, 7], description="Degrees of the polynomial.")
    bins: list[int] = Field(default=[7, 11, 15], description="Bins in the window.")
    retrain: bool = Field(
        True,
        description="Train the classifier anew for each, too, with `cathode`, whose generated "
        "events depend on them.",
    )


class FitConfig(Config):
    """The bump hunt."""

    degree: int = Field(5, ge=0, description="Degree of the background polynomial.")
    bins: int = Field(11, ge=1, description="Bins in the window; sets the sidebands' bin width.")
    working_point: float = Field(
        0.01, gt=0, le=1, description="False-positive rate whose significance is quoted."
    )
    scan: ScanConfig = Field(default_factory=ScanConfig)
    toys: int = Field(500, ge=0, description="Background-only toys.")
    variations: VariationsConfig = Field(default_factory=VariationsConfig)


class SignalConfig(Config):
    """The shape of injected signal: equal Gaussians at the marked masses in the window."""

    resolution: float = Field(0.01, gt=0, description="Standard deviation of the mass over mass.")


Strength = Annotated[float, Field(ge=0)]


class InjectionConfig(Config):
    """Signal injected into toys of the counting fit."""

    strengths: list[Strength] = Field(
        default=[0, 1, 2, 3, 4, 5, 7],
        min_length=2,
        description="In standard deviations of the fitted signal without any.",
    )
    toys: int = Field(1000, ge=2, description="Toys of each strength.")

    @field_validator("strengths")
    @classmethod
    def _rising(cls, strengths: list[float]) -> list[float]:
        return _rising(strengths)


class ReweightingConfig(Config):
    """Toys of the hunt in reweighted events."""

    toys: int = Field(5000, ge=100, description="Background-only toys.")


class PowerConfig(Config):
    """Pseudo-experiments with a given signal through the whole chain."""

    files: Annotated[list[ConfigPath], BeforeValidator(_as_list)] = Field(
        min_length=1, description="Event files of signal alone; names may hold wildcards."
    )
    strengths: list[Strength] = Field(
        min_length=1, description="Mean signal events in the window, before the cut on the score."
    )
    experiments: int = Field(20, ge=2, description="Pseudo-experiments of each strength.")

    @field_validator("strengths")
    @classmethod
    def _rising(cls, strengths: list[float]) -> list[float]:
        return _rising(strengths)


class CalibrationsConfig(Config):
    """What is asked of the search with toys and pseudo-experiments."""

    signal: SignalConfig = Field(default_factory=SignalConfig)
    injection: InjectionConfig = Field(default_factory=InjectionConfig)
    reweighting: ReweightingConfig = Field(default_factory=ReweightingConfig)
    power: PowerConfig | None = None


def _rising(strengths: list[float]) -> list[float]:
    if any(following <= before for before, following in pairwise(strengths)):
        shown = ", ".join(f"{strength:g}" for strength in strengths)
        msg = f"strengths rise from one to the next, not {shown}"
        raise ValueError(msg)
    return strengths


class LabelsConfig(Config):
    """What figures say about the data."""

    experiment: str = Field("", description="Name in the corner of figures.")
    data: str = Field("", description="Kind of data, such as `Simulation` or `Open Data`.")
    luminosity: float | None = Field(None, gt=0, description="Integrated luminosity in /fb.")
    energy: float | None = Field(13.0, gt=0, description="Centre-of-mass energy in TeV.")


class ResonanceConfig(StudyConfig, Tracked):
    """A resonance search, from NanoAOD-like events to a significance."""

    inputs: InputsConfig
    pair: PairConfig = Field(default_factory=PairConfig)
    resonance: Annotated[ResonanceWindow, BeforeValidator(_resonance)]
    features: list[str] = Field(min_length=1, description="What the classifier learns from.")
    background: BackgroundConfig = Field(default_factory=BackgroundConfig)
    classifier: ClassifierConfig = Field(default_factory=BdtConfig)
    comparison: ComparisonConfig | None = None
    fit: FitConfig = Field(default_factory=FitConfig)
    calibration: CalibrationsConfig = Field(default_factory=CalibrationsConfig)
    labels: LabelsConfig = Field(default_factory=LabelsConfig)

    @model_validator(mode="after")
    def _mass_is_no_feature(self) -> Self:
        if "dimu_mass" in self.features:
            msg = "the mass is what the hunt is done in, so it cannot be a feature"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _background_files_are_used(self) -> Self:
        compared = self.comparison.methods if self.comparison else []
        if "ideal" in compared and not self.background.files:
            msg = (
                "`comparison.methods` names `ideal`, which needs `background.files`, event files "
                "of background alone"
            )
            raise ValueError(msg)
        if self.background.files and "ideal" not in (self.background.kind, *compared):
            msg = (
                f"`background.files` is not read by `background.kind: {self.background.kind}`; "
                "write `kind: ideal`, or `ideal` among `comparison.methods`"
            )
            raise ValueError(msg)
        return self
