"""The language: blocks by blank lines or indentation, quotes, comments, lists, includes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarkline.trexfitter import Block, TrexConfig, read_trexfitter

BLOCKS = """\
Region: "SR"
  Type: SIGNAL
  Label: "a, b"

Sample: "x"
  Title: "t#bar{t}"
  NtupleFiles: a,"b,c" , d

NormFactor: "mu"
  Max: 10
"""


def said(config: TrexConfig) -> list[tuple[str, str, dict[str, str]]]:
    return [
        (block.kind, block.name, {name: str(o.raw) for name, o in block.options.items()})
        for block in config.blocks
    ]


def codes(config: TrexConfig) -> list[str]:
    return [finding.code for finding in config.findings]


class TestBlocks:
    def test_options_by_name_with_quotes_and_lists(self, read):
        _, region, sample, factor = read(BLOCKS).blocks
        assert region.text("Label") == "a, b"
        assert sample.items("NtupleFiles") == ["a", "b,c", "d"]
        assert sample.text("Title") == "t#bar{t}"
        assert factor.number("Max") == 10

    def test_indentation_alone_and_blank_lines_alone_say_the_same(self, read):
        by_both = said(read(BLOCKS))
        by_indentation = BLOCKS.replace("\n\n", "\n")
        by_blank_lines = BLOCKS.replace("\n  ", "\n")
        odd = BLOCKS.replace("\n\n", "\n \t \n   ")
        assert said(read(by_indentation)) == by_both
        assert said(read(by_blank_lines)) == by_both
        assert said(read(odd)) == by_both

    @given(st.lists(st.sampled_from(["# x", "%  Type: y", " # z: 1", "\t% Sample: q"]), max_size=4))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
    def test_comment_lines_say_nothing_wherever_they_stand(self, read, comments):
        lines = BLOCKS.splitlines()
        for index, comment in enumerate(comments):
            lines.insert(index * 3 + 1, comment)
        assert said(read("\n".join(lines))) == said(read(BLOCKS))

    def test_a_comment_may_follow_a_value(self, read):
        config = read('Sample: x  % y\n  Title: a b # c\n  Group: "# no" % yes\n')
        assert (config.blocks[1].text("Title"), config.blocks[1].text("Group")) == ("a b", "# no")
        assert config.findings == ()

    @pytest.mark.parametrize(
        ("text", "read_as"), [("t#bar{t} + W", "t"), ("N_{jets}", "N_{jets}"), ("5%", "5")]
    )
    def test_a_sign_inside_a_word_cuts_it_with_a_warning(self, read, text, read_as):
        config = read(f"Sample: x\n  Title: {text}\n")
        assert config.blocks[1].text("Title") == read_as
        assert codes(config) == ["QL-TREX-004"] * (text != read_as)

    def test_values_are_spread_over_the_names_of_a_block(self, read):
        config = read(
            'Region: "A"; "B"; "C"\n  Label: "x;y"; "z"\n  Type: CONTROL\n  Ymin: 1; 2; 3\n'
        )
        assert [block.name for block in config.blocks[1:]] == ["A", "B", "C"]
        assert [block.text("Label") for block in config.blocks[1:]] == ["x;y", "z", "z"]
        assert [block.number("Ymin") for block in config.blocks[1:]] == [1, 2, 3]
        assert [f.message for f in config.findings] == ["`Label` has 2 values for 3 blocks"]

    def test_the_later_of_two_values_wins_with_a_warning(self, read):
        config = read("Sample: x\n  Title: a\n  Group: g\n  Title: b\n")
        assert config.blocks[1].text("Title") == "b"
        (found,) = config.findings
        assert found.code == "QL-TREX-013"
        assert (found.place.line, "a.config:5:3" in found.message) == (7, True)

    def test_every_option_knows_where_its_value_stands(self, read):
        value = read('Sample: x\n  Title:  "a b"  # c\n').blocks[1].text("Title")
        assert (value.place.line, value.place.column, value.place.length) == (5, 12, 3)

    def test_none_is_no_value(self, read):
        sample = read("Sample: x\n  Title: none\n  Group: NONE\n").blocks[1]
        assert (sample.text("Title"), sample.text("Group")) == (None, None)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "code", "message", "hint"),
        [
            ("Sample: x\n  Titel: a\n", "QL-TREX-020", "no option of Sample", "`Title`"),
            ("Sample: x\n  DataType: DATA\n", "QL-TREX-020", "no option", "option of Region"),
            ("Smaple: x\n  Title: a\n", "QL-TREX-006", "begins no block", "`Sample`"),
            ("Sample: x\n  Type: SIGNL\n", "QL-TREX-021", "not one of", "`SIGNAL`"),
            ("Sample: x\n  Smooth: yes\n", "QL-TREX-021", "not TRUE or FALSE", "FALSE, TRUE"),
            ("NormFactor: x\n  Max: ten\n", "QL-TREX-021", "not a number", "a number"),
            ("Region: x\n  Rebin: 2.5\n", "QL-TREX-021", "not a whole number", "whole"),
            ("Region: x\n  XaxisRange: 1\n", "QL-TREX-021", "not two numbers", "two"),
            ("Sample: x\n  Title:\n", "QL-TREX-002", "`Title` has no value", "write"),
            ("Sample: x\n  Title\n", "QL-TREX-002", "`Title` has no colon", "write"),
            ('Sample: x\n  Title: "a\n', "QL-TREX-003", "a quote is not closed", '"'),
            ("Job: second\n  POI: x\n", "QL-TREX-022", "is a second job", ""),
            ("Sample: x\n\nSample: x\n", "QL-TREX-022", "stands twice", "rename"),
            ('Sample: "x_{p:03d}"\n', "QL-TREX-023", "`{p:03d}` is not filled", "script"),
            ("Sample: x\n  Selection: {cut}>1\n", "QL-TREX-023", "`{cut}`", "script"),
        ],
    )
    def test_one_mistake_is_one_error_with_a_hint(self, read, text, code, message, hint):
        config = read(text)
        found = [item for item in config.errors if item.code == code]
        assert len(found) == 1
        assert message in found[0].message
        assert hint in (found[0].suggestion or "")
        assert found[0].place.line is not None

    def test_an_option_after_a_blank_line_says_what_ended_the_block(self, read):
        (found,) = read("Sample: x\n\n  Title: a\n").errors
        assert found.code == "QL-TREX-006"
        assert "a blank line before it ended the block `Sample`" in found.message

    def test_a_part_without_a_job_is_refused(self, read):
        (found,) = read(BLOCKS, job="").errors
        assert "there is no `Job` block" in found.message

    def test_a_schema_is_told_as_such(self, read):
        schema = "Sample: string\n  Title: string\n  Smooth: TRUE/FALSE\n  MCstatScale: float\n"
        assert codes(read(schema)) == ["QL-TREX-024"]

    def test_titles_may_hold_braces(self, read):
        assert read('Region: x\n  VariableTitle: "N_{jets} {x}"\n').findings == ()


class TestIncludes:
    def test_files_put_together_say_the_same_as_one(self, read, write):
        whole = said(read(BLOCKS))
        first, second, third = BLOCKS.split("\n\n")
        write("sub/b.config", f"{second}\nINCLUDE: ../c.config")
        write("c.config", third)
        config = read(f'{first}\nINCLUDE: "sub/b.config"\n')
        assert said(config) == whole
        assert [path.name for path in config.files] == ["a.config", "b.config", "c.config"]
        assert config.blocks[2].place.file.name == "b.config"

    def test_a_block_does_not_go_on_in_the_next_file(self, read, write):
        write("b.config", "  Title: a\n")
        assert codes(read("Sample: x\nINCLUDE: b.config\n")) == ["QL-TREX-006"]

    def test_a_missing_file_is_told_with_its_near_miss_and_the_rest_is_read(self, read, write):
        write("ghost.config", "Sample: g\n")
        config = read("INCLUDE: ghosts.config\n\nINCLUDE: ghost.config\n")
        (found,) = config.findings
        assert found.code == "QL-TREX-001"
        assert (found.place.line, found.place.column) == (4, 10)
        assert "`ghost.config`" in found.suggestion
        assert config.blocks[1].name == "g"

    def test_a_circle_is_told_and_ends(self, read, write):
        write("b.config", "INCLUDE: a.config\n")
        (found,) = read("INCLUDE: b.config\n").findings
        assert found.message == "files include each other: a.config -> b.config -> a.config"

    def test_files_that_multiply_end_soon(self, read, write):
        for number in range(25):
            write(f"{number}.config", f"INCLUDE: {number + 1}.config\n" * 2)
        write("25.config", "Sample: x\n")
        config = read("INCLUDE: 0.config\n")
        assert len(config.files) == 1000
        assert "more than 1,000 files" in config.errors[0].message

    def test_files_within_each_other_end_at_some_depth(self, read, write):
        for number in range(120):
            write(f"{number}.config", f"INCLUDE: {number + 1}.config\n")
        (found,) = read("INCLUDE: 0.config\n").errors
        assert "100 within each other" in found.message

    def test_a_file_behind_a_link_is_the_one_the_system_means(self, read, write, tmp_path: Path):
        write("real/deep/b.config", "INCLUDE: ../c.config\n")
        write("real/c.config", "Sample: right\n")
        write("c.config", "Sample: wrong\n")
        (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
        assert read("INCLUDE: link/b.config\n").blocks[1].name == "right"

    def test_a_config_that_is_not_there_is_an_error(self, tmp_path: Path):
        with pytest.raises(Exception, match=r"cannot read .*nope.config"):
            read_trexfitter(tmp_path / "nope.config")


class TestManyFits:
    TEXT = "MultiFit: m\n  Compare: TRUE\n  POIRange: -1,3\n\nFit: CR\n  ConfigFile: cr.config\n"

    def test_a_config_of_several_fits_has_options_of_its_own(self, read):
        config = read(self.TEXT, job="")
        assert config.findings == ()
        assert [block.kind for block in config.blocks] == ["MultiFit", "Fit"]

    def test_blocks_of_one_fit_do_not_belong_there(self, read):
        (found,) = read(f"{self.TEXT}\nSample: x\n", job="").errors
        assert "has no block `Sample`" in found.message


names = st.text("abcXYZ_-", min_size=1, max_size=8)
plain = st.text("ab1 *+/()[]<>=&|!.$^:\\{}_,", max_size=12).map(str.strip).filter(bool)
quoted = st.text('ab1 *+/()<>=&|#%;,."'.replace('"', ""), min_size=1, max_size=12).map(
    lambda text: f'"{text}"'
)
values = st.lists(st.one_of(plain, quoted), min_size=1, max_size=3).map(",".join)
options = st.dictionaries(st.sampled_from(["Title", "Selection", "Group", "Regions"]), values)
blocks = st.dictionaries(names, options, max_size=4)


@given(blocks)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_config_written_out_says_the_same(read, chosen):
    parts = [
        "\n".join([f'Sample: "{name}"', *(f" {key}: {value}" for key, value in items.items())])
        for name, items in chosen.items()
    ]
    config = read("\n\n".join(parts))
    again = read(str(config), job="")
    assert said(again) == said(config)
    assert str(again) == str(config)
    assert [block.name for block in config.of("Sample")] == list(chosen)


def test_a_block_prints_as_it_is_written(read):
    block: Block = read('Sample: x\n   Title:   "a"  # c\n').blocks[1]
    assert str(block) == 'Sample: "x"\n  Title: "a"\n'


class TestOneCauseOneMessage:
    def test_a_placeholder_file_that_is_not_there_is_all_that_is_said(self, read):
        text = "Sample: x\n  LumiScale: XXX_SCALE\n  Title: XXX_TITLE\n  MCstatScale: XXX_SCALE\n"
        job = "Job: j\n  ReadFrom: NTUP\n  ReplacementFile: nowhere.txt\n\n"
        assert codes(read(text, job=job)) == ["QL-TREX-001"]

    def test_a_placeholder_that_nothing_defines_is_said_once(self, read, write):
        write("r.txt", "XXX_A: 1\n")
        text = "Sample: x\n  LumiScale: XXX_B\n  MCstatScale: XXX_B\n"
        config = read(text, job="Job: j\n  ReadFrom: NTUP\n  ReplacementFile: r.txt\n\n")
        assert codes(config) == ["QL-TREX-010"]

    def test_an_unknown_option_of_many_blocks_is_said_once_with_their_number(self, read):
        (finding,) = read("".join(f"Sample: s{n}\n  Titel: x\n\n" for n in range(30))).findings
        assert finding.message == "`Titel` is no option of Sample, here and 29 times more"
        assert "Title" in finding.suggestion

    def test_blocks_that_are_refused_are_not_looked_into(self, read):
        assert read("UnfoldingSystematic: u\n  Acceptance: x\n").findings == ()


@pytest.mark.parametrize("name", ["../up", "a/b", '""', '" "'])
@pytest.mark.parametrize("kind", ["Region", "Sample", "Systematic"])
def test_names_that_no_file_or_histogram_can_have(read, kind, name):
    assert "QL-TREX-051" in codes(read(f"{kind}: {name}\n"))
