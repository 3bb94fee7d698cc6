"""Regions with their variables and bins."""

from __future__ import annotations

from typing import Any

from quarkline.trexfitter.blocks import Block, Option
from quarkline.trexfitter.lines import split, unquoted
from quarkline.trexfitter.schema import NUMBER
from quarkline.trexfitter.translation.data import Data
from quarkline.trexfitter.translation.figures import add_region_drawing

RULES = {"TRANSFOD": "TransfoD", "TRANSFOF": "TransfoF", "TRANSFOJ": "TransfoJ"}
FINE_BINS = 10_000
"""Bins of the variable's range in which TRExFitter looks for automatic ones, whatever it names."""
USUAL_PARAMETERS = {"TransfoJ": (5.0, 1.0, 5.0)}
VARIABLE_FORM = "write `Variable: expression,bins,low,high`"


def region_data(data: Data, block: Block) -> Data:
    """The keys of one region."""
    region = data.below()
    roles = {"SIGNAL": "signal", "CONTROL": "control", "VALIDATION": "validation"}
    region.put("role", "control", block.place)  # what a region without type is there
    region.choice("role", block, "Type", roles)
    fine = _add_variable(region, block)
    _add_binning(region, block, fine)
    _add_merging(region, block)
    region.text("selection", block, "Selection")
    region.text("weight", block, "MCweight")
    _add_for_samples(region, "variable_for", block, "VariableForSample")
    _add_for_samples(region, "selection_for", block, "SelectionForSample")
    region.files("files", block)
    region.choice("data", block, "DataType", {"DATA": "observed", "ASIMOV": "asimov"})
    if region.values["role"] == "signal" and data.job and data.job.true("BlindSRs"):
        region.put("data", "asimov", data.job.options["BlindSRs"].place)
    _add_bin_of(region, block)
    if option := block.first("DropBins"):  # which switches off AutomaticDropBins
        bins = region.numbers(option, option.items)
        region.put("drop_bins", bins and [int(number) for number in bins], option.place)
    else:
        region.truth("drop_hidden_bins", block, "AutomaticDropBins")
    region.truth("smooth", block, "SkipSmoothing", negated=True)
    region.label("title", block, "VariableTitle")
    region.label("label", block, "Label")
    region.label("short_label", block, "ShortLabel")
    region.label("tex_label", block, "TexLabel")
    region.label("group", block, "Group")
    add_region_drawing(region, block, data.job)
    return region


def _add_variable(region: Data, block: Block) -> dict[str, Any] | None:
    """Set the variable; its bins, if it has some. Histograms that are there have theirs."""
    option = block.first("Variable")
    if option is None or region.kind == "Histo":
        return None
    commas = unquoted(option.raw, ",")
    numbers = [part.trimmed() for part in split(option.raw, ",")[-3:]]
    if len(commas) < 3 or not all(NUMBER.fullmatch(number) for number in numbers):
        region.refuse(option, "has no bins and range", VARIABLE_FORM)
        return None
    variable = option.raw.part(0, commas[-3]).trimmed()
    if len(split(variable, "|")) == 2:
        region.refuse(option, "is two variables against each other", VARIABLE_FORM)
        return None
    region.put("variable", variable, option.place)
    bins, low, high = map(float, numbers)
    fine = {"kind": "uniform", "bins": int(bins), "low": low, "high": high}
    region.put("binning", fine, option.place)
    return fine


def _add_binning(region: Data, block: Block, fine: dict[str, Any] | None) -> None:
    option = block.first("Binning")
    if option is None or not option.items or option.value == "-":
        return
    if option.items[0].upper() != "AUTOBIN":
        edges = region.numbers(option, option.items)
        region.put("binning", edges and {"kind": "edges", "edges": edges}, option.place)
        return
    rule = RULES.get(option.items[1].upper()) if len(option.items) > 1 else None
    if rule is None:
        hint = "rules are " + ", ".join(sorted(RULES.values()))
        region.refuse(option, "names no known rule", hint)
        return
    parameters = _rule_parameters(region, option, rule)
    automatic: dict[str, Any] = {"kind": "automatic", "rule": rule, "parameters": parameters}
    if fine:
        automatic["fine"] = {**fine, "bins": FINE_BINS}
    if parameters is not None:
        region.put("binning", automatic, option.place)


def _rule_parameters(region: Data, option: Option, rule: str) -> list[float] | None:
    """The numbers of a rule of automatic bins, with TRExFitter's in place of missing ones."""
    usual = USUAL_PARAMETERS.get(rule, ())
    given = region.numbers(option, option.items[2:])
    if given is None:
        return None
    if len(given) < 2 and not usual:
        region.refuse(option, "has less than two numbers", f'write `"AutoBin","{rule}",2,2`')
        return None
    return [*given, *usual[len(given) :]]


def _add_bin_of(region: Data, block: Block) -> None:
    if option := block.first("IsBinOfRegion"):
        parts = [part.trimmed() for part in split(option.raw, ":")]
        if len(parts) == 2 and NUMBER.fullmatch(parts[1]) and int(float(parts[1])) >= 1:
            chosen = {"region": parts[0], "bin": int(float(parts[1]))}
            region.put("bin_of", chosen, option.place)
        else:
            hint = 'write `IsBinOfRegion: "region":1`, where bins count from 1'
            region.refuse(option, "is not a region and one of its bins", hint)


def _add_merging(region: Data, block: Block) -> None:
    region.number("merge", block, "Rebin")
    if option := block.first("Rebinning"):
        region.put("merge", region.numbers(option, option.items), option.place)


def _add_for_samples(region: Data, key: str, block: Block, name: str) -> None:
    """Options that hold `sample:value` pairs."""
    option = block.first(name)
    if option is None:
        return
    found = {}
    for item in option.items:
        sample, colon, _ = item.partition(":")
        if not colon:
            _no_pair(region, option)
            return
        found[sample.strip()] = item.part(len(sample) + 1, len(item)).trimmed()
    region.put(key, found, option.place)


def _no_pair(region: Data, option: Option) -> None:
    region.refuse(option, "has a part without a sample", f"write `{option.name}: sample:value`")
