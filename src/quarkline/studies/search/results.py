"""What the stages of a search find out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quarkline.engine.core.results import Quantity, Result
from quarkline.events.selection import CutFlow
from quarkline.learning.features.summary import FeatureSummary
from quarkline.learning.training.scan import LearningRateScan


@dataclass(frozen=True)
class SampleSkim:
    """The rows of one sample.

    Attributes:
        name: Name of the sample.
        role: Its role in the analysis.
        label: Number of its class, -1 if it is in none.
        files: Files read.
        bad_files: Why each unreadable file was left out, by its name.
        flow: The cut-flow of the region.
        selected: Rows in the region.
        beyond: Rows outside it that are only trained on.
        groups: Groups among the rows in the region.
        yield_: Sum of the weights in the region, with its error by groups.
        zero: Rows in the region that weigh nothing.
        negative: Rows in the region with a negative weight.
        negative_sum: Sum of these weights.
        duplicates: Rows that repeat an event key.
    """

    name: str
    role: str
    label: int
    files: int
    bad_files: dict[str, str]
    flow: CutFlow
    selected: int
    beyond: int
    groups: int
    yield_: Quantity
    zero: int
    negative: int
    negative_sum: float
    duplicates: int


@dataclass(frozen=True)
class Skim(Result, kind="search-skim"):
    """All rows that are trained on or evaluated.

    Attributes:
        region: Name of the region.
        samples: One a sample, in the order of the catalog.
        shifts: Systematics' sides with rows of their own.
        weights: Systematics' sides that are weights.
        missing: Files of the catalog that are not there.
    """

    region: str
    samples: tuple[SampleSkim, ...]
    shifts: tuple[str, ...]
    weights: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Features(Result, kind="search-features"):
    """The features of the rows that are trained on.

    Attributes:
        training: Each feature over these rows.
        findings: What is suspicious, as JSON values.
        events: Rows of each class in each fold.
        classes: Names of the classes.
    """

    training: FeatureSummary
    findings: tuple[Mapping[str, Any], ...]
    events: tuple[tuple[int, ...], ...]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class FoldTraining:
    """One training.

    Attributes:
        fold: The fold that it has not seen.
        member: Its number among the models of the fold.
        events: Events trained on.
        held_out: Events that picked the best epoch.
        best: The epoch kept, from 0.
        metrics: Metrics of each epoch, by name.
        scan: How the learning rate was found, if it was.
    """

    fold: int
    member: int
    events: int
    held_out: int
    best: int
    metrics: Mapping[str, list[float]]
    scan: LearningRateScan | None


@dataclass(frozen=True)
class Training(Result, kind="search-training"):
    """The trainings of all folds.

    Attributes:
        model: Kind of the model.
        classes: Names of the classes, in the order of the scores.
        folds: Each training.
    """

    model: str
    classes: tuple[str, ...]
    folds: tuple[FoldTraining, ...]


@dataclass(frozen=True)
class Quoted(Result, kind="search-quoted"):
    """What is said of a search in one sentence.

    Attributes:
        signal: Name of the signal.
        auc: Area of signal against all other classes, out of fold.
        significance: Asimov significances of automatic bins of the score in quadrature.
        folds: Number of folds.
        signal_events: Simulated signal events in the region.
        background_events: Simulated events of other classes in it.
    """

    signal: str
    auc: Quantity
    significance: Quantity
    folds: int
    signal_events: int
    background_events: int

    @property
    def text(self) -> str:
        """The sentence."""
        area = f"AUC({self.signal}) = {_spelt(self.auc)}"
        behind = f"{self.folds} folds, {self.signal_events:,} signal events"
        return f"{area} · binned Asimov {_spelt(self.significance)} σ ({behind})"


def _spelt(quantity: Quantity) -> str:
    """A value with two digits of its error."""
    if not quantity.up or not math.isfinite(quantity.value):
        return f"{quantity.value:.4g}"
    digits = max(0, 1 - math.floor(math.log10(quantity.up)))
    return f"{quantity.value:.{digits}f} ± {quantity.up:.{digits}f}"


@dataclass(frozen=True)
class Friend:
    """The friend of one file.

    Attributes:
        sample: The file's sample.
        place: Where it is below the folder of friends.
        entries: Its entries, as many as the file's.
        infinities: Infinite values that were read as missing, by feature.
    """

    sample: str
    place: str
    entries: int
    infinities: Mapping[str, int]


@dataclass(frozen=True)
class Friends(Result, kind="search-friends"):
    """The friends of all files.

    Attributes:
        friends: One a file.
        columns: Columns of unshifted events.
        shifts: What the names of columns of shifted events end in.
    """

    friends: tuple[Friend, ...]
    columns: tuple[str, ...]
    shifts: tuple[str, ...]
