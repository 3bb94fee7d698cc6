"""The reference page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quarkline.events.expressions import parse
from quarkline.events.expressions.functions import FUNCTIONS
from quarkline.events.expressions.python_reading import python_reading

PAGE = (Path(__file__).parents[3] / "docs/reference/expressions.md").read_text(encoding="utf-8")
READINGS = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| `[^`]+` \|$", PAGE, re.MULTILINE)


def test_every_function_is_listed_and_no_other():
    (listed,) = re.findall(r"^Functions of one argument:.*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    names = set(re.findall(r"`([\w:]+)`", listed)) - {"TMath::"}
    assert names == set(FUNCTIONS)


@pytest.mark.parametrize(("text", "reading"), READINGS)
def test_what_differs_from_python_is_read_as_the_page_says(text, reading):
    tree = parse(text)
    assert str(tree) == reading
    assert python_reading(text, tree)
