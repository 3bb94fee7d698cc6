"""Translates a config into the keys of our own YAML, each with the place it was written at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.engine.core.yaml_file import ParsedFile
from quarkline.trexfitter.blocks import Block, TrexConfig, errors_among
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.translation.data import Data
from quarkline.trexfitter.translation.factors import norm_factor_data, shape_factor_data
from quarkline.trexfitter.translation.job import add_job, kind_of_files
from quarkline.trexfitter.translation.regions import region_data
from quarkline.trexfitter.translation.samples import add_inline_factors, sample_data
from quarkline.trexfitter.translation.systematics import systematic_data

REFUSED = Rule(
    "QL-TREX-031",
    "what decides numbers is understood",
    "Unfolding, morphing, custom C++ functions and bootstrap replicas are not read. The result "
    "would be another than TRExFitter's, so the config is refused.",
)
NOT_CARRIED = Rule(
    "QL-TREX-032",
    "what decides numbers is carried over",
    "The option changes numbers in TRExFitter, and nothing here reads it yet.",
    Severity.WARNING,
)

REFUSED_BLOCKS = {"Unfolding", "UnfoldingSample", "UnfoldingSystematic", "TruthSample"}
REFUSED_OPTIONS = {
    "Job": {"CustomFunctions", "Bootstrap", "BootstrapSyst", "BootstrapSample"},
    "Sample": {"Morphing"},
}
NOT_CARRIED_OPTIONS = {
    "Job": {
        "AlternativeShapeHistFactory",
        "CustomAsimov",
        "DecorrSuff",
        "DecorrSysts",
        "FixNPforStatOnly",
        "IntCodeOverall",
        "IntCodeShape",
        "RemoveSystOnEmptySample",
        "ScaleSamplesToData",
    },
    "Region": {"AutomaticDropBins", "IsBinOfRegion"},
    "Systematic": {"DropNormSpecial", "IsCorrelated"},
}
PARTS: dict[str, tuple[str, Callable[[Data, Block], Data]]] = {
    "Region": ("regions", region_data),
    "Sample": ("samples", sample_data),
    "NormFactor": ("norm_factors", norm_factor_data),
    "ShapeFactor": ("shape_factors", shape_factor_data),
    "Systematic": ("systematics", systematic_data),
}


def translate(config: TrexConfig) -> ConfigFile:
    """The keys of a catalog that a config gives: `.validate(Catalog)` makes one of them.

    Raises:
        InputError: If something is wrong with the config, or not understood.
    """
    job = config.sound().job
    if job is None:
        what = f"`MultiFit: {config.blocks[0].name}` names other configs, and has no samples"
        raise InputError(REFUSED.finding(what, place=config.blocks[0].place))
    data = Data(config.base, kind_of_files(job))
    add_job(data, job)
    for kind, (key, part) in PARTS.items():
        for block in config.of(kind):
            data.adopt(key, block.name, part(data, block), block.place)
    for block in config.of("Sample"):
        add_inline_factors(data, block)
    findings = [*config.findings, *data.findings, *_not_understood(config)]
    if errors := errors_among(findings):
        raise InputError(*errors)
    return ConfigFile(config.path, config.text, data.values, data.places, tuple(findings))


def _not_understood(config: TrexConfig) -> Iterator[Finding]:
    for block in config.blocks:
        if block.kind in REFUSED_BLOCKS:
            yield REFUSED.finding(f"`{block.kind}` blocks are not read", place=block.place)
        for name, option in block.options.items():
            if name in REFUSED_OPTIONS.get(block.kind, ()):
                yield REFUSED.finding(f"`{name}` is not read", place=option.place)
            if name in NOT_CARRIED_OPTIONS.get(block.kind, ()):
                yield NOT_CARRIED.finding(f"`{name}` has no effect here yet", place=option.place)


def read_config(path: Path) -> ParsedFile:
    """Read a config as the parent of one in YAML: `extends: analysis.config`.

    Raises:
        InputError: If it cannot be read or is refused.
    """
    file = translate(read_trexfitter(path))
    return ParsedFile(path, file.text, dict(file.data), file.places, file.findings)
