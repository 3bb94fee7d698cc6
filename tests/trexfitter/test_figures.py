"""Options that change how figures and tables look."""

from __future__ import annotations

import pytest

from quarkline.catalog import Catalog, Drawing
from quarkline.trexfitter import translate


@pytest.fixture
def drawing(read):
    """How figures look after some options of the job."""

    def drawing(options: str = "") -> Drawing:
        lines = "".join(f"  {line}\n" for line in options.split("\n") if line)
        job = f"Job: j\n  ReadFrom: NTUP\n  POI: a,b\n{lines}\n"
        return translate(read("", job=job)).validate(Catalog).drawing

    return drawing


@pytest.fixture
def part(read):
    """A region or sample after some options, with options of the job."""

    def part(kind: str, options: str, job: str = ""):
        lines = "".join(f"  {line}\n" for line in options.split("\n") if line)
        head = f"Job: j\n  ReadFrom: NTUP\n{job}\n"
        catalog = translate(read(f"{kind}: x\n{lines}", job=head)).validate(Catalog)
        return (catalog.regions or catalog.samples)["x"].drawing

    return part


def test_defaults_are_those_of_trexfitter(drawing):
    usual = Drawing(formats=["png"], poisson_errors=False, x_errors=True)
    assert drawing() == usual


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ("ImageFormat: pdf,eps,png", {"formats": ["pdf", "png"]}),
        ("Label: a\nAtlasLabel: Internal\nCmeLabel: b", {"label": "a", "status": "Internal"}),
        ('PlotOptions: "YIELDS,CHI2"', {"yields": True, "chi2": True}),
        ("PlotOptions: NOSIG,NORMSIG", {"signal_in_stack": False, "signal_line": "normalised"}),
        ("PlotOptions: OVERSIG\nOVERSIGSCALE: 5", {"signal_line": "scaled", "signal_scale": 5.0}),
        ("PlotOptions: NORATIO,NOXERR", {"ratio": None, "x_errors": False}),
        ("PlotOptions: POISSONIZE", {"poisson_errors": True}),
        ("PlotOptions: PREFITONPOSTFIT", {"before_over_after": True}),
        ("RatioType: DATA/BKG", {"ratio": "data/background"}),
        ("GetChi2: STAT", {"chi2_errors": "statistical"}),
        ("RatioYmin: 0\nRatioYmax: 2", {"ratio_range": (0.0, 2.0)}),
        ("RatioYmaxPostFit: 1.2", {"ratio_range": (None, None), "ratio_range_after": (0.5, 1.2)}),
        ("SummaryPlotYmax: 9", {"summary_y_range": (None, 9.0)}),
        ("SummaryPlotRegions: a,b\nSummaryLogY: FALSE", {"summary_regions": ["a", "b"]}),
        ("CorrelationThreshold: 0.2", {"correlation_threshold": 0.2}),
        ("HideNP: a,b", {"hidden_parameters": ["a", "b"]}),
        ("RankingPlot: Systs", {"ranking": ["systematics"]}),
        ("RankingPlot: all", {"ranking": ["merged", "systematics", "gammas"]}),
        ("SystControlPlots: FALSE", {"control_figures": False}),
        ("POIPrecision: 3", {"poi_precision": 3}),
        ("POIPrecision: 9", {"poi_precision": 2}),
        ("RegionGroups: g,h", {"region_groups": ["g", "h"]}),
    ],
)
def test_options_of_the_job(drawing, options, keys):
    made = drawing(options)
    assert {key: getattr(made, key) for key in keys} == keys


def test_what_is_drawn(drawing):
    wanted = set(drawing("DoSummaryPlot: FALSE\nDoMergedPlot: TRUE\nDoTables: FALSE").wanted)
    assert wanted == {"regions", "merged", "signal-regions", "pie-charts", "normalisation"}


def test_tables(drawing):
    options = "TableOptions: FOOTNOTESIZE,LANDSCAPE\nCleanTables: TRUE\nUseATLASRounding: TRUE"
    tables = drawing(f"{options}\nUseATLASRoundingTex: FALSE\nSystCategoryTables: TRUE").tables
    assert (tables.standalone, tables.small, tables.landscape) == (False, True, True)
    assert (tables.clean, tables.by_category, tables.rounded) == (True, True, ["txt"])


def test_the_summary_has_its_own_signal(drawing):
    assert drawing("PlotOptions: OVERSIG").summary_signal_line is None
    made = drawing("PlotOptions: NOSIG,OVERSIG\nPlotOptionsSummary: NORMSIG")
    assert (made.signal_in_stack, made.signal_line) == (False, "scaled")
    assert (made.summary_signal_in_stack, made.summary_signal_line) == (True, "normalised")


def test_a_region(part):
    made = part("Region", "LogScale: TRUE\nYmin: 0\nYmax: 50\nBinWidth: 10\nXaxisRange: 0,1")
    assert (made.log, made.y_range, made.bin_width, made.x_range) == (True, (None, 50), 10, (0, 1))


def test_the_ratio_of_a_region_is_that_of_the_job_where_it_says_nothing(part):
    assert part("Region", "RatioYmax: 3", job="  RatioYmin: 0.2\n").ratio_range == (0.2, 3.0)
    assert part("Region", "Label: x", job="  RatioYmin: 0.2\n").ratio_range == (None, None)


def test_colours_of_a_sample(part):
    made = part("Sample", "FillColor: 634\nLineColor: 1\nLineColorRGB: 255,128,0")
    assert (made.fill, made.line) == ("#990000", "#ff8000")


def test_a_colour_that_is_none_is_told_and_chosen_later(read):
    file = translate(read("Sample: s\n  FillColor: 5000\n"))
    (finding,) = file.findings
    assert (finding.code, finding.severity, finding.place.line) == ("QL-TREX-030", "warning", 5)
    assert file.validate(Catalog).samples["s"].drawing.fill is None


def test_a_table_of_pulls(part):
    assert part("Sample", "BuildPullTable: TRUE").pull_table == "norm"
    assert part("Sample", "BuildPullTable: NORM+SHAPE").pull_table == "norm+shape"
