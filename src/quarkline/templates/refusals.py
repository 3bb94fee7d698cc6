"""What an analysis may ask of its templates that is not done, or makes no sense."""

from __future__ import annotations

from collections.abc import Iterator

from quarkline.catalog import Automatic, Catalog, Independent, Varied
from quarkline.engine.core.findings import Finding, Rule, Severity, did_you_mean
from quarkline.templates.automatic import RULES as BINNINGS
from quarkline.templates.drafts import Where
from quarkline.templates.smooth import RULES as SMOOTHINGS

NOT_DONE = Rule(
    "QL-TEMPLATE-007",
    "what decides templates is understood",
    "A setting asks for something that is not done, or has not the values it needs. Templates "
    "would be others than asked for, so none are made.",
)

NO_EFFECT = Rule(
    "QL-TEMPLATE-012",
    "settings of templates have an effect",
    "A setting has no effect where it stands, here as in TRExFitter.",
    Severity.WARNING,
)


def refused(catalog: Catalog) -> list[Finding]:
    """Everything that keeps templates from being made."""
    return [
        *_smoothing(catalog),
        *_binning(catalog),
        *_sizes(catalog),
        *_scales(catalog),
        *_decorrelated(catalog),
    ]


def _smoothing(catalog: Catalog) -> Iterator[Finding]:
    rules = {"templates.smoothing_rule": catalog.templates.smoothing_rule}
    for name, systematic in catalog.systematics.items():
        if isinstance(systematic, Varied) and systematic.smoothing_rule:
            rules[f"systematics.{name}.smoothing_rule"] = systematic.smoothing_rule
    for key, rule in rules.items():
        if rule.upper() not in SMOOTHINGS:
            hint = did_you_mean(rule.upper(), SMOOTHINGS, what="rules")
            yield NOT_DONE.finding(f"`{key}` is `{rule}`, which is not done", suggestion=hint)


def _binning(catalog: Catalog) -> Iterator[Finding]:
    for name, region in catalog.regions.items():
        if not isinstance(region.binning, Automatic):
            continue
        needed = 3 if region.binning.rule == "TransfoJ" else 2
        given = len(region.binning.parameters)
        if given != needed:
            rule = region.binning.rule
            message = f"`regions.{name}.binning` has {given} parameters, and {rule} has {needed}"
            yield NOT_DONE.finding(message, suggestion=f"{', '.join(BINNINGS)} are the rules")


def _sizes(catalog: Catalog) -> Iterator[Finding]:
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Independent) or systematic.statistical:
            continue
        if systematic.up == 0 and systematic.down == 0:
            message = f"`systematics.{name}` changes no bin: `up` and `down` are 0"
            yield NOT_DONE.finding(message, suggestion="state `up`, the relative change of a bin")


def _scales(catalog: Catalog) -> Iterator[Finding]:
    for name, systematic in catalog.systematics.items():
        for side, variation in (systematic.sides if isinstance(systematic, Varied) else {}).items():
            for scale in variation.scales:
                if not _is_number(scale.rpartition(":")[2]):
                    message = (
                        f"`systematics.{name}.{side}.scales` has `{scale}`, which is no factor"
                    )
                    hint = "write a number, `sample:number` or `region:number`"
                    yield NOT_DONE.finding(message, suggestion=hint)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _decorrelated(catalog: Catalog) -> Iterator[Finding]:
    """Parameters of single samples, of which a combined sample would need several."""
    combined = [name for name, sample in catalog.samples.items() if sample.arithmetic]
    for name, systematic in catalog.systematics.items():
        if systematic.decorrelate == "sample" and combined:
            message = (
                f"`systematics.{name}` has a parameter for each sample, and `{combined[0]}` is "
                "made of several samples"
            )
            hint = f"write a systematic for each sample instead of `decorrelate` in `{name}`"
            yield NOT_DONE.finding(message, suggestion=hint)


def without_effect(catalog: Catalog) -> Iterator[Finding]:
    """Settings that have no effect on what they stand at."""
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Varied):
            continue
        if systematic.smooth_before and systematic.symmetrise != "two-sided":
            message = f"`systematics.{name}.smooth_before` has no effect without `two-sided`"
            yield NO_EFFECT.finding(message, suggestion="leave it out, or set `symmetrise`")


def missing_bins(where: Where, bins: int) -> Finding | None:
    """Bins that a region leaves out and has not."""
    absent = [number for number in where.region.drop_bins if not 1 <= number <= bins]
    if not absent:
        return None
    listed = ", ".join(map(str, absent))
    message = f"`regions.{where.name}.drop_bins` names {listed}, and there are {bins} bins"
    return NOT_DONE.finding(message, suggestion="bins count from 1")
