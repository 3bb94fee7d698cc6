"""Background shapes of a mass spectrum, by name.

A shape is linear in its coefficients, which keeps both fits of a hunt convex. A new shape is one
file with a class like `Polynomial` and one line in `BACKGROUNDS`.
"""

from __future__ import annotations

from quarkline.statistics.backgrounds.base import BackgroundShape
from quarkline.statistics.backgrounds.polynomial import Polynomial

BACKGROUNDS: dict[str, type[BackgroundShape]] = {"polynomial": Polynomial}

__all__ = ["BACKGROUNDS", "BackgroundShape", "Polynomial"]
