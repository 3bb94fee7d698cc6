"""What the option string changes in an analysis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.inference import FitSettings, ScanSettings
from quarkline.catalog.names import selects
from quarkline.catalog.samples import Sample
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, Severity, did_you_mean
from quarkline.trexfitter.blocks import TrexConfig, errors_among
from quarkline.trexfitter.command_line import BAD_STRING, LABEL, CommandOptions

BOTH = Rule(
    "QL-TREX-037",
    "an option is given in one place",
    "Some options may stand in the option string and in the config. Here the option string wins; "
    "TRExFitter takes these from the config.",
    Severity.NOTE,
)

IN_BOTH = {
    "suffix": ("Job", "Suffix"),
    "save_suffix": ("Job", "SaveSuffix"),
    "statistics_only": ("Job", "StatOnly"),
    "lumi_scale": ("Job", "LumiScale"),
    "statistics_only_fit": ("Fit", "StatOnlyFit"),
    "blind": ("Fit", "FitBlind"),
    "hidden_parameters": ("Fit", "BlindedParameters"),
    "limit_value": ("Limit", "ParamValue"),
}
NOTHING = "NONE"
T = TypeVar("T")


def apply_options(
    catalog: Catalog, options: CommandOptions, *, lenient: bool = False
) -> tuple[Catalog, list[Finding]]:
    """An analysis after what the option string changes in it, and what is to be said about it.

    Args:
        catalog: The analysis.
        options: What the option string says.
        lenient: Whether names of nothing are only warned of.

    Raises:
        InputError: If a name is one of nothing.
    """
    findings = list(_unknown_names(catalog, options, lenient=lenient))
    if errors := errors_among(findings):
        raise InputError(*errors)
    return _inferring(_filtered(catalog, options), options), findings


def said_twice(config: TrexConfig, options: CommandOptions) -> Iterator[Finding]:
    """Options that stand in the config, too, where TRExFitter would take that one."""
    for attribute in options.given:
        kind, name = IN_BOTH.get(attribute, ("", ""))
        for block in config.of(kind)[:1]:
            if option := block.first(name):
                yield BOTH.finding(
                    f"`{name}` stands in the config and in the option string, which wins",
                    suggestion="delete one of them",
                    place=option.place,
                )


def _unknown_names(
    catalog: Catalog, options: CommandOptions, *, lenient: bool
) -> Iterator[Finding]:
    factors = (*catalog.norm_factors, *catalog.shape_factors)
    every = (*catalog.regions, *catalog.samples, *catalog.systematics, *factors)
    severity = Severity.WARNING if lenient else Severity.ERROR
    asked: list[tuple[str, Iterable[str], Iterable[str], Severity]] = [
        ("region", options.regions, catalog.regions, severity),
        ("sample", options.samples, catalog.samples, severity),
        ("systematic", options.systematics, catalog.systematics, severity),
        ("signal", options.signals, catalog.samples, Severity.WARNING),
        ("part", options.exclude, every, Severity.WARNING),
    ]
    for what, patterns, names, how in asked:
        for pattern in patterns:
            if pattern.upper() != NOTHING and not any(selects([pattern], name) for name in names):
                yield BAD_STRING.finding(
                    f"there is no {what} `{pattern}`",
                    suggestion=did_you_mean(pattern, names, what=f"{what}s"),
                    place=Place(label=LABEL),
                    severity=how,
                )


def _filtered(catalog: Catalog, options: CommandOptions) -> Catalog:
    """The analysis with the parts that are asked for."""

    def kept(parts: Mapping[str, T], wanted: Sequence[str] = ()) -> dict[str, T]:
        return {
            name: part
            for name, part in parts.items()
            if (not wanted or selects(wanted, name)) and not selects(options.exclude, name)
        }

    return catalog.model_copy(
        update={
            "regions": kept(catalog.regions, options.regions),
            "samples": kept(dict(_signals(catalog, options)), options.samples),
            "systematics": kept(catalog.systematics, options.systematics),
            "norm_factors": kept(catalog.norm_factors),
            "shape_factors": kept(catalog.shape_factors),
        }
    )


def _signals(catalog: Catalog, options: CommandOptions) -> Iterator[tuple[str, Sample]]:
    """The samples without other signals than those asked for; reference samples become signals."""
    for name, sample in catalog.samples.items():
        if not options.signals or sample.role not in {"signal", "reference"}:
            yield name, sample
        elif name in options.signals:
            yield name, sample.model_copy(update={"role": "signal"})
        elif sample.role == "reference":
            yield name, sample


def _inferring(catalog: Catalog, options: CommandOptions) -> Catalog:
    """The analysis with other settings of templates, fits and limits."""
    update: dict[str, Any] = {}
    if options.lumi_scale is not None:
        update["luminosity"] = catalog.luminosity.model_copy(update={"scale": options.lumi_scale})
    if options.statistics_only:
        nothing = {"statistics_only": True, "mc_statistics": None}
        update["templates"] = catalog.templates.model_copy(update=nothing)
    blind = not any(sample.role == "data" for sample in catalog.samples.values())
    if catalog.fit:
        update["fit"] = _fit(catalog.fit, options, blind=blind)
    if blind and catalog.limit:
        update["limit"] = catalog.limit.model_copy(update={"data": "asimov"})
    if blind and catalog.significance:
        update["significance"] = catalog.significance.model_copy(update={"data": "asimov"})
    return catalog.model_copy(update=update)


def _fit(fit: FitSettings, options: CommandOptions, *, blind: bool) -> FitSettings:
    update: dict[str, Any] = {}
    if blind or options.blind:
        update["data"] = "asimov"
    if options.statistics_only_fit:
        update["statistics_only"] = True
    if options.hypothesis:
        update["hypothesis"] = options.hypothesis
    if options.hidden_parameters:
        update["hidden_parameters"] = list(options.hidden_parameters)
    if options.scan:
        update["scans"] = _scans(fit.scans, options.scan)
    return fit.model_copy(update=update)


def _scans(scans: Sequence[ScanSettings], parameter: str) -> list[ScanSettings]:
    """The scan of one parameter alone, with the range of those in the config, and the planes."""
    planes = [scan for scan in scans if len(scan.parameters) > 1]
    lines = [scan for scan in scans if len(scan.parameters) == 1]
    first = lines[0] if lines else ScanSettings(parameters=[parameter])
    return [first.model_copy(update={"parameters": [parameter]}), *planes]
