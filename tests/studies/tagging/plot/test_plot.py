"""Training files side by side, on the real ones and on small ones of either layout."""

from __future__ import annotations

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.report import Document, Figure, Table
from quarkline.studies.tagging.columns import STREAMS
from quarkline.studies.tagging.plot.config import PlotConfig
from quarkline.studies.tagging.plot.contents import (
    Filled,
    NamedTable,
    contents_of,
    edges_of,
)
from quarkline.studies.tagging.plot.drawing import Selected
from quarkline.studies.tagging.plot.reading import first_reading, reading_of
from quarkline.studies.tagging.plot.report import compare_files
from quarkline.studies.tagging.tables import open_jets
from quarkline.tools.plot import ReportingConfig, named_files, plot, plot_config

FEW = PlotConfig(common_plots=("jet_pt", ("absent", "clus_eta_1"), "nowhere"))


@pytest.fixture(scope="session")
def real(data_folder: Path) -> dict[str, Path]:
    folder = data_folder / "calratio" / "pickled_as_parquet"
    names = {"sig": "sig_311424_600_275", "one": "one_length_file", "bib": "bib"}
    names |= {"control": "felix_control_region", "older": "felix_control_region_835"}
    return {name: folder / f"{file}.parquet" for name, file in names.items()}


@pytest.fixture(scope="session")
def document(real: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Document:
    """The comparison of all of them, with figures named and not drawn."""
    tables = [NamedTable(name, open_jets(path)) for name, path in real.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quarkline.studies.tagging.plot.report.draw_columns", undrawn)
        return compare_files(tables, FEW, tmp_path_factory.mktemp("figures"))


def undrawn(stem: str, names: list[str], selected: Selected, *_: object) -> list[Figure]:
    """One figure, if there is something to draw."""
    held = [
        contents.columns[name].density(kinds)
        for contents, kinds in selected.values()
        for name in names
        if name in contents.columns
    ]
    return [Figure(Path(stem), "")] if any(one is not None for one in held) else []


def table(document: Document, name: str) -> Table:
    blocks = [block for section in document.sections for block in section.blocks]
    return next(one for one in blocks if isinstance(one, Table) and one.name == name)


def figures(document: Document) -> list[str]:
    blocks = [block for section in document.sections for block in section.blocks]
    return [block.stem.name for block in blocks if isinstance(block, Figure)]


def test_files_are_told_apart_with_their_jets_by_label(document: Document) -> None:
    shown = table(document, "files")
    assert list(shown.columns)[-3:] == ["label 0", "label 1", "label 2"]
    told = {
        str(row[0]): [row[2], *(getattr(cell, "value", None) for cell in row[4:])]
        for row in shown.rows
    }
    assert told == {
        "sig": ["main, flat", 76, 0, 76, 0],
        "one": ["main, flat", 1, 0, 1, 0],
        "bib": ["main, flat", 558, 0, 0, 558],
        "control": ["control region, flat", 449, 226, 0, 223],
        "older": ["control region, flat", 835, 402, 0, 433],
    }
    assert document.headline == "5 files, 1,919 jets"


def test_what_can_be_compared_is_drawn_and_nothing_else(document: Document) -> None:
    assert figures(document) == [
        *("all-files", "main-label-1", "control-label-0", "control-label-2"),
        *("control-labels", "older-labels"),
    ]


def test_masses_and_columns_are_listed(document: Document) -> None:
    (row,) = table(document, "sig-masses").rows
    assert [getattr(cell, "value", None) for cell in row] == [125, 5, 76]
    marks = {str(row[0]): list(row[1:]) for row in table(document, "columns").rows}
    assert marks["llp_mH"] == ["X", "X", "X", "", ""]
    assert marks["track_pt_0"] == ["X"] * 5
    assert marks["JZ_num"] == ["", "", "", "X", "X"]


def test_a_density_is_what_numpy_says_of_those_that_have_the_constituent(
    real: dict[str, Path],
) -> None:
    jets = open_jets(real["control"])
    reading = reading_of("clus_eta_1", jets.columns)
    assert reading is not None
    edges = np.linspace(-0.2, 0.2, 9)
    filled = contents_of(jets, {"eta": reading}, {"eta": ("eta", edges)}).columns["eta"]
    names = [f"{name}_1" for name in STREAMS[0].columns]
    data = pq.read_table(real["control"]).to_pydict()
    columns = np.nan_to_num(np.array([data[name] for name in names], dtype=np.float64))
    held = (columns != 0).any(axis=0) & (np.array(data["label"]) == 0)
    weight = np.array(data["mcEventWeight"])[held]
    counts = np.histogram(columns[1][held], edges, weights=weight)[0]
    expected = counts / weight.sum() / np.diff(edges)
    found = filled.density([(0, 0.0, 0.0)])
    assert found is not None
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert filled.density([(1, 0.0, 0.0)]) is None


def test_lists_and_flat_columns_are_the_same_numbers(tmp_path: Path) -> None:
    """One jet has two clusters, one has none, one has one."""
    draw = np.random.default_rng(1)
    counts = {"constit": [2, 0, 1], "track": [0, 1, 1], "MSeg": [1, 1, 0]}
    lists: dict[str, object] = {"label": np.array([0, 1, 2]), "jet_pt": np.array([50.0, 60, 70])}
    lists |= {"jet_eta": np.zeros(3), "jet_phi": np.zeros(3), "llp_mH": np.array([0.0, 125, 0])}
    flat = dict(lists)
    for stream in STREAMS:
        held = counts[stream.name]
        for name in stream.stored:
            column = ak.unflatten(draw.uniform(1, 2, sum(held)), held)
            lists[name] = column
            padded = ak.to_numpy(ak.fill_none(ak.pad_none(column, stream.rows), 0.0))
            flat |= {f"{name}_{place}": padded[:, place] for place in range(stream.rows)}
    for name, columns in (("lists", lists), ("flat", flat)):
        arrays = [
            ak.to_arrow(one, extensionarray=False) if isinstance(one, ak.Array) else pa.array(one)
            for one in columns.values()
        ]
        pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), tmp_path / f"{name}.pq")
    tables = [open_jets(tmp_path / f"{name}.pq") for name in ("lists", "flat")]
    assert [one.layout for one in tables] == ["lists", "flat"]
    found: list[list[list[float]]] = []
    for one in tables:
        readings = [first_reading(name, one.columns) for name in ("clus_pt_1", "MSeg_t0_0")]
        (batch,) = one.batches()
        found.append([reading.values(batch).tolist() for reading in readings if reading])
    np.testing.assert_array_equal(found[0], found[1])
    assert np.isnan(found[0]).tolist() == [[False, True, True], [False, False, True]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (0, 1, 10)),
        ([3.0] * 50, (2.5, 3.5, 1)),
        ([0.0, 1, 2, 2], (-0.5, 2.5, 3)),
        ([0.5] * 9, (0.0, 1.0, 10)),
    ],
)
def test_bins_fit_what_there_is(
    values: list[float], expected: tuple[float, float, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "quarkline.studies.tagging.plot.contents._sample", lambda *_: np.array(values)
    )
    edges = edges_of([(None, None)])  # type: ignore[list-item]
    assert (edges[0], edges[-1], len(edges) - 1) == expected


def test_sentinels_do_not_hide_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.append(np.random.default_rng(2).normal(size=10_000), [1e5] * 300)
    monkeypatch.setattr("quarkline.studies.tagging.plot.contents._sample", lambda *_: values)
    edges = edges_of([(None, None)])  # type: ignore[list-item]
    assert -6 < edges[0] < -3
    assert 3 < edges[-1] < 8
    assert len(edges) == 101


def test_weights_that_add_up_to_nothing_draw_nothing() -> None:
    empty = Filled("x", np.array([0.0, 1.0]), {(0, 0.0, 0.0): np.zeros(1)}, {(0, 0.0, 0.0): 0.0})
    assert empty.density([(0, 0.0, 0.0)]) is None


def test_the_command_writes_markdown_and_html(
    real: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "plot.yaml"
    config.write_text("common_plots: [[jet_pT, jet_pt]]\ndata_labels_main: {2: halo}\n")
    words = ["plot", f"BIB={real['bib']}", str(real["one"]), "-c", str(config), "--json"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["headline"] == "2 files, 559 jets"
    text = (tmp_path / "reports" / "report.md").read_text()
    assert "| BIB | bib.parquet | main, flat | upstream 0-500, assumed | 558 |" in text
    assert "file\\_1" not in text
    assert "| file_1 | one_length_file.parquet |" in text
    assert (tmp_path / "reports" / "report_figures" / "0000-all-files-1.png").exists()
    assert (tmp_path / "reports" / "report.html").exists()


def test_files_without_a_name_have_one_and_two_of_a_name_are_refused(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    for path in paths:
        path.touch()
    assert list(named_files([str(paths[0]), f"b={paths[1]}"])) == ["file_0", "b"]
    with pytest.raises(InputError, match="two files are called `b`"):
        named_files([f"b={paths[0]}", f"b={paths[1]}"])
    with pytest.raises(InputError, match="there is no such file"):
        named_files(["c=nowhere.parquet"])
    with pytest.raises(InputError, match="no file is named"):
        plot([], output=tmp_path / "out" / "report.md")
    assert not (tmp_path / "out").exists()


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"label": [1], "jet_pt": [1.0]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="there is no column `jet_eta`"):
        plot([str(tmp_path / "x.parquet")], output=tmp_path / "report.md")
    (tmp_path / "y.parquet").write_text("no table")
    with pytest.raises(InputError, match=r"y\.parquet"):
        plot([str(tmp_path / "y.parquet")], output=tmp_path / "report.md")


def test_a_config_may_name_the_files_with_the_keys_of_the_trainer(tmp_path: Path) -> None:
    text = "input_files: [{input_file: a.parquet, legend_name: a}]\nplot_every_column: true\n"
    (tmp_path / "plot.yaml").write_text(text)
    config = plot_config(tmp_path / "plot.yaml")
    assert config.plot_every_column
    assert config.input_files[0].input_file == tmp_path / "a.parquet"
    (tmp_path / "plot.yaml").write_text("comon_plots: []\n")
    with pytest.raises(InputError, match="did you mean `common_plots`"):
        plot_config(tmp_path / "plot.yaml")
    assert plot_config(None) == ReportingConfig()
