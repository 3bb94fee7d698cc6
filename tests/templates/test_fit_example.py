"""TRExFitter's FitExample: its yields, and what pruning says."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline.templates.build import build_templates

from .official import catalog_of, fit_example, kept_parts, pruning_text


@pytest.fixture(scope="module")
def built(official):
    catalog = catalog_of(official, "FitExample")
    return build_templates(catalog, fit_example(official, catalog))


def _table(path):
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in path.read_text().splitlines()
    ]
    return [row for row in rows if row]


def test_yields_are_those_of_the_reference(built, official):
    _, background, signal, _, data = _table(official / "reference/FitExample/Tables/Yields.txt")
    for column, region in enumerate(built.templates.regions.values(), start=1):
        yields = {name: each.nominal.integral for name, each in region.templates.items()}
        assert yields["Bkg1"] + yields["Bkg2"] == float(background[column].split()[0])
        assert yields["Signal"] == pytest.approx(float(signal[column].split()[0]), rel=1e-6)
        assert region.data.integral == float(data[column])


@pytest.mark.parametrize("region", ["SR_1", "SR_2", "VR"])
def test_changes_of_the_yield_are_those_of_the_reference(built, official, region):
    rows = _table(official / f"reference/FitExample/Tables/{region}_syst.txt")[1:]
    names = {"Jet Energy Scale": "JES", "Backgr. 1 Cross-Section": "Bkg1Xsec"}
    for title, *cells in rows:
        for sample, cell in zip(("Bkg1", "Bkg2", "Signal"), cells, strict=True):
            shift = (
                built.templates.regions[region]
                .templates[sample]
                .shifts.get(names.get(title, "Bkg2Xsec"))
            )
            up, down = (float(part) for part in cell.split("/"))
            found = (shift.norm_up, shift.norm_down) if shift else (0.0, 0.0)
            assert found == pytest.approx((up, down), rel=2e-5)


def test_pruning_is_that_of_the_reference(built, official):
    expected = official / "reference/FitExample/PruningText.txt"
    assert pruning_text(built) == kept_parts(expected)


def test_one_side_is_mirrored(built):
    shift = built.templates.regions["SR_1"].templates["Bkg1"].shifts["JES"]
    nominal = built.templates.regions["SR_1"].templates["Bkg1"].nominal
    np.testing.assert_allclose(shift.up.contents + shift.down.contents, 2 * nominal.contents)


def test_nothing_is_said_of_sound_histograms(built):
    assert built.findings == ()
