"""The whole analysis in neutral words, and what follows for one sample in one region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from quarkline.catalog.drawing import Drawing
from quarkline.catalog.factors import NormFactor, ShapeFactor
from quarkline.catalog.files import Files, InputFile, input_files
from quarkline.catalog.hide import Hide
from quarkline.catalog.inference import (
    FitSettings,
    LimitSettings,
    RankingSettings,
    SignificanceSettings,
)
from quarkline.catalog.luminosity import Luminosity
from quarkline.catalog.names import selects
from quarkline.catalog.regions import Region
from quarkline.catalog.samples import Sample
from quarkline.catalog.systematics import Systematic, Variation
from quarkline.catalog.templates import Templates
from quarkline.catalog.written import Written, conjunction, product
from quarkline.engine.core.config import Config


class Catalog(Config):
    """Samples, regions, weights, luminosity and systematics: one source for training and fit."""

    reads: Literal["ntuples", "histograms"] = Field("ntuples", description="What the files hold.")
    files: Files = Field(default_factory=Files)
    selection: Written | None = Field(None, description="Cut of all regions and samples.")
    weights: dict[str, Written] = Field(
        default_factory=dict, description="Factors of the weight of every simulated event, by name."
    )
    luminosity: Luminosity = Field(default_factory=Luminosity)
    samples: dict[str, Sample] = Field(default_factory=dict)
    regions: dict[str, Region] = Field(default_factory=dict)
    systematics: dict[str, Systematic] = Field(default_factory=dict)
    norm_factors: dict[str, NormFactor] = Field(default_factory=dict)
    shape_factors: dict[str, ShapeFactor] = Field(default_factory=dict)
    poi: str | None = Field(None, description="Norm factor that is measured.")
    further_pois: list[str] = Field(
        default_factory=list, description="Further norm factors that are measured with it."
    )
    hide: Hide = Field(default_factory=Hide)
    templates: Templates = Field(default_factory=Templates)
    fit: FitSettings | None = Field(None, description="How it is fitted; null without a fit.")
    ranking: RankingSettings | None = Field(None, description="Ranking of parameters, if any.")
    limit: LimitSettings | None = Field(None, description="Upper limit, if any.")
    significance: SignificanceSettings | None = Field(None, description="Significance, if any.")
    drawing: Drawing = Field(default_factory=Drawing)

    @property
    def pois(self) -> tuple[str, ...]:
        """All norm factors that are measured, `poi` first."""
        return (*([self.poi] if self.poi else []), *self.further_pois)

    def holds(self, sample: str, region: str) -> bool:
        """Whether a sample is in a region."""
        chosen = self.samples[sample]
        return selects(chosen.regions, region) and not selects(chosen.exclude, region)

    def systematics_of(self, sample: str, region: str) -> dict[str, Systematic]:
        """The systematics of a sample in a region; data have none."""
        if not self.samples[sample].has_systematics or not self.holds(sample, region):
            return {}
        return {
            name: systematic
            for name, systematic in self.systematics.items()
            if selects(systematic.samples, sample)
            and selects(systematic.regions, region)
            and not selects(systematic.exclude, sample)
            and not selects(systematic.exclude, region)
            and f"{region}:{sample}" not in systematic.exclude_pairs
        }

    def hides(self, sample: str, region: str) -> bool:
        """Whether a sample is data that nobody is to see in a region."""
        chosen = self.samples[sample]
        return chosen.role == "data" and (chosen.blind or self.regions[region].blind)

    def files_of(
        self, sample: str, region: str | None = None, variation: Variation | None = None
    ) -> list[InputFile]:
        """The files of a sample, in a region that says more about them, or for a variation."""
        chosen = self.samples[sample]
        levels = [self.files, self.regions[region].files if region else Files(), chosen.files]
        levels += [variation.files] if variation else []
        return input_files(levels, friends=chosen.use_friends, varied=variation is not None)

    def scales_of(self, sample: str, files: Sequence[InputFile]) -> list[float]:
        """What is multiplied with the histogram of each of the files of a sample.

        The luminosity counts for simulated samples that are normalised by theory; the sample's own
        scale is one for all files or one for each name, which all files of a name with `*` share,
        and files of names beyond a longer list have none.
        """
        chosen = self.samples[sample]
        theory = chosen.normalised_by_theory and chosen.role != "data"
        common = self.luminosity.factor if theory else 1.0
        scales = dict(enumerate(chosen.scales))
        beyond = scales[0] if len(scales) == 1 else 1.0
        return [common * scales.get(file.number, beyond) for file in files]

    def selection_of(self, sample: str, region: str) -> Written:
        """The cut on a sample in a region: of the analysis, the region and the sample together."""
        chosen, where = self.samples[sample], self.regions[region]
        cuts = [self.selection, where.selection_for.get(sample, where.selection)]
        if chosen.ignore_selection is True:
            cuts = []
        if isinstance(ignored := chosen.ignore_selection, Written):
            cuts = [cut and cut.without(ignored) for cut in cuts]
        return conjunction(cut for cut in (*cuts, chosen.selection) if cut)

    def weight_of(
        self,
        sample: str,
        region: str,
        variation: Variation | None = None,
        *,
        ignored: Written | None = None,
    ) -> Written:
        """The weight of an event of a sample in a region, without the luminosity; 1 for data.

        Args:
            sample: Name of the sample.
            region: Name of the region.
            variation: A side of a systematic.
            ignored: A part that the systematic leaves out of what is not its own.
        """
        chosen, where = self.samples[sample], self.regions[region]
        if chosen.role == "data":
            return Written("1")
        common = [*(self.weights.values() if chosen.normalised_by_theory else ()), where.weight]
        if isinstance(part := chosen.ignore_weight, Written):
            common = [factor and factor.without(part) for factor in common]
        elif part:
            common = []
        nominal = [*common, chosen.weight]
        if ignored:
            nominal = [factor and factor.without(ignored) for factor in nominal]
        if variation and variation.weight:
            nominal[-1] = variation.weight
        own = variation.weight_factor if variation else None
        return product(factor for factor in (*nominal, own) if factor)

    def variable_of(self, sample: str, region: str) -> Written | None:
        """What is drawn of a sample in a region."""
        where = self.regions[region]
        return where.variable_for.get(sample, where.variable)
