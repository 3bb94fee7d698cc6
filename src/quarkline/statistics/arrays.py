"""Names for the types of arrays, and sums over their first axis."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Bools: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.intp]


def total(values: Floats) -> Floats:
    """Sum over the first axis: over bins, for one number a spectrum."""
    return cast("Floats", values.sum(axis=0))


def largest(values: Floats) -> Floats:
    """Maximum over the first axis."""
    return cast("Floats", values.max(axis=0))
