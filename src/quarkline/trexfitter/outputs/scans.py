"""`LHoodPlots/NLLscan_<parameter>_curve.root`: scans of the likelihood, as graphs of ROOT."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import uproot

from quarkline.engine.core.findings import InputError, Place
from quarkline.engine.store.atomic import atomic_path
from quarkline.statistics.likelihood.results import LikelihoodScan, LikelihoodSurface
from quarkline.trexfitter.outputs.text import UNREADABLE, missing

GRAPH, TREE = "LHscan", "NLL"


def curve_file(stem: Path) -> Path:
    """The ROOT file of a scan, from the path of its figure."""
    return stem.with_name(f"{stem.name}_curve.root")


def write_scan(stem: Path, scan: LikelihoodScan) -> Path:
    """Write a scan as a graph of minus the logarithm of the profile likelihood ratio.

    Args:
        stem: Path of its figure.
        scan: The scan; points without a fit are left out.
    """
    points = [
        (value, height / 2)
        for value, height in zip(scan.values, scan.heights, strict=True)
        if height is not None
    ]
    x, y = np.array(points, dtype=np.float64).reshape(-1, 2).T
    path = curve_file(stem)
    with atomic_path(path) as temporary, uproot.recreate(temporary) as file:
        file[GRAPH] = uproot.as_TGraph({"x": x, "y": y}, title=scan.parameter)
    return path


def read_scan(path: Path, parameter: str) -> LikelihoodScan:
    """Read a scan, ours or TRExFitter's.

    Args:
        path: The file.
        parameter: The parameter.

    Raises:
        InputError: If it is absent, or holds no scan.
    """
    try:
        with uproot.open(path) as file:
            graph = file[GRAPH]
            x, y = (graph.member(name) for name in ("fX", "fY"))
    except FileNotFoundError:
        raise missing(path, "x") from None
    except (OSError, ValueError, KeyError) as error:
        message = f"{path} holds no graph `{GRAPH}`: {error}"
        raise InputError(UNREADABLE.finding(message, place=Place(path))) from error
    values, heights = (tuple(map(float, axis)) for axis in (x, y))
    best = values[int(np.argmin(y))]
    return LikelihoodScan(parameter, values, tuple(2 * height for height in heights), best)


def write_surface(stem: Path, surface: LikelihoodSurface) -> Path:
    """Write a scan of two parameters as a histogram of minus the logarithm of the ratio.

    Args:
        stem: Path of its figure.
        surface: The scan; points without a fit are -1.
    """
    heights = [[-1.0 if z is None else z / 2 for z in row] for row in surface.heights]
    edges = [_edges(np.array(axis)) for axis in (surface.x, surface.y)]
    path = stem.with_name(f"{stem.name}_histo.root")
    with atomic_path(path) as temporary, uproot.recreate(temporary) as file:
        file[TREE] = (np.array(heights), *edges)
    return path


def _edges(points: np.ndarray) -> np.ndarray:
    """Edges of bins with these centres, which are evenly apart."""
    step = (points[-1] - points[0]) / max(1, len(points) - 1) or 1.0
    return np.linspace(points[0] - step / 2, points[-1] + step / 2, len(points) + 1)
