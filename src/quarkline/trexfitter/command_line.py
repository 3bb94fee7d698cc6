"""TRExFitter's option string, `Regions=a,b*:Systematics=x:Suffix=_v2`, read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from quarkline.catalog.written import Written
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.trexfitter.lines import split
from quarkline.trexfitter.schema import NUMBER

BAD_STRING = Rule(
    "QL-TREX-033",
    "the option string holds `Name=value` parts between colons",
    "The third argument of `quarkline trexfitter` is TRExFitter's: `Regions=SR*:Suffix=_v2`. "
    "Values are lists with commas, and quotes keep a colon or comma in a value.",
)
NO_REPLICAS = Rule(
    "QL-TREX-034",
    "bootstrap replicas are not made",
    "Replicas of the events ask for weights drawn event by event, whose random numbers are those "
    "of TRExFitter alone. The option is refused.",
)

LISTS = {
    "Regions": "regions",
    "Samples": "samples",
    "Systematics": "systematics",
    "Exclude": "exclude",
    "Signal": "signals",
    "Signals": "signals",
    "BlindedParameters": "hidden_parameters",
}
TEXTS = {
    "Job": "job",
    "OutputDir": "output",
    "Suffix": "suffix",
    "SaveSuffix": "save_suffix",
    "FitResults": "fit_results",
    "Ranking": "ranking",
    "GroupedImpact": "grouped_impact",
    "LHscan": "scan",
}
NUMBERS = {"LumiScale": "lumi_scale", "LimitParamValue": "limit_value"}
SWITCHES = {
    "Update": "update",
    "StatOnly": "statistics_only",
    "StatOnlyFit": "statistics_only_fit",
    "FitBlind": "blind",
    "Parallel2Dscan": "scan_in_parts",
}
CHOICES = {"FitType": ("hypothesis", {"SPLUSB": "signal+background", "BONLY": "background"})}
WHOLE = {"Parallel2DscanStep": "scan_part"}
REPLICAS = ("BootstrapIdx", "BootstrapSyst", "BootstrapSample")
KNOWN = (*LISTS, *TEXTS, *NUMBERS, *SWITCHES, *CHOICES, *WHOLE, *REPLICAS)
LABEL = "the option string"


@dataclass(frozen=True)
class CommandOptions:
    """What the option string asks for; empty or None where it says nothing.

    Attributes:
        regions: Names or patterns of the only regions.
        samples: Names or patterns of the only samples.
        systematics: Names or patterns of the only systematics; a name of none leaves all out.
        exclude: Names or patterns of regions, samples, factors and systematics left out.
        signals: The only signals; reference samples among them become signals.
        hidden_parameters: Parameters whose values are not shown.
        job: Another name of the job.
        output: Another folder that the job's folder is made in.
        suffix: What is added to names of fits, figures, tables and workspaces.
        save_suffix: What is added to names of histogram files.
        fit_results: File with a fit's result that post-fit figures take.
        ranking: What is ranked: "all", the name or number of one parameter, or "plot".
        grouped_impact: The one group, or "combine".
        scan: The one parameter that is scanned.
        lumi_scale: Factor of the luminosity.
        limit_value: Value that limits are filed under.
        update: Whether histogram files are added to.
        statistics_only: Whether systematics are left out.
        statistics_only_fit: Whether only norm factors are fitted.
        blind: Whether Asimov data are fitted.
        scan_in_parts: Whether only one row of two-dimensional scans is done.
        scan_part: Which row.
        hypothesis: "signal+background" or "background".
    """

    regions: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    systematics: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    hidden_parameters: tuple[str, ...] = ()
    job: str | None = None
    output: str | None = None
    suffix: str | None = None
    save_suffix: str | None = None
    fit_results: str | None = None
    ranking: str | None = None
    grouped_impact: str | None = None
    scan: str | None = None
    lumi_scale: float | None = None
    limit_value: float | None = None
    update: bool = False
    statistics_only: bool = False
    statistics_only_fit: bool = False
    blind: bool = False
    scan_in_parts: bool = False
    scan_part: int | None = None
    hypothesis: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was asked for, by the names of the attributes."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in values.items() if value not in (None, (), False)}


def read_options(text: str) -> CommandOptions:
    """Read an option string.

    Args:
        text: Such as `Regions=SR1,SR2:StatOnly=TRUE`; empty for none.

    Raises:
        InputError: With all that is wrong with it.
    """
    findings: list[Finding] = []
    values: dict[str, Any] = {}
    for name, value in _pairs(_placed(text), findings):
        values |= _read(name, value, findings)
    if findings:
        raise InputError(*findings)
    return CommandOptions(**values)


def joined_options(common: CommandOptions, own: str) -> CommandOptions:
    """The options of one job of a multi-fit: those of all, and its own, which win.

    Raises:
        InputError: With all that is wrong with its own.
    """
    return replace(common, **read_options(own).given)


def _placed(text: str) -> Written:
    return Written.at(text, Place(column=1, text=text, label=LABEL))


def _pairs(text: Written, findings: list[Finding]) -> Iterator[tuple[Written, Written]]:
    for part in split(text, ":"):
        if not part:
            continue
        name, value, *_ = [*split(part, "="), Written("")]
        if not name or not value.trimmed():
            what = f"`{part}` is not of the form `Name=value`"
            hint = "write for example `Regions=SR1,SR2:StatOnly=TRUE`"
            findings.append(BAD_STRING.finding(what, suggestion=hint, place=part.place))
        else:
            yield name, value


def _read(name: Written, value: Written, findings: list[Finding]) -> Mapping[str, Any]:
    """The attribute that one part of the string sets."""
    plain = value.trimmed()
    if name in LISTS:
        items = (item.trimmed() for item in split(value, ","))
        return {LISTS[name]: tuple(str(item) for item in items if item)}
    if name in TEXTS:
        return {TEXTS[name]: str(plain)}
    if name in SWITCHES:  # anything but FALSE switches it on, as there
        return {SWITCHES[name]: plain.upper() != "FALSE"}
    if name in NUMBERS and NUMBER.fullmatch(plain):
        return {NUMBERS[name]: float(plain)}
    if name in WHOLE and plain.isdecimal():
        return {WHOLE[name]: int(plain)}
    if name in CHOICES and plain.upper() in CHOICES[name][1]:
        attribute, meanings = CHOICES[name]
        return {attribute: meanings[plain.upper()]}
    findings.append(_wrong(name, plain))
    return {}


def _wrong(name: Written, value: Written) -> Finding:
    if name in REPLICAS:
        return NO_REPLICAS.finding(f"`{name}` is not read", place=name.place)
    if name not in KNOWN:
        hint = did_you_mean(name, KNOWN, what="options")
        return BAD_STRING.finding(f"there is no option `{name}`", suggestion=hint, place=name.place)
    if name in CHOICES:
        hint = did_you_mean(value, CHOICES[name][1], what="values")
        message = f"`{name}={value}` is not one of its values"
        return BAD_STRING.finding(message, suggestion=hint, place=value.place)
    kind = "a whole number" if name in WHOLE else "a number"
    return BAD_STRING.finding(f"`{name}={value}` is not {kind}", place=value.place)
