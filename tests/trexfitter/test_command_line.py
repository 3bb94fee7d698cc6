"""The option string: what is read, and what it does to an analysis."""

from __future__ import annotations

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.trexfitter.command_line import KNOWN, CommandOptions, joined_options, read_options
from quarkline.trexfitter.job import Job, open_job

CONFIG = """\
Fit: fit
  doLHscan: mu,k
  LHscanSteps: 7
  do2DLHscan: mu,k

Region: SR1;SR2;CR
  Type: SIGNAL;SIGNAL;CONTROL
  Variable: x,1,0,1

Sample: ghost
  Type: GHOST

Sample: data;lq;lq2;tt
  Type: DATA;SIGNAL;SIGNAL;BACKGROUND

NormFactor: mu;k
  Samples: lq;tt

Systematic: jes1;jes2;xs
  Type: OVERALL
  OverallUp: 0.1

"""
JOB = "Job: job\n  ReadFrom: NTUP\n  POI: mu\n"


@pytest.fixture
def opened(read):
    """The job of a config with an option string."""

    def opened(options: str, *, job: str = "", **given) -> Job:
        return open_job(read(CONFIG, job=f"{JOB}{job}\n"), read_options(options), **given)

    return opened


def names(job: Job, kind: str) -> list[str]:
    return list(getattr(job.catalog, kind))


class TestString:
    def test_nothing_is_nothing(self):
        assert read_options("") == CommandOptions()
        assert read_options("").given == {}

    def test_every_kind_of_value(self):
        read = read_options(
            "Regions=SR1,CR*:StatOnly=TRUE:LumiScale=2.5:FitType=bonly:Parallel2DscanStep=3:"
            'Job="my job":Update=FALSE'
        )
        assert read.given == {
            "regions": ("SR1", "CR*"),
            "statistics_only": True,
            "lumi_scale": 2.5,
            "hypothesis": "background",
            "scan_part": 3,
            "job": "my job",
        }

    def test_anything_but_false_switches_on(self):
        assert read_options("FitBlind=1").blind
        assert not read_options("FitBlind=false").blind

    def test_quotes_keep_colons_and_commas(self):
        assert read_options('OutputDir="a:b,c":Suffix=_x').output == "a:b,c"

    def test_the_later_value_wins(self):
        assert read_options("Suffix=_a:Suffix=_b").suffix == "_b"
        assert read_options("Signal=a:Signals=b,c").signals == ("b", "c")

    @pytest.mark.parametrize(
        ("text", "code", "message", "hint"),
        [
            ("Sufix=_x", "QL-TREX-033", "no option `Sufix`", "did you mean `Suffix`"),
            ("Regions", "QL-TREX-033", "`Regions` is not of the form", "write for example"),
            ("Regions=", "QL-TREX-033", "is not of the form", "write for example"),
            ("LumiScale=x", "QL-TREX-033", "is not a number", None),
            ("Parallel2DscanStep=1.5", "QL-TREX-033", "is not a whole number", None),
            ("FitType=BONLI", "QL-TREX-033", "not one of its values", "did you mean `BONLY`"),
            ("BootstrapIdx=1", "QL-TREX-034", "`BootstrapIdx` is not read", None),
        ],
    )
    def test_mistakes(self, text, code, message, hint):
        with pytest.raises(InputError) as caught:
            read_options(f"Suffix=_x:{text}")
        (finding,) = caught.value.findings
        assert finding.code == code
        assert message in finding.message
        assert hint is None or hint in finding.suggestion
        assert finding.place.column >= len("Suffix=_x:") + 1

    def test_all_mistakes_are_told_at_once(self):
        with pytest.raises(InputError) as caught:
            read_options("a=1:b:LumiScale=x")
        assert len(caught.value.findings) == 3

    def test_options_of_one_job_win_over_those_of_all(self):
        common = read_options("Suffix=_all:StatOnly=TRUE")
        assert joined_options(common, "Suffix=_own") == read_options("StatOnly=TRUE:Suffix=_own")

    def test_the_names_are_those_of_trexfitter(self):
        known = "Regions Samples Systematics Exclude Suffix SaveSuffix Update StatOnly StatOnlyFit"
        known += " Ranking Signal Signals FitResults FitType LumiScale BootstrapIdx BootstrapSyst"
        known += " BootstrapSample GroupedImpact OutputDir Job LimitParamValue LHscan"
        known += " Parallel2Dscan Parallel2DscanStep FitBlind BlindedParameters"
        assert set(KNOWN) == set(known.split())


