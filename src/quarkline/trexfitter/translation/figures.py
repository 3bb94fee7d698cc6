"""What changes how figures and tables look, of the job, regions and samples."""

from __future__ import annotations

from quarkline.engine.core.findings import Severity
from quarkline.trexfitter.blocks import Block, Option
from quarkline.trexfitter.lines import split
from quarkline.trexfitter.translation.colours import rgb_colour, root_colour
from quarkline.trexfitter.translation.data import BAD_FORM, Data

RATIOS = {
    "DATA/MC": "data/total",
    "DATA/BKG": "data/background",
    "S/B": "s/b",
    "S/SQRT(B)": "s/sqrt(b)",
    "S/SQRT(S+B)": "s/sqrt(s+b)",
}
FORMATS = {"png": "png", "pdf": "pdf", "eps": "pdf", "svg": "svg"}
WANTED = {
    "DoSummaryPlot": ("summary", True),
    "DoMergedPlot": ("merged", False),
    "DoTables": ("tables", True),
    "DoSignalRegionsPlot": ("signal-regions", True),
    "DoPieChartPlot": ("pie-charts", True),
    "SystDataPlots": ("controls-with-data", False),
    "DoSystNormalizationPlots": ("normalisation", True),
}
RANKINGS = {"MERGE": ["merged"], "SYSTS": ["systematics"], "GAMMAS": ["gammas"]}
RANKINGS["ALL"] = [name for names in RANKINGS.values() for name in names]
PULL_TABLES = {"TRUE": "norm", "NORM-ONLY": "norm", "NORM+SHAPE": "norm+shape"}
AUTOMATIC_RATIO = (0.5, 1.5)


def add_job_drawing(data: Data, job: Block) -> None:
    """The keys of `drawing` that a job gives."""
    data.label("drawing.label", job, "Label")
    data.label("drawing.experiment", job, "ExperimentLabel")
    data.label("drawing.status", job, "PlotLabel")
    data.label("drawing.status", job, "AtlasLabel")
    data.label("drawing.energy", job, "CmeLabel")
    data.label("drawing.ratio_title", job, "RatioYtitle")
    data.choice("drawing.ratio", job, "RatioType", RATIOS)
    _add_formats(data, job)
    _add_plot_options(data, job)
    _add_job_ranges(data, job)
    _add_summary(data, job)
    _add_wanted(data, job)
    _add_tables(data, job)
    data.number("drawing.correlation_threshold", job, "CorrelationThreshold")
    data.truth("drawing.correlations_of_bins", job, "UseGammasForCorr")
    data.items("drawing.hidden_parameters", job, "HideNP")
    data.truth("drawing.hepdata", job, "HEPDataFormat")
    data.items("drawing.region_groups", job, "RegionGroups")
    data.items("drawing.scale_to_data", job, "ScaleSamplesToData")
    data.items("drawing.signal_regions", job, "SignalRegionsPlot")
    data.truth("drawing.control_figures", job, "SystControlPlots")
    data.choice("drawing.ranking", job, "RankingPlot", RANKINGS)
    data.truth("drawing.validation_pruning", job, "ShowValidationPruning")
    data.label("drawing.poi_title", job, "RankingPOIName")
    _add_precision(data, job)


def add_region_drawing(region: Data, block: Block, job: Block | None) -> None:
    """The keys of `drawing` of a region; the job's range of the ratio is its default."""
    region.truth("drawing.log", block, "LogScale")
    add_range(region, "drawing.y_range", block, "Ymin", "Ymax")
    region.number("drawing.headroom", block, "YmaxScale")
    region.label("drawing.y_title", block, "YaxisTitle")
    region.number("drawing.bin_width", block, "BinWidth")
    region.items("drawing.bin_labels", block, "BinLabels")
    region.label("drawing.luminosity", block, "LumiLabel")
    region.label("drawing.energy", block, "CmeLabel")
    if option := block.first("XaxisRange"):
        region.put("drawing.x_range", region.numbers(option, option.items), option.place)
    before = [block, *([job] if job else [])]
    for after in ("", "PostFit"):
        if block.first(f"RatioYmin{after}", f"RatioYmax{after}", "RatioYmin", "RatioYmax"):
            low, high = (_ratio_edge(before, side, after) for side in ("min", "max"))
            key = "drawing.ratio_range_after" if after else "drawing.ratio_range"
            region.put(key, [low, high], block.place)


def add_sample_drawing(sample: Data, block: Block) -> None:
    """The keys of `drawing` of a sample."""
    for key, name in (("fill", "FillColor"), ("line", "LineColor")):
        _add_colour(sample, f"drawing.{key}", block, name)
    sample.choice("drawing.pull_table", block, "BuildPullTable", PULL_TABLES)


def _add_colour(data: Data, key: str, block: Block, name: str) -> None:
    if option := block.first(f"{name}RGB"):
        channels = data.numbers(option, option.items)
        if channels and all(0 <= channel <= 255 for channel in channels):
            data.put(key, rgb_colour(channels), option.place)
        elif channels:
            data.refuse(option, "has a channel outside 0 to 255", "write three of 0 to 255")
        return
    option = block.first(name)
    number = data.numbers(option, [option.value]) if option else None
    if option and number:
        colour = root_colour(int(number[0]))
        data.put(key, colour, option.place)
        if colour is None:
            _say_no_colour(data, option)


def _say_no_colour(data: Data, option: Option) -> None:
    name = option.name
    message = f"`{name}: {option.value}` is the number of no colour that ROOT always has"
    hint = f"write `{name}RGB: red,green,blue`; until then a colour is chosen"
    data.findings.append(
        BAD_FORM.finding(
            message, suggestion=hint, place=option.raw.place, severity=Severity.WARNING
        )
    )


