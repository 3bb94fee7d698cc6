"""Free scales: of whole histograms, and of their bins."""

from __future__ import annotations

from pydantic import Field

from quarkline.catalog.names import Listed, selects
from quarkline.catalog.written import Written
from quarkline.engine.core.config import Config


class ShapeFactor(Config):
    """One free scale for each bin."""

    title: str = ""
    samples: Listed[str] = Field(default_factory=list, description="Samples scaled.")
    regions: Listed[str] = Field(default_factory=lambda: ["all"])
    exclude: Listed[str] = Field(default_factory=list, description="Samples or regions left out.")

    def scales(self, sample: str) -> bool:
        """Whether it scales a sample in some region."""
        return selects(self.samples, sample) and not selects(self.exclude, sample)

    def scales_in(self, sample: str, region: str) -> bool:
        """Whether it scales a sample in a region."""
        here = selects(self.regions, region) and not selects(self.exclude, region)
        return here and self.scales(sample)


class NormFactor(ShapeFactor):
    """One free scale of whole histograms."""

    nominal: float = 1.0
    min: float = Field(0.0, description="Lower bound in the fit.")
    max: float = Field(10.0, description="Upper bound in the fit.")
    constant: bool = Field(False, description="Whether the fit leaves it at its nominal value.")
    expression: Written | None = Field(
        None, description="Formula of other parameters that it is, with their ranges."
    )
    tau: float | None = Field(None, description="Strength of a regularisation.")
    category: str = ""
    sub_category: str = ""
