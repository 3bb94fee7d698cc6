"""Other degrees and bins."""

from __future__ import annotations

from quarkline.report import Block, Figures, Results, Row, Section, Table, Text, number, result_of
from quarkline.studies.resonance.calibration_results import Envelope, VariationSpread
from quarkline.studies.resonance.methods import METHODS
from quarkline.studies.resonance.results import Classification, Variations


def variations_section(results: Results, draw: Figures) -> Section:
    """The hunt with other degrees and bins."""
    variations = result_of(results, "variations", Variations)
    method = METHODS[result_of(results, "classification", Classification).method]
    rows: list[Row] = [
        [
            item.degree,
            item.bins,
            "trained again" if item.retrained else "fitted again",
            number(item.working_point.z_local),
            number(item.working_point.signal),
            number(item.working_point.background),
            number(item.scan.best.z_local),
            number(item.scan.best.rate),
            item.working_point.status,
        ]
        for item in variations.variations
    ]
    columns = [
        "degree",
        "bins",
        "classifier",
        "Z local",
        "signal",
        "background",
        "best Z",
        "at FPR",
        "fit",
    ]
    envelope = result_of(results, "envelope", Envelope)
    spreads = {"fitted again": envelope.refitted, "trained again": envelope.retrained}
    known = {name: spread for name, spread in spreads.items() if spread}
    blocks: list[Block] = [
        Text(
            "The systematic of degree and bins is an envelope at the declared working point. "
            + " ".join(_sentence(name, spread) for name, spread in known.items()),
            "judge-fit",
        ),
        Table(
            "envelope",
            [
                "classifier",
                "variations",
                "failed",
                "Z",
                "lowest",
                "highest",
                "half width",
                "signal",
                "lowest",
                "highest",
                "half width",
            ],
            [_envelope_row(name, spread) for name, spread in known.items()],
            "judge-fit",
            "Smallest and largest outcome at the declared working point; the nominal choice is "
            "one of them.",
        ),
        Table(
            "variations",
            columns,
            rows,
            "hunt",
            "Other degrees and bins at the declared working point; the nominal choice first.",
        ),
        draw("significance_variations", "Fitted again on the nominal scores.", "hunt"),
    ]
    if any(item.retrained for item in variations.variations):
        blocks.append(
            draw(
                "significance_variations_retrained",
                "With background generated and classifiers trained again.",
                "hunt",
            )
        )
    if not method.of_fit:
        blocks.append(
            Text(
                f"Classifiers of {method.title} are not trained again: what they learn against "
                "does not depend on degree and bins."
            )
        )
    return Section("Variations of the fit", blocks)


def _sentence(name: str, spread: VariationSpread) -> str:
    z, signal = spread.z, spread.signal
    return (
        f"{name.capitalize()}: Z = {z.nominal:.2f} ± {z.half_width:.2f} (half of {z.low:.2f} to "
        f"{z.high:.2f}), S = {signal.nominal:.1f} ± {signal.half_width:.1f} events."
    )


def _envelope_row(name: str, spread: VariationSpread) -> Row:
    outcomes = [
        number(value)
        for item in (spread.z, spread.signal)
        for value in (item.nominal, item.low, item.high, item.half_width)
    ]
    return [name, spread.variations, spread.failed, *outcomes]
