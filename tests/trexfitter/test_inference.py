"""Fit, Limit and Significance, and the parameters of interest."""

from __future__ import annotations

import pytest

from quarkline.catalog import Catalog, FitSettings, LimitSettings, ScanSettings
from quarkline.engine.core.findings import InputError
from quarkline.trexfitter import translate

JOB = 'Job: "test"\n  ReadFrom: NTUP\n  POI: mu\n\n'
DATA = "Sample: data\n  Type: DATA\n\n"


@pytest.fixture
def made(read):
    """The catalog of a text with a job."""

    def made(text: str, *, job: str = JOB, usual: tuple[str, ...] = ()) -> Catalog:
        return translate(read(text, job=job), usual=usual).validate(Catalog)

    return made


@pytest.fixture
def fit(made):
    """The settings that a block `Fit` gives beside data."""

    def fit(options: str, *, job: str = JOB) -> FitSettings:
        lines = "".join(f"  {line}\n" for line in options.split("\n") if line)
        settings = made(f"{DATA}Fit: fit\n{lines}", job=job).fit
        assert settings is not None
        return settings

    return fit


class TestFit:
    def test_there_is_none_without_its_block(self, made):
        catalog = made(DATA)
        assert (catalog.fit, catalog.limit, catalog.significance) == (None, None, None)

    def test_defaults_are_those_of_trexfitter(self, made, fit):
        usual = made(DATA, usual=("Fit", "Limit", "Significance"))
        assert usual.fit == fit("FitType: SPLUSB") == FitSettings(fitted_gammas=False)
        assert usual.limit == LimitSettings()
        assert usual.ranking is not None
        assert usual.ranking.most == 10

    @pytest.mark.parametrize(
        ("written", "regions"),
        [
            ("CRSR", ["signal", "control"]),
            ("CRONLY", ["control"]),
            ("SR1,CR2", ["SR1", "CR2"]),
        ],
    )
    def test_regions(self, fit, written, regions):
        assert fit(f"FitRegion: {written}").regions == regions

    def test_asimov_data_are_fitted_if_asked_for(self, fit):
        assert fit("FitBlind: TRUE").data == "asimov"
        assert fit("FitBlind: FALSE").data == "observed"

    def test_without_a_data_sample_all_is_asimov(self, made):
        catalog = made("Sample: s\n  Type: SIGNAL\n", usual=("Fit", "Limit", "Significance"))
        assert {catalog.fit.data, catalog.limit.data, catalog.significance.data} == {"asimov"}

    def test_values_of_asimov_data(self, fit):
        one = fit("POIAsimov: 0.5\nNPValues: alpha_jes:1,alpha_x:-0.5,gamma_stat_SR_bin_0:1.1")
        values = {"mu": 0.5, "jes": 1.0, "x": -0.5, "gamma_stat_SR_bin_0": 1.1}
        assert one.asimov == values
        assert fit("POIAsimov: mu:2,kappa:3").asimov == {"mu": 2.0, "kappa": 3.0}

    def test_what_is_fixed_and_what_has_asymmetric_errors(self, fit):
        found = fit("FixNPs: alpha_jes:0,k:1.5\nUseMinos: mu, alpha_jes")
        assert found.fixed == {"jes": 0.0, "k": 1.5}
        assert found.minos == ["mu", "jes"]
        assert fit("UseMinos: all,mu").minos == ["all"]

    @pytest.mark.parametrize("steps", ["2", "101"])
    def test_steps_out_of_range_are_the_usual_ones(self, fit, steps):
        (scan,) = fit(f"doLHscan: mu\nLHscanSteps: {steps}").scans
        assert scan.steps == [30]

    def test_scans_in_one_and_two_parameters(self, fit):
        options = "doLHscan: mu,alpha_jes\ndo2DLHscan: mu,alpha_jes:mu,k\nLHscanMin: -1\n"
        found = fit(f"{options}LHscanMaxY: 2\nLHscanSteps: 10").scans
        line = {"low": [-1.0], "steps": [10]}
        plane = {"low": [-1.0, None], "high": [None, 2.0], "steps": [10, 10]}
        assert found == [
            ScanSettings(parameters=["mu"], **line),
            ScanSettings(parameters=["jes"], **line),
            ScanSettings(parameters=["mu", "jes"], **plane),
            ScanSettings(parameters=["mu", "k"], **plane),
        ]

    def test_toys_and_a_random_start(self, fit):
        found = fit(
            "FitToys: 20\nToysPseudodataNP: alpha_jes\nToysPseudodataNPShift: -1\n"
            "SetRandomInitialNPval: 0.1\nSetRandomInitialNPvalSeed: 7\nFitStrategy: 2"
        )
        assert (found.toys, found.toys_hold) == (20, ["jes"])
        assert found.toys_with == {"mu": 0.0, "jes": -1.0}
        assert (found.random_start.width, found.random_start.seed) == (0.1, 7)
        assert found.strategy == 2

    def test_toys_have_the_signal_of_asimov_data_or_none(self, fit):
        assert fit("FitToys: 5\nPOIAsimov: 0.7").toys_with == {}
        assert fit("FitToys: 5").toys_with == {"mu": 0.0}
        assert fit("POIAsimov: 0.7").toys_with == {}

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("FitToys: 5\nNPValues: jes:1", "toys without these values"),
            ("FitToys: 5\nNPValuesFromFitResults: a.txt", "toys without these values"),
            ("FitToys: 5\nToysPseudodataNP: alpha_x\nToysPseudodataNPShift: 0.5", "read as 0"),
        ],
    )
    def test_toys_that_would_differ_are_refused(self, fit, text: str, what: str):
        with pytest.raises(InputError, match=what):
            fit(text)

    def test_a_strategy_below_zero_is_the_usual_one(self, fit):
        assert fit("FitStrategy: -1").strategy == 1

    def test_statistics_only(self, fit):
        job = JOB.replace("  POI", "  FixNPforStatOnly: TRUE\n  UseGammaPulls: TRUE\n  POI")
        found = fit("StatOnlyFit: TRUE", job=job)
        assert (found.statistics_only, found.fix_norm_factors) == (True, True)
        assert found.fitted_gammas

    @pytest.mark.parametrize(
        ("options", "code", "message"),
        [
            ("NPValues: jes", "QL-TREX-030", "has the part `jes`"),
            ("FixNPs: jes:x", "QL-TREX-030", "has the part `jes:x`"),
            ("do2DLHscan: mu", "QL-TREX-030", "is not made of pairs"),
            ("DoNonProfileFit: TRUE", "QL-TREX-031", "`DoNonProfileFit` replaces the fit"),
            ("FitType: UNFOLDING", "QL-TREX-031", "`FitType: UNFOLDING` is not done"),
        ],
    )
    def test_refused_with_their_place(self, fit, options, code, message):
        with pytest.raises(InputError) as caught:
            fit(options)
        (finding,) = caught.value.findings
        assert finding.code == code
        assert message in finding.message
        assert finding.place.line == 9


