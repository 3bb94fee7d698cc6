"""The page about TRExFitter's language says what becomes of every option."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quarkline.trexfitter.command_line import KNOWN
from quarkline.trexfitter.schema import JOB_BLOCKS
from quarkline.trexfitter.translate import INTERPOLATIONS, REFUSED_BLOCKS
from tests.docs.pages import DOCS

TEXT = (DOCS / "reference" / "trexfitter-language.md").read_text()
FAMILIES = re.compile(
    r"(Histo|Ntuple)(Path|File|Name)s?(Suff?s?)?(Up|Down)?(RefSample)?|"
    r"(ResponseMatrix|Acceptance|SelectionEff|Migration)\w*|FriendPaths?(Up|Down)?|"
    r"(Label|Legend)(X|Y|X1|X2|NColumns)(Summary|Merge)|(Weight|WeightSuf|Scale|Sample)Down|"
    r"(LumiScale|AddSample|SubtractSample|SeparateGamma)s?"
)
"""Options that the page names together."""


def options() -> Iterator[str]:
    described = set(JOB_BLOCKS) - REFUSED_BLOCKS - {"Options"}
    for kind in sorted(described):
        yield from (name for name in JOB_BLOCKS[kind] if not FAMILIES.fullmatch(name))


def test_every_option_is_in_a_table_or_list():
    words = set(re.findall(r"\w+", TEXT))
    assert sorted(set(options()) - words) == []


def test_every_option_of_the_string_is_in_its_table():
    table = TEXT.partition("## The option string")[2]
    assert set(KNOWN) <= set(re.findall(r"\w+", table))


def test_the_codes_that_are_refused_are_said():
    said = TEXT.partition("(QL-TREX-032): ")[2].partition("##")[0]
    assert set(INTERPOLATIONS) <= set(re.findall(r"\w+", said))
