"""Drawn values are those of the results."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from quarkline import figures
from quarkline.catalog.drawing import Drawing, RegionDrawing, SampleDrawing
from quarkline.figures import fits
from quarkline.figures.fits.likelihood import crossings
from quarkline.figures.fits.words import interval_words, letters, shown, title_of
from quarkline.figures.save import figure_json
from quarkline.figures.tables import MISSING


def columns(figure):
    """Values of every dependent variable drawn, by its name and its qualifiers' values."""
    read = json.loads(figure_json(figures.drawn(figure)))
    return {
        (item["header"]["name"], *(tag["value"] for tag in item.get("qualifiers", []))): [
            cell["value"] for cell in item["values"]
        ]
        for table in read["tables"]
        for item in table["data"]["dependent_variables"]
    }


def texts(figure):
    """Every text written inside axes, legends included."""
    legends = [ax.get_legend() for ax in figure.axes if ax.get_legend()]
    inside = [text.get_text() for ax in figure.axes for text in ax.texts]
    return [*inside, *(text.get_text() for legend in legends for text in legend.get_texts())]


def test_hidden_bins_keep_their_data_to_themselves(results):
    region = results("ordinary").region()
    figure = fits.plot_prediction(region, drawing=Drawing(yields=True))
    assert columns(figure)["Data",] == [27.0, 0.0, 31.0, MISSING]
    assert "178" not in " ".join(texts(figure))
    drawn = figure.axes[0].containers[-1].lines[0].get_ydata()
    assert np.isnan(drawn[3])
    ratio = figure.axes[1].containers[-1].lines[0].get_ydata()
    assert ratio[0] == pytest.approx(27 / region.contents[0])
    assert np.isnan(ratio[[1, 3]]).all()
    summary = columns(fits.plot_summary([region, replace(region, hidden=())]))
    assert summary["Data",] == [MISSING, 178.0]


def test_bins_are_scaled_in_the_picture_and_whole_in_the_table(results):
    region = replace(results("ordinary").region(), hidden=())
    figure = fits.plot_prediction(
        region, variable="H_{T} [GeV]", region=RegionDrawing(bin_width=20)
    )
    assert columns(figure)["Events expected",] == pytest.approx(region.contents)
    assert figure.axes[0].get_ylabel() == "Events / 20 GeV"
    shown_data = figure.axes[0].containers[-1].lines[0].get_ydata()
    assert shown_data == pytest.approx([27 * 20 / 50, 0, 31 * 20 / 100, 120 * 20 / 200])
    ratio = figure.axes[1].containers[-1].lines[0].get_ydata()
    assert ratio[3] == pytest.approx(120 / region.contents[3])


@pytest.mark.parametrize(
    "settings",
    [
        RegionDrawing(),
        RegionDrawing(log=True),
        RegionDrawing(log=True, y_range=(1e-3, None), headroom=1.1),
        RegionDrawing(headroom=1.1, bin_width=10),
    ],
    ids=["linear", "log", "log_with_ends", "scaled"],
)
def test_the_legend_stands_above_the_stack(results, settings):
    region = results("ordinary").region()
    many = tuple(replace(region.samples[1], name=f"sample {place}") for place in range(14))
    total = tuple(14 * height for height in region.samples[1].contents)
    crowded = replace(region, samples=many, contents=total)
    figure = fits.plot_prediction(crowded, region=settings, drawing=Drawing(yields=True))
    figure.canvas.draw()
    ax = figure.axes[0]
    width = settings.bin_width or 1
    widths = np.diff(region.edges) if settings.bin_width else 1
    highest = max(width * np.array(total) / widths)
    foot = ax.get_legend().get_window_extent().y0
    assert ax.transData.transform((0, highest))[1] < foot


def test_a_sample_has_one_colour_in_every_region(results):
    region = results("ordinary").region()
    drawings = {name: SampleDrawing() for name in ("other", "ttb", "ttH")}

    def colours(result, samples):
        figure = fits.plot_prediction(result, samples=samples)
        handles, names = figure.axes[0].get_legend_handles_labels()
        return {
            name: handle.get_facecolor()
            for name, handle in zip(names, handles, strict=True)
            if "tt" in name
        }

    alone = replace(region, samples=region.samples[1:])
    assert colours(alone, drawings)["ttb"] == colours(region, drawings)["ttb"]
    assert len(set(colours(region, drawings).values())) == 2
    given = {"ttb": SampleDrawing(fill="#123456")}
    assert to_hex(colours(region, given)["ttb"]) == "#123456"