class TestLimitAndSignificance:
    def test_limit(self, made):
        limit = made(
            f"{DATA}Limit: limit\n  LimitBlind: TRUE\n  ConfidenceLevel: 0.9\n  POI: mu\n"
            "  SignalInjection: TRUE\n  SignalInjectionValue: 2\n"
        ).limit
        assert limit == LimitSettings(poi="mu", level=0.9, data="asimov", injected=2.0)

    def test_a_value_without_injection_does_nothing(self, made):
        text = f"{DATA}Limit: limit\n  SignalInjectionValue: 2\n"
        assert made(text).limit == LimitSettings()

    def test_a_level_that_is_none_is_the_usual_one(self, made):
        assert made(f"{DATA}Limit: limit\n  ConfidenceLevel: 95\n").limit.level == 0.95

    def test_significance(self, made):
        found = made(f"{DATA}Significance: s\n  POIAsimov: 2\n  SignificanceBlind: TRUE\n")
        assert (found.significance.data, found.significance.expected_with) == ("asimov", 2.0)


class TestPois:
    def test_several(self, made):
        catalog = made("Limit: l\n  POI: b\n\nSignificance: s\n  POI: c\n", job=JOB + "\n")
        assert (catalog.poi, catalog.further_pois) == ("mu", ["b", "c"])

    def test_of_the_job_in_their_order(self, made):
        catalog = made("", job=JOB.replace("POI: mu", "POI: c,a,b"))
        assert (catalog.poi, catalog.further_pois) == ("c", ["a", "b"])

    def test_of_the_limit_alone(self, made):
        catalog = made("Limit: l\n  POI: b\n", job='Job: "t"\n  ReadFrom: NTUP\n\n')
        assert (catalog.poi, catalog.further_pois) == ("b", [])


