"""Laws that every figure of a fit keeps, whatever the result."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FuncFormatter

from quarkline import figures
from quarkline.figures.save import figure_json
from quarkline.figures.tables import MISSING

SPEAKING = {"grouped_impacts", "systematic", "systematic_on_total"}
"""Figures that have something to show of an empty result, too."""


def named_ticks(axis):
    """The names of an axis whose ticks are names, in rows of parameters and matrices."""
    fixed = isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter)
    return fixed and [tick for tick in axis.get_ticklabels() if tick.get_text()]


def test_any_result_gives_a_figure_with_names_and_values(draw, name, kind):
    figure = draw(name, kind)
    if kind != "empty" and name != "pie_charts":
        assert any(ax.get_ylabel() or named_ticks(ax.yaxis) for ax in figure.axes)
        assert any(ax.get_xlabel() or named_ticks(ax.xaxis) for ax in figure.axes)
    for ax in figure.axes:
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()
    tables = json.loads(figure_json(figures.drawn(figure)))["tables"]
    assert tables or (name, kind) == ("pie_charts", "empty")
    cells = [
        cell
        for table in tables
        for column in table["data"]["dependent_variables"]
        for cell in column["values"]
    ]
    assert all(cell["value"] == MISSING or np.isfinite(cell["value"]) for cell in cells)
    if kind == "empty" and name not in SPEAKING:
        words = [text.get_text() for ax in figure.axes for text in ax.texts]
        assert any(re.match(r"no \w+", word) for word in words)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_words_stay_on_the_page(draw, name):
    figure = draw(name)
    figure.canvas.draw()
    page = figure.bbox.padded(1)
    for text in filter(Text.get_text, _texts(figure)):
        box = text.get_window_extent()
        assert page.contains(*box.min), text.get_text()
        assert page.contains(*box.max), text.get_text()


def _texts(figure: Figure) -> Iterator[Text]:
    """Every text but the numbers of axes, which matplotlib keeps beyond their ranges, too."""
    for ax in figure.axes:
        yield from (ax.xaxis.label, ax.yaxis.label, *ax.texts)
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_formatter(), FixedFormatter | FuncFormatter):
                yield from axis.get_ticklabels()
        if ax.get_legend():
            yield from ax.get_legend().get_texts()


def test_figures_draw_on_axes_of_the_caller(draw, name):
    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    assert draw(name, ax=axes) is figure
    assert figure.axes[0] is axes


@pytest.mark.slow
def test_any_result_renders_without_a_warning(draw, name, kind):
    draw(name, kind).canvas.draw()
