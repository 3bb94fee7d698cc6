"""Placeholders: nested, as whole words, in any order; circles and unknown names are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarkline.catalog import Written
from quarkline.engine.core.findings import InputError, Severity
from quarkline.trexfitter.replacements import Replacements, read_replacements
from tests.trexfitter.conftest import JOB

WITH_FILE = JOB.replace("NTUP", "NTUP\n  ReplacementFile: sub/r.txt")


def replaced(values: dict[str, str], text: str) -> tuple[str, list[str]]:
    known = Replacements({name: Written(value) for name, value in values.items()})
    return str(known.expand(Written(text))), [item.code for item in known.findings]


def naive(values: dict[str, str], text: str) -> str:
    """Plain text replacement until nothing changes, longest names first."""
    while any(name in text for name in values):
        for name in sorted(values, key=len, reverse=True):
            text = text.replace(name, values[name])
    return text


# Each may use those after it, so that there are no circles.
NAMES = ("XXX_LONGER", "XXX_LONG", "XXX_B2", "XXX_A", "XXX_C")
pieces = st.sampled_from([" && ", "(x>1)", "*", "a,b", *NAMES])


@given(st.lists(st.lists(pieces, max_size=4), min_size=5, max_size=5), st.randoms())
def test_values_are_those_of_plain_replacement_in_any_order(texts, random):
    values = {}
    for index, name in enumerate(NAMES):
        allowed = [part for part in texts[index] if part not in NAMES[: index + 1]]
        values[name] = " ".join(allowed)
    shuffled = list(values.items())
    random.shuffle(shuffled)
    for text in ("XXX_LONGER + XXX_LONG", "!XXX_A/XXX_B2", "(XXX_C)"):
        assert replaced(dict(shuffled), text)[0] == naive(values, text)


class TestWords:
    def test_a_word_is_replaced_as_a_whole_and_the_hazard_is_told(self):
        values = {"XXX_TAU": "a", "XXX_TAU_CUT": "b"}
        assert replaced(values, "XXX_TAU_CUT && XXX_TAU") == ("b && a", ["QL-TREX-012"])

    def test_a_word_that_begins_with_a_name_keeps_its_end(self):
        assert replaced({"XXX_N": "jet"}, "XXX_N2") == ("jet2", [])
        assert replaced({"XXX_N": "jet", "XXX_NN": "tau"}, "XXX_NN2")[0] == "tau2"

    def test_an_unknown_word_is_told_with_its_near_miss(self):
        known = Replacements({"XXX_LUMI": Written("1")})
        known.expand(Written("XXX_LUMY * XXX_LUMY"))
        (found,) = known.findings
        assert found.severity is Severity.ERROR
        assert "`XXX_LUMI`" in found.suggestion

    def test_a_circle_is_told_and_ends(self):
        values = {"XXX_A": "XXX_B", "XXX_B": "(XXX_C)", "XXX_C": "XXX_A"}
        known = Replacements({name: Written(value) for name, value in values.items()})
        known.expand(Written("XXX_B"))
        (found,) = known.findings
        assert found.message == "placeholders go in a circle: XXX_B -> XXX_C -> XXX_A -> XXX_B"

    def test_placeholders_that_multiply_fill_no_memory(self):
        values = {f"XXX_{n:02}": Written(f"XXX_{n + 1:02} * XXX_{n + 1:02}") for n in range(40)}
        known = Replacements(values | {"XXX_40": Written("x")})
        assert len(known.expand(Written("XXX_00"))) < 1_000_000
        assert {item.code for item in known.findings} == {"QL-TREX-014"}

    def test_placeholders_that_all_use_each_other_end_soon(self):
        names = [f"XXX_{n:02}" for n in range(30)]
        known = Replacements(dict.fromkeys(names, Written(" ".join(names))))
        known.expand(Written("XXX_00"))
        assert "QL-TREX-011" in {item.code for item in known.findings}

    def test_placeholders_within_each_other_end_at_some_depth(self):
        values = {f"XXX_{n:04}": Written(f"XXX_{n + 1:04}") for n in range(2000)}
        known = Replacements(values)
        known.expand(Written("XXX_0000"))
        assert "QL-TREX-014" in {item.code for item in known.findings}

    def test_many_long_texts_fill_no_memory(self):
        known = Replacements({"XXX_A": Written("x" * 900_000)})
        texts = [known.expand(Written("XXX_A")) for _ in range(200)]
        assert sum(map(len, texts)) < 52_000_000
        assert {item.code for item in known.findings} == {"QL-TREX-014"}


class TestFile:
    TEXT = """\
##======
XXX_PATH: /data/nominal/  % where
XXX_CUT: XXX_PT && "a#b" # in MeV
   # XXX_OLD: 1
% XXX_OLD: 2
XXX_PT: (pt >= 10e3)
"""

    def test_comments_are_left_out(self, write):
        known = read_replacements(write("r.txt", self.TEXT))
        assert known.values == {
            "XXX_PATH": "/data/nominal/",
            "XXX_CUT": 'XXX_PT && "a#b"',
            "XXX_PT": "(pt >= 10e3)",
        }
        assert known.findings == []

    def test_a_name_that_stands_twice_is_told_and_the_later_one_wins(self, write):
        known = read_replacements(write("r.txt", f"{self.TEXT}XXX_PT: pt > 0\n"))
        assert known.values["XXX_PT"] == "pt > 0"
        assert [item.code for item in known.findings] == ["QL-TREX-013"]

    def test_a_place_is_that_of_the_definition(self, read, write):
        path = write("sub/r.txt", self.TEXT)
        config = read("Region: x\n  Selection: n > 1 && XXX_CUT\n", job=WITH_FILE)
        text = config.blocks[1].text("Selection")
        place = text.within(text.index("pt"), text.index("pt") + 2)
        assert (place.file, place.line, place.column) == (path, 6, 10)
        assert text.within(0, 1).file.name == "a.config"

    def test_it_is_found_above_the_config_which_is_the_folder_of_all_paths(self, read, write):
        write("sub/r.txt", self.TEXT)
        config = read(f"{WITH_FILE}Sample: x\n  NtuplePath: XXX_PATH\n", job="")
        below = write("configs/deep/b.config", str(config))
        again = config.__class__.sound(_read(below))
        assert again.base == config.base == below.parents[2]

    def test_values_can_be_given_instead(self, read, write):
        write("sub/r.txt", self.TEXT)
        text = "Sample: x\n  NtuplePath: XXX_PATH\n  Selection: XXX_CUT\n"
        given_ = {"XXX_PATH": "/here", "XXX_PT": "pt > 1"}
        config = read(text, job=WITH_FILE, replace=given_)
        assert config.blocks[1].text("NtuplePath") == "/here"
        assert config.blocks[1].text("Selection") == 'pt > 1 && "a#b"'

    def test_a_value_given_for_an_unknown_name_is_told(self, read, write):
        write("sub/r.txt", self.TEXT)
        (found,) = read("", job=WITH_FILE, replace={"XXX_PATHS": "x"}).findings
        assert "`XXX_PATH`" in found.suggestion
        assert str(found.place) == "--replace XXX_PATHS=x"

    def test_a_missing_file_is_told_where_it_is_named(self, read):
        found = read("", job=WITH_FILE).findings[0]
        assert (found.code, found.place.line) == ("QL-TREX-001", 3)


def _read(path: Path):
    from quarkline.trexfitter import read_trexfitter

    return read_trexfitter(path)


def test_a_missing_replacement_file_is_an_error(tmp_path: Path):
    with pytest.raises(InputError):
        read_replacements(tmp_path / "r.txt")