def _ratio_edge(blocks: list[Block], side: str, after: str) -> float:
    """The edge of the range of the ratio in a region, before or after the fit."""
    for block in blocks:
        for name in (f"RatioY{side}{after}", f"RatioY{side}"):
            if (value := block.number(name)) is not None:
                return value
    return AUTOMATIC_RATIO[side == "max"]


def _add_job_ranges(data: Data, job: Block) -> None:
    add_range(data, "drawing.summary_y_range", job, "SummaryPlotYmin", "SummaryPlotYmax")
    for after in ("", "PostFit"):
        names = (f"RatioYmin{after}", f"RatioYmax{after}")
        if option := job.first(*names):
            edges = [_ratio_edge([job], side, after) for side in ("min", "max")]
            key = "drawing.ratio_range_after" if after else "drawing.ratio_range"
            data.put(key, edges, option.place)


def add_range(data: Data, key: str, block: Block, low: str, high: str) -> None:
    """A key that is a pair, of which one may be missing; 0 is missing, as TRExFitter has it."""
    if option := block.first(low, high):
        values = [block.number(name) for name in (low, high)]
        if any(values):
            data.put(key, [value or None for value in values], option.place)


def _add_formats(data: Data, job: Block) -> None:
    if option := job.first("ImageFormat"):
        formats = [FORMATS.get(item.lower(), "") for item in option.items]
        if "" in formats:
            data.refuse(option, "has an unknown format", "formats are png, pdf, eps, svg")
        else:
            data.put("drawing.formats", list(dict.fromkeys(formats)), option.place)
    else:
        data.put("drawing.formats", ["png"], job.place)


def _add_plot_options(data: Data, job: Block) -> None:
    option, asked = job.first("PlotOptions"), _words(job, "PlotOptions")
    place = option.place if option else None
    data.put("drawing.yields", "YIELDS" in asked or None, place)
    data.put("drawing.chi2", "CHI2" in asked or None, place)
    data.put("drawing.before_over_after", "PREFITONPOSTFIT" in asked or None, place)
    data.put("drawing.poisson_errors", "POISSONIZE" in asked, place or job.place)
    data.put("drawing.x_errors", "NOXERR" not in asked, place or job.place)
    _add_signal(data, job, "drawing.", asked)
    if "NORATIO" in asked:
        data.null("drawing.ratio", place)
    if summary := job.first("PlotOptionsSummary"):
        _add_signal(data, summary_block(job), "drawing.summary_", _words(job, summary.name))
    if scale := job.number("OVERSIGSCALE"):
        data.put("drawing.signal_scale", scale, job.options["OVERSIGSCALE"].place)
    data.choice(
        "drawing.chi2_errors",
        job,
        "GetChi2",
        {"TRUE": "all", "STAT+SYST": "all", "STAT": "statistical"},
    )


def summary_block(job: Block) -> Block:
    """The job with the plot options of its summary in place of its own."""
    options = dict(job.options) | {"PlotOptions": job.options["PlotOptionsSummary"]}
    return Block(job.kind, job.name, options, job.place)


def _add_signal(data: Data, job: Block, prefix: str, asked: set[str]) -> None:
    option = job.first("PlotOptions")
    place = option.place if option else None
    if {"NOSIG", "SKIPSIG"} & asked:
        data.put(f"{prefix}signal_in_stack", False, place)
    elif prefix != "drawing.":
        data.put(f"{prefix}signal_in_stack", True, place)
    line = "scaled" if "OVERSIG" in asked else "normalised" if "NORMSIG" in asked else None
    data.put(f"{prefix}signal_line", line or ("none" if prefix != "drawing." else None), place)


def _words(job: Block, name: str) -> set[str]:
    """The words of an option, in upper case; quotes around all of them do not count."""
    option = job.first(name)
    if option is None:
        return set()
    return {word.trimmed().upper() for item in option.items for word in split(item, ",")}


def _add_summary(data: Data, job: Block) -> None:
    data.items("drawing.summary_regions", job, "SummaryPlotRegions")
    data.items("drawing.summary_validation_regions", job, "SummaryPlotValidationRegions")
    data.truth("drawing.summary_log", job, "SummaryLogY")
    data.label("drawing.summary_prefix", job, "SummaryPrefix")


def _add_wanted(data: Data, job: Block) -> None:
    given = [job.options[name] for name in WANTED if name in job.options]
    if given:
        wanted = [
            kind
            for name, (kind, usual) in WANTED.items()
            if (job.options[name].value.upper() != "FALSE" if name in job.options else usual)
        ]
        data.put("drawing.wanted", ["regions", *wanted], given[0].place)


def _add_tables(data: Data, job: Block) -> None:
    if option := job.first("TableOptions"):
        asked = _words(job, "TableOptions")
        data.put("drawing.tables.standalone", "STANDALONE" in asked, option.place)
        data.put("drawing.tables.small", "FOOTNOTESIZE" in asked or None, option.place)
        data.put("drawing.tables.landscape", "LANDSCAPE" in asked or None, option.place)
    data.truth("drawing.tables.clean", job, "CleanTables")
    data.truth("drawing.tables.by_category", job, "SystCategoryTables")
    both = bool(job.true("UseATLASRounding"))
    names = {"txt": "UseATLASRoundingTxt", "tex": "UseATLASRoundingTex"}
    answers = {kind: job.true(name) for kind, name in names.items()}
    rounded = [kind for kind, said in answers.items() if (both if said is None else said)]
    if rounded:
        data.put("drawing.tables.rounded", rounded, job.place)


def _add_precision(data: Data, job: Block) -> None:
    precision = job.number("POIPrecision")
    if precision is not None and 1 <= precision <= 5:
        data.number("drawing.poi_precision", job, "POIPrecision")
