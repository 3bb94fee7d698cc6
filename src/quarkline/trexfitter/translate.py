"""Translates a config into the keys of our own YAML, each with the place it was written at."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from quarkline.catalog.written import Written
from quarkline.engine.core.config import ConfigFile
from quarkline.engine.core.findings import Finding, InputError, Rule, Severity
from quarkline.engine.core.yaml_file import ParsedFile
from quarkline.trexfitter.blocks import Block, TrexConfig, errors_among
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.translation.data import Data
from quarkline.trexfitter.translation.factors import norm_factor_data, shape_factor_data
from quarkline.trexfitter.translation.figures import add_job_drawing
from quarkline.trexfitter.translation.fits import add_fit, add_limit, add_significance
from quarkline.trexfitter.translation.job import add_job, add_pois, kind_of_files
from quarkline.trexfitter.translation.regions import region_data
from quarkline.trexfitter.translation.samples import add_inline_factors, sample_data
from quarkline.trexfitter.translation.systematics import systematic_data
from quarkline.trexfitter.validate import NOT_READ

REFUSED = Rule(
    "QL-TREX-031",
    "what decides numbers is understood",
    "Unfolding, morphing, custom C++ functions, bootstrap replicas, fits without profiling and "
    "histograms of bin-by-bin errors are not read. The result would be another than TRExFitter's, "
    "so the config is refused.",
)
OTHER_CODES = Rule(
    "QL-TREX-032",
    "figures show what is fitted",
    "`IntCodeOverall` and `IntCodeShape` are how TRExFitter's figures and tables after the fit "
    "interpolate between variations. Its fit has HistFactory's codes whatever they say, which "
    "these options call 4 for yields and 0 for shapes. With other values figures would show "
    "another model than the fitted one, so they are refused.",
)

LATER = Rule(
    "QL-TREX-052",
    "what decides numbers is carried over",
    "The option is one of later releases of TRExFitter than June 2021, and nothing here reads it.",
    Severity.WARNING,
)

SIDED = re.compile(r"(Histo|Ntuple|Weight)\w*(Up|Down)")
"""Options that say what is varied."""
RANKED = 10
"""Parameters in a figure of the ranking, if the job does not say how many."""
REFUSED_OPTIONS = {
    "Job": {
        *("CustomFunctions", "CustomFunctionsExecutes", "AddAliases"),
        *("Bootstrap", "BootstrapSyst", "BootstrapSample"),
    },
    "Sample": {"Morphing"},
}
OF_HISTOGRAMS = {
    "CombineName": "write it as `Type: HISTO`, or leave it out of the combination",
    "DropNorm": "leave these regions out with `Exclude`",
    "DropShapeIn": "leave it out",
    "DummyForSamples": "name these samples in `Samples`, which is what it does there",
    "ForceShape": "leave it out",
    "KeepNormForSamples": "leave it out",
    "ReferencePruning": "leave it out, or write `NoPruning: TRUE`",
}
"""Options whose effect on systematics without histograms is not that on others."""
REFUSED_SWITCHES = {"Fit": ("DataWeighted",), "Sample": ("UseGaussianShapeSysConstraint",)}
"""Options that change nothing unless they are TRUE."""
INTERPOLATIONS = {"IntCodeOverall": 4, "IntCodeShape": 0}
"""Options of the job with the only value that is the model's."""
PARTS: dict[str, tuple[str, Callable[[Data, Block], Data]]] = {
    "Region": ("regions", region_data),
    "Sample": ("samples", sample_data),
    "NormFactor": ("norm_factors", norm_factor_data),
    "ShapeFactor": ("shape_factors", shape_factor_data),
    "Systematic": ("systematics", systematic_data),
}


def translate(config: TrexConfig, *, usual: Collection[str] = ()) -> ConfigFile:
    """The keys of a catalog that a config gives: `.validate(Catalog)` makes one of them.

    Args:
        config: The config.
        usual: Blocks among `Fit`, `Limit` and `Significance` that have TRExFitter's defaults where
            the config has none of them.

    Raises:
        InputError: If something is wrong with the config, or not understood.
    """
    job = config.sound().job
    if job is None:
        what = f"`MultiFit: {config.blocks[0].name}` names other configs, and has no samples"
        raise InputError(REFUSED.finding(what, place=config.blocks[0].place))
    data = Data(config.base, kind_of_files(job), job)
    add_job(data, job)
    add_pois(data, job, config.of("Limit", "Significance"))
    add_job_drawing(data, job)
    _add_inference(data, config, job, usual)
    for kind, (key, part) in PARTS.items():
        for block in config.of(kind):
            data.adopt(key, block.name, part(data, block), block.place)
    for block in config.of("Sample"):
        add_inline_factors(data, block)
    findings = [*config.findings, *data.findings, *_not_understood(config)]
    if errors := errors_among(findings):
        raise InputError(*errors)
    return ConfigFile(config.path, config.text, data.values, data.places, tuple(findings))


