"""The pages made from the code leave nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.main import get_command

from quarkline.cli.main import app
from quarkline.engine.core.findings import rules
from tests.docs.pages import DOCS


@pytest.fixture(scope="module")
def declared(made):
    """The rules that stand in the package's source, by code."""
    sources = [Path(module.__file__).read_text(encoding="utf-8") for module in made.all_modules()]
    codes = set(re.findall(r'Rule\(\s*"(QL-[A-Z]+-\d+)"', "".join(sources)))
    assert codes
    return {rule.code: rule for rule in rules() if rule.code in codes}, codes


def test_every_rule_has_an_anchor_a_title_and_an_explanation(made, declared):
    known, codes = declared
    assert set(known) == codes
    page = made.findings_page(list(known.values()))
    for code, rule in known.items():
        assert f"({code.lower()})=\n### {code}: " in page
        assert rule.explanation in page


def test_every_rule_explains_itself_in_a_sentence(declared):
    for code, rule in declared[0].items():
        assert rule.explanation.endswith("."), code
        assert rule.explanation.rstrip(".").casefold() != rule.title.casefold(), code


def test_every_command_and_every_module_has_its_place(made):
    page = made.commands_page()
    assert set(re.findall(r"(?m)^## (\S+)$", page)) == set(get_command(app).commands)
    floors = {module.__name__.split(".")[1] for module in made.all_modules()}
    assert floors - {"examples"} == set(made.FLOORS)


def test_every_floor_of_the_package_has_a_page(made):
    listed = re.findall(r"generated/api/(\w+)", (DOCS / "reference" / "api.md").read_text())
    assert listed == list(made.FLOORS)
