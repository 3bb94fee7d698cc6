"""Options become the keys of a catalog, with their places."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quarkline.catalog import Automatic, Catalog, Edges, Independent, Normalisation, Uniform, Varied
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import InputError, Severity
from quarkline.trexfitter import translate

FULL = """\
Job: "full"
  ReadFrom: NTUP
  POI: mu
  NtuplePaths: "ntuples/", /data
  NtupleName: nominal
  FriendPath: friends
  MCweight: "w1*w2"
  Selection: "good"
  Lumi: 140.5
  LumiLabel: "140 fb^{-1}"
  MCstatThreshold: 0.01
  SystPruningNorm: 0.005
  SystLarge: 0.9
  BlindingThreshold: 0.3
  BlindingType: SOVERSQRTB
  MergeUnderOverFlow: FALSE

Fit: fit
  FitType: SPLUSB

Region: "SR"
  Type: SIGNAL
  Variable: "max(a,b)/1e3",10,0,200
  Binning: "AutoBin","TransfoD",2,3.5
  VariableTitle: "p_{T}"
  Selection: "n>2"
  MCweight: sf
  DataType: ASIMOV
  DropBins: 1,2

Region: "CR"
  Type: CONTROL
  Variable: min(a, b),4,-1,1
  Binning: -1,0,0.5,1
  Rebin: 2
  SkipSmoothing: TRUE
  VariableForSample: tt:x, lq:"y,z"

Sample: "lq"
  Type: SIGNAL
  Title: "LQ"
  NtupleFiles: a/1, a/2
  UseFriend: TRUE
  NormFactor: "mu",1,-5,10

Sample: "tt"
  Type: background
  NtupleFile: a/3
  MCweight: 1.5
  Selection: "hf==1"
  IgnoreSelection: "good"
  LumiScale: 0.5
  Regions: C*
  Exclude: SR
  UseMCstat: FALSE
  SeparateGammas: TRUE
  AddSamples: x,y
  DivideBy: z

Sample: "ghost"
  Type: GHOST
  NtupleFiles: a/4
  NormalizedByTheory: FALSE

Sample: "data"
  Type: DATA
  NtupleFiles: d15,d16

NormFactor: "k"
  Samples: tt
  Min: 0
  Max: 5
  Constant: TRUE
  Expression: (mu*mu):mu[1,-5,10]

ShapeFactor: "shape"
  Samples: tt

Systematic: "lumi"
  Type: OVERALL
  OverallUp: 0.02
  OverallDown: -0.02

Systematic: "jes"; "jer"
  Title: "JES"; "JER"
  Type: HISTO
  NtupleNameUp: jes_up; jer_up
  NtuplePathsUp: sys
  FriendPathsUp: sysfriends
  WeightSufDown: "a/b"
  Symmetrisation: TWOSIDED
  Smoothing: 40
  Samples: tt,lq
  Exclude: *fake*,SR
  NuisanceParameter: alpha_j
  ReferenceSample: ghost
  NtupleFilesUpRefSample: a/5
  DropNorm: all
  CombineName: env
  CombineType: ENVELOPE
  Decorrelate: REGION

Systematic: "stat"
  Type: SHAPE
  OverallUp: 0.1
