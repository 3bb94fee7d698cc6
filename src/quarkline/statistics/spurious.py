"""Signal that a background model finds where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quarkline.engine.core.results import Quantity, Result
from quarkline.statistics.batch import fit_batch
from quarkline.statistics.binning import Spectrum
from quarkline.statistics.toys import toy_hunts


@dataclass(frozen=True)
class SpuriousRow:
    """One degree of the background.

    Attributes:
        degree: The degree.
        signal: Signal found in the expectation itself, with the statistical error of the data.
        ratio: That signal over its error; a common demand is an absolute value below 0.2.
        z_local: Significance it would feign.
        toy_signal: Mean signal of toys around the expectation, with its error; None without toys.
        n_toys_failed: Toys left out because a fit failed.
    """

    degree: int
    signal: Quantity
    ratio: float
    z_local: float
    toy_signal: Quantity | None = None
    n_toys_failed: int = 0


@dataclass(frozen=True)
class SpuriousSignal(Result, kind="spurious-signal"):
    """Signal found in a background-only template, by degree.

    Attributes:
        rows: One row a degree.
        n_toys: Toys behind each `toy_signal`.
    """

    rows: tuple[SpuriousRow, ...]
    n_toys: int


def spurious_signal(
    template: Spectrum,
    degrees: Sequence[int],
    *,
    n_toys: int = 0,
    seed: int = 1,
    background: str = "polynomial",
    workers: int = 1,
) -> SpuriousSignal:
    """Hunt in a background-only expectation with each degree.

    The template may come from simulation, or be the `expected_background` of a richer shape fitted
    to the data, such as a polynomial of higher degree.

    Args:
        template: Expected contents, scaled to the luminosity of the data.
        degrees: Degrees to judge.
        n_toys: Number of toys drawn around the template; 0 draws none.
        seed: Seed of the toys; every degree sees the same ones.
        background: Name of the background shape that is judged.
        workers: Number of threads.

    Raises:
        InputError: If the sidebands have too few bins for a degree.
    """
    rows = []
    for degree in degrees:
        fit = fit_batch(template, degree, background=background)
        signal, error = float(fit.signal), float(fit.signal_error)
        row = SpuriousRow(
            degree=degree,
            signal=Quantity(signal, error, error, "events"),
            ratio=signal / error,
            z_local=float(fit.z),
        )
        if n_toys:
            row = _with_toys(row, template, n_toys, seed, background, workers)
        rows.append(row)
    return SpuriousSignal(tuple(rows), n_toys)


def _with_toys(
    row: SpuriousRow, template: Spectrum, n_toys: int, seed: int, background: str, workers: int
) -> SpuriousRow:
    toys = toy_hunts(
        template, row.degree, n_toys, seed=seed, background=background, workers=workers
    )
    signals = toys.signal[~toys.failed]
    error = float(signals.std(ddof=1) / np.sqrt(signals.size))
    mean = Quantity(float(signals.mean()), error, error, "events")
    return SpuriousRow(row.degree, row.signal, row.ratio, row.z_local, mean, int(toys.failed.sum()))
