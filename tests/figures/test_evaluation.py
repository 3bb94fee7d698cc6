"""Figures of the evaluation: what is drawn, and that nothing overlaps or leaves the figure."""

from __future__ import annotations

import numpy as np
import pytest

from quarkline import figures
from quarkline.engine.core.results import Quantity
from quarkline.figures.style import fills, looks
from quarkline.figures.tables import MISSING
from quarkline.statistics import evaluation as judged

NAMES = tuple(f"taus_RNNJetScore_{place}" for place in range(44))
CLASSES = ("lq", "ttH", "ttW", "ttW_EW", "ttbar", "ttZ", "VV", "tZ", "WtZ", "tW", "threeTop")
CLASSES += ("ggVV", "VVV", "WttW", "Zjets")


@pytest.fixture(scope="module")
def many():
    """Events of 15 classes, none of them `ggVV`."""
    random = np.random.default_rng(1)
    label = random.integers(0, 15, 900)
    label[label == CLASSES.index("ggVV")] = 0
    score = random.dirichlet(np.ones(15), 900) + 0.3 * np.eye(15)[label]
    return judged.scored_events(score / 1.3, label, classes=CLASSES)


def inside(figure, artists):
    """Whether artists lie inside their figure."""
    renderer = figure.canvas.get_renderer()
    width, height = figure.canvas.get_width_height()
    boxes = [artist.get_window_extent(renderer) for artist in artists]
    return all(
        box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height for box in boxes
    )


def apart(figure, artists):
    """Whether no two artists overlap."""
    renderer = figure.canvas.get_renderer()
    boxes = [artist.get_window_extent(renderer) for artist in artists]
    return not any(
        one.overlaps(other) for place, one in enumerate(boxes) for other in boxes[:place]
    )


def test_fifteen_curves_have_a_legend_inside_the_figure(many):
    few = judged.Bootstrap(3)
    result = judged.roc_curves(many, bootstrap=few)
    for figure in (figures.plot_roc_curves(result), figures.plot_signal_roc(result)):
        figure.canvas.draw()
        legend = figure.axes[0].get_legend()
        assert inside(figure, [legend])
        assert any("no events of ggVV" in text.get_text() for text in legend.get_texts())
        drawn = [(line.get_color(), str(line.get_linestyle())) for line in legend.get_lines()]
        assert len(set(drawn)) >= 14


def test_fifteen_classes_have_names_beside_the_matrix(many):
    figure = figures.plot_confusion_matrix(
        judged.confusion_matrix(many, bootstrap=judged.Bootstrap(3))
    )
    figure.canvas.draw()
    (ax,) = figure.axes[:1]
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text() for label in labels] == list(CLASSES)
        assert inside(figure, labels)
        assert apart(figure, labels)
    assert apart(figure, [*ax.get_yticklabels(), ax.yaxis.label])
    assert apart(figure, [*ax.get_xticklabels(), ax.xaxis.label])


def test_44_features_have_names_beside_their_bars():
    rows = [
        judged.FeatureImportance(name, Quantity(0.1, 0.01, 0.01), Quantity(1.0)) for name in NAMES
    ]
    result = judged.PermutationImportance(tuple(rows), 0.9, 3.0, 5, 100)
    figure = figures.plot_importance(result)
    figure.canvas.draw()
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels] == list(NAMES)
    assert inside(figure, labels)
    assert apart(figure, [*labels, figure.axes[0].yaxis.label])


def test_a_stack_draws_its_sum_and_hides_what_is_blinded():
    random = np.random.default_rng(2)
    samples = {
        name: judged.WeightedSample(random.uniform(size=50), random.exponential(size=50))
        for name in ("ttbar", "lq")
    }
    data = judged.WeightedSample(random.uniform(size=40))
    result = judged.hist_stack(
        "Score", samples, np.linspace(0, 1, 6), signal=("lq",), data=data, blinded=(0.6, 1)
    )
    (table,) = figures.drawn(figures.plot_stack(result))
    columns = {column["header"]["name"]: column for column in table.dependent}
    total = np.sum(
        [np.histogram(s.values, result.edges, weights=s.weight)[0] for s in samples.values()],
        axis=0,
    )
    drawn = [cell["value"] for cell in columns["Events expected"]["values"]]
    np.testing.assert_allclose(drawn, total)
    counts = [cell["value"] for cell in columns["Data"]["values"]]
    assert counts[3:] == [MISSING, MISSING]
    np.testing.assert_array_equal(counts[:3], np.histogram(data.values, result.edges)[0][:3])


def test_a_stack_without_data_has_one_panel():
    result = judged.hist_stack("x", {"a": judged.WeightedSample([0.5])}, [0.0, 1.0])
    assert len(figures.plot_stack(result).axes) == 1


def test_many_curves_and_areas_differ():
    assert len({(look.color, str(look.linestyle)) for look in looks(36)}) == 36
    assert len({(fill.color, fill.hatch) for fill in fills(40)}) == 40


def test_the_scan_leaves_its_legend_alone(many):
    result = judged.significance_scan(many, min_background=1, bootstrap=judged.Bootstrap(3))
    figure = figures.plot_significance_scan(result)
    figure.canvas.draw()
    (ax,) = figure.axes
    legend = ax.get_legend().get_window_extent(figure.canvas.get_renderer())
    assert all(artist.get_clip_box().y1 < legend.y0 for artist in (*ax.lines, *ax.collections))
    bound = [merit for merit in result.merits if merit.name != "s/sqrt(b)"]
    highest = max(np.nanmax(merit.high) for merit in bound)
    assert ax.transData.transform((0, highest))[1] < legend.y0


def test_cuts_of_many_samples_stand_in_full_beside_their_curves():
    cut = "((abs(lep_ID_0) == 11 && lep_isTightLH_0) || (abs(lep_ID_0) == 13 && lep_isMedium_0))"
    steps = {"all": 1000.0, "Sum$(jets_pt > 25e3) >= 2": 400.0, cut: 40.0}
    figure = figures.plot_cut_flow(dict.fromkeys(CLASSES, steps))
    figure.canvas.draw()
    (ax,) = figure.axes
    labels = ax.get_yticklabels()
    assert [label.get_text().replace("\n", " ") for label in labels] == [
        name.replace("$", r"\$") for name in steps
    ]
    assert inside(figure, [*labels, ax.get_legend()])
    assert apart(figure, [*labels, ax.get_legend(), ax.xaxis.label])
    assert "ttH: 40  (4 %)" in [text.get_text() for text in ax.get_legend().get_texts()]