"""


@pytest.fixture
def made(read) -> Catalog:
    return translate(read(FULL, job="")).validate(Catalog)


@pytest.fixture
def keys(read):
    """The keys that one block gives."""

    def keys(text: str) -> dict[str, Any]:
        return dict(translate(read(text)).data)

    return keys


def test_none_as_regions_of_a_sample_is_no_region(read):
    for written, there in (("NONE", False), ("none", False), ("all", True), ("SR", True)):
        config = read(f"Region: SR\n  Type: SIGNAL\n\nSample: s\n  Regions: {written}\n")
        assert translate(config).validate(Catalog).holds("s", "SR") is there


class TestJob:
    def test_what_holds_for_all(self, made: Catalog, tmp_path: Path):
        assert made.reads == "ntuples"
        assert made.files.folders == [f"{tmp_path}/ntuples/", "/data"]
        assert made.files.friends == [f"{tmp_path}/friends"]
        assert made.files.trees == ["nominal"]
        assert made.weights == {"event": "w1*w2"}
        assert (made.selection, made.poi) == ("good", "mu")
        assert (made.luminosity.value, made.luminosity.label) == (140.5, "140 fb^{-1}")
        assert (made.hide.threshold, made.hide.ratio) == (0.3, "s/sqrt(b)")

    def test_how_templates_are_treated(self, made: Catalog):
        assert made.templates.merge_flow is False
        assert made.templates.mc_statistics_threshold == 0.01
        assert (made.templates.pruning.norm, made.templates.pruning.large) == (0.005, 0.9)

    def test_none_as_threshold_leaves_statistics_out(self, read):
        config = read("", job="Job: x\n  ReadFrom: HIST\n  MCstatThreshold: NONE\n")
        catalog = translate(config).validate(Catalog)
        assert (catalog.reads, catalog.templates.mc_statistics) == ("histograms", None)


class TestRegions:
    def test_variables_with_commas_and_every_kind_of_bins(self, made: Catalog):
        signal, control = made.regions["SR"], made.regions["CR"]
        fine = Uniform(bins=10_000, low=0, high=200)  # as TRExFitter has them
        assert signal.variable == "max(a,b)/1e3"
        assert signal.binning == Automatic(rule="TransfoD", parameters=[2, 3.5], fine=fine)
        assert control.variable == "min(a, b)"
        assert control.binning == Edges(edges=[-1, 0, 0.5, 1])
        assert (control.merge, control.smooth, signal.smooth) == (2, False, True)
        assert control.variable_for == {"tt": "x", "lq": "y,z"}

    def test_roles_data_and_titles(self, made: Catalog):
        assert [region.role for region in made.regions.values()] == ["signal", "control"]
        signal = made.regions["SR"]
        assert (signal.data, signal.title, signal.drop_bins) == ("asimov", "p_{T}", [1, 2])
        assert made.weight_of("tt", "SR") == "(w1*w2)*(sf)*(1.5)"

    @pytest.mark.parametrize(
        ("option", "what"),
        [
            ("Variable: pt", "has no bins and range"),
            ("Variable: pt,10,0,high", "has no bins and range"),
            ("Binning: 0,1,x", "something other than numbers"),
            ("Binning: AutoBin,TransfoX,1", "names no known rule"),
            ("VariableForSample: x,y", "a part without a sample"),
        ],
    )
    def test_a_value_of_another_form_is_refused_at_its_place(self, read, option, what):
        with pytest.raises(InputError) as caught:
            translate(read(f"Region: x\n  {option}\n"))
        (found,) = caught.value.findings
        assert (found.code, found.place.line) == ("QL-TREX-030", 5)
        assert what in found.message

    def test_bins_that_make_no_sense_are_refused_at_their_place(self, read):
        file = translate(read("Region: x\n  Variable: pt,10,200,0\n"))
        with pytest.raises(InputError, match=r"a.config:5:3  .*200 to 0 is empty"):
            file.validate(Catalog)


class TestSamples:
    def test_roles_files_and_friends(self, made: Catalog, tmp_path: Path):
        roles = ["signal", "background", "reference", "data"]
        assert [sample.role for sample in made.samples.values()] == roles
        files = made.files_of("lq")
        assert [str(file.path) for file in files] == [
            f"{tmp_path}/ntuples/a/1.root",
            f"{tmp_path}/ntuples/a/2.root",
            "/data/a/1.root",
            "/data/a/2.root",
        ]
        assert files[0].friends == (tmp_path / "friends/a/1.root",)
        assert made.files_of("tt")[0].friends == ()

    def test_what_decides_numbers(self, made: Catalog):
        tt = made.samples["tt"]
        assert (tt.weight, tt.scales, tt.mc_statistics) == ("1.5", [0.5], False)
        assert tt.separate_mc_statistics
        assert [(step.kind, step.samples) for step in tt.arithmetic] == [
            ("add", ["x", "y"]),
            ("divide", ["z"]),
        ]
        assert made.holds("tt", "CR")
        assert not made.holds("tt", "SR")
        assert made.selection_of("tt", "SR") == "(1)&&(n>2)&&(hf==1)"
        assert made.weight_of("ghost", "SR") == "sf"

    def test_a_norm_factor_may_stand_in_its_sample(self, made: Catalog, keys):
        factor = made.norm_factors["mu"]
        assert (factor.samples, factor.nominal, factor.min, factor.max) == (["lq"], 1, -5, 10)
        twice = keys("Sample: a\n  NormFactor: m,1,0,2,TRUE\n\nSample: b\n  NormFactor: m,1,0,2\n")
        assert twice["norm_factors"]["m"]["samples"] == ["a", "b"]
        assert twice["norm_factors"]["m"]["constant"] is True

    def test_norm_and_shape_factors(self, made: Catalog):
        factor = made.norm_factors["k"]
        assert (factor.samples, factor.constant) == (["tt"], True)
        assert factor.expression == "(mu*mu):mu[1,-5,10]"
        assert made.shape_factors["shape"].samples == ["tt"]


class TestSystematics:
    def test_kinds(self, made: Catalog):
        assert [type(item) for item in made.systematics.values()] == [
            Normalisation,
            Varied,
            Varied,
            Independent,
        ]
        assert (made.systematics["lumi"].up, made.systematics["lumi"].down) == (0.02, -0.02)
        assert made.systematics["lumi"].samples == ["all"]
        assert made.systematics["stat"].up == 0.1

    def test_the_sides_of_a_variation(self, made: Catalog, tmp_path: Path):
        jes = made.systematics["jes"]
        assert jes.up.files.trees == ["jes_up"]
        assert jes.up.files.folders == [f"{tmp_path}/sys"]
        assert jes.up.reference_files.names == ["a/5"]
        assert jes.down.weight_factor == "a/b"
        (file,) = made.files_of("lq", "SR", jes.up)[:1]
        assert (file.path, file.tree) == (tmp_path / "sys/a/1.root", "jes_up")
        assert file.friends == (tmp_path / "sysfriends/a/1.root",)
        assert made.systematics["jer"].up.files.trees == ["jer_up"]

    def test_how_it_is_treated(self, made: Catalog):
        jer = made.systematics["jer"]
        assert (jer.symmetrise, jer.smoothing, jer.title) == ("two-sided", 40, "JER")
        assert (jer.parameter, jer.reference, jer.drop_norm) == ("alpha_j", "ghost", ["all"])
        assert (jer.combine.name, jer.combine.rule) == ("env", "envelope")
        assert jer.decorrelate == "region"
        assert set(made.systematics_of("tt", "CR")) == {"lumi", "jes", "jer", "stat"}
        assert set(made.systematics_of("lq", "SR")) == {"lumi", "stat"}

    def test_one_side_only(self, keys):
        made = keys("Systematic: x\n  Type: HISTO\n  WeightSufUp: a\n  Symmetrisation: ONESIDED\n")
        assert made["systematics"]["x"] == {
            "kind": "varied",
            "up": {"weight_factor": "a"},
            "symmetrise": "one-sided",
            "sub_category": "Uncategorised",
        }


class TestWhole:
    def test_our_own_yaml_of_it_says_the_same(self, made: Catalog, tmp_path: Path):
        path = tmp_path / "own.yaml"
        path.write_text(json.dumps(made.model_dump(mode="json", exclude_unset=True)))
        assert load_config(path).validate(Catalog) == made

    def test_every_key_has_the_place_of_its_option(self, read):
        file = translate(read(FULL, job=""))
        lines = FULL.splitlines()
        for at, line in [
            (("luminosity", "value"), "  Lumi: 140.5"),
            (("samples", "tt", "weight"), "  MCweight: 1.5"),
            (("samples", "tt"), 'Sample: "tt"'),
            (("norm_factors", "k", "constant"), "  Constant: TRUE"),
            (("systematics", "jer", "up", "files", "trees"), "  NtupleNameUp: jes_up; jer_up"),
            (("regions", "SR", "binning"), '  Variable: "max(a,b)/1e3",10,0,200'),
        ]:
            assert lines[file.place(*at).line - 1] == line

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("Sample: x\n  Morphing: m,1\n", "`Morphing` is not read"),
            ("Unfolding: u\n  TitleX: x\n", "`Unfolding` blocks are not read"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, read, text, what):
        with pytest.raises(InputError, match=what):
            translate(read(text))

    @pytest.mark.parametrize("kind", ["OVERALL", "SHAPE", "STAT"])
    @pytest.mark.parametrize(
        "option", ["DropNorm: SR", "CombineName: c", "DummyForSamples: tt", "ReferencePruning: tt"]
    )
    def test_what_does_something_else_without_histograms_is_refused(self, read, kind, option):
        """Such as samples with a dummy, which have the whole systematic then."""
        text = f"Systematic: s\n  Type: {kind}\n  OverallUp: 0.1\n  {option}\n"
        with pytest.raises(InputError, match=f"of `Type: {kind}` is not done") as caught:
            translate(read(text, job="Job: j\n\n"))
        assert caught.value.findings[0].place.line == 6

    def test_yields_may_be_kept_from_pruning(self, read):
        text = "Systematic: s\n  Type: OVERALL\n  OverallUp: 0.1\n  NoPruning: TRUE\n"
        assert translate(read(text)).data["systematics"]["s"]["prune"] is False

    def test_a_config_of_several_fits_has_no_catalog(self, read):
        with pytest.raises(InputError, match="names other configs"):
            translate(read("MultiFit: m\n  Compare: TRUE\n", job=""))

    @pytest.mark.parametrize(
        ("text", "at", "value"),
        [
            ("Job: j\n  AlternativeShapeHistFactory: TRUE\n", "templates.symmetric_shapes", True),
            (
                "Job: j\n  RemoveSystOnEmptySample: TRUE\n",
                "templates.pruning.remove_on_empty",
                True,
            ),
            ("Job: j\n  ScaleSamplesToData: a, b\n", "drawing.scale_to_data", ["a", "b"]),
            ("Region: r\n  AutomaticDropBins: TRUE\n", "regions.r.drop_hidden_bins", True),
            (
                'Region: r\n  IsBinOfRegion: "VR":2\n',
                "regions.r.bin_of",
                {"region": "VR", "bin": 2},
            ),
            (
                "Systematic: s\n  CombineName: c\n  DropNormSpecial: r, q\n",
                "systematics.s.combine",
                {"name": "c", "drop_norm": ["r", "q"]},
            ),
            ("NormFactor: k\n  Exclude: tt, CR\n", "norm_factors.k.exclude", ["tt", "CR"]),
        ],
    )
    def test_what_decides_numbers_is_carried_over(self, read, text: str, at: str, value: Any):
        job = "" if text.startswith("Job") else "Job: j\n\n"
        found: Any = translate(read(text, job=job)).data
        for key in at.split("."):
            found = found[key]
        assert found == value

    def test_bins_by_number_switch_off_those_by_signal(self, read):
        text = "Region: r\n  AutomaticDropBins: TRUE\n  DropBins: 2\n"
        region = translate(read(text)).data["regions"]["r"]
        assert (region["drop_bins"], "drop_hidden_bins" in region) == ([2], False)

    @pytest.mark.parametrize(
        "text",
        [
            "Systematic: s\n  IsCorrelated: FALSE\n",
            "Systematic: s\n  DropNormSpecial: r\n",
        ],
    )
    def test_options_without_effect_there_have_none(self, read, text: str):
        file = translate(read(text))
        assert file.findings == ()
        assert set(file.data["systematics"]["s"]) == {"kind", "sub_category"}

    @pytest.mark.parametrize("value", ["VR", "VR:0", "VR:x", "VR:1:2"])
    def test_a_bin_of_a_region_has_both(self, read, value: str):
        with pytest.raises(InputError, match="is not a region and one of its bins") as caught:
            translate(read(f"Region: r\n  IsBinOfRegion: {value}\n", job="Job: j\n\n"))
        assert caught.value.findings[0].place.line == 4

    @pytest.mark.parametrize("option", ["IntCodeOverall: 1", "IntCodeShape: 4"])
    def test_figures_that_interpolate_otherwise_than_the_fit_are_refused(self, read, option):
        with pytest.raises(InputError) as caught:
            translate(read("", job=f"Job: j\n  {option}\n"))
        (found,) = caught.value.findings
        assert (found.code, found.severity, found.place.line) == ("QL-TREX-032", Severity.ERROR, 2)

    def test_codes_of_the_fit_are_taken(self, read):
        config = read("", job="Job: j\n  IntCodeOverall: 4\n  IntCodeShape: 0\n")
        assert translate(config).findings == ()

    def test_errors_of_the_language_stop_it(self, read):
        with pytest.raises(InputError, match="`Titel` is no option"):
            translate(read("Sample: x\n  Titel: a\n"))


class TestLaterReleases:
    HIST = "Job: j\n  ReadFrom: HIST\n  HistoPath: in\n\n"

    def test_a_folder_in_the_file_of_one_side(self, read):
        text = (
            "Region: SR\n  HistoName: NOSYS/pt\n\nSample: tt\n  HistoFile: tt\n\n"
            "Systematic: jes\n  HistoFolderNameUp: JES__1up\n  HistoFolderNameDown: JES__1down\n"
        )
        catalog = translate(read(text, job=self.HIST)).validate(Catalog)
        up = catalog.systematics["jes"].sides["up"]
        assert [file.tree for file in catalog.files_of("tt", "SR")] == ["NOSYS/pt"]
        assert [file.tree for file in catalog.files_of("tt", "SR", up)] == ["JES__1up/pt"]

    def test_labels_of_the_corner(self, read):
        job = self.HIST.rstrip("\n") + "\n  ExperimentLabel: FCC\n  PlotLabel: Simulation\n\n"
        drawing = translate(read("Sample: x\n", job=job)).validate(Catalog).drawing
        assert (drawing.experiment, drawing.status) == ("FCC", "Simulation")

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("Fit: f\n  DataWeighted: TRUE\n", "QL-TREX-031"),
            ("Sample: s\n  UseGaussianShapeSysConstraint: TRUE\n", "QL-TREX-031"),
            ("UnfoldingSample: s\n\nUnfoldingSample: t\n", "QL-TREX-031"),
        ],
    )
    def test_what_changes_numbers_is_refused_once(self, read, text, code):
        with pytest.raises(InputError) as caught:
            translate(read(text))
        assert [finding.code for finding in caught.value.findings] == [code]

    def test_what_is_switched_off_changes_nothing(self, read):
        text = "Fit: f\n  DataWeighted: FALSE\n\nLimit: l\n  POIAsimov: 0\n"
        assert translate(read(text)).findings == ()

    def test_asimov_data_of_limits_have_no_signal(self, read):
        (finding,) = translate(read("Limit: l\n  POIAsimov: 1\n")).findings
        assert (finding.code, finding.severity) == ("QL-TREX-052", Severity.WARNING)


def test_the_variable_of_histograms_that_are_there_says_nothing(read):
    text = 'Region: SR\n  Variable: "met",10,0,1\n\nRegion: CR\n  Variable: "met"\n'
    regions = translate(read(text, job=TestLaterReleases.HIST)).validate(Catalog).regions
    assert [(region.variable, region.binning) for region in regions.values()] == [(None, None)] * 2
