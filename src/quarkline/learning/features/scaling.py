"""Scaling of features to the range a network likes, as values that travel with the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

OFFSET_FRACTION = 0.05
"""Offset of the logarithm over the median: it keeps zero finite and small values apart."""

LESS_SKEWED = 0.8
"""Skewness with the logarithm over skewness without it, below which it is taken."""

REACH = 8.0
"""Deviations from the mean beyond which bounded values all look alike."""


FAR = 300.0
"""Values so many times the width of the inner nine tenths away stand for none, such as 99999."""


@dataclass(frozen=True)
class FeatureScale:
    """Scaling of one feature: an optional logarithm, then mean 0 and deviation 1.

    Attributes:
        name: The feature.
        kind: "log" for log(x + offset), "linear" for x itself; "none" for values that a network
            takes as they are, without bounds.
        offset: In the feature's unit; 0 but for "log".
        mean: Mean after the logarithm.
        deviation: Standard deviation after the logarithm.
    """

    name: str
    kind: Literal["log", "linear", "none"]
    offset: float
    mean: float
    deviation: float

    @classmethod
    def none(cls, name: str) -> Self:
        """Leave a feature as it is."""
        return cls(name, "none", 0.0, 0.0, 1.0)

    @classmethod
    def fit(cls, name: str, values: ArrayLike) -> Self:
        """Choose the scaling of a feature: logarithmic if it is never negative and not constant.

        Args:
            name: The feature.
            values: Training values, with shape (N,).

        Raises:
            ValueError: If values are missing, not finite, or all equal.
        """
        data = np.asarray(values, dtype=np.float64)
        if data.size == 0 or not np.isfinite(data).all():
            msg = f"feature '{name}' has no values or some that are not finite"
            raise ValueError(msg)
        if data.min() == data.max():
            msg = f"feature '{name}' is constant ({data[0]:g}), so it cannot be learned from"
            raise ValueError(msg)
        logarithmic = data.min() >= 0 and np.median(data) > 0
        offset = OFFSET_FRACTION * float(np.median(data)) if logarithmic else 0.0
        unscaled = np.log(data + offset) if logarithmic else data
        deviation = float(unscaled.std())
        kind: Literal["log", "linear"] = "log" if logarithmic else "linear"
        return cls(name, kind, offset, float(unscaled.mean()), deviation)

    @classmethod
    def of_training(cls, name: str, values: ArrayLike) -> Self:
        """Choose the scaling of a feature of which any values may be missing.

        The logarithm is taken if the feature is never negative and at least a fifth less skewed
        with it. Values beyond `FAR` count neither for the mean nor for the deviation: a time of
        99999 for none would else leave no difference between real ones. A feature without values,
        or with a single value, has deviation 1, so that it is 0 in training.

        Args:
            name: The feature.
            values: Training values, with shape (N,); NaN where missing. Their order does not
                matter, to the last bit.
        """
        data = np.sort(np.asarray(values)).astype(np.float64)
        data = data[np.isfinite(data)]
        if data.size == 0 or data[0] == data[-1]:
            return cls(name, "linear", 0.0, float(data[0]) if data.size else 0.0, 1.0)
        ends = data[[int(level * (data.size - 1)) for level in (0.05, 0.5, 0.95)]]
        offset = OFFSET_FRACTION * float(ends[1])
        if (
            data[0] < 0
            or offset == 0
            or _skewness(np.log(ends + offset)) >= LESS_SKEWED * _skewness(ends)
        ):
            near = _near(data, ends)
            return cls(name, "linear", 0.0, float(near.mean()), float(near.std()))
        unscaled = np.log(data + offset)
        return cls(name, "log", offset, float(unscaled.mean()), float(unscaled.std()))

    def forward(self, values: Floats) -> Floats:
        """Feature values to scaled values; below -offset there is no logarithm, so NaN."""
        with np.errstate(invalid="ignore", divide="ignore"):
            unscaled = np.log(values + self.offset) if self.kind == "log" else values
        return np.asarray((unscaled - self.mean) / self.deviation)

    def bounded(self, values: Floats) -> Floats:
        """As `forward`, within `REACH`: for events that may be unlike those it was fitted to.

        A value that is too low for the logarithm is scaled as the lowest. A feature without scale
        has no bounds; what is not finite is 0.
        """
        if self.kind == "none":
            return np.where(np.isfinite(values), values, 0.0)
        return np.minimum(np.fmax(self.forward(values), -REACH), REACH)  # fmax passes over NaN

    def inverse(self, scaled: Floats) -> Floats:
        """Scaled values to feature values."""
        unscaled = scaled * self.deviation + self.mean
        return np.asarray(np.exp(unscaled) - self.offset if self.kind == "log" else unscaled)

    def log_slope(self, values: Floats) -> Floats:
        """Log |d scaled / d value|, which turns a density of scaled values into one of values."""
        slope = -np.log(values + self.offset) if self.kind == "log" else np.zeros_like(values)
        return np.asarray(slope - np.log(self.deviation))


def _near(data: Floats, ends: Floats) -> Floats:
    """Values within `FAR` of the inner nine tenths; all of them if those are one value."""
    low, high = ends[0], ends[2]
    reach = FAR * (high - low)
    return data[(data >= low - reach) & (data <= high + reach)] if high > low else data


def _skewness(ends: Floats) -> float:
    """How far the outer of three quantiles lie unequally about the middle one, from 0 to 1."""
    low, middle, high = ends
    return float(abs(high + low - 2 * middle) / (high - low)) if high > low else 0.0


@dataclass(frozen=True)
class Scaler:
    """Scaling of several features at once; arrays have shape (N, F)."""

    scales: tuple[FeatureScale, ...]

    @classmethod
    def fit(cls, names: Sequence[str], values: ArrayLike) -> Self:
        """Fit every feature's scaling.

        Args:
            names: The F features.
            values: Training values, with shape (N, F).

        Raises:
            ValueError: If a feature cannot be scaled.
        """
        data = np.asarray(values, dtype=np.float64)
        return cls(tuple(FeatureScale.fit(name, data[:, i]) for i, name in enumerate(names)))

    @property
    def names(self) -> tuple[str, ...]:
        """The features, in order."""
        return tuple(scale.name for scale in self.scales)

    def forward(self, values: Floats) -> Floats:
        """Feature values to scaled values."""
        return np.stack([s.forward(values[:, i]) for i, s in enumerate(self.scales)], axis=1)

    def bounded(self, values: Floats) -> Floats:
        """As `forward`, within `REACH`: for events that may be unlike those it was fitted to."""
        return np.stack([s.bounded(values[:, i]) for i, s in enumerate(self.scales)], axis=1)

    def inverse(self, scaled: Floats) -> Floats:
        """Scaled values to feature values."""
        return np.stack([s.inverse(scaled[:, i]) for i, s in enumerate(self.scales)], axis=1)

    def log_slope(self, values: Floats) -> Floats:
        """Log of the Jacobian's determinant of `forward`, with shape (N,)."""
        slopes = [s.log_slope(values[:, i]) for i, s in enumerate(self.scales)]
        return np.asarray(np.sum(slopes, axis=0))

    def as_json(self) -> list[dict[str, Any]]:
        """The scaling as JSON values."""
        return [asdict(scale) for scale in self.scales]

    @classmethod
    def from_json(cls, data: Sequence[Mapping[str, Any]]) -> Self:
        """Rebuild from `as_json()`."""
        return cls(tuple(FeatureScale(**item) for item in data))