def _add_inference(data: Data, config: TrexConfig, job: Block, usual: Collection[str]) -> None:
    """What the blocks about the likelihood say; of several of one kind, the first counts."""
    blind = no_data(config)
    blocks = {
        kind: next(iter(config.of(kind)), Block(kind, Written(""), {}, job.place))
        for kind in ("Fit", "Limit", "Significance")
        if kind in usual or config.of(kind)
    }
    if "Fit" in blocks:
        add_fit(data, blocks["Fit"], job, blind=blind)
    if "Limit" in blocks:
        add_limit(data, blocks["Limit"], blind=blind)
    if "Significance" in blocks:
        add_significance(data, blocks["Significance"], blind=blind)
    if "Fit" in blocks and "most" not in data.values.get("ranking", {}):
        data.put("ranking.most", RANKED, job.place)


def no_data(config: TrexConfig) -> bool:
    """Whether no sample holds data, so that everything is done with Asimov data."""
    types = (block.text("Type") or "" for block in config.of("Sample"))
    return not any(kind.upper() == "DATA" for kind in types)


def _not_understood(config: TrexConfig) -> Iterator[Finding]:
    said: set[str] = set()
    for block in config.blocks:
        if block.kind in NOT_READ - said:
            said.add(block.kind)
            yield REFUSED.finding(f"`{block.kind}` blocks are not read", place=block.place)
        for name, option in block.options.items():
            if name in REFUSED_OPTIONS.get(block.kind, ()):
                yield REFUSED.finding(f"`{name}` is not read", place=option.place)
        yield from _not_understood_values(block)
        for name in REFUSED_SWITCHES.get(block.kind, ()):
            if block.true(name):
                yield REFUSED.finding(f"`{name}` is not done", place=block.options[name].place)
        if block.kind == "Limit" and block.number("POIAsimov"):
            what = "`POIAsimov` of `Limit` is not read: Asimov data for limits have no signal"
            hint = "for a signal in them, write `SignalInjection: TRUE` and `SignalInjectionValue`"
            place = block.options["POIAsimov"].place
            yield LATER.finding(what, suggestion=hint, place=place)


def _not_understood_values(block: Block) -> Iterator[Finding]:
    """Options of which only some values cannot be expressed."""
    for name, code in INTERPOLATIONS.items() if block.kind == "Job" else ():
        if (value := block.number(name)) not in (None, code):
            yield OTHER_CODES.finding(
                f"`{name}: {value:g}` is not how the fit interpolates",
                suggestion=f"leave it out, or write `{name}: {code}`",
                place=block.options[name].place,
            )
    if block.kind == "Fit" and block.number("FitToys"):
        yield from _values_of_toys(block)
    if block.kind == "Fit" and block.true("DoNonProfileFit"):
        what = "`DoNonProfileFit` replaces the fit by others, and is not done"
        yield REFUSED.finding(what, place=block.options["DoNonProfileFit"].place)
    if block.kind == "Fit" and (block.text("FitType") or "").upper() == "UNFOLDING":
        what = "`FitType: UNFOLDING` is not done"
        yield REFUSED.finding(what, place=block.options["FitType"].place)
    kind = (block.text("Type") or "HISTO").upper() if block.kind == "Systematic" else "HISTO"
    for name, hint in OF_HISTOGRAMS.items() if kind != "HISTO" else ():
        if option := block.first(name):
            what = f"`{name}` of a systematic of `Type: {kind}` is not done"
            yield REFUSED.finding(what, suggestion=hint, place=option.place)
    if kind == "SHAPE":
        sided = [option for name, option in block.options.items() if SIDED.match(name)]
        if sided:
            what = f"`{sided[0].name}` gives every bin a parameter of its own, which is not done"
            yield REFUSED.finding(what, place=sided[0].place)


def _values_of_toys(fit: Block) -> Iterator[Finding]:
    """Values of Asimov data that TRExFitter's toys do not have."""
    for name in ("NPValues", "NPValuesFromFitResults"):
        if option := fit.first(name):
            yield REFUSED.finding(
                f"`{name}` is for Asimov data, and `FitToys` draws toys without these values",
                suggestion="do one of them in a config of its own",
                place=option.place,
            )


def read_config(path: Path) -> ParsedFile:
    """Read a config as the parent of one in YAML: `extends: analysis.config`.

    Raises:
        InputError: If it cannot be read or is refused.
    """
    file = translate(read_trexfitter(path))
    return ParsedFile(path, file.text, dict(file.data), file.places, file.findings)
