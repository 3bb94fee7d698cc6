"""The templates of a fit: every sample in every region, with what each systematic makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quarkline.templates.histograms import Array, Histogram


@dataclass(frozen=True, eq=False)
class Shift:
    """What one systematic does to one sample in one region.

    Attributes:
        up: Histogram at +1, after symmetrising and smoothing.
        down: Histogram at -1.
        filled_up: Histogram at +1 as it was filled, for control figures; None if it has none.
        filled_down: The same at -1.
        norm_up: Relative change of the yield at +1 that goes into the fit.
        norm_down: The same at -1.
        shape_up: Contents at +1, scaled to the nominal yield, shape (n,); None without a shape.
        shape_down: The same at -1.
        norm_kept: Whether pruning left the change of the yield in the fit.
        shape_kept: Whether pruning left the change of the shape in the fit.
        bad: Parts that are suspiciously large and left out for that, "norm" or "shape".
        reason: Why something was left out or is suspicious, in words.
    """

    up: Histogram
    down: Histogram
    filled_up: Histogram | None
    filled_down: Histogram | None
    norm_up: float
    norm_down: float
    shape_up: Array | None
    shape_down: Array | None
    norm_kept: bool = True
    shape_kept: bool = True
    bad: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Template:
    """One sample in one region.

    Attributes:
        nominal: Its histogram, as the fit takes it.
        filled: Its histogram as it was filled and merged to the bins of the fit.
        shifts: What each systematic does to it, by the systematic's name.
        guessed: Bins, counted from 0, whose content or error was set since they were empty.
    """

    nominal: Histogram
    filled: Histogram
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    guessed: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class RegionTemplates:
    """All samples in one region.

    Attributes:
        edges: Edges of its bins, shape (n + 1,).
        templates: Simulated samples by name, reference samples included.
        data: Its data; None if there are none or they are blinded.
        observed: Each data sample as it was filled, by name; their sum need not be `data`.
        dropped: Bins, counted from 0, that are left out of the fit. All histograms are 0 there.
    """

    edges: Array
    templates: Mapping[str, Template]
    data: Histogram | None = None
    observed: Mapping[str, Histogram] = field(default_factory=dict)
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class TemplateSet:
    """The templates of an analysis, by region."""

    regions: Mapping[str, RegionTemplates]
