"""What is done with the likelihood: the blocks Fit, Limit and Significance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarkline.catalog.written import Written
from quarkline.trexfitter.blocks import Block, Option
from quarkline.trexfitter.lines import split
from quarkline.trexfitter.schema import NUMBER
from quarkline.trexfitter.translation.data import Data

ALPHA = "alpha_"
REGIONS = {"CRSR": ["signal", "control"], "CRONLY": ["control"]}
MOST_STEPS, LEAST_STEPS, USUAL_STEPS = 100, 3, 30


def add_fit(data: Data, fit: Block, job: Block, *, blind: bool) -> None:
    """The keys of `fit`.

    Args:
        data: What they are added to.
        fit: The block `Fit`.
        job: The job.
        blind: Whether there are no data.
    """
    data.choice(
        "fit.hypothesis",
        fit,
        "FitType",
        {"SPLUSB": "signal+background", "BONLY": "background"},
    )
    if option := fit.first("FitRegion"):
        names = [str(item) for item in option.items]
        data.put("fit.regions", REGIONS.get(option.value.upper(), names), option.place)
    if blind or fit.true("FitBlind"):
        data.put("fit.data", "asimov", (fit.first("FitBlind") or fit).place)
    _add_asimov(data, fit, job)
    _add_fixed(data, fit, job)
    _add_minimiser(data, fit)
    _add_toys(data, fit, job)
    add_scans(data, fit)
    data.truth("fit.goodness_of_fit", fit, "GetGoodnessOfFit")
    data.items("fit.hidden_parameters", fit, "BlindedParameters")
    data.truth("ranking.include_pois", fit, "UsePOISinRanking")


def add_scans(data: Data, block: Block) -> None:
    """The key `fit.scans`, from a fit or a multi-fit."""
    for name, reader in (("doLHscan", _lines), ("do2DLHscan", _planes)):
        if option := block.first(name):
            scans = [_scan(block, parameters) for parameters in reader(data, option)]
            known = data.values.get("fit", {}).get("scans", [])
            data.put("fit.scans", [*known, *scans], option.place)


def _add_asimov(data: Data, fit: Block, job: Block) -> None:
    values: dict[str, float] = {}
    pois = job.items("POI")
    for name in ("POIAsimov", "NPValues"):
        option = fit.first(name)
        if option is None:
            continue
        if name == "POIAsimov" and NUMBER.fullmatch(option.value):
            if pois:
                values[str(pois[0])] = float(option.value)
            else:
                data.refuse(option, "has no parameter", "name one as `POI` of the job")
        else:
            values |= values_of(data, option)
        data.put("fit.asimov", values, option.place)
    data.label("fit.asimov_from", fit, "NPValuesFromFitResults")
    data.label("fit.pseudo_data", job, "CustomAsimov")
    data.truth("fit.shift_measurements", fit, "InjectGlobalObservables")


def _add_fixed(data: Data, fit: Block, job: Block) -> None:
    if option := fit.first("FixNPs"):
        data.put("fit.fixed", values_of(data, option), option.place)
    if option := fit.first("UseMinos"):
        data.put("fit.minos", parameter_names(option.items), option.place)
    data.truth("fit.statistics_only", fit, "StatOnlyFit")
    data.truth("fit.fix_norm_factors", job, "FixNPforStatOnly")
    data.put("fit.fitted_gammas", bool(job.true("UseGammaPulls")), job.place)


def _add_minimiser(data: Data, fit: Block) -> None:
    strategy = fit.number("FitStrategy")
    if strategy in (0, 1, 2):
        data.number("fit.strategy", fit, "FitStrategy")
    width = fit.number("SetRandomInitialNPval")
    if width:
        data.put("fit.random_start.width", width, fit.options["SetRandomInitialNPval"].place)
        data.number("fit.random_start.seed", fit, "SetRandomInitialNPvalSeed")


def _add_toys(data: Data, fit: Block, job: Block) -> None:
    """Toys: measured parameters are 0 in them unless `POIAsimov` says otherwise, as there."""
    data.number("fit.toys", fit, "FitToys")
    if not fit.number("FitToys"):
        return
    given = data.values["fit"].get("asimov", {})
    truth = {str(poi): 0.0 for poi in job.items("POI") if str(poi) not in given}
    place = fit.options["FitToys"].place
    if name := fit.text("ToysPseudodataNP"):
        truth[plain_name(name)] = _shift_of_toys(data, fit)
        place = fit.options["ToysPseudodataNP"].place
        data.put("fit.toys_hold", [plain_name(name)], place)
    data.put("fit.toys_with", truth, place)


def _shift_of_toys(data: Data, fit: Block) -> float:
    """The value of the shifted parameter: 1, or a whole number."""
    shift = fit.number("ToysPseudodataNPShift")
    if shift is None:
        return 1.0
    if not shift.is_integer():
        option = fit.options["ToysPseudodataNPShift"]
        data.refuse(option, f"is read as {int(shift)} there", "give a whole number")
    return shift


def plain_name(name: str) -> str:
    """The name of a parameter without what HistFactory puts before it."""
    return str(name).removeprefix(ALPHA)


def parameter_names(items: Sequence[str]) -> list[str]:
    """Names of parameters; a first `all` means all of them."""
    names = [plain_name(item) for item in items]
    return ["all"] if names and names[0] == "all" else names


def values_of(data: Data, option: Option) -> dict[str, float]:
    """Values by parameter, from `a:1,b:-0.5`."""
    found: dict[str, float] = {}
    for item in split(option.raw, ","):
        name, colon, number = item.trimmed().partition(":")
        value = Written(number).trimmed()
        if not colon or not NUMBER.fullmatch(value):
            data.refuse(option, f"has the part `{item}`", f"write `{option.name}: name:1,other:2`")
        else:
            found[plain_name(Written(name).trimmed())] = float(value)
    return found


def _lines(_: Data, option: Option) -> list[list[str]]:
    names = parameter_names(option.items)
    return [[name] for name in names]


def _planes(data: Data, option: Option) -> list[list[str]]:
    pairs = [[plain_name(name.trimmed()) for name in split(part, ",")] for part in _parts(option)]
    if any(len(pair) != 2 for pair in pairs):
        data.refuse(option, "is not made of pairs", f"write `{option.name}: x,y:x,z`")
        return []
    return pairs


def _parts(option: Option) -> list[Written]:
    return [part for part in split(option.raw, ":") if part]


def _scan(fit: Block, parameters: list[str]) -> dict[str, Any]:
    """One scan: the options of x count for both kinds, those of y for the second parameter."""
    scan: dict[str, Any] = {"parameters": parameters}
    ends = ("", "Y")[: len(parameters)]
    for key, name in (("low", "LHscanMin"), ("high", "LHscanMax")):
        edges = [fit.number(f"{name}{end}") for end in ends]
        if any(edge is not None for edge in edges):
            scan[key] = edges
    first = _steps(fit, "LHscanSteps", USUAL_STEPS)
    scan["steps"] = [first, _steps(fit, "LHscanStepsY", first)][: len(parameters)]
    return scan


def _steps(fit: Block, name: str, usual: int) -> int:
    """Steps of a scan; a number that TRExFitter finds too small or large is its default."""
    steps = fit.number(name)
    if steps is None or not LEAST_STEPS <= steps <= MOST_STEPS:
        return usual
    return int(steps)


def add_limit(data: Data, limit: Block, *, blind: bool) -> None:
    """The keys of `limit`."""
    data.put(
        "limit.data", "asimov" if blind or limit.true("LimitBlind") else "observed", limit.place
    )
    data.label("limit.poi", limit, "POI")
    data.choice("limit.method", limit, "LimitType", {"ASYMPTOTIC": "asymptotic", "TOYS": "toys"})
    level = limit.number("ConfidenceLevel")
    if level is not None and 0 < level < 1:
        data.number("limit.level", limit, "ConfidenceLevel")
    if limit.true("SignalInjection"):
        value = limit.number("SignalInjectionValue") or 0.0
        data.put("limit.injected", value, limit.options["SignalInjection"].place)


def add_significance(data: Data, significance: Block, *, blind: bool) -> None:
    """The keys of `significance`."""
    hidden = blind or significance.true("SignificanceBlind")
    data.put("significance.data", "asimov" if hidden else "observed", significance.place)
    data.label("significance.poi", significance, "POI")
    data.number("significance.expected_with", significance, "POIAsimov")
