"""Options that TRExFitter allows and that change nothing here: each is told, with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quarkline.engine.core.findings import Finding, Place, Rule, Severity
from quarkline.trexfitter.blocks import Option, TrexConfig
from quarkline.trexfitter.command_line import LABEL, CommandOptions
from quarkline.trexfitter.schema import JOB_BLOCKS

NO_EFFECT = Rule(
    "QL-TREX-071",
    "an option has an effect",
    "Some options of TRExFitter are about how ROOT lays out pictures or how the program runs. They "
    "are allowed and change nothing here. A warning stands where TRExFitter would write or do "
    "something else.",
    Severity.NOTE,
)

LAYOUT = "how ROOT lays out pictures"
RUNS = "how the program runs"
MINIMISES = "how the minimum is searched; several ways are tried here"
UNUSED = "TRExFitter does not read it either"
ONLY_UNFOLDING = "only morphing, unfolding, bootstrap and fits without profiling use it"
ALWAYS = "it is always so here"
SPREAD = "scans are spread over the workers as they are"
OTHER_TOYS = "toys have random numbers of their own, and limits find their own points"
NOT_DRAWN = "this figure is not drawn here"

_PLACED = "LabelX LabelY LegendX1 LegendX2 LegendY LegendNColumns"
_UNFOLDED = ("ResponseMatrix", "Acceptance", "SelectionEff", "Migration")
_COMMON = {
    RUNS: "DebugLevel Logo NumCPU BinnedLikelihoodOptimization",
    MINIMISES: "UseHesseBeforeMigrad",
}
_REASONS: Mapping[str, Mapping[str, str]] = {
    "Job": {
        LAYOUT: " ".join(
            [
                *(f"{name}{end}" for name in _PLACED.split() for end in ("", "Summary", "Merge")),
                "PrePostFitCanvasSize SummaryCanvasSize MergeCanvasSize PieChartCanvasSize",
                "NPRankingCanvasSize SystErrorBars SummaryErrorbars SummaryPlotLabels",
                "SummaryPlotValidationLabels SeparationPlot PreFitLabel PostFitLabel",
            ]
        ),
        RUNS: f"{_COMMON[RUNS]} SuppressNegativeBinWarnings CustomIncludePaths",
        ALWAYS: "ReorderNPs",
        UNUSED: "YIELDS NORMSIG NOSIG OVERSIG CHI2 PREFITONPOSTFIT NOXERR STANDALONE FOOTNOTESIZE "
        "LANDSCAPE",
        ONLY_UNFOLDING: "SmoothMorphingTemplates PropagateSystsForMorphing ExcludeFromMorphing "
        "POIUnit",
        "pruning is found anew from the histograms, which takes no time": "KeepPruning",
    },
    "Fit": {
        RUNS: _COMMON[RUNS],
        MINIMISES: f"{_COMMON[MINIMISES]} UseNLLwithoutOffsetInLHscan",
        SPREAD: "Parallel2Dscan Parallel2DscanStep",
        OTHER_TOYS: "ToysSeed",
        LAYOUT: "ToysHistoMin ToysHistoMax ToysHistoNbins",
        ALWAYS: "SaturatedModel",
        ONLY_UNFOLDING: "TemplateInterpolationOption NonProfileFitSystThreshold",
        "the likelihood is made of the job's histograms": "Workspace",
    },
    "Limit": {
        UNUSED: "LimitPlot",
        OTHER_TOYS: "ScanMin ScanMax ScanSteps SplusBToys BonlyToys ToysSeed LimitFile",
    },
    "Significance": {UNUSED: "SignificancePlot", ALWAYS: "SignificanceType"},
    "Options": {LAYOUT: " ".join(JOB_BLOCKS["Options"])},
    "Region": {ONLY_UNFOLDING: "NumberOfRecoBins NormalizeMigrationMatrix"},
    "Systematic": {ONLY_UNFOLDING: "IsCorrelated"},
    "MultiFit": {
        RUNS: f"{_COMMON[RUNS]} CombineChByCh",
        MINIMISES: f"{_COMMON[MINIMISES]} FastFit FastFitForRanking SetRandomInitialNPval "
        "SetRandomInitialNPvalSeed",
        UNUSED: "ShowSystForPOI",
        LAYOUT: "PlotOptions",
        "it says what the fits of the jobs are": "StatOnly",
        NOT_DRAWN: "PlotSoverB SignalTitle BonlySuffix",
        "tables for HEPData are those of the jobs": "HEPDataFormat",
    },
}
WITHOUT_EFFECT: Mapping[str, Mapping[str, str]] = {
    kind: {name: reason for reason, names in reasons.items() for name in names.split()}
    for kind, reasons in _REASONS.items()
}
"""The reason why an option has no effect, by block and name."""
TOLD_LOUDER = frozenset({"PlotSoverB", "BonlySuffix", "HEPDataFormat"})
"""Options without which TRExFitter writes something that is not written here."""
OF_COMMAND = {
    "update": ("Update", "histogram files are written whole each time"),
    "scan_in_parts": ("Parallel2Dscan", SPREAD),
    "scan_part": ("Parallel2DscanStep", "a scan is done whole, spread over the workers"),
}


def without_effect(config: TrexConfig) -> Iterator[Finding]:
    """The options of a config that change nothing, those of one reason together.

    Args:
        config: The config.
    """
    found: dict[tuple[str, Severity], list[Option]] = {}
    for block in config.blocks:
        for name, option in block.options.items():
            reason = reason_of(block.kind, name)
            if reason and not (option.value.upper() == "FALSE" and name in TOLD_LOUDER):
                severity = Severity.WARNING if name in TOLD_LOUDER else Severity.NOTE
                found.setdefault((reason, severity), []).append(option)
    for (reason, severity), options in found.items():
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(one.name for one in options))
        message = f"without effect here: {names} ({reason})"
        yield NO_EFFECT.finding(message, place=options[0].place, severity=severity)


def reason_of(kind: str, name: str) -> str | None:
    """Why an option of a block has no effect; None if it has one."""
    if kind in {"Job", "Region", "Sample"} and name.startswith(_UNFOLDED):
        return ONLY_UNFOLDING
    return WITHOUT_EFFECT.get(kind, {}).get(name)


def command_without_effect(options: CommandOptions) -> Iterator[Finding]:
    """Parts of the option string that change nothing."""
    for attribute in options.given:
        if attribute in OF_COMMAND:
            name, reason = OF_COMMAND[attribute]
            message = f"without effect here: `{name}` ({reason})"
            yield NO_EFFECT.finding(message, place=Place(label=LABEL))
