"""TRExFitter's FitExampleNtuple: yields, bins that are found, all of its pruning."""

from __future__ import annotations

import pytest

from quarkline.templates.build import build_templates

from .official import kept_parts, pruning_text

pytestmark = pytest.mark.xdist_group("official")  # one process makes what they share

REFERENCE = "reference/FitExampleNtuple"


@pytest.fixture(scope="module")
def built(filled):
    return build_templates(*filled)


def test_yields_are_those_of_the_reference_to_all_digits(built, official):
    lines = (official / REFERENCE / "Tables/Yields.txt").read_text().splitlines()[1:]
    regions = built.templates.regions.values()
    found = [
        [region.templates[sample].nominal.integral for region in regions]
        for sample in ("ttlight", "ttc", "ttb", "ttH")
    ]
    found.append([sum(values) for values in zip(*found, strict=True)])
    found.append([region.data.integral for region in regions])
    for line, yields in zip(lines, found, strict=True):
        printed = [cell.split()[0] for cell in line.split("|")[2:4]]
        assert [f"{value:g}" for value in yields] == printed


def test_transfo_d_finds_the_bins_of_the_reference(built):
    """It has a parameter for each of six bins; their statistical errors are its widths."""
    edges = built.templates.regions["ljets_6j4b_BDT"].edges
    assert len(edges) == 7
    assert (edges[0], edges[-1]) == (-1, 1)


def test_pruning_is_that_of_the_reference(built, official):
    assert pruning_text(built) == kept_parts(official / REFERENCE / "PruningText.txt")
