"""Templates while they are made: histograms of one region that steps pass on to one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from quarkline.catalog import Catalog, Region, Sample, Varied
from quarkline.catalog.names import selects
from quarkline.catalog.systematics import Systematic
from quarkline.engine.core.findings import Finding
from quarkline.templates.histograms import Histogram


@dataclass(frozen=True, eq=False)
class Pair:
    """Both sides of a systematic.

    Attributes:
        up: Histogram at +1.
        down: Histogram at -1.
        filled_up: The same as it was filled.
        filled_down: The same as it was filled.
        stated: Relative changes of the yield, up and down, if the analysis states them.
        merged: Name of the systematic that holds this one, too; this one is without effect.
        shapes: What the shapes up and down are, if not the sides scaled to the nominal yield.
    """

    up: Histogram
    down: Histogram
    filled_up: Histogram
    filled_down: Histogram
    stated: tuple[float, float] | None = None
    merged: str = ""
    shapes: tuple[Histogram, Histogram] | None = None

    def apply(self, change: Callable[[Histogram], Histogram]) -> Pair:
        """The pair with a change to both sides."""
        return replace(self, up=change(self.up), down=change(self.down))


@dataclass(frozen=True, eq=False)
class Draft:
    """One sample in one region.

    Attributes:
        nominal: Its histogram.
        filled: Its histogram as it was filled, in the bins of the fit.
        pairs: The sides of its systematics, by the systematics' names.
        guessed: Bins, counted from 0, whose content or error was set since they were empty.
    """

    nominal: Histogram
    filled: Histogram
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    guessed: tuple[int, ...] = ()

    def with_pairs(self, change: Callable[[str, Pair], Pair]) -> Draft:
        """The draft with a change to each of its pairs."""
        return replace(self, pairs={name: change(name, pair) for name, pair in self.pairs.items()})


Drafts = dict[str, Draft]
"""All samples in one region, in the order of the catalog."""


@dataclass(frozen=True)
class Where:
    """The region that is worked on.

    Attributes:
        catalog: The analysis.
        name: Name of the region.
        found: What there is to say.
        treated: Drafts of earlier regions after smoothing, by region, where later ones need them.
    """

    catalog: Catalog
    name: str
    found: list[Finding]
    treated: dict[str, Drafts] = field(default_factory=dict)

    @property
    def region(self) -> Region:
        """What the catalog says about the region."""
        return self.catalog.regions[self.name]

    def sample(self, name: str) -> Sample:
        """What the catalog says about a sample."""
        return self.catalog.samples[name]

    def varied(self, name: str) -> Varied | None:
        """What the catalog says about a systematic with histograms; None for other kinds."""
        systematic = self.catalog.systematics[name]
        return systematic if isinstance(systematic, Varied) else None

    def systematics_of(self, sample: str) -> dict[str, Systematic]:
        """The systematics of a sample here, those without effect on it included."""
        catalog = self.catalog
        if catalog.templates.statistics_only:
            return {}
        own = catalog.systematics_of(sample, self.name)
        dummies = catalog.samples[sample].has_systematics
        return {
            name: systematic
            for name, systematic in catalog.systematics.items()
            if name in own or (dummies and self._without_effect(systematic, sample))
        }

    def _without_effect(self, systematic: Systematic, sample: str) -> bool:
        return (
            isinstance(systematic, Varied)
            and selects(systematic.without_effect_on, sample)
            and selects(systematic.regions, self.name)
            and not selects(systematic.exclude, self.name)
        )
