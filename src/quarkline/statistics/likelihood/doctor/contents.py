"""Histograms of a likelihood: negative and empty ones, bins without background or simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from quarkline.engine.core.findings import Finding, Rule, Severity
from quarkline.statistics.arrays import Floats
from quarkline.statistics.likelihood.doctor.measured import gamma_impacts
from quarkline.statistics.likelihood.doctor.patient import Patient
from quarkline.statistics.likelihood.spec import BinScale

NEGATIVE = Rule(
    "QL-FITDOCTOR-030",
    "histograms are not negative",
    "A sample expects fewer than no events in a bin, before the fit or after it. Weights of "
    "simulated events may be negative, expectations not: merge bins, or smooth the variation that "
    "does it.",
    Severity.WARNING,
)
EMPTY = Rule(
    "QL-FITDOCTOR-031",
    "samples of a region expect events there",
    "A sample has no events in a region, or only the tiny contents that empty bins are set to. It "
    "does nothing but carry parameters. Leave it out of this region.",
    Severity.NOTE,
)
NO_BACKGROUND = Rule(
    "QL-FITDOCTOR-032",
    "bins with signal or data have background",
    "Less than 0.01 events of background are expected where a tenth of a signal event is, or where "
    "data are. One event there decides the fit, and that the background is small is only known as "
    "well as the simulation is large. Merge the bin with its neighbour.",
    Severity.WARNING,
)
FEW = Rule(
    "QL-FITDOCTOR-033",
    "bins rest on enough simulated events",
    "The statistical error of the simulation is over 32 %, as of fewer than ten events. One "
    "Poisson parameter for all samples of the bin is too coarse then, and its error is no standard "
    "deviation. It is a warning where such a bin also decides the measurement (correlation with "
    "it above 10 %). Merge bins, or simulate more.",
    Severity.NOTE,
)

FEW_ERROR = 0.316  # of fewer than ten events
DECIDES = 0.1  # correlation of a gamma and the measured parameter: 0.5 % of its error
BACKGROUND = 0.01  # events: one observed event is then a fluctuation of 2.6 standard deviations
SIGNAL = 0.1  # events, from which a bin has a say
TINY = 1e-5  # contents of a bin that was empty
ROUNDING = -1e-9


def contents(patient: Patient) -> Iterator[Finding]:
    """What is wrong with histograms."""
    yield from _templates(patient)
    yield from _empty(patient)
    yield from _negative_after(patient)
    yield from _without_background(patient)
    yield from _few(patient)


def _templates(patient: Patient) -> Iterator[Finding]:
    for channel in patient.model.spec.channels:
        for sample in channel.samples:
            values = np.array(sample.contents)
            where = {"region": channel.name, "sample": sample.name}
            what = f"`{sample.name}` in `{channel.name}`"
            if (values < ROUNDING).any():
                bins = [int(at) + 1 for at in np.flatnonzero(values < ROUNDING)]
                yield NEGATIVE.finding(
                    f"{what} is negative in bin {_listed(bins)} (down to {values.min():.3g})",
                    suggestion="merge bins, or leave the sample out here",
                    evidence={**where, "bins": bins, "least": float(values.min())},
                )


def _empty(patient: Patient) -> Iterator[Finding]:
    """One finding for each sample, with all regions in which it is empty."""
    found: dict[str, list[str]] = defaultdict(list)
    for channel in patient.model.spec.channels:
        for sample in channel.samples:
            if (np.abs(sample.contents) < TINY).all():
                found[sample.name].append(channel.name)
    for name, regions in found.items():
        where = ", ".join(f"`{region}`" for region in regions)
        yield EMPTY.finding(
            f"`{name}` expects no events in {where}",
            suggestion=f"leave `{name}` out there, or look for its missing files",
            evidence={"sample": name, "regions": regions},
        )


def _negative_after(patient: Patient) -> Iterator[Finding]:
    before = patient.model.samples(patient.nominal)
    for (channel, sample), values in patient.model.samples(patient.values).items():
        bad = (values < ROUNDING) & (before[channel, sample] >= ROUNDING)
        if bad.any():
            bins = [int(at) + 1 for at in np.flatnonzero(bad)]
            yield NEGATIVE.finding(
                f"`{sample}` in `{channel}` is negative in bin {_listed(bins)} after the fit "
                f"(down to {values.min():.3g})",
                suggestion="smooth the variations of the sample, or bound its norm factor at 0",
                evidence={
                    "region": channel,
                    "sample": sample,
                    "bins": bins,
                    "least": float(values.min()),
                },
            )


def _without_background(patient: Patient) -> Iterator[Finding]:
    background, signal = _parts(patient)
    told = np.array(patient.data.counts)
    told[list(patient.hidden)] = 0.0
    for channel, part in patient.model.channels.items():
        few, counts = background[part] < BACKGROUND, told[part]
        wanted = (signal[part] > SIGNAL) | (counts >= 1)
        bins = [int(at) + 1 for at in np.flatnonzero(few & wanted)]
        if bins:
            at = np.array(bins) - 1
            yield NO_BACKGROUND.finding(
                f"`{channel}` expects no background in bin {_listed(bins)}, but "
                f"{signal[part][at].sum():.3g} events of signal, and counts "
                f"{counts[at].sum():.3g}",
                suggestion="merge these bins with their neighbours",
                evidence={
                    "region": channel,
                    "bins": bins,
                    "background": background[part][at].tolist(),
                    "signal": signal[part][at].tolist(),
                    "data": counts[at].tolist(),
                },
            )


def _parts(patient: Patient) -> tuple[Floats, Floats]:
    """Background and signal as simulated, with shape (bins,)."""
    both = patient.model.expected(patient.nominal)
    if patient.poi_index is None:
        return both, np.zeros_like(both)
    values = patient.nominal.copy()
    values[patient.poi_index] = 0.0
    background = patient.model.expected(values)
    return background, both - background


def _few(patient: Patient) -> Iterator[Finding]:
    impacts = gamma_impacts(patient)
    errors = {row.name: before for row, before in patient.constrained("gamma")}
    for channel in patient.model.spec.channels:
        names = {
            name: bin_ + 1
            for sample in channel.samples
            for modifier in sample.modifiers
            if isinstance(modifier, BinScale)
            for bin_, name in enumerate(modifier.parameters)
            if name in errors and errors[name] > FEW_ERROR
        }
        if not names:
            continue
        decisive = [name for name in names if impacts.get(name, 0.0) > DECIDES]
        worst = max(names, key=lambda name: errors[name])
        also = f"; {len(decisive)} of them decide the measurement" if decisive else ""
        yield FEW.finding(
            f"`{channel.name}` has fewer than ten simulated events in bin "
            f"{_listed(sorted(set(names.values())))} (errors up to {errors[worst]:.0%}){also}",
            suggestion="merge these bins with their neighbours, or simulate more events",
            evidence={
                "region": channel.name,
                "errors": {name: errors[name] for name in names},
                "impacts": {name: impacts[name] for name in decisive},
            },
            severity=Severity.WARNING if decisive else None,
        )


def _listed(bins: list[int]) -> str:
    more = f" and {len(bins) - 6} more" if len(bins) > 6 else ""
    return ", ".join(map(str, bins[:6])) + more