def test_groups_are_drawn_as_one(results):
    region = results("ordinary").region()
    figure = fits.plot_prediction(region, groups={"ttH": "all", "ttb": "all"})
    found = columns(figure)
    assert found["Events", "all"] == pytest.approx(region.contents)
    assert ("Events", "ttH") not in found


def test_after_the_fit_the_ratio_has_a_range_of_its_own(results):
    settings = Drawing(ratio_range=(0.2, 1.8), ratio_range_after=(0.9, None))
    region = results("ordinary").region()
    for after, limits in ((False, (0.2, 1.8)), (True, (0.9, 1.8))):
        figure = fits.plot_prediction(replace(region, after_fit=after), drawing=settings)
        assert figure.axes[1].get_ylim() == limits


def test_pulls_are_in_errors_before_the_fit(results):
    fit = results("ordinary").fit
    halved = replace(
        fit, parameters=tuple(replace(it, before=0.5, initial=0.1) for it in fit.parameters)
    )
    expected = [(it.value - 0.1) / 0.5 for it in fit.parameters if it.role == "systematic"]
    assert columns(fits.plot_pulls(halved))["Pull",] == pytest.approx(expected)


def test_fixed_parameters_have_no_pull_unless_asked_for(results):
    fit = results("ordinary").fit
    first = replace(fit.parameters[0], fixed=True)
    fixed = replace(fit, parameters=(first, *fit.parameters[1:]))
    assert len(columns(fits.plot_pulls(fixed))["Pull",]) == 3
    assert len(columns(fits.plot_pulls(fixed, parameters=["NP_0"]))["Pull",]) == 1


def test_groups_of_pulls_have_headings_and_the_rest_comes_last(results):
    figure = fits.plot_pulls(results("ordinary").fit, groups={"Theory": ["NP_2"], "None": ["x"]})
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == ["Theory", "NP_2", "Other", "NP_0", "NP_1", "NP_3"]


def test_only_correlated_parameters_are_drawn(results):
    fit = results("ordinary").fit
    matrix = np.eye(len(fit.free))
    matrix[0, 3] = matrix[3, 0] = -0.4
    some = replace(fit, covariance=tuple(map(tuple, matrix.tolist())))
    found = columns(fits.plot_parameter_correlation(some, threshold=0.2))
    assert found["Correlation",] == pytest.approx([100, -40, -40, 100])
    whole = columns(fits.plot_parameter_correlation(some))
    assert len(whole["Correlation",]) == len(fit.free) ** 2


def test_ranking_in_json_is_the_whole_ranking(results):
    ranking = results("ordinary").ranking
    figure = fits.plot_ranking(ranking, most=2)
    assert columns(figure)["Shift up", "before the fit"] == [MISSING, -0.35, -0.35, -0.35]
    assert "first 2 of 4" in texts(figure)
    assert any("no fit: up" in text for text in texts(fits.plot_ranking(ranking)))


def test_a_scan_crosses_one_where_its_error_is(results):
    found = texts(fits.plot_likelihood_scan(results("ordinary").scan))
    assert "best 1, \N{MINUS SIGN}0.5, +0.5" in found
    assert "4 fits failed" not in found
    missing = replace(
        results("ordinary").scan, heights=(None, *results("ordinary").scan.heights[1:])
    )
    assert "1 fit failed" in texts(fits.plot_likelihood_scan(missing))
    assert crossings(np.array([0.0, 1.0, 2.0]), np.array([2.0, 0.0, 4.0]), 1.0) == pytest.approx(
        [0.5, 1.25]
    )


def test_limits_are_scaled_and_in_order(results):
    limit = results("ordinary").limit
    figure = fits.plot_limit_series([800, 500], [limit, limit], scale=[0.1, 10])
    assert columns(figure)["Expected", "0"] == pytest.approx([10.0, 0.1])
    assert columns(figure)["Observed",] == pytest.approx([12.0, 0.12])


