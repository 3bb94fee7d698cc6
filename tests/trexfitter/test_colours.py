"""ROOT's colours against ROOT, and a few that everybody knows."""

from __future__ import annotations

import pytest

from quarkline.trexfitter.translation.colours import COLOURS, rgb_colour, root_colour


@pytest.mark.parametrize(
    ("number", "colour"),
    [
        (0, "#ffffff"),
        (1, "#000000"),
        (2, "#ff0000"),
        (632 + 2, "#990000"),  # kRed+2
        (600 - 9, "#9999ff"),  # kBlue-9
        (800 - 3, "#ff9900"),  # kOrange-3
        (860 + 1, "#3399ff"),  # kAzure+1
        (921, "#999999"),  # kGray+1
    ],
)
def test_colours_that_root_documents(number: int, colour: str):
    assert root_colour(number) == colour


@pytest.mark.parametrize("number", [-1, 100, 405, 621, 790, 911, 924, 5000])
def test_other_numbers_are_no_colours(number: int):
    assert root_colour(number) is None


def test_channels_are_two_hexadecimal_digits_each():
    assert rgb_colour([0, 15, 255]) == "#000fff"


@pytest.mark.oracle
def test_every_colour_is_that_of_root():
    ROOT = pytest.importorskip("ROOT")
    for number, ours in COLOURS.items():
        theirs = ROOT.gROOT.GetColor(number)
        channels = (theirs.GetRed(), theirs.GetGreen(), theirs.GetBlue())
        assert ours == rgb_colour(255 * channel for channel in channels), number
