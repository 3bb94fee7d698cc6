"""Laws every figure keeps, whatever its input."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from quarkline import figures
from quarkline.engine.core.findings import InputError
from quarkline.figures.save import figure_json
from quarkline.figures.tables import MISSING

SEVERAL_PANELS = {
    "calibration",
    "feature_distributions",
    "flow_check",
    "overtraining",
    "training_metrics",
}


def test_any_input_gives_a_figure_with_named_axes_and_tables(draw, name, kind):
    figure = draw(name, kind)
    assert isinstance(figure.canvas, FigureCanvasAgg)
    named = [ax for ax in figure.axes if ax.get_ylabel()]
    assert named or name == "cut_flow"
    assert any(ax.get_xlabel() for ax in figure.axes)
    for ax in figure.axes:
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()
    if kind == "empty":
        words = [text.get_text() for ax in figure.axes for text in ax.texts]
        assert any(re.match(r"no \w+", word) for word in words)
    assert_follow_hepdata(json.loads(figure_json(figures.drawn(figure)))["tables"], kind)
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def assert_follow_hepdata(tables, kind):
    assert tables or kind in {"empty", "zero"}
    for table in tables:
        columns = table["data"]["independent_variables"] + table["data"]["dependent_variables"]
        assert len({len(column["values"]) for column in columns}) == 1
        for column in columns:
            assert set(column) <= {"header", "qualifiers", "values"}
            assert set(column["header"]) <= {"name", "units"}
        for column in table["data"]["dependent_variables"]:
            for cell in column["values"]:
                assert cell["value"] == MISSING or np.isfinite(cell["value"])
                for error in cell.get("errors", []):
                    assert len({"symerror", "asymerror"} & set(error)) == 1


@pytest.mark.slow
def test_any_input_renders_without_a_warning(draw, name, kind):
    draw(name, kind).canvas.draw()


def test_what_is_not_finite_is_counted_in_the_frame(draw):
    figure = draw("mass_spectrum", "nan")
    note = [text.get_text() for text in figure.axes[0].texts if "not finite" in text.get_text()]
    masses = np.random.default_rng(7).uniform(5, 16, 400)
    masses[::3], masses[1::7] = np.nan, np.inf
    assert note == [f"{np.sum(~np.isfinite(masses))} values are not finite"]


def test_saving_twice_gives_the_same_bytes_without_date_or_version(draw, rendered, tmp_path):
    first = figures.save(draw(rendered), tmp_path / "one" / "figure.v1")
    second = figures.save(draw(rendered), tmp_path / "two" / "figure.v1")
    assert [path.name for path in first] == ["figure.v1.pdf", "figure.v1.png", "figure.v1.json"]
    for one, two in zip(first, second, strict=True):
        content = one.read_bytes()
        assert content == two.read_bytes()
        assert b"atplotlib" not in content
        assert b"CreationDate" not in content
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == sorted(
        path.name for path in first
    )


def test_bytes_do_not_depend_on_the_users_settings(draw, tmp_path):
    plain = figures.save(draw("spectra"), tmp_path / "plain")
    with mpl.rc_context(
        {"font.size": 30, "axes.grid": True, "mathtext.fontset": "cm", "savefig.dpi": 30}
    ):
        loud = figures.save(draw("spectra"), tmp_path / "loud")
    assert [a.read_bytes() == b.read_bytes() for a, b in zip(plain, loud, strict=True)] == [
        True
    ] * 3


def test_several_svgs_can_stand_in_one_page(draw, rendered):
    svg = figures.to_svg(draw(rendered))
    assert svg == figures.to_svg(draw(rendered))
    assert svg.startswith("<svg")
    assert "<text" not in svg
    assert "<metadata" not in svg
    ids = re.findall(r'\bid="([^"]+)"', svg)
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)
    assert len(set(ids)) == len(ids)
    assert {first or second for first, second in used} <= set(ids)
    prefixes = {identifier.split("-")[0] for identifier in ids}
    assert len(prefixes) == 1
    other = figures.to_svg(draw("toys" if rendered != "toys" else "control"))
    assert not set(ids) & set(re.findall(r'\bid="([^"]+)"', other))


def test_figures_draw_on_axes_of_the_caller(draw, name):
    figure = Figure()
    FigureCanvasAgg(figure)
    many = name in SEVERAL_PANELS
    axes = figure.subplots(2, 3).ravel() if many else figure.add_subplot()
    before = list(figure.axes)
    assert draw(name, ax=axes) is figure
    assert figure.axes[: len(before)] == before
    assert figures.drawn(figure)


@pytest.mark.slow
def test_every_style_draws(draw):
    for style in ("quarkline", "CMS", "ATLAS", "LHCb", "ALICE", "DUNE"):
        draw("background_fit", style=style).canvas.draw()


def test_an_unknown_style_names_its_neighbour(draw):
    with pytest.raises(InputError, match=r"QL-FIG-001.*`quarklime`(.|\n)*did you mean `quarkline`"):
        draw("toys", style="quarklime")


def test_label_stands_above_the_frame(draw):
    words = [text.get_text() for text in draw("toys").axes[0].texts]
    assert {"CMS", "Open Data", "8.7 fb$^{-1}$ (13 TeV)"} <= set(words)


def test_the_command_line_starts_without_matplotlib():
    code = "import sys, quarkline.cli.main; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
