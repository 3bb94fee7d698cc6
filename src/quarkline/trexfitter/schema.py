"""Every block of the language with its options, and what a value of each may be.

The names are those of TRExFitter's release of June 2021, with the few of later ones that public
configs use.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SWITCH = ("TRUE", "FALSE")


@dataclass(frozen=True)
class Kind:
    """What the value of an option may be.

    Attributes:
        words: What is asked for, for messages.
        choices: Words allowed in any case; None where a value is free.
        number: Whether numbers are allowed: "real", "whole" or "".
        count: How many values, separated by commas; 0 for any number.
        label: Whether it is text to be shown, in which braces and the like are common.
    """

    words: str
    choices: tuple[str, ...] | None = None
    number: str = ""
    count: int = 1
    label: bool = False

    @property
    def free(self) -> bool:
        """Whether any text is allowed."""
        return self.choices is None and not self.number

    def takes(self, items: Sequence[str]) -> bool:
        """Whether the values of an option are of this kind."""
        if self.free:
            return True
        if self.count and len(items) != self.count:
            return False
        return all(self._takes(item) for item in items)

    def _takes(self, item: str) -> bool:
        if self.choices and item.upper() in self.choices:
            return True
        if not self.number or not NUMBER.fullmatch(item) or not math.isfinite(float(item)):
            return False
        return self.number == "real" or float(item).is_integer()


TEXT = Kind("a text")
LABEL = Kind("a text to be shown", label=True)
REAL = Kind("a number", number="real")
WHOLE = Kind("a whole number", number="whole")
TRUTH = Kind("TRUE or FALSE", choices=SWITCH)
REALS = Kind("two numbers", number="real", count=2)
SIZE = Kind("two whole numbers", number="whole", count=2)
COLOUR = Kind("three whole numbers", number="whole", count=3)


def _one_of(*choices: str) -> Kind:
    return Kind("one of " + ", ".join(choices), choices=choices)


def _names(first: str, *rest: str) -> Iterator[str]:
    """Every name that takes one part of each group of alternatives; `-` is the empty part."""
    groups = [[part.strip("-") for part in group.split()] for group in (first, *rest)]
    return ("".join(parts) for parts in product(*groups))


def _options(*named: tuple[Kind, str | Iterator[str]]) -> dict[str, Kind]:
    pairs = [(kind, names.split() if isinstance(names, str) else names) for kind, names in named]
    return {name: kind for kind, names in pairs for name in names}


UNFOLDED = "ResponseMatrix Acceptance SelectionEff Migration"
PARTS = "Name File Path"
SMOOTHING = _one_of(
    "MAXVARIATION",
    "TTBARRESONANCE",
    "COMMONTOOLSMOOTHMONOTONIC",
    "COMMONTOOLSMOOTHPARABOLIC",
    "KERNELRATIOUNIFORM",
    "KERNELDELTAGAUSS",
    "KERNELRATIOGAUSS",
)
SYMMETRISATION = _one_of("ONESIDED", "TWOSIDED", "ABSMEAN", "MAXIMUM")
FIT_TYPE = _one_of("SPLUSB", "BONLY", "UNFOLDING")
LIMIT_TYPE = _one_of("ASYMPTOTIC", "TOYS")
SIDES = "Up Down"

_JOB = _options(
    (LABEL, "Label POIUnit LumiLabel CmeLabel AtlasLabel RatioYtitle SummaryPlotLabels"),
    (LABEL, "SummaryPlotValidationLabels ExperimentLabel PlotLabel PreFitLabel PostFitLabel"),
    (TEXT, "POI HistoNameNominal MCweight Selection SignalRegionsPlot RankingPlot ImageFormat"),
    (TEXT, "SummaryErrorbars InputFolder InputName OutputDir WorkspaceFileName"),
    (TEXT, "SummaryPlotRegions RatioType CustomAsimov CustomFunctions CustomIncludePaths"),
    (TEXT, "Bootstrap BootstrapSyst BootstrapSample PlotOptions PlotOptionsSummary"),
    (TEXT, "ReplacementFile RegionGroups DecorrSuff DecorrSysts TableOptions Suffix SaveSuffix"),
    (TEXT, "HideNP SummaryPlotValidationRegions SmoothMorphingTemplates SummaryPrefix"),
    (TEXT, "RankingPOIName ExcludeFromMorphing ScaleSamplesToData"),
    (TEXT, "FriendPath FriendPaths SeparationPlot HistoFolderName"),
    (TEXT, "CustomFunctionsExecutes AddAliases"),
    (TEXT, _names("Histo Ntuple", PARTS, "- s")),
    (TEXT, _names(UNFOLDED, PARTS, "- s")),
    (TEXT, _names(UNFOLDED, "NameNominal")),
    (REAL, "Lumi LumiScale SystPruningShape SystPruningNorm SystLarge CorrelationThreshold"),
    (REAL, "BlindingThreshold SummaryPlotYmax SummaryPlotYmin OVERSIGSCALE"),
    (REAL, _names("RatioYmax RatioYmin", "- PostFit")),
    (REAL, _names("LabelX LabelY LegendX1 LegendX2 LegendY", "- Summary Merge")),
    (WHOLE, "IntCodeOverall IntCodeShape DebugLevel RankingMaxNP POIPrecision MaxNtupleEvents"),
    (WHOLE, _names("LegendNColumns", "- Summary Merge")),
    (SIZE, _names("PrePostFit Summary Merge PieChart NPRanking", "CanvasSize")),
    (TRUTH, "DoSystNormalizationPlots Logo YIELDS NORMSIG NOSIG OVERSIG CHI2 PREFITONPOSTFIT"),
    (TRUTH, "NOXERR STANDALONE FOOTNOTESIZE LANDSCAPE SystControlPlots SplitHistoFiles"),
    (TRUTH, "KeepPrefitBlindedBins StatOnly SystErrorBars FixNPforStatOnly KeepPruning"),
    (TRUTH, "CleanTables SystCategoryTables SummaryLogY UseGammaPulls GuessMCStatEmptyBins"),
    (TRUTH, "CorrectNormForNegativeIntegral MergeUnderOverFlow DoSummaryPlot DoMergedPlot"),
    (TRUTH, "DoTables DoPieChartPlot SuppressNegativeBinWarnings DoSignalRegionsPlot"),
    (TRUTH, "AllowWrongRegionSample UseATLASRounding UseATLASRoundingTxt UseATLASRoundingTex"),
    (TRUTH, "UseGammasForCorr PropagateSystsForMorphing ReorderNPs BlindSRs HEPDataFormat"),
    (TRUTH, "AlternativeShapeHistFactory RemoveLargeSyst RemoveSystOnEmptySample"),
    (TRUTH, "ShowValidationPruning"),
    (_one_of("HIST", "NTUP"), "ReadFrom"),
    (Kind("a number or NONE", choices=("NONE",), number="real"), "MCstatThreshold"),
    (_one_of("GAUSSIAN", "POISSON"), "MCstatConstraint"),
    (_one_of("NOCRASH"), "HistoChecks"),
    (_one_of("SOVERB", "SOVERSPLUSB", "SOVERSQRTB", "SOVERSQRTSPLUSB"), "BlindingType"),
    (_one_of(*SWITCH, "FILLUPFRAME"), "SystDataPlots"),
    (_one_of("TRUE", "STAT+SYST", "STAT"), "GetChi2"),
    (SMOOTHING, "SmoothingOption"),
    (_one_of("SEPARATESAMPLE", "BACKGROUNDREFERENCE", "COMBINEDREFERENCE"), "PruningType"),
    (_one_of("MAXBIN", "KSTEST"), "PruningShapeOption"),
)
_SCANS = (
    (TEXT, "doLHscan do2DLHscan"),
    (REAL, "LHscanMin LHscanMax LHscanMinY LHscanMaxY SetRandomInitialNPval"),
    (WHOLE, "LHscanSteps LHscanStepsY NumCPU SetRandomInitialNPvalSeed FitStrategy"),
    (TRUTH, "GetGoodnessOfFit BinnedLikelihoodOptimization UseHesseBeforeMigrad"),
    (FIT_TYPE, "FitType"),
)
_FIT = _options(
    *_SCANS,
    (TEXT, "FitRegion POIAsimov NPValues NPValuesFromFitResults FixNPs UseMinos"),
    (TEXT, "ToysPseudodataNP BlindedParameters"),
    (REAL, "NonProfileFitSystThreshold ToysHistoMin ToysHistoMax ToysPseudodataNPShift"),
    (WHOLE, "FitToys ToysHistoNbins"),
    (TRUTH, "FitBlind InjectGlobalObservables StatOnlyFit DoNonProfileFit SaturatedModel"),
    (TRUTH, "UsePOISinRanking UseNLLwithoutOffsetInLHscan DataWeighted Parallel2Dscan"),
    (WHOLE, "ToysSeed Parallel2DscanStep"),
    (_one_of("LINEAR", "SMOOTHLINEAR", "SQUAREROOT"), "TemplateInterpolationOption"),
)
_LIMIT_OF_ALL = (
    (LIMIT_TYPE, "LimitType"),
    (TRUTH, "LimitBlind SignalInjection LimitPlot"),
    (TEXT, "ParamName OutputPrefixName"),
    (REAL, "SignalInjectionValue ParamValue ConfidenceLevel"),
)
_LATER_LIMIT = (
    (REAL, "POIAsimov ScanMin ScanMax"),
    (WHOLE, "SplusBToys BonlyToys ScanSteps ToysSeed"),
    (TRUTH, "LimitFile"),
)
_SIGNIFICANCE_OF_ALL = (
    (LIMIT_TYPE, "SignificanceType"),
    (TRUTH, "SignificanceBlind SignificancePlot"),
    (TEXT, "ParamName OutputPrefixName"),
    (REAL, "POIAsimov ParamValue"),
)
_DRAWN = "NoPrePostFit SystPlotRatioRange SoverBinRatio FourTopStyle CanvasWidthMerge CanvasWidth"
_OPTIONS = _options(
    (REAL, _DRAWN),
    (REAL, "CanvasWidthSummary CanvasHeight MergeYfrac MergeYmaxScale SystFillStyle"),
    (REAL, "LegendNColumns FitStrategy GroupedImpactMoreFit ShapeOnlySystBand NormSigSRonly"),
    (REAL, "RandomizeMC PoissonizeData MergeScaleY SignalRegionSize LogSignalRegionPlot"),
    (REAL, "PieChartSize ReduceRanking TRExbbStyle PrefitRatioMax LogXSignalRegionPlot"),
)
_REGION = _options(
    (LABEL, "VariableTitle Label TexLabel ShortLabel LumiLabel CmeLabel YaxisTitle BinLabels"),
    (TEXT, _names(UNFOLDED, PARTS, "- s Suff Suffs")),
    (TEXT, _names("Histo Ntuple", PARTS, "- s Suff Suffs")),
    (TEXT, "Variable VariableForSample SelectionForSample Selection MCweight Rebinning Binning"),
    (TEXT, "DropBins Group IsBinOfRegion HistoFolderName"),
    (REAL, "BinWidth Ymax Ymin YmaxScale"),
    (REAL, _names("RatioYmax RatioYmin", "- PostFit")),
    (REALS, "XaxisRange"),
    (WHOLE, "Rebin NumberOfRecoBins"),
    (TRUTH, "LogScale SkipSmoothing AutomaticDropBins NormalizeMigrationMatrix"),
    (_one_of("SIGNAL", "CONTROL", "VALIDATION"), "Type"),
    (_one_of("ASIMOV", "DATA"), "DataType"),
)
_SAMPLE = _options(
    (LABEL, "Title TexTitle Group"),
    (TEXT, _names("Histo Ntuple", PARTS, "- s Suff Suffs")),
    (TEXT, "FillColor LineColor NormFactor ShapeFactor MCweight Selection Regions Exclude"),
    (TEXT, "LumiScale LumiScales IgnoreSelection IgnoreWeight MultiplyBy DivideBy AddSample"),
    (TEXT, "AddSamples NormToSample SubtractSample SubtractSamples AsimovReplacementFor"),
    (TEXT, "CorrelateGammasInRegions CorrelateGammasWithSample Morphing SystFromSample"),
    (COLOUR, "FillColorRGB LineColorRGB"),
    (REAL, "MCstatScale"),
    (TRUTH, "NormalizedByTheory UseMCstat UseSystematics Smooth SeparateGamma SeparateGammas"),
    (TRUTH, "UseFriend UseGaussianShapeSysConstraint"),
    (TEXT, "HistoFolderName"),
    (_one_of("TRUE", "NORM-ONLY", "NORM+SHAPE"), "BuildPullTable"),
    (_one_of("SIGNAL", "BACKGROUND", "DATA", "GHOST"), "Type"),
)
_SCOPE = (LABEL, "Title"), (TEXT, "Samples Regions")
_NORM_FACTOR = _options(
    *_SCOPE,
    (TEXT, "Exclude SubCategory Category Expression"),
    (REAL, "Nominal Min Max Tau"),
    (TRUTH, "Constant"),
)
_SYSTEMATIC = _options(
    *_SCOPE,
    (LABEL, "TexTitle Category SubCategory"),
    (TEXT, "Exclude ExcludeRegionSample StoredName NuisanceParameter CombineName IgnoreWeight"),
    (TEXT, "ReferenceSample ReferenceSmoothing ReferencePruning DropShapeIn DropNorm"),
    (TEXT, "DropNormSpecial KeepNormForSamples DummyForSamples"),
    (TEXT, _names("Histo Ntuple", PARTS, "- s Suf", SIDES, "- RefSample")),
    (TEXT, _names("NtuplePath", "- s", "- RefSample")),
    (TEXT, _names("HistoFolderName", SIDES)),
    (TEXT, _names("Sample Weight WeightSuf Scale FriendPath FriendPaths", SIDES)),
    (REAL, "Smoothing OverallUp OverallDown"),
    (TRUTH, "IsFreeParameter IsCorrelated PreSmoothing SubtractRefSampleVar"),
    (TRUTH, "KeepReferenceOverallVar NoPruning"),
    (_one_of("HISTO", "OVERALL", "SHAPE", "STAT"), "Type"),
    (
        _one_of("STANDARDDEVIATION", "ENVELOPE", "STANDARDDEVIATIONNODDOF", "HESSIAN"),
        "CombineType",
    ),
    (SYMMETRISATION, "Symmetrisation"),
    (SMOOTHING, "SmoothingOption"),
    (_one_of("REGION", "SAMPLE", "SHAPEACC"), "Decorrelate"),
    (_one_of("NOSHAPE", "LINEAR", "TRIANGULAR"), "ForceShape"),
)
_UNFOLDING_SYSTEMATIC = _options(
    *_SCOPE,
    (TEXT, "NuisanceParameter Category SubCategory"),
    (TEXT, _names(UNFOLDED, PARTS, "- s Suff Suffs", SIDES)),
    (_one_of("HISTO", "OVERALL", "SHAPE", "STAT"), "Type"),
    (SYMMETRISATION, "Symmetrisation"),
    (SMOOTHING, "SmoothingOption"),
)
_UNFOLDING_SAMPLE = _options(
    (LABEL, "Title"),
    (WHOLE, "FillColor LineColor"),
    (TEXT, _names(UNFOLDED, PARTS, "- s Suff Suffs")),
    (TEXT, "Regions"),
)
_TRUTH_FILE = _names("TruthDistribution", "Path File Name")
_UNFOLDING = _options(
    (LABEL, "TitleX TitleY MigrationTitleX MigrationTitleY"),
    (TEXT, _TRUTH_FILE),
    (TEXT, "Tau NominalTruthSample AlternativeAsimovTruthSample"),
    (WHOLE, "NumberOfTruthBins UnfoldNormXSecBinN"),
    (REAL, "ScaleRangeY RatioYmax RatioYmin UnfoldingResultMin UnfoldingResultMax"),
    (REAL, _names("- Migration", "TitleOffset", "X Y")),
    (REAL, _names("Migration Response", "Zmin Zmax")),
    (TRUTH, "LogX LogY MigrationLogX MigrationLogY PlotSystematicMigrations MigrationText"),
    (TRUTH, "DivideByBinWidth UnfoldNormXSec"),
    (_one_of("TRUTHONHORIZONTAL", "TRUTHONVERTICAL"), "MatrixOrientation"),
)
_TRUTH_SAMPLE = _options(
    (LABEL, "Title"),
    (TEXT, _names("TruthDistribution", "Path File Name")),
    (WHOLE, "LineColor LineStyle"),
    (TRUTH, "UseForPlotting"),
)
_MULTI_FIT = _options(
    *_SCANS,
    (LABEL, "Label LumiLabel CmeLabel CombiLabel LimitTitle POITitle SignalTitle POILabel"),
    (TEXT, "OutputDir SaveSuf POIName POIRange POIPrecision DataName NPCategories"),
    (TEXT, "NuisParListFile FitResultsFile LimitsFile BonlySuffix PlotOptions"),
    (REAL, "CorrelationThreshold LimitMax POINominal POIInitial POIAsimov"),
    (WHOLE, "DebugLevel"),
    (TRUTH, "ShowObserved CompareLimits ComparePOI ComparePulls PlotCombCorrMatrix Combine"),
    (TRUTH, "Compare StatOnly IncludeStatOnly CombineChByCh FastFit FastFitForRanking"),
    (TRUTH, "ShowSystForPOI Logo ShowTotalOnly HEPDataFormat PlotSoverB"),
)
_FIT_OF_MANY = _options(
    (LABEL, "Label"),
    (TEXT, "Options LoadSuf ConfigFile Workspace FitResultsFile LimitsFile POIName Directory"),
    (TEXT, "InputName"),
    (TRUTH, "UseInFit UseInComparison"),
)

JOB_BLOCKS: Mapping[str, Mapping[str, Kind]] = {
    "Job": _JOB,
    "Fit": _FIT,
    "Limit": _options(*_LIMIT_OF_ALL, *_LATER_LIMIT, (TEXT, "POI")),
    "Significance": _options(*_SIGNIFICANCE_OF_ALL, (TEXT, "POI")),
    "Options": _OPTIONS,
    "Region": _REGION,
    "Sample": _SAMPLE,
    "NormFactor": _NORM_FACTOR,
    "ShapeFactor": _options(*_SCOPE),
    "Systematic": _SYSTEMATIC,
    "Unfolding": _UNFOLDING,
    "UnfoldingSample": _UNFOLDING_SAMPLE,
    "UnfoldingSystematic": _UNFOLDING_SYSTEMATIC,
    "TruthSample": _TRUTH_SAMPLE,
}
"""Options by block of a config that describes one fit."""

MULTI_FIT_BLOCKS: Mapping[str, Mapping[str, Kind]] = {
    "MultiFit": _MULTI_FIT,
    "Fit": _FIT_OF_MANY,
    "Limit": _options(*_LIMIT_OF_ALL),
    "Significance": _options(*_SIGNIFICANCE_OF_ALL),
}
"""Options by block of a config that compares or combines several fits."""

BLOCKS = frozenset({*JOB_BLOCKS, *MULTI_FIT_BLOCKS})
"""Names that begin a block."""
