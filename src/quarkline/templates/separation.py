"""How well the variable of a region separates signal from background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quarkline.catalog import Catalog
from quarkline.templates.histograms import Array
from quarkline.templates.sets import RegionTemplates


def separation(first: Array, second: Array) -> float:
    """Half the sum of (a - b)² / (a + b) over bins of two shapes: 0 if equal, 1 if disjoint.

    As TMVA defines it (A. Hoecker et al., arXiv:physics/0703039, section 8.1.1).

    Args:
        first: Contents of n bins; they are scaled to unit sum.
        second: The same of the other.

    Returns:
        The separation; NaN if a sum is not positive.
    """
    if not (first.sum() > 0 and second.sum() > 0):
        return float("nan")
    a, b = first / first.sum(), second / second.sum()
    filled = a + b > 0
    return float(0.5 * np.sum((a - b)[filled] ** 2 / (a + b)[filled]))


def separated(catalog: Catalog, region: RegionTemplates) -> tuple[list[str], list[str]] | None:
    """The signals and the backgrounds of a region; None if it lacks either.

    Args:
        catalog: The analysis.
        region: The templates of the region.
    """
    signal, background = (
        [
            name
            for name, sample in catalog.samples.items()
            if sample.role == role and name in region.templates
        ]
        for role in ("signal", "background")
    )
    return (signal, background) if signal and background else None


def separation_of(catalog: Catalog, region: RegionTemplates) -> float | None:
    """The separation of signal and background in a region; None if it lacks either.

    Args:
        catalog: The analysis.
        region: The templates of the region.
    """
    found = separated(catalog, region)
    if found is None:
        return None
    return separation(*(summed(region, names) for names in found))


def summed(region: RegionTemplates, names: Sequence[str]) -> Array:
    """Contents of some samples of a region added up, shape (n,); absent ones are nothing.

    Args:
        region: The templates of the region.
        names: Names of the samples.
    """
    nothing = np.zeros(region.edges.size - 1)
    found = [region.templates[name].nominal for name in names if name in region.templates]
    return np.asarray(np.sum([nothing, *(one.contents for one in found)], axis=0))
