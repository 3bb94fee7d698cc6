"""The fit doctor for templates: what only they tell, and which setting mends what it found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from quarkline.catalog import Catalog, FitSettings, Varied
from quarkline.catalog.files import Files
from quarkline.catalog.systematics import Independent, Variation
from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.statistics.likelihood.doctor import Patient, examine
from quarkline.statistics.likelihood.model import Model
from quarkline.templates import naming
from quarkline.templates.expectation import expected_before
from quarkline.templates.hiding import hidden_bins
from quarkline.templates.histograms import Array, Histogram
from quarkline.templates.likelihood import fitted_samples
from quarkline.templates.sets import RegionTemplates, Shift, Template, TemplateSet

NOISE = Rule(
    "QL-FITDOCTOR-060",
    "shapes of variations are more than statistical noise",
    "The variation is made of other events, and its shape differs from the nominal one by no more "
    "than the statistical errors allow (chi-square p above 5 %), but by over 5 % in some bin. The "
    "fit takes the noise for a systematic, and constrains it. Smooth it, or leave the shape out.",
    Severity.WARNING,
)
WITHOUT_EFFECT = Rule(
    "QL-FITDOCTOR-061",
    "systematics change a template",
    "The sides of a systematic equal the nominal histogram in every region and sample, so that it "
    "cannot be what was meant: the weight, branch or file is the nominal one, or the samples and "
    "regions are none that it concerns.",
    Severity.WARNING,
)

NOISY_P = 0.05
NOISY_CHANGE = 0.05  # of a bin: smaller noise changes no fit
TELL_VALUES = {f"QL-FITDOCTOR-{number}" for number in ("002", "003", "004", "011", "022", "023")}
"""Findings from which the value or error of their parameter follows."""
PART_OF = "part of"  # the reason of systematics that another one holds
KNOWN = 0.5  # relative error of a bin, above which its change says nothing


@dataclass(frozen=True)
class Setting:
    """The setting that mends an illness.

    Attributes:
        part: Part of the config, such as `systematics`.
        subject: Which name of the evidence stands below it.
        key: The setting.
        value: What to write.
        option: The same in TRExFitter's language.
    """

    part: str
    subject: str
    key: str
    value: str
    option: str


SMOOTH = Setting("systematics", "parameter", "smoothing", "40", "Smoothing: 40")
MIRROR = Setting("systematics", "parameter", "symmetrise", "one-sided", "Symmetrisation: ONESIDED")
SPLIT = Setting("systematics", "parameter", "decorrelate", "region", "Decorrelate: REGION")
BINS = Setting("regions", "region", "binning", "wider bins there", "Binning")
SETTINGS: Mapping[str, tuple[Setting, ...]] = {
    "QL-FITDOCTOR-002": (
        Setting("norm_factors", "parameter", "min", "a lower one", "Min"),
        Setting("norm_factors", "parameter", "max", "a larger one", "Max"),
    ),
    "QL-FITDOCTOR-010": (SPLIT,),
    "QL-FITDOCTOR-011": (SPLIT,),
    "QL-FITDOCTOR-014": (
        Setting("systematics", "parameter", "samples", "those it changes", "Samples"),
        Setting("norm_factors", "parameter", "samples", "those it scales", "Samples"),
    ),
    "QL-FITDOCTOR-020": (
        Setting("norm_factors", "parameter", "constant", "false", "Constant: FALSE"),
    ),
    "QL-FITDOCTOR-021": (
        Setting("norm_factors", "parameter", "samples", "those of the signal", "Samples"),
    ),
    "QL-FITDOCTOR-031": (Setting("samples", "sample", "exclude", "these regions", "Exclude"),),
    "QL-FITDOCTOR-032": (BINS,),
    "QL-FITDOCTOR-033": (BINS,),
    "QL-FITDOCTOR-041": (SMOOTH,),
    "QL-FITDOCTOR-042": (MIRROR,),
    "QL-FITDOCTOR-060": (SMOOTH,),
}
"""What to write for which finding; the first one whose subject the config has."""


def diagnose(templates: TemplateSet, catalog: Catalog, patient: Patient) -> tuple[Finding, ...]:
    """All that is wrong with a fit of templates, with the settings that mend it.

    Args:
        templates: The templates.
        catalog: The analysis.
        patient: Its likelihood and fit.
    """
    regions = {
        name: fitted_samples(catalog, name, templates.regions[name])
        for name in patient.model.channels
    }
    found = [
        *(one for one in examine(patient) if not _silent(one, catalog)),
        *_noise(catalog, regions),
        *_without_effect(catalog, regions),
    ]
    owners = _owners(catalog, regions)
    advised = (_advised(one, catalog, owners) for one in found)
    return tuple(sorted(advised, key=lambda one: one.severity is Severity.NOTE))


def hidden_places(catalog: Catalog, templates: TemplateSet, model: Model) -> list[int]:
    """Places, among all bins of a model, of those whose data settings hide."""
    if catalog.hide.threshold is None:
        return []
    before = expected_before(catalog, templates)
    found = []
    for region, part in model.channels.items():
        dropped, bins = templates.regions[region].dropped, len(templates.regions[region].edges) - 1
        kept = [bin_ for bin_ in range(bins) if bin_ not in dropped]
        hidden = hidden_bins(before[region], catalog)
        found += [part.start + at for at, bin_ in enumerate(kept) if bin_ in hidden]
    return found


def _silent(finding: Finding, catalog: Catalog) -> bool:
    """Whether settings of the fit ask for what is found, or that it is not told."""
    settings, parameter = catalog.fit or FitSettings(), finding.evidence.get("parameter")
    if finding.code == "QL-FITDOCTOR-020":
        return settings.hypothesis == "background" or parameter in settings.fixed
    return finding.code in TELL_VALUES and parameter in settings.hidden_parameters


def _owners(catalog: Catalog, regions: Mapping[str, RegionTemplates]) -> dict[str, str]:
    """The systematic that each parameter belongs to."""
    found: dict[str, str] = {}
    for region, known in regions.items():
        for sample, template in known.templates.items():
            for name in template.shifts:
                named = naming.parameters_of(catalog, name, region, sample)
                found.setdefault(named.norm, name)
                found.setdefault(named.shape, name)
    return found


def _advised(finding: Finding, catalog: Catalog, owners: Mapping[str, str]) -> Finding:
    """A finding with the setting that mends it, and where that is."""
    evidence = dict(finding.evidence)
    for setting in SETTINGS.get(finding.code, ()):
        if setting.key != evidence.get("bound", setting.key):
            continue
        name = evidence.get(setting.subject)
        subject = owners.get(str(name), str(name)) if setting.part == "systematics" else str(name)
        if name is None or subject not in getattr(catalog, setting.part):
            continue
        at = (setting.part, subject, setting.key)
        text = f"`{setting.key}: {setting.value}` of `{subject}` (TRExFitter: `{setting.option}`)"
        hint = f"{finding.suggestion}: {text}" if finding.suggestion else text
        evidence["setting"] = list(at)
        place = Place(label=".".join(at))
        return replace(finding, suggestion=hint, place=place, evidence=evidence)
    return finding


def _shifts(
    regions: Mapping[str, RegionTemplates],
) -> Iterator[tuple[str, str, str, Template, Shift]]:
    for region, known in regions.items():
        for sample, template in known.templates.items():
            for name, shift in template.shifts.items():
                yield name, region, sample, template, shift


def _noise(catalog: Catalog, regions: Mapping[str, RegionTemplates]) -> Iterator[Finding]:
    rows: dict[str, list[dict[str, object]]] = {}
    for name, region, sample, template, shift in _shifts(regions):
        known = catalog.systematics.get(name)
        if not isinstance(known, Varied) or known.smoothing or not shift.shape_kept:
            continue
        for side, filled in (("up", shift.filled_up), ("down", shift.filled_down)):
            variation = known.sides.get(side)
            if variation is None or filled is None or not other_events(variation):
                continue
            noise = _noisy(template.filled, filled)
            if noise is not None:
                change, p = noise
                row = {"region": region, "sample": sample, "side": side, "change": change, "p": p}
                rows.setdefault(name, []).append(row)
    for name, those in rows.items():
        worst = max(those, key=lambda row: float(str(row["change"])))
        more = f", and {len(those) - 1} more" if len(those) > 1 else ""
        yield NOISE.finding(
            f"`{name}` changes the shape of `{worst['sample']}` in `{worst['region']}` by up to "
            f"{worst['change']:.0%}, no more than its statistical errors (p = {worst['p']:.2g})"
            f"{more}",
            suggestion="smooth it",
            evidence={"parameter": name, **worst, "all": those},
        )


def other_events(variation: Variation) -> bool:
    """Whether a side is made of other events than the nominal histogram, or of these moved."""
    return variation.sample is not None or bool(variation.columns) or variation.files != Files()


def _noisy(nominal: Histogram, side: Histogram) -> tuple[float, float] | None:
    """Largest change of the shape and the p-value of its chi-square, if it looks like noise.

    Events of both may be the same, so the larger of their errors counts.
    """
    known = (nominal.contents > 0) & (nominal.errors < KNOWN * nominal.contents)
    if known.sum() < 2 or side.integral <= 0:
        return None
    scaled = side.scaled(nominal.integral / side.integral)
    difference = (scaled.contents - nominal.contents)[known]
    errors = np.maximum(nominal.errors, scaled.errors)[known]
    change = float(np.abs(difference / nominal.contents[known]).max())
    p = float(chi2.sf(np.square(difference / errors).sum(), known.sum() - 1))
    return (change, p) if p > NOISY_P and change > NOISY_CHANGE else None


def _without_effect(catalog: Catalog, regions: Mapping[str, RegionTemplates]) -> Iterator[Finding]:
    seen: dict[str, bool] = {}
    for name, _, _, template, shift in _shifts(regions):
        merged = shift.reason.startswith(PART_OF)
        if merged or isinstance(catalog.systematics.get(name), Independent):
            continue
        nominal = template.nominal.contents
        seen[name] = seen.get(name, False) or _changes(nominal, (shift.up, shift.down))
    for name in (name for name, changes in seen.items() if not changes):
        yield WITHOUT_EFFECT.finding(
            f"systematic `{name}` changes nothing in any fitted region",
            suggestion="look at its weight, columns and files",
            evidence={"parameter": name, "setting": ["systematics", name]},
        )


def _changes(nominal: Array, sides: Sequence[Histogram]) -> bool:
    return not all(np.allclose(side.contents, nominal, rtol=1e-9, atol=0) for side in sides)
