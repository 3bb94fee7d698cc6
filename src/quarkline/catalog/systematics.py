"""Systematic uncertainties: what changes up and down, and how it is treated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from quarkline.catalog.files import Files
from quarkline.catalog.names import Listed
from quarkline.catalog.written import Written
from quarkline.engine.core.config import Config


class Variation(Config):
    """What one side of a systematic changes; what it does not name stays as it is."""

    weight: Written | None = Field(None, description="Replaces the weight of the sample.")
    weight_factor: Written | None = Field(None, description="Multiplies the weight.")
    columns: dict[str, Written] = Field(
        default_factory=dict,
        description="Columns with other values, each as an expression of those in the files.",
    )
    files: Files = Field(default_factory=Files)
    reference_files: Files = Field(
        default_factory=Files, description="Files of the reference sample for this side."
    )
    sample: str | None = Field(None, description="Sample that is the variation.")
    scales: Listed[str] = Field(
        default_factory=list,
        description="Factor of the shift, or `sample:factor`, `region:factor`.",
    )


class Combined(Config):
    """Variations that make one uncertainty together."""

    name: str
    rule: Literal["envelope", "standard-deviation", "standard-deviation-without-dof", "hessian"] = (
        "envelope"
    )
    drop_norm: Listed[str] = Field(
        default_factory=list, description="Regions in which what they make keeps the yield."
    )


class _Systematic(Config):
    """What systematics of all kinds have."""

    title: str = ""
    tex_title: str = Field("", description="Name in tables.")
    stored_name: str | None = Field(
        None, description="Name in histogram files; its own name if none."
    )
    parameter: str | None = Field(None, description="Nuisance parameter; its own name if none.")
    category: str = ""
    sub_category: str = Field("", description="Group whose impact is given.")
    samples: Listed[str] = Field(default_factory=lambda: ["all"])
    regions: Listed[str] = Field(default_factory=lambda: ["all"])
    exclude: Listed[str] = Field(default_factory=list, description="Samples or regions left out.")
    exclude_pairs: list[str] = Field(
        default_factory=list, description="`region:sample` pairs left out."
    )
    decorrelate: Literal["region", "sample", "shape"] | None = Field(
        None, description="What has parameters of its own."
    )
    free: bool = Field(False, description="Whether its parameter has no constraint.")


class Normalisation(_Systematic):
    """An uncertainty of the yield alone."""

    kind: Literal["normalisation"] = "normalisation"
    up: float = Field(description="Relative change of the yield.")
    down: float = Field(description="Relative change of the yield, usually negative.")
    prune: bool = Field(True, description="Whether it may be left out where it is small.")


class Independent(_Systematic):
    """An uncertainty of every bin on its own."""

    kind: Literal["independent"] = "independent"
    up: float = Field(0.0, description="Relative change of each bin.")
    down: float = 0.0
    statistical: bool = Field(False, description="Whether it is the statistical error.")


class Varied(_Systematic):
    """An uncertainty whose sides are histograms: of other weights, trees, files or samples."""

    kind: Literal["varied"] = "varied"
    up: Variation | None = None
    down: Variation | None = None
    symmetrise: Literal["one-sided", "two-sided", "absolute-mean", "maximum"] | None = None
    smoothing: int | None = Field(None, description="Level of the smoothing; none without.")
    smoothing_rule: str | None = Field(None, description="Rule, if not the one of all templates.")
    smooth_before: bool = Field(
        False, description="Whether both sides are smoothed once more; only if two-sided."
    )
    reference: str | None = Field(None, description="Sample that the sides are relative to.")
    reference_smoothing: str | None = Field(None, description="Sample whose smoothing it takes.")
    reference_pruning: str | None = Field(None, description="Sample whose pruning it takes.")
    subtract_reference: bool = Field(
        False, description="Whether the reference's own variation is taken off."
    )
    keep_reference_norm: bool = Field(
        True, description="Whether the shift of the yield counts with a reference."
    )
    ignore_weight: Written | None = Field(None, description="Part of the weight left out.")
    drop_norm: Listed[str] = Field(
        default_factory=list, description="Regions or samples in which the yield stays."
    )
    drop_shape: Listed[str] = Field(
        default_factory=list, description="Regions or samples in which the shape stays."
    )
    keep_norm_for: Listed[str] = Field(
        default_factory=list, description="Samples, or sums `sample+sample`, whose yields stay."
    )
    without_effect_on: Listed[str] = Field(
        default_factory=list, description="Samples that have the parameter but no change."
    )
    combine: Combined | None = None
    prune: bool = Field(True, description="Whether small parts of it may be left out.")
    force_shape: Literal["none", "linear", "triangular"] = "none"

    @property
    def sides(self) -> dict[str, Variation]:
        """The sides that it has, `up` first."""
        both = {"up": self.up, "down": self.down}
        return {side: variation for side, variation in both.items() if variation}


Systematic = Annotated[Normalisation | Independent | Varied, Field(discriminator="kind")]