def test_pages_have_about_the_same_length():
    assert [len(page) for page in fits.pages([str(i) for i in range(101)])] == [34, 34, 33]
    assert fits.pages(["a"]) == [("a",)]
    assert fits.pages([]) == []


def test_titles_and_numbers_in_words():
    assert title_of("gamma_stat_SR_1_bin_0", None) == r"$\gamma$ (SR_1 bin 1)"
    assert title_of("a$b", {"a": "x"}) == r"a\$b"
    assert shown(r"$\nosuchcommand$") == r"\$\nosuchcommand\$"
    assert letters([r"$\mathrm{t\bar{t}}$ + b"]) == 6
    assert interval_words(-0.001, 0.1, 0.1) == r"0.00 $\pm$ 0.10"
    assert interval_words(1.0, 0.1, 0.2) == r"1.00 $^{+0.20}_{-0.10}$"
    assert interval_words(1.0, float("nan"), 0.2) == "1.00"


def test_pruning_tells_what_is_left_of_each_systematic(results):
    found = columns(fits.plot_pruning(results("ordinary").templates, regions=["SR_1"]))
    systematics = {"JES": (1, 1), "JER": (0, 1), "PDF": (0, 0), "lumi": (1, 0)}
    norm = [norm for norm, _ in systematics.values() for _ in range(2)]
    shape = [shape for _, shape in systematics.values() for _ in range(2)]
    norm[6] = shape[6] = MISSING  # luminosity does not change ttH
    assert found["Norm kept",] == norm
    assert found["Shape kept",] == shape


def test_changes_of_yields_are_those_of_the_fit(results):
    figure = fits.plot_normalisation(results("ordinary").templates, regions=["SR_1"])
    found = columns(figure)["Change of the yield", "up"]
    assert found[6] == MISSING
    assert found[:6] + found[7:] == pytest.approx([7.0] * 7)
    assert "+7.0\n\N{MINUS SIGN}7.0" in texts(figure)


def test_a_systematic_is_drawn_at_both_sides(results):
    region = results("ordinary").region_templates
    figure = fits.plot_systematic(region.templates["ttb"], "JES")
    found = columns(figure)
    assert found["Events", "up"] == pytest.approx([220, 150, 105, 60])
    assert found["Events", "down, as filled"] == pytest.approx([180, 150, 95, 40])
    assert any("(+7.0 %)" in text for text in texts(figure))
    total = columns(fits.plot_systematic_on_total(region, "lumi"))
    assert total["Events", "up"] == pytest.approx([240, 165, 115, 65])
    assert total["Data",] == [210, 150, 0, 60]


def test_signal_over_background(results):
    region = results("ordinary").region()
    signal, background = (sample.total for sample in region.samples)
    found = columns(fits.plot_signal_regions([region]))
    assert found["S / B",] == pytest.approx([100 * signal / background])
    assert found["S / sqrt(B)",] == pytest.approx([signal / background**0.5])


def test_the_systematic_error_is_what_the_statistical_one_lacks(results):
    fit = results("ordinary").fit
    mu = fit.by_name["mu"]
    whole = replace(fit, parameters=(replace(mu, error=0.5, up=None, down=None),))
    alone = replace(fit, parameters=(replace(mu, error=0.3, up=None, down=None),))
    figure = fits.plot_poi_comparison({"A": whole}, statistical={"A": alone})
    told = next(text for text in texts(figure) if "(syst)" in text)
    assert "{+0.40}_{-0.40}" in told
    missing = fits.plot_poi_comparison({"A": whole}, pois={"A": "nu"})
    assert "not fitted" in texts(missing)


def test_pulls_of_pseudo_data(results):
    toys = replace(results("ordinary").toys, values=(1.2, 0.8, 1.0), errors=(0.4, 0.4, 0.4))
    figure = fits.plot_toy_fits(toys)
    assert any("mean 0.000, width 0.500" in text for text in texts(figure))
    assert "coverage 68.0 %" in texts(figure)
    assert "2 fits failed" in texts(figure)
