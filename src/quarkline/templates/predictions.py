"""What a fit expects in one region, sample by sample, with the errors of figures and tables."""

from __future__ import annotations

from dataclasses import dataclass

from quarkline.engine.core.results import Result

Numbers = tuple[float, ...]


@dataclass(frozen=True)
class PredictedSample:
    """One sample of a prediction.

    Attributes:
        name: Its name in the catalog.
        role: "signal" or "background".
        contents: Expected events of each bin.
        errors: Their errors of all causes.
        total: Sum of the bins.
        total_error: Its error, with the bins' correlation.
    """

    name: str
    role: str
    contents: Numbers
    errors: Numbers
    total: float
    total_error: float


@dataclass(frozen=True)
class RegionPrediction(Result, kind="region-prediction"):
    """The expectation in one region, before or after a fit.

    Attributes:
        region: Its name in the catalog.
        after_fit: Whether parameters have their fitted values.
        edges: Edges of the bins.
        samples: Expected samples, in the order of the catalog.
        contents: Their sum in each bin.
        errors: Its error, with all correlations.
        total: Sum of all bins.
        total_error: Its error.
        data: Counts of each bin; None without data or where they are not to be seen.
        hidden: Bins, counted from 0, whose data figures do not show.
        chi2: Difference of data and expectation with all correlations; None without data.
        degrees: Its degrees of freedom.
        p: Chance of a larger one.
        background: Sum of the backgrounds with its errors; None if it is not known.
    """

    region: str
    after_fit: bool
    edges: Numbers
    samples: tuple[PredictedSample, ...]
    contents: Numbers
    errors: Numbers
    total: float
    total_error: float
    data: Numbers | None
    hidden: tuple[int, ...] = ()
    chi2: float | None = None
    degrees: int | None = None
    p: float | None = None
    background: PredictedSample | None = None
