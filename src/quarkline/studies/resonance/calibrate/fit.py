"""Stage `judge-fit`: what the choice of degree and bins does to the signal.

The template of the spurious signal is generated background behind the data's cut. Without a cut its
masses follow the nominal polynomial by construction, so there the test is one of the lower degrees;
behind a cut the shape is what the classifier makes of the features' dependence on the mass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarkline.engine.core.rng import library_seed
from quarkline.engine.workflow.stage import Context
from quarkline.statistics import Spectrum, degree_test, spurious_signal
from quarkline.studies.resonance.calibrate.data import CalibrationConfig, CalibrationData
from quarkline.studies.resonance.calibration_results import (
    Envelope,
    FitCheck,
    FitChecks,
    Spread,
    VariationSpread,
)
from quarkline.studies.resonance.results import Variation, Variations


class JudgeFitConfig(CalibrationConfig):
    """What the judgement depends on."""

    working_point: float
    degrees: list[int]
    toys: int


def run(context: Context) -> dict[str, Any]:
    """Spurious signal and F-test by degree, and the envelope of the variations."""
    config: JudgeFitConfig = context.config
    data = CalibrationData(context)
    degrees = neighbouring([data.degree, *config.degrees], data.binning.n_sidebands - 2)
    rates = list(dict.fromkeys([1.0, config.working_point]))
    checks = tuple(
        FitCheck(
            rate=rate,
            scale=data.scale,
            spurious=spurious_signal(
                Spectrum.from_cells(data.binning, data.scale * pool.cells),
                degrees,
                n_toys=config.toys,
                seed=library_seed(config.seed, "judge-fit", f"{rate:g}"),
                workers=context.conditions.workers,
            ),
            f_test=degree_test(spectrum, degrees),
        )
        for rate, spectrum, pool in zip(
            rates, data.spectra(rates), data.pool_spectra(rates), strict=True
        )
    )
    result = envelope(context.result("variations", Variations).variations)
    context.summary(
        f"Z between {result.refitted.z.low:.1f} and {result.refitted.z.high:.1f} over "
        f"{result.refitted.variations} degrees and bins"
    )
    return {"fit_checks": FitChecks(data.degree, checks), "envelope": result}


def neighbouring(degrees: Sequence[int], highest: int) -> list[int]:
    """The degrees and their neighbours, ascending, as far as the sidebands have bins for them."""
    near = {degree + step for degree in degrees for step in (-1, 0, 1)}
    return sorted(degree for degree in near if 0 <= degree <= highest)


def envelope(variations: Sequence[Variation]) -> Envelope:
    """Smallest and largest outcome at the declared working point, the nominal choice first."""
    again = [item for item in variations if item.retrained]
    return Envelope(
        refitted=_spread([item for item in variations if not item.retrained]),
        retrained=_spread(again) if again else None,
    )


def _spread(variations: Sequence[Variation]) -> VariationSpread:
    points = [item.working_point for item in variations]
    return VariationSpread(
        variations=len(points),
        failed=sum(point.status == "failed" for point in points),
        z=Spread.of([point.z_local for point in points]),
        signal=Spread.of([point.signal.value for point in points]),
    )