class TestFilters:
    def test_patterns_take_regions(self, opened):
        assert names(opened("Regions=SR*"), "regions") == ["SR1", "SR2"]

    def test_samples_and_systematics(self, opened):
        job = opened("Samples=data,tt:Systematics=jes*")
        assert names(job, "samples") == ["data", "tt"]
        assert names(job, "systematics") == ["jes1", "jes2"]

    def test_none_leaves_out_all_systematics(self, opened):
        assert names(opened("Systematics=NONE"), "systematics") == []

    def test_exclude_takes_parts_of_every_kind_away(self, opened):
        job = opened("Exclude=CR,lq2,jes*,k")
        assert names(job, "regions") == ["SR1", "SR2"]
        assert names(job, "samples") == ["ghost", "data", "lq", "tt"]
        assert names(job, "systematics") == ["xs"]
        assert names(job, "norm_factors") == ["mu"]

    def test_other_signals_go_and_a_reference_becomes_one(self, opened):
        assert names(opened("Signal=lq2"), "samples") == ["ghost", "data", "lq2", "tt"]
        job = opened("Signals=ghost,lq")
        assert names(job, "samples") == ["ghost", "data", "lq", "tt"]
        assert job.catalog.samples["ghost"].role == "signal"

    @pytest.mark.parametrize(
        ("options", "message", "hint"),
        [
            ("Regions=SR3", "there is no region `SR3`", "`SR1`"),
            ("Samples=t*x", "there is no sample `t*x`", "samples here"),
            ("Systematics=jes", "there is no systematic `jes`", "`jes1`"),
        ],
    )
    def test_names_of_nothing(self, opened, options, message, hint):
        with pytest.raises(InputError) as caught:
            opened(options)
        (finding,) = caught.value.findings
        assert finding.message == message
        assert hint in finding.suggestion

    def test_names_of_nothing_may_be_allowed(self, opened):
        job = opened("Regions=SR1,SR3", job="  AllowWrongRegionSample: TRUE\n")
        assert names(job, "regions") == ["SR1"]
        assert [finding.severity for finding in job.notes] == ["warning"]

    def test_excluding_nothing_is_a_warning(self, opened):
        (finding,) = opened("Exclude=nothing").notes
        assert finding.severity == "warning"


class TestSettings:
    def test_without_data_all_is_asimov(self, opened):
        catalog = opened("Exclude=data").catalog
        assert {catalog.fit.data, catalog.limit.data, catalog.significance.data} == {"asimov"}
        assert opened("").catalog.limit.data == "observed"

    def test_fits(self, opened):
        catalog = opened(
            "FitBlind=TRUE:StatOnlyFit=TRUE:FitType=BONLY:BlindedParameters=mu"
        ).catalog
        assert (catalog.fit.data, catalog.fit.statistics_only) == ("asimov", True)
        assert (catalog.fit.hypothesis, catalog.fit.hidden_parameters) == ("background", ["mu"])

    def test_statistics_only(self, opened):
        templates = opened("StatOnly=TRUE").catalog.templates
        assert (templates.statistics_only, templates.mc_statistics) == (True, None)

    def test_the_luminosity_is_scaled(self, opened):
        assert opened("LumiScale=3").catalog.luminosity.factor == 3.0

    def test_one_scan_takes_the_place_of_those_in_the_config(self, opened):
        line, plane = opened("LHscan=xs").catalog.fit.scans
        assert (line.parameters, line.steps) == (["xs"], [7])
        assert plane.parameters == ["mu", "k"]

    def test_names_of_files(self, opened, tmp_path):
        job = opened("Job=other:OutputDir=out:Suffix=_a:SaveSuffix=_b", job="  Suffix: _c\n")
        assert str(job.folder) == "out/other"
        assert str(job.fit_file) == "out/other/Fits/job_a.txt"
        assert str(job.histogram_file("SR1")) == "out/other/Histograms/job_histos.root"
        written = job.histogram_file("SR1", written=True)
        assert str(written) == "out/other/Histograms/job_histos_b.root"
        assert opened("OutputDir=out", output=tmp_path).folder == tmp_path / "job"

    def test_files_of_the_config(self, opened):
        text = "  OutputDir: here\n  SplitHistoFiles: TRUE\n  InputName: in\n  InputFolder: f/\n"
        job = opened("", job=text)
        assert str(job.folder) == "here/job"
        assert str(job.histogram_file("SR1")) == "f/in_SR1_histos.root"

    def test_the_option_string_wins_over_the_config_and_says_so(self, opened):
        job = opened("LumiScale=3", job="  LumiScale: 2\n")
        (finding,) = job.notes
        assert (finding.code, finding.severity) == ("QL-TREX-037", "note")
        assert job.catalog.luminosity.scale == 3.0

    def test_limits_are_filed_under_a_value(self, opened):
        assert opened("LimitParamValue=800").limit_files.value == 800.0
        assert opened("").limit_files.prefix == "myLimit"


class TestFree:
    def test_a_constant_factor_is_fitted(self, opened):
        assert opened("", free=["mu"]).catalog.fit.free == ["mu"]

    def test_only_norm_factors(self, opened):
        with pytest.raises(InputError) as caught:
            opened("", free=["mus"])
        (finding,) = caught.value.findings
        assert finding.code == "QL-TREX-039"
        assert "did you mean `mu`" in finding.suggestion
