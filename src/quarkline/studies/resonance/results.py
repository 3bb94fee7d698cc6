"""Result values of a resonance search, one kind a question."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics import BumpHuntResult


@dataclass(frozen=True)
class SelectionStep:
    """One step of the selection.

    Attributes:
        name: What was asked.
        searched: Events left with a pair of the searched sign; before pairing, all events left.
        control: Events left with a pair of the other sign; None before pairing.
    """

    name: str
    searched: int
    control: int | None


@dataclass(frozen=True)
class Selection(Result, kind="resonance-selection"):
    """What was read and kept.

    Attributes:
        sign: "opposite" or "same": the charges of the pairs that are searched.
        files: Number of files read.
        bad_files: Files left out, with the reason.
        steps: The selection, first step first.
        regions: Searched pairs below, in and above the window.
        regions_control: The same for pairs of the other sign.
        duplicates: Rows whose event key was seen before.
    """

    sign: str
    files: int
    bad_files: dict[str, str]
    steps: tuple[SelectionStep, ...]
    regions: tuple[int, int, int]
    regions_control: tuple[int, int, int]
    duplicates: int


@dataclass(frozen=True)
class FlowTraining:
    """Training of one flow.

    Attributes:
        seed: Its number, from 1.
        train: Loss per epoch while training, in nats of scaled features.
        validation: Loss per epoch on held-out events.
        best: The epoch kept, from 0.
        log_likelihood: Mean held-out log-density per event in nats, in the features' units.
    """

    seed: int
    train: list[float]
    validation: list[float]
    best: int
    log_likelihood: float


@dataclass(frozen=True)
class BackgroundModel(Result, kind="resonance-background"):
    """The flows.

    Attributes:
        features: What they generate.
        sideband_events: Searched events in the sidebands.
        flows: Each training.
        log_likelihood: Mean over the flows, with the standard error of that mean.
    """

    features: tuple[str, ...]
    sideband_events: int
    flows: tuple[FlowTraining, ...]
    log_likelihood: Quantity


@dataclass(frozen=True)
class FlowCheck(Result, kind="resonance-flow-check"):
    """Whether generated background looks like data in the sidebands.

    Attributes:
        auc: A classifier's area under the ROC curve, data against generated, out of fold and
            without the mass; 0.5 is indistinguishable.
        auc_low: The same in the lower sideband alone.
        auc_high: The same in the upper sideband alone.
        runs: Number of repetitions behind each.
        ks_statistic: Kolmogorov-Smirnov distance by feature.
        ks_p_value: Its p-value by feature.
    """

    auc: Quantity
    auc_low: Quantity
    auc_high: Quantity
    runs: int
    ks_statistic: dict[str, float]
    ks_p_value: dict[str, float]


@dataclass(frozen=True)
class Classification(Result, kind="resonance-classification"):
    """How the scores were made.

    Attributes:
        method: Kind of `background`: what the classifiers learned against.
        classifier: Kind of the classifiers.
        folds: Parts of the data, each scored by the others.
        repetitions: Partitions into folds, over which scores are averaged.
        candidates: Searched pairs in the window.
        templates: Events the classifiers learned against, all folds together.
    """

    method: str
    classifier: str
    folds: int
    repetitions: int
    candidates: int
    templates: int


@dataclass(frozen=True)
class Bump:
    """The hunt behind one cut.

    Attributes:
        rate: Fraction of the searched sideband events that pass.
        events: Events that pass.
        n_window: Of these, in the window.
        signal: Signal in the window.
        background: Background in the window, from the sidebands.
        q0: The test statistic.
        z_local: Local significance, sqrt(q0).
        p_local: Its one-sided p-value.
        status: How the fits ended.
    """

    rate: float
    events: int
    n_window: int
    signal: Quantity
    background: Quantity
    q0: float
    z_local: float
    p_local: float
    status: str


@dataclass(frozen=True)
class WorkingPoint(Result, kind="resonance-working-point"):
    """The result that is quoted: the cut was declared before the data were looked at.

    Attributes:
        rate: The declared false-positive rate.
        cut: The score it means.
        events: Searched events that pass.
        hunt: The hunt in them, with toys of its background-only fit.
        control_events: Events of the other sign that pass the same cut.
        control: The hunt in these, where nothing should be.
    """

    rate: float
    cut: float
    events: int
    hunt: BumpHuntResult
    control_events: int
    control: BumpHuntResult


@dataclass(frozen=True)
class Scan:
    """Hunts behind cuts of falling false-positive rate.

    Attributes:
        method: What is cut on.
        points: Largest rate first.
    """

    method: str
    points: tuple[Bump, ...]

    @property
    def best(self) -> Bump:
        """The most significant point."""
        return max(self.points, key=lambda point: point.z_local)


@dataclass(frozen=True)
class Scans(Result, kind="resonance-scans"):
    """Every method's scan of the false-positive rate.

    Attributes:
        scans: The classifier's, one for each feature, and that of a random cut.
        control: The classifier's in pairs of the other sign.
        reweighted: The hunt in all events weighted by the likelihood ratio.
    """

    scans: tuple[Scan, ...]
    control: Scan
    reweighted: Bump


@dataclass(frozen=True)
class Variation:
    """Another degree and number of bins.

    Attributes:
        degree: Degree of the polynomial.
        bins: Bins in the window.
        retrained: Whether the classifier was trained anew, on its own generated background.
        working_point: The hunt at the declared false-positive rate.
        scan: The classifier's scan.
    """

    degree: int
    bins: int
    retrained: bool
    working_point: Bump
    scan: Scan


@dataclass(frozen=True)
class Variations(Result, kind="resonance-variations"):
    """All variations, the nominal choice first."""

    variations: tuple[Variation, ...]


@dataclass(frozen=True)
class Sculpting(Result, kind="resonance-sculpting"):
    """Whether cuts change the shape of the mass in the sidebands.

    Attributes:
        rates: False-positive rate of each cut.
        statistic: Kolmogorov-Smirnov distance of passing and failing events.
        p_value: Its p-value.
    """

    rates: tuple[float, ...]
    statistic: tuple[float, ...]
    p_value: tuple[float, ...]


@dataclass(frozen=True)
class ComparedPoint:
    """A method at the declared working point, trained from one seed.

    Attributes:
        seed: Seed of the training.
        hunt: The hunt in the searched pairs that pass.
        control: The hunt in pairs of the other sign that pass.
        ks_statistic: Kolmogorov-Smirnov distance of passing and failing sideband masses.
        ks_p_value: Its p-value.
    """

    seed: int
    hunt: Bump
    control: Bump
    ks_statistic: float
    ks_p_value: float


@dataclass(frozen=True)
class ComparedMethod:
    """A method with one kind of classifier.

    Attributes:
        method: Kind of `background`.
        classifier: Kind of `classifier`.
        z: Local significance by seed and false-positive rate.
        mean: Its mean over the seeds at each rate, with the standard error of that mean.
        working_point: The declared working point, once a seed.
    """

    method: str
    classifier: str
    z: tuple[tuple[float, ...], ...]
    mean: tuple[Quantity, ...]
    working_point: tuple[ComparedPoint, ...]


@dataclass(frozen=True)
class Comparison(Result, kind="resonance-comparison"):
    """Methods on the same events, everything trained from several seeds.

    Attributes:
        seeds: The seeds.
        rates: False-positive rate of each cut, largest first.
        working_point: The declared false-positive rate.
        methods: Each method with each kind of classifier.
    """

    seeds: tuple[int, ...]
    rates: tuple[float, ...]
    working_point: float
    methods: tuple[ComparedMethod, ...]
