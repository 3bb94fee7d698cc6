"""Settings of figures do what they say; numbers are worked out here from the results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quarkline.catalog import Catalog
from quarkline.catalog.drawing import Drawing, RegionDrawing
from quarkline.figures import fits
from quarkline.figures.fits.analysis import draw_region
from quarkline.figures.style import Label
from quarkline.templates.predictions import PredictedSample


@pytest.fixture
def region(results):
    """Four bins with signal, background and data, all of which are shown."""
    found = replace(results("ordinary").region(), hidden=())
    contents = found.samples[1].contents
    errors = tuple(0.2 * each for each in contents)
    total = float(np.sum(contents))
    return replace(
        found,
        background=PredictedSample("background", "background", contents, errors, total, 3.0),
    )


def signal_and_background(region):
    return (np.array(sample.contents) for sample in region.samples)


def points(ax):
    """Heights of the points of data on axes, with their errors down, up and sideways."""
    (container,) = (one for one in ax.containers if hasattr(one, "has_yerr"))
    heights = container.lines[0].get_ydata()
    bars = {("y" if vertical else "x"): [] for vertical in (True, False)}
    for line in container.lines[2]:
        segments = np.array([one for one in line.get_segments() if len(one) == 2])
        vertical = np.allclose(segments[:, 0, 0], segments[:, 1, 0])
        bars["y" if vertical else "x"] = segments
    return np.asarray(heights), bars


def curves(ax):
    return [np.asarray(patch.get_data().values) for patch in ax.patches if not patch.get_hatch()]


def test_without_a_ratio_there_is_one_panel(region):
    assert len(fits.plot_prediction(region, drawing=Drawing(ratio=None)).axes) == 1
    assert len(fits.plot_summary([region], drawing=Drawing(ratio=None)).axes) == 1


def test_data_over_background(region):
    _, background = signal_and_background(region)
    figure = fits.plot_prediction(region, drawing=Drawing(ratio="data/background"))
    heights, _ = points(figure.axes[1])
    known = np.array(region.data) > 0
    np.testing.assert_allclose(heights[known], (np.array(region.data) / background)[known])
    assert figure.axes[1].get_ylabel() == "Data / bkg."
    (band,) = (patch for patch in figure.axes[1].patches if patch.get_hatch())
    np.testing.assert_allclose(band.get_data().values, 1.2)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("s/b", lambda s, b: s / b),
        ("s/sqrt(b)", lambda s, b: s / np.sqrt(b)),
        ("s/sqrt(s+b)", lambda s, b: s / np.sqrt(s + b)),
    ],
)
@pytest.mark.parametrize("width", [None, 20.0])
def test_how_visible_the_signal_is(region, kind, value, width):
    """Also with bins scaled to one width, and without data."""
    without = replace(region, data=None)
    figure = fits.plot_prediction(
        without, drawing=Drawing(ratio=kind), region=RegionDrawing(bin_width=width)
    )
    (curve,) = curves(figure.axes[1])
    np.testing.assert_allclose(curve, value(*signal_and_background(region)))
    assert figure.axes[1].get_ylim()[1] > max(curve)


def test_without_the_signal_in_the_stack_the_band_is_that_of_the_background(region):
    _, background = signal_and_background(region)
    figure = fits.plot_prediction(region, drawing=Drawing(signal_in_stack=False))
    (band,) = (patch for patch in figure.axes[0].patches if patch.get_label() == "Uncertainty")
    np.testing.assert_allclose(band.get_data().values, 1.2 * background)
    heights, _ = points(figure.axes[1])
    assert heights[0] == pytest.approx(region.data[0] / background[0])


def test_errors_of_data(region):
    plain = fits.plot_prediction(region, drawing=Drawing(poisson_errors=False, x_errors=True))
    heights, bars = points(plain.axes[0])
    np.testing.assert_allclose(heights, region.data)
    halves = np.sqrt(region.data)
    np.testing.assert_allclose(bars["y"][:, 0, 1], heights - halves)
    np.testing.assert_allclose(bars["y"][:, 1, 1], heights + halves)
    np.testing.assert_allclose(bars["x"][:, 0, 0], region.edges[:-1])
    np.testing.assert_allclose(bars["x"][:, 1, 0], region.edges[1:])
    _, lower = points(plain.axes[1])
    assert len(lower["x"]) == 3  # without the empty bin
    _, bars = points(fits.plot_prediction(region).axes[0])
    assert len(bars["x"]) == 0
    assert bars["y"][1, 1, 1] == pytest.approx(1.8410, abs=1e-3)  # of no event


def test_a_summary_has_its_own_range_and_signal(region):
    settings = Drawing(
        signal_line="none",
        summary_signal_line="scaled",
        summary_signal_in_stack=False,
        summary_y_range=(0.5, 7e5),
    )
    summary = fits.plot_summary([region], drawing=settings)
    assert summary.axes[0].get_ylim() == (0.5, 7e5)
    labels = [text.get_text() for text in summary.axes[0].get_legend().get_texts()]
    assert "ttH (× 1)" in labels
    assert "ttH" not in labels
    plain = fits.plot_prediction(region, drawing=settings)
    labels = [text.get_text() for text in plain.axes[0].get_legend().get_texts()]
    assert "ttH" in labels
    assert "ttH (× 1)" not in labels


@pytest.mark.parametrize(("given", "shown"), [("", "Data / pred."), ("Ratio", "Ratio"), ("-", "")])
def test_the_name_of_the_ratio(region, given, shown):
    figure = fits.plot_prediction(region, drawing=Drawing(ratio_title=given))
    assert figure.axes[1].get_ylabel() == shown


def test_a_region_may_have_its_own_luminosity(region):
    def right(drawing):
        catalog = Catalog.model_validate(
            {
                "reads": "histograms",
                "luminosity": {"label": "140 fb^{-1}"},
                "drawing": {"energy": "13 TeV"},
                "regions": {"SR_1": {"drawing": drawing}},
                "samples": {"ttH": {"role": "signal"}, "ttb": {}},
            }
        )
        figure = draw_region(catalog, region, label=Label("", "", "140 fb (13 TeV)"))
        return " ".join(
            text.get_text() for text in [*figure.texts, *figure.axes[0].texts]
        ) + " ".join(
            title.get_text() for title in (figure.axes[0].title, figure.axes[0]._right_title)
        )

    assert "140 fb (13 TeV)" in right({})
    assert "36 " in right({"luminosity": "36 fb^{-1}"})
    assert "(8 TeV)" in right({"energy": "8 TeV"})


def test_regions_beside_each_other_are_those_drawn_alone(region):
    other = replace(region, region="CR", edges=(0.0, 1.0, 2.0, 3.0, 4.0), data=None)
    figure = fits.plot_merged([region, other], drawing=Drawing(x_errors=True))
    header, *panels = figure.axes
    names = [text.get_text() for text in header.get_legend().get_texts()]
    assert names == ["Data", "ttH", "ttb", "Uncertainty"]
    assert len(panels) == 4
    alone = fits.plot_prediction(region, drawing=Drawing(x_errors=True))
    for merged, single in zip(panels[::2], alone.axes, strict=True):
        for one, two in zip(curves(merged), curves(single), strict=True):
            np.testing.assert_array_equal(one, two)
        np.testing.assert_array_equal(points(merged)[0], points(single)[0])
        assert merged.get_xlim() == single.get_xlim()
    assert panels[1].get_xlim() == (0, 4)
    assert not any(panel.get_legend() for panel in panels)


def test_regions_without_data_have_no_ratio(region):
    figure = fits.plot_merged([replace(region, data=None)] * 3)
    assert len(figure.axes) == 4