class TestDefaultsOfTheSource:
    """Where TRExFitter's program does not do what one expects."""

    def test_a_region_without_type_is_a_control_region(self, made):
        assert made("Region: r\n  Variable: x,1,0,1\n").regions["r"].role == "control"

    def test_empty_bins_get_an_error_unless_not_wanted(self, made):
        assert made("").templates.guess_empty_bins
        job = JOB.replace("  POI", "  GuessMCStatEmptyBins: FALSE\n  POI")
        assert not made("", job=job).templates.guess_empty_bins

    def test_statistics_only_leaves_out_errors_of_bins_too(self, made):
        templates = made("", job=JOB.replace("  POI", "  StatOnly: TRUE\n  POI")).templates
        assert (templates.statistics_only, templates.mc_statistics) == (True, None)

    def test_a_group_is_the_category_if_none_is_named(self, made):
        text = "Systematic: {0}\n  Type: OVERALL\n  OverallUp: 0.1\n{1}\n"
        made = made(
            text.format("a", "  Category: c\n")
            + text.format("b", "  Category: c\n  SubCategory: s\n")
            + text.format("d", "")
            + "NormFactor: k\n  Samples: all\n"
        )
        groups = {name: item.sub_category for name, item in made.systematics.items()}
        assert groups == {"a": "c", "b": "s", "d": "Uncategorised"}
        assert made.norm_factors["k"].sub_category == "NormFactors"

    def test_blinded_signal_regions_take_asimov_data(self, made):
        job = JOB.replace("  POI", "  BlindSRs: TRUE\n  POI")
        regions = made("Region: a;b\n  Type: SIGNAL;CONTROL\n  DataType: DATA\n", job=job).regions
        assert (regions["a"].data, regions["b"].data) == ("asimov", "observed")

    def test_numbers_of_a_sample_hold_where_the_block_says_nothing(self, made):
        factor = made(
            "Sample: s\n  NormFactor: mu,1,-5,5\n\nNormFactor: mu\n  Max: 20\n  Samples: t\n"
        ).norm_factors["mu"]
        assert (factor.min, factor.max, factor.samples) == (-5.0, 20.0, ["t", "s"])

    def test_a_weight_wins_over_a_factor_of_it(self, made):
        text = "Systematic: x\n  WeightUp: a\n  WeightSufUp: b\n"
        up = made(text).systematics["x"].up
        assert (up.weight, up.weight_factor) == ("a", None)

    def test_weights_that_a_sample_ignores(self, made):
        job = JOB.replace("  POI", "  MCweight: a*b\n  POI")
        text = "Region: r\n  Variable: x,1,0,1\n  MCweight: a*c\n\nSample: s\n  MCweight: a*d\n"
        weights = {
            ignored: str(made(f"{text}  IgnoreWeight: {ignored}\n", job=job).weight_of("s", "r"))
            for ignored in ("FALSE", "a", "TRUE")
        }
        nominal = "(a*b)*(a*c)*(a*d)"
        assert weights == {"FALSE": nominal, "a": "(1*b)*(1*c)*(a*d)", "TRUE": "a*d"}

    def test_none_is_no_sample(self, made):
        catalog = made("Sample: s\n\nSystematic: x\n  Samples: none\n  WeightUp: a\n")
        assert catalog.systematics["x"].samples == ["none"]

    def test_parameters_that_are_decorrelated_from_another_channel(self, made):
        job = JOB.replace("  POI", "  DecorrSysts: JES*\n  DecorrSuff: _ch\n  POI")
        text = "Systematic: a;JES_1;b\n  NuisanceParameter: JES_0;JES_1;b\n  WeightUp: w\n"
        made = made(text, job=job).systematics
        assert [item.parameter for item in made.values()] == ["JES_0_ch", "JES_1_ch", "b"]

    def test_sizes_are_scaled(self, made):
        text = "Systematic: x\n  Type: OVERALL\n  OverallUp: 0.1\n  OverallDown: -0.2\n"
        found = made(f"{text}  ScaleUp: 2\n").systematics["x"]
        assert (found.up, found.down) == (0.2, -0.2)

    def test_numbers_of_a_rule_of_bins_that_are_not_given(self, made):
        text = 'Region: r\n  Variable: x,10,0,1\n  Binning: "AutoBin","TransfoJ",3\n'
        assert made(text).regions["r"].binning.parameters == [3.0, 1.0, 5.0]

    @pytest.mark.parametrize(
        ("text", "code", "message"),
        [
            (
                "Systematic: x\n  Type: SHAPE\n  HistoNameUp: h\n",
                "QL-TREX-031",
                "a parameter of its own",
            ),
            ("Region: r\n  Variable: x|y,1,0,1\n", "QL-TREX-030", "two variables"),
            ("Region: r\n  DropBins: 1e400\n", "QL-TREX-030", "other than numbers"),
            ("Sample: s\n  FillColor: red\n", "QL-TREX-030", "other than numbers"),
            ("Significance: s\n  POIAsimov: 1e400\n", "QL-TREX-021", "is not a number"),
            (
                'Region: r\n  Variable: x,9,0,1\n  Binning: "AutoBin","TransfoD",3\n',
                "QL-TREX-030",
                "less than two numbers",
            ),
        ],
    )
    def test_refused(self, made, text, code, message):
        with pytest.raises(InputError) as caught:
            made(text)
        assert any(item.code == code and message in item.message for item in caught.value.findings)
