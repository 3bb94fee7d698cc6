"""What an analysis may ask of its templates that is not done, or makes no sense."""

from __future__ import annotations

from collections.abc import Iterator

from quarkline.catalog import Automatic, Catalog, Independent, Varied
from quarkline.engine.core.findings import Finding, Rule, did_you_mean
from quarkline.templates.automatic import RULES as BINNINGS
from quarkline.templates.smooth import RULES as SMOOTHINGS

NOT_DONE = Rule(
    "QL-TEMPLATE-007",
    "what decides templates is understood",
    "A setting asks for something that is not done, or has not the values it needs. Templates "
    "would be others than asked for, so none are made.",
)


def refused(catalog: Catalog) -> list[Finding]:
    """Everything that keeps templates from being made."""
    return [*_smoothing(catalog), *_binning(catalog), *_systematics(catalog)]


def _smoothing(catalog: Catalog) -> Iterator[Finding]:
    rules = {"templates.smoothing_rule": catalog.templates.smoothing_rule}
    for name, systematic in catalog.systematics.items():
        if isinstance(systematic, Varied) and systematic.smoothing_rule:
            rules[f"systematics.{name}.smoothing_rule"] = systematic.smoothing_rule
    for key, rule in rules.items():
        if rule not in SMOOTHINGS:
            hint = did_you_mean(rule, SMOOTHINGS) or f"rules are {', '.join(SMOOTHINGS)}"
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


def _systematics(catalog: Catalog) -> Iterator[Finding]:
    for name, systematic in catalog.systematics.items():
        if not isinstance(systematic, Independent) or systematic.statistical:
            continue
        if systematic.up == 0 and systematic.down == 0:
            message = f"`systematics.{name}` changes no bin: `up` and `down` are 0"
            yield NOT_DONE.finding(message, suggestion="state `up`, the relative change of a bin")
