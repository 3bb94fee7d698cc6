"""Classes of events: names with samples, of which one is the signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator

from quarkline.catalog import Catalog, Written
from quarkline.catalog.names import Listed, as_list
from quarkline.engine.core.findings import Finding, Rule, did_you_mean

BAD_CLASSES = Rule(
    "QL-SEARCH-001",
    "classes are made of simulated samples of the region, each in one class",
    "A classifier learns to tell classes of events apart. Each class has a name and the samples it "
    "is made of; a sample belongs to one class at most, and data to none.",
)
BAD_SIGNAL = Rule(
    "QL-SEARCH-002",
    "`train.signal` names a class",
    "The score that is evaluated and written is the probability of this class. Without the key it "
    "is the first class.",
)


def _as_mapping(value: Any) -> Any:
    """Names of samples as classes of one sample each."""
    value = as_list(value)
    return {str(name): [name] for name in value} if isinstance(value, list) else value


Classes: TypeAlias = Annotated[dict[str, Listed[Written]], BeforeValidator(_as_mapping)]
"""Samples by class; a list of samples means classes of one sample each."""


def classes_of(
    catalog: Catalog, region: str, written: Mapping[str, list[Written]]
) -> dict[str, tuple[str, ...]]:
    """The samples of each class; without any written, each simulated sample is a class.

    Signals come first then, so that the first class is one.
    """
    if written:
        return {name: tuple(str(sample) for sample in samples) for name, samples in written.items()}
    held = [name for name in catalog.samples if catalog.holds(name, region)]
    return {
        name: (name,)
        for role in ("signal", "background")
        for name in held
        if catalog.samples[name].role == role
    }


def class_findings(
    catalog: Catalog, region: str, written: Mapping[str, list[Written]], signal: Written | None
) -> list[Finding]:
    """What is wrong with the classes."""
    found: list[Finding] = []
    seen: dict[str, str] = {}
    for name, samples in written.items():
        for sample in samples:
            found += _sample_findings(catalog, region, name, sample)
            if seen.setdefault(str(sample), name) != name or samples.count(sample) > 1:
                what = f"sample `{sample}` is in class `{seen[str(sample)]}` already"
                found.append(BAD_CLASSES.finding(what, place=sample.place))
    classes = classes_of(catalog, region, written)
    if len(classes) < 2 and not found:
        place = next((sample.place for samples in written.values() for sample in samples), None)
        what = f"there are {len(classes)} classes to tell apart"
        found.append(
            BAD_CLASSES.finding(what, suggestion="name at least two `classes`", place=place)
        )
    if signal is not None and signal not in classes:
        hint = did_you_mean(signal, classes, what="classes")
        what = f"there is no class `{signal}`"
        found.append(BAD_SIGNAL.finding(what, suggestion=hint, place=signal.place))
    return found


def _sample_findings(catalog: Catalog, region: str, name: str, sample: Written) -> list[Finding]:
    simulated = {known: other for known, other in catalog.samples.items() if other.role != "data"}
    if sample not in catalog.samples:
        what = f"class `{name}`: there is no sample `{sample}`"
        hint = did_you_mean(sample, simulated, what="samples")
    elif sample not in simulated:
        what = f"class `{name}`: sample `{sample}` is data"
        hint = "data have no class; they are scored by all models"
    elif region in catalog.regions and not catalog.holds(sample, region):
        what = f"class `{name}`: sample `{sample}` is not in region `{region}`"
        hint = "see `regions` and `exclude` of the sample"
    else:
        return []
    return [BAD_CLASSES.finding(what, suggestion=hint, place=sample.place)]
