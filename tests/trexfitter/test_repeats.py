"""Blocks that stand twice: told apart where they never meet, refused where they do."""

from __future__ import annotations

import pytest

from quarkline.trexfitter.command_line import read_options
from quarkline.trexfitter.job import open_job

REGIONS = """\
Region: SR
  Type: SIGNAL
  Variable: x,1,0,1

Region: CR
  Type: CONTROL
  Variable: x,1,0,1

"""
SAMPLES = """\
Sample: tt
  Type: BACKGROUND
  NtupleFile: a
  Regions: SR

Sample: tt
  Type: BACKGROUND
  NtupleFile: b
  Regions: CR

Sample: wjets
  Type: BACKGROUND
  NtupleFile: c

"""
ONE = "  Type: OVERALL\n  OverallUp: 0.1\n  OverallDown: -0.1\n"


@pytest.fixture
def opened(read):
    def opened(text: str, options: str = ""):
        return open_job(read(REGIONS + text), read_options(options))

    return opened


def codes(config) -> list[str]:
    return [finding.code for finding in config.findings]


class TestSamples:
    def test_samples_of_different_regions_are_two_with_one_title(self, opened):
        samples = opened(SAMPLES).catalog.samples
        assert list(samples) == ["tt", "tt_2", "wjets"]
        assert (samples["tt"].regions, samples["tt_2"].regions) == (["SR"], ["CR"])
        assert samples["tt_2"].title == "tt"
        assert samples["tt_2"].files.names == ["b"]

    def test_a_new_name_is_one_that_nothing_has(self, opened):
        text = SAMPLES + "Sample: tt_2\n  Type: BACKGROUND\n  NtupleFile: d\n\n"
        assert set(opened(text).catalog.samples) == {"tt", "tt_2", "tt_3", "wjets"}

    def test_what_names_the_sample_means_all_of_that_name(self, opened):
        text = (
            f"{SAMPLES}Systematic: xs\n{ONE}  Samples: tt\n\nNormFactor: k\n  Samples: tt,wjets\n"
        )
        catalog = opened(text).catalog
        assert catalog.systematics["xs"].samples == ["tt", "tt_2"]
        assert catalog.norm_factors["k"].samples == ["tt", "wjets", "tt_2"]

    @pytest.mark.parametrize(
        ("option", "left"),
        [("Samples=tt", ["tt", "tt_2"]), ("Exclude=tt", ["wjets"]), ("Exclude=t*", ["wjets"])],
    )
    def test_the_option_string_means_all_of_that_name(self, opened, option, left):
        assert list(opened(SAMPLES, option).catalog.samples) == left

    def test_regions_left_out_count(self, read):
        text = SAMPLES.replace("Regions: CR", "Exclude: SR")
        assert codes(read(REGIONS + text)) == ["QL-TREX-050"]

    def test_samples_that_meet_are_refused(self, read):
        text = SAMPLES.replace("  Regions: CR\n", "")
        assert codes(read(REGIONS + text)) == ["QL-TREX-022"]

    def test_a_sample_that_another_is_made_with_has_to_be_one(self, read):
        text = SAMPLES + "Sample: q\n  Type: BACKGROUND\n  NtupleFile: d\n  AddSample: tt\n"
        assert codes(read(REGIONS + text)) == ["QL-TREX-022"]


class TestSystematics:
    def test_systematics_on_different_samples_share_one_parameter(self, opened):
        text = (
            f"{SAMPLES}Systematic: xs\n{ONE}  Samples: tt\n\nSystematic: xs\n{ONE}  Samples: w*\n"
        )
        first, second = opened(text).catalog.systematics.items()
        assert (first[0], second[0]) == ("xs", "xs_2")
        assert (first[1].parameter, second[1].parameter) == (None, "xs")
        assert (second[1].stored_name, second[1].title) == ("xs", "xs")

    def test_those_that_meet_are_refused(self, read):
        text = f"{SAMPLES}Systematic: xs\n{ONE}  Samples: tt\n\nSystematic: xs\n{ONE}"
        assert "QL-TREX-022" in codes(read(REGIONS + text))

    def test_the_option_string_means_all_of_that_name(self, opened):
        text = (
            f"{SAMPLES}Systematic: xs\n{ONE}  Samples: tt\n\nSystematic: xs\n{ONE}  Samples: w*\n"
        )
        assert list(opened(text, "Exclude=xs").catalog.systematics) == []


class TestFactors:
    def test_equal_factors_are_one_factor_of_all_samples(self, opened):
        text = (
            "NormFactor: k\n  Samples: tt\n  Max: 5\n\nNormFactor: k\n  Max: 5\n  Samples: wjets\n"
        )
        (factor,) = opened(SAMPLES + text).catalog.norm_factors.values()
        assert (factor.samples, factor.max) == (["tt", "tt_2", "wjets"], 5)

    def test_factors_that_differ_are_refused(self, read):
        text = "NormFactor: k\n  Samples: tt\n  Max: 5\n\nNormFactor: k\n  Samples: wjets\n"
        assert "QL-TREX-022" in codes(read(REGIONS + SAMPLES + text))
