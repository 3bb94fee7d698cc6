"""Samples with their files, weights and selections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from quarkline.trexfitter.blocks import Block
from quarkline.trexfitter.translation.data import Data
from quarkline.trexfitter.translation.factors import NORM_FACTORS
from quarkline.trexfitter.translation.figures import add_sample_drawing

ROLES = {
    "SIGNAL": "signal",
    "BACKGROUND": "background",
    "DATA": "data",
    "GHOST": "reference",
}
ARITHMETIC = {
    "SubtractSample": "subtract",
    "SubtractSamples": "subtract",
    "AddSample": "add",
    "AddSamples": "add",
    "MultiplyBy": "multiply",
    "DivideBy": "divide",
    "NormToSample": "normalise",
}


def sample_data(data: Data, block: Block) -> Data:
    """The keys of one sample."""
    sample = data.below()
    sample.choice("role", block, "Type", ROLES)
    sample.label("title", block, "Title")
    sample.label("tex_title", block, "TexTitle")
    sample.label("group", block, "Group")
    sample.files("files", block)
    sample.truth("use_friends", block, "UseFriend")
    sample.text("weight", block, "MCweight")
    sample.text("selection", block, "Selection")
    for key, name in (("ignore_selection", "IgnoreSelection"), ("ignore_weight", "IgnoreWeight")):
        if option := block.first(name):
            switches: dict[str, Any] = {"TRUE": True, "FALSE": False}
            sample.put(key, switches.get(option.value.upper(), option.value), option.place)
    sample.truth("normalised_by_theory", block, "NormalizedByTheory")
    if option := block.first("LumiScales", "LumiScale"):
        sample.put("scales", sample.numbers(option, option.items), option.place)
    sample.names("regions", block, "Regions")
    sample.items("exclude", block, "Exclude")
    add_sample_drawing(sample, block)
    _add_arithmetic(sample, block)
    sample.truth("separate_mc_statistics", block, "SeparateGamma", "SeparateGammas")
    sample.truth("mc_statistics", block, "UseMCstat")
    sample.number("mc_statistics_scale", block, "MCstatScale")
    sample.items("share_mc_statistics_in", block, "CorrelateGammasInRegions")
    sample.label("share_mc_statistics_with", block, "CorrelateGammasWithSample")
    sample.truth("use_systematics", block, "UseSystematics")
    sample.text("systematics_from", block, "SystFromSample")
    sample.truth("smooth", block, "Smooth")
    if option := block.first("AsimovReplacementFor"):
        names = option.items
        if len(names) == 2:
            sample.put("asimov_for", {"name": names[0], "sample": names[1]}, option.place)
        else:
            sample.refuse(option, "has not two names", "write the name of the set and the sample")
    return sample


def _add_arithmetic(sample: Data, block: Block) -> None:
    steps = [
        ({"kind": kind, "samples": option.items}, option.place)
        for name, kind in ARITHMETIC.items()  # TRExFitter's order, whatever that of the options
        if (option := block.first(name))
    ]
    if steps:
        sample.put("arithmetic", [step for step, _ in steps], steps[0][1])


def add_inline_factors(data: Data, block: Block) -> None:
    """The norm and shape factors that a sample states in itself."""
    for key, name in (("norm_factors", "NormFactor"), ("shape_factors", "ShapeFactor")):
        option = block.first(name)
        if option is None or not option.items:
            continue
        factor, *rest = option.items
        switches = [item for item in rest if item.upper() in {"TRUE", "FALSE"}]
        numbers = data.numbers(option, [item for item in rest if item not in switches])
        if numbers is None:
            continue
        part = data.below()
        part.put("samples", [str(block.name)], option.place)
        if key == "norm_factors":
            for word, number in _named(numbers):
                part.put(word, number, option.place)
            if switches:
                part.put("constant", switches[0].upper() == "TRUE", option.place)
            part.put("sub_category", NORM_FACTORS, option.place)
        known = data.values.get(key, {}).get(str(factor))
        if known is None:
            data.adopt(key, factor, part, option.place)
        else:  # a block says more than what samples say, and the first sample more than others
            samples = [*known.get("samples", []), str(block.name)]
            known |= {"samples": samples} | {k: v for k, v in part.values.items() if k not in known}


def _named(numbers: list[float]) -> Iterator[tuple[str, float]]:
    return zip(("nominal", "min", "max"), numbers, strict=False)
