"""What the settings of an analysis ask of its likelihood: fits, rankings, limits and the like."""

from quarkline.templates.measure.measured import Measured, What, asked, measure

__all__ = ["Measured", "What", "asked", "measure"]
