"""To how much data simulated events are scaled."""

from __future__ import annotations

from pydantic import Field

from quarkline.engine.core.config import Config


class Luminosity(Config):
    """The integrated luminosity that multiplies every sample normalised by theory."""

    value: float = Field(
        1.0, gt=0, description="In the inverse unit of the cross-sections in the weights."
    )
    scale: float = Field(1.0, gt=0, description="Further factor, for projections.")
    label: str = Field("", description="Text in figures.")

    @property
    def factor(self) -> float:
        """What weights are multiplied by."""
        return self.value * self.scale
