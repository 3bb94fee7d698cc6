"""What the stages of the second half of a search find out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quarkline.engine.core.results import Result
from quarkline.statistics.likelihood.results import (
    FittedParameter,
    LikelihoodFit,
    LikelihoodScan,
    LikelihoodSurface,
)
from quarkline.templates.predictions import RegionPrediction


@dataclass(frozen=True)
class MadeTemplates(Result, kind="search-templates"):
    """The templates of a fit.

    Attributes:
        regions: Names of the regions.
        samples: Names of the simulated samples.
        histograms: How many were filled.
        bad_files: Why files were left out, by name.
        blind: Data that were not read, as `sample in region`.
        unblind: Why blind data were read all the same; None if they were not.
        systematics: Those that have templates.
        empty: Samples without any event, by region.
        separations: How well signal and background are separated, 0 to 1, by region with both.
        findings: What there is to say about them, as JSON values.
    """

    regions: tuple[str, ...]
    samples: tuple[str, ...]
    histograms: int
    bad_files: Mapping[str, str]
    blind: tuple[str, ...]
    unblind: str | None
    systematics: tuple[str, ...]
    empty: Mapping[str, tuple[str, ...]]
    separations: Mapping[str, float]
    findings: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Control:
    """A systematic on a sample in a region.

    Attributes:
        figure: Name of the figure.
        region: Name of the region.
        sample: Name of the sample.
        systematic: Name of the systematic.
        up: Relative change of the yield at +1.
        down: The same at -1.
        kept: What pruning left in the fit, of "norm" and "shape".
    """

    figure: str
    region: str
    sample: str
    systematic: str
    up: float
    down: float
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Controls(Result, kind="search-controls"):
    """The systematics that pruning left, each drawn as it was filled and as the fit takes it."""

    figures: tuple[Control, ...]


@dataclass(frozen=True)
class Expected(Result, kind="search-expected"):
    """What is expected in every region.

    Attributes:
        before: Before the fit, in the order of the catalog.
        after: After it.
    """

    before: tuple[RegionPrediction, ...]
    after: tuple[RegionPrediction, ...]


@dataclass(frozen=True)
class Scans(Result, kind="search-scans"):
    """Scans of the likelihood along one parameter, and along two."""

    lines: tuple[LikelihoodScan, ...]
    surfaces: tuple[LikelihoodSurface, ...]


@dataclass(frozen=True)
class Measurement(Result, kind="search-measurement"):
    """What was measured, with how it was.

    Attributes:
        poi: The measured parameter after the fit; None if none is fitted.
        title: Its title.
        data: What was fitted: "observed" data, "asimov" data, or both, "mixed".
        fitted: Regions that were fitted to observed data.
        asimov: Regions that were fitted to Asimov data.
        conditional: The fit without signal of regions with observed data, if both are mixed.
        statistics_only: The fit with all but factors fixed, if asked for.
        titles: Titles of parameters.
        parts: The measured parameter's error by cause: `statistics`, `simulation`, `systematics`;
            empty without impacts.
        findings: What there is to say about the fit, as JSON values.
        text: All of it in one sentence.
    """

    poi: FittedParameter | None
    title: str
    data: str
    fitted: tuple[str, ...]
    asimov: tuple[str, ...]
    conditional: LikelihoodFit | None
    statistics_only: LikelihoodFit | None
    titles: Mapping[str, str]
    parts: Mapping[str, float]
    findings: tuple[Mapping[str, Any], ...]
    text: str
