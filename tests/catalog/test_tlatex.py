"""Titles of ROOT in matplotlib's spelling."""

from __future__ import annotations

import pytest
from matplotlib.mathtext import MathTextParser

from quarkline.catalog.tlatex import typeset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t#bar{t}H", r"$\mathrm{t\bar{t}H}$"),
        ("#geq 6j, #geq4b", r"$\mathrm{\geq}$ 6j, $\mathrm{\geq4b}$"),
        ("#geqb", r"$\mathrm{\geq b}$"),
        ("H_{T}^{had} [GeV]", r"$\mathrm{H_{T}^{had}}$ [GeV]"),
        ("#mu_{t#bar{t} H}", r"$\mathrm{\mu_{t\bar{t}\ H}}$"),
        ("N_{b-jets}", r"$\mathrm{N_{b\text{-}jets}}$"),
        ("140 fb^{-1}", r"140 $\mathrm{fb^{-1}}$"),
        ("#sqrt{s} = 13 TeV", "√s = 13 TeV"),
        ("#it{p}_{T}", r"$\mathrm{\mathit{p}_{T}}$"),
        ("#font[52]{E}_{T} 5%", r"$\mathrm{{E}_{T}}$ 5%"),
        (r"p(y = t\bar{t}H | x)", r"p(y = $\mathrm{t\bar{t}H}$ | x)"),
        ("Z + jets", "Z + jets"),
        ("weight_QCD_SCALE", "weight_QCD_SCALE"),
        (r"$t\bar{t}$", r"$t\bar{t}$"),
        ("region #2", "region #2"),
        ("#qqq{T}", "#qqq{T}"),
        ("", ""),
    ],
)
def test_titles_of_root_become_formulas(text: str, expected: str) -> None:
    assert typeset(text) == expected
    MathTextParser("path").parse(typeset(text))
