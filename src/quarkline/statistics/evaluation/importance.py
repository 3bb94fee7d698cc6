"""What a classifier's features are worth: result values of permutation and attribution."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.results import Quantity, Result


@dataclass(frozen=True)
class FeatureImportance:
    """What is lost without one feature, or one group of them.

    Attributes:
        name: The feature or group.
        auc_drop: Area of signal against background less that with the feature permuted.
        significance_drop: The same of the binned Asimov significance.
    """

    name: str
    auc_drop: Quantity
    significance_drop: Quantity


@dataclass(frozen=True)
class PermutationImportance(Result, kind="permutation-importance"):
    """Features permuted between events, one after the other.

    Attributes:
        features: The most important first, by the drop in area.
        auc: Area of signal against background with all features as they are.
        significance: Binned Asimov significance with all features as they are.
        repetitions: Permutations of each feature; errors are those of their mean.
        events: Number of events.
    """

    features: tuple[FeatureImportance, ...]
    auc: float
    significance: float
    repetitions: int
    events: int


@dataclass(frozen=True)
class FeatureAttribution:
    """Share of one feature in what a network says.

    Attributes:
        name: The feature.
        size: Mean absolute attribution, with its bootstrap error.
        mean: Mean attribution, positive where the feature speaks for the class.
    """

    name: str
    size: Quantity
    mean: Quantity


@dataclass(frozen=True)
class Attribution(Result, kind="integrated-gradients"):
    """Integrated gradients of one class's probability.

    Attributes:
        target: The class.
        features: The largest first.
        left_out: Features that were not attributed.
        events: Number of events they are averaged over.
        steps: Steps of the integral.
        delta_mean: Mean over events of what the attributions miss of the difference to the
            baseline: the integral's error.
        delta_largest: Largest absolute value of it.
    """

    target: str
    features: tuple[FeatureAttribution, ...]
    left_out: tuple[str, ...]
    events: int
    steps: int
    delta_mean: float
    delta_largest: float
