"""Drawn values equal what was given, and reference numbers come out of real events."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from quarkline import figures
from quarkline.events.nminus1 import NMinusOne
from quarkline.events.selection import CutFlow, CutStep
from quarkline.figures.features import FEATURES, feature_style
from quarkline.figures.pieces import poisson_error
from quarkline.figures.save import figure_json
from quarkline.figures.scans import width_percent
from quarkline.figures.tables import MISSING, Table, header, points, values
from quarkline.figures.training import moving_average
from quarkline.statistics import HuntBinning, bump_hunt, scan_windows, spectrum_fit

WINDOW = (9.0, 10.6)


def tables(figure):
    """Tables of a figure as read back from JSON, by name."""
    read = json.loads(figure_json(figures.drawn(figure)))
    return {table["name"]: table["data"] for table in read["tables"]}


def column(data, name, **qualifiers):
    """Values of one dependent variable."""
    for item in data["dependent_variables"]:
        tags = {tag["name"]: tag["value"] for tag in item.get("qualifiers", [])}
        if item["header"]["name"] == name and qualifiers.items() <= tags.items():
            return [cell["value"] for cell in item["values"]]
    raise KeyError(name)


def test_regions_of_the_published_events(data_folder):
    events = np.load(data_folder / "upsilon_cms" / "os_events.npz")
    figure = figures.plot_mass_spectrum(events["mass"], edges=[5, 9, 10.6, 16], window=WINDOW)
    (data,) = tables(figure).values()
    assert column(data, "Events") == [6924, 1692, 3716]
    assert data["independent_variables"][0]["header"] == {"name": "Mass", "units": "GeV"}
    assert data["independent_variables"][0]["values"][1] == {"low": 9.0, "high": 10.6}


def test_spectrum_in_json_is_the_spectrum_drawn():
    rng = np.random.default_rng(3)
    edges = np.linspace(5, 16, 45)
    counts, expected = rng.poisson(20, 44), rng.uniform(10, 30, 44)
    band = rng.uniform(0, 2, 44)
    spectrum = figures.FittedSpectrum(edges, counts, expected, WINDOW, band=band, name="FPR 1 %")
    figure = figures.plot_background_fit(spectrum)
    data = tables(figure)["Spectrum, FPR 1 %"]
    assert column(data, "Events", selection="FPR 1 %") == counts.tolist()
    assert column(data, "Fitted background") == expected.tolist()
    errors = [cell["errors"][0]["symerror"] for cell in data["dependent_variables"][1]["values"]]
    assert errors == band.tolist()
    drawn = figure.axes[0].containers[0].lines[0]
    assert drawn.get_ydata().tolist() == counts.tolist()


def test_pull_uses_the_error_towards_the_fit():
    # Garwood's limits of 16 events: 12.042 and 21.083
    few = figures.FittedSpectrum([0, 1], [16], [20], (0, 1))
    many = figures.FittedSpectrum([0, 1], [16], [12], (0, 1))
    assert few.pulls[0] == pytest.approx(-4 / 5.083, abs=1e-3)
    assert many.pulls[0] == pytest.approx(4 / 3.958, abs=1e-3)


def test_errors_of_no_events():
    # one-sided 84.13 % upper limit of zero events: -ln(0.1587)
    assert poisson_error([0]).ravel() == pytest.approx([0, 1.8410], abs=1e-4)


@pytest.fixture
def published(data_folder):
    """Masses of the published analysis behind its cut at a false-positive rate of 10 %."""
    events = np.load(data_folder / "upsilon_cms" / "os_events.npz")
    return events["mass"][events["level_OS_5_12"] >= 3]


def test_hunt_in_the_published_events(published):
    binning = HuntBinning()
    result = bump_hunt(binning.count(published), 5)
    figure = figures.plot_hunt(result, spectrum_fit(binning, published, 5))
    words = [text.get_text() for text in figure.axes[0].texts]
    found = next(word for word in words if "local" in word)
    # Z, S and B as recorded and converged in the published results; the errors are ours
    assert "$Z$ = 5.13 local" in found
    assert "$S$ = 111" in found
    assert "$B$ = 164" in found
    data = tables(figure)
    assert column(data["Hunt"], "Signal") == pytest.approx([111.283], abs=0.01)
    counts = column(data["Spectrum, Data"], "Events")
    assert sum(counts[27:38]) == 275


def test_scan_of_the_published_events(published):
    result = scan_windows(HuntBinning(), published, 5, n_toys=20, seed=3)
    figure = figures.plot_scan(result)
    data = tables(figure)
    lows = [cell["low"] for cell in data["Scan"]["independent_variables"][0]["values"]]
    local = dict(zip(lows, column(data["Scan"], "Local significance"), strict=True))
    assert max(local, key=local.get) == 9.0
    assert local[9.0] == pytest.approx(5.12615, abs=1e-3)
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert "Best window 9 to 10.6: $Z$ = 5.1 local" in words
    assert any(re.fullmatch(r"Global, 20 toys: \$Z\$ > 1\.\d", word) for word in words)


def test_p_values_of_whole_sigmas():
    figure = figures.plot_p_value_scan(
        [1, 0.1, 0.01], {"CATHODE": [0, 3, 5]}, reweighted={"Reweighting": 6.39076}
    )
    data = tables(figure)
    scan = data["Scan of the cut"]
    p = column(scan, "Background-only p-value", method="CATHODE")
    assert p == pytest.approx([0.5, 1.349898e-3, 2.866516e-7], rel=1e-6)
    assert column(scan, "Significance", method="CATHODE") == [0, 3, 5]
    assert column(data["Reweighting"], "Significance") == [6.39076]


def test_bin_widths_in_percent_are_in_order():
    # 8, 12 and 16 edges of the published variations
    assert [width_percent(WINDOW, bins) for bins in (7, 11, 15)] == ["2.3 %", "1.5 %", "1.1 %"]


def test_legend_of_variations_pairs_width_and_line():
    z = {(degree, bins): [1.0, 2.0] for degree in (3, 5, 7) for bins in (15, 7, 11)}
    figure = figures.plot_significance_variations([1, 0.1], z, window=WINDOW)
    legend = figure.axes[0].get_legend()
    styles = {
        text.get_text(): line.get_linestyle()
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    assert list(styles) == [
        *(f"Degree {degree}" for degree in (3, 5, 7)),
        *(f"Bin width {width} %" for width in ("2.3", "1.5", "1.1")),
    ]
    curves = dict(zip(z, figure.axes[0].get_lines(), strict=False))
    for (_, bins), line in curves.items():
        assert line.get_linestyle() == styles[f"Bin width {width_percent(WINDOW, bins)}"]


def test_toys_of_the_published_analysis(data_folder):
    toys = np.load(data_folder / "upsilon_cms" / "bkg_toys_z.npz")["z_toys"][0]
    figure = figures.plot_toys(toys, z_observed=1.0)
    (data,) = tables(figure).values()
    known = toys[np.isfinite(toys)]
    assert sum(column(data, "Toys above zero")) == np.sum(known > 0)
    assert sum(column(data, "Expected toys")) == pytest.approx(known.size / 2, rel=1e-3)
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert f"Observed $Z$ = 1.00: {np.sum(known >= 1)} toys at or above" in words


def test_exact_p_values_lie_on_the_diagonal():
    exact = (np.arange(1000) + 0.5) / 1000
    (data,) = tables(figures.plot_p_value_calibration(exact)).values()
    x = [cell["value"] for cell in data["independent_variables"][0]["values"]]
    assert column(data, "Fraction of toys with p <= x") == pytest.approx(x, abs=6e-4)


def test_score_and_mass_keep_every_event():
    rng = np.random.default_rng(5)
    mass, score = rng.uniform(5, 16, 500), rng.uniform(0, 1, 500)
    figure = figures.plot_score_vs_mass(mass, score, mass_edges=np.linspace(5, 16, 12))
    (data,) = tables(figure).values()
    low_mass = [cell["low"] for cell in data["independent_variables"][0]["values"]]
    counts = np.array(column(data, "Events"))
    assert counts.sum() == 500
    first = counts[np.array(low_mass) == 5.0].sum()
    assert first == np.sum(mass < 6)


def test_cut_flow_in_json_and_words():
    flow = {"tight": 557181.0, "anti-isolated": 12332.0}
    figure = figures.plot_cut_flow({"Data": flow})
    (data,) = tables(figure).values()
    assert column(data, "Events", sample="Data") == list(flow.values())
    assert "12,332  (2.21 %)" in [text.get_text() for text in figure.axes[0].texts]


def test_weighted_cut_flows_have_errors_and_sums():
    sums = (3, 1.5, 2.25, 4, 2.0, 4.0)
    step = CutStep("pt", "pt > 20", 5, *sums)
    flow = CutFlow(events=9, sum_weights=6.0, sum_weights2=9.0, nan_weights=0, steps=(step,))
    weighted = figures.plot_cut_flow({"A": replace(flow, weight="w"), "B": flow})
    (data,) = tables(weighted).values()
    assert column(data, "Sum of weights", sample="A") == [6.0, 1.5]
    errors = data["dependent_variables"][0]["values"]
    assert [cell["errors"][0]["symerror"] for cell in errors] == [3.0, 1.5]
    assert weighted.axes[0].get_xlabel() == "Sum of weights"
    (data,) = tables(figures.plot_cut_flow({"B": flow})).values()
    assert column(data, "Events", sample="B") == [6.0, 1.5]


def test_n_minus_one_shows_the_edges_inside_and_what_lies_outside():
    edges, contents = (0.0, 10.0, 20.0, 30.0), (4.0, 0.0, 2.0)
    drawn = NMinusOne(
        *("both", "pt > 15 && pt < 99", "pt", (15.0, 99.0), (">", "<"), "GeV", edges),
        *(contents, contents, 0.0, 7.0, 1),
    )
    figure = figures.plot_n_minus_one({"Signal": drawn})
    (data,) = tables(figure).values()
    assert column(data, "Events", sample="Signal") == list(contents)
    assert [cell["low"] for cell in data["independent_variables"][0]["values"]] == [0, 10, 20]
    (ax,) = figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("pt [GeV]", "Events / 10 GeV")
    marked = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "--"]
    assert marked == [15.0]
    assert ax.get_legend().get_texts()[0].get_text() == "Signal (7 above)"
    with pytest.raises(ValueError, match="different cuts or bins"):
        figures.plot_n_minus_one({"A": drawn, "B": replace(drawn, edges=(0.0, 1.0, 2.0, 3.0))})


def test_samples_are_scaled_to_the_data():
    rng = np.random.default_rng(6)
    data, samples = rng.uniform(0, 150, 300), rng.uniform(0, 150, 3000)
    figure = figures.plot_flow_check({"dimu_pt": data}, {"dimu_pt": samples})
    (table,) = tables(figure).values()
    assert sum(column(table, "Samples")) == pytest.approx(300)
    assert sum(column(table, "Data")) == 300


def test_moving_average_of_five_epochs():
    line = np.arange(10.0)
    assert np.isnan(moving_average(line)[:4]).all()
    assert moving_average(line)[4:].tolist() == (line[4:] - 2).tolist()
    with_gap = line.copy()
    with_gap[6] = np.nan
    assert moving_average(with_gap)[8] == pytest.approx((4 + 5 + 7 + 8) / 4)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"'broken' have different lengths: \[1, 2\]"):
        Table("broken", (points("x", [1, 2]),), (values("y", [1]),))


def test_missing_values_carry_hepdatas_sign():
    (cell,) = values("y", [np.nan])["values"]
    assert cell == {"value": MISSING}


def test_a_label_is_name_and_unit():
    assert header(r"$m_{\mu\mu}$ [GeV]") == {"name": r"$m_{\mu\mu}$", "units": "GeV"}
    assert header("Epoch") == {"name": "Epoch"}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("dimu_pt", "GeV"),
        ("dimu_mass", "GeV"),
        ("mumu_deltapT", "GeV"),
        ("mu0_pt", "GeV"),
        ("mu1_ip3d", "cm"),
        ("mu0_phi", "rad"),
        ("hardest_jet_pt", "GeV"),
        ("hardest_jet_mass", "GeV"),
        ("dimujet_deltaR", None),
        ("mu0_iso04", None),
    ],
)
def test_feature_labels_carry_units(name, unit):
    assert header(feature_style(name).label).get("units") == unit


def test_every_feature_has_increasing_bins():
    for known in FEATURES.values():
        assert known.edges is not None
        assert (np.diff(known.edges) > 0).all()
        assert known.log_x == (known.log_edges is not None)


def test_a_feature_of_the_users_own_gets_its_range():
    own = {"my_variable": np.linspace(-3, 17, 1001)}
    figure = figures.plot_feature_distributions({"All": own})
    assert figure.axes[0].get_xlabel() == "my_variable"
    assert figure.axes[0].get_xlim() == pytest.approx((-3, 17), abs=0.05)


def test_dollar_signs_of_expressions_are_no_formula():
    name = "Max$(a_b_c) + Min$(a_b_c)"
    label = figures.plain_text(name)
    figure = figures.plot_mass_spectrum([1.0], edges=[0, 2], mass_label=label)
    figure.canvas.draw()  # matplotlib refuses a double subscript
    assert figure.axes[0].get_xlabel().replace("\\", "") == name
    assert feature_style(name).label == label


def test_public_names_are_pinned():
    assert [name for name in figures.__all__ if name.startswith("plot_")] == [
        "plot_agreement",
        "plot_anomaly_score_distribution",
        "plot_attribution",
        "plot_background_fit",
        "plot_binned_significance",
        "plot_calibration",
        "plot_choice",
        "plot_compared",
        "plot_confusion_matrix",
        "plot_control",
        "plot_correlation",
        "plot_cut_flow",
        "plot_epoch_history",
        "plot_false_positives",
        "plot_feature_distributions",
        "plot_flow_check",
        "plot_hunt",
        "plot_importance",
        "plot_injection",
        "plot_learning_rate_scan",
        "plot_mass_spectrum",
        "plot_merit",
        "plot_method_comparison",
        "plot_n_minus_one",
        "plot_output_agreement",
        "plot_outputs",
        "plot_overtraining",
        "plot_p_value_calibration",
        "plot_p_value_scan",
        "plot_power",
        "plot_rejection",
        "plot_roc_curve",
        "plot_roc_curves",
        "plot_scan",
        "plot_score_shifts",
        "plot_score_vs_mass",
        "plot_sculpting",
        "plot_signal_efficiencies",
        "plot_signal_roc",
        "plot_significance",
        "plot_significance_scan",
        "plot_significance_variations",
        "plot_spectra",
        "plot_spectrum_scan",
        "plot_spurious_signal",
        "plot_stack",
        "plot_toys",
        "plot_training_losses",
        "plot_training_metrics",
        "plot_trials_factor",
        "plot_tuning_history",
        "plot_tuning_importance",
        "plot_tuning_slices",
        "plot_yields",
    ]
