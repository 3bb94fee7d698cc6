"""Reports that are of no one run: as Markdown with pictures beside it, and as HTML."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.report import (
    Cell,
    Document,
    Figure,
    Section,
    Table,
    Text,
    number,
    write_document,
    write_markdown,
)
from quarkline.report.page import render_block

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'


@pytest.fixture
def document(tmp_path: Path) -> Document:
    stem = tmp_path / "drawn" / "loss curve"
    stem.parent.mkdir()
    for suffix, content in {"svg": SVG, "pdf": "%PDF", "png": "PNG", "json": "{}"}.items():
        stem.with_name(f"{stem.name}.{suffix}").write_text(content)
    rows = [["a|b", Cell("0.25", 0.25, strong=True), number(1)], ["c*", None, number(2.5)]]
    table = Table("t", ["name", "x [GeV]", "n"], rows, caption="Best of each row.")
    blocks = [Text("See `a_b` & x_y *z*."), table, Figure(stem, "A line."), Figure(stem, "Again.")]
    return Document("comparison", "3 runs, 1 best", [Section("First", blocks)])


def test_markdown_has_every_block_and_its_pictures_beside_it(
    document: Document, tmp_path: Path
) -> None:
    path = write_markdown(document, tmp_path / "out" / "report.md")
    assert path.read_text().splitlines() == [
        "# 3 runs, 1 best",
        "",
        "comparison",
        "",
        "## First",
        "",
        "See `a_b` & x_y \\*z\\*.",
        "",
        "Best of each row.",
        "",
        "| name | x \\[GeV\\] | n |",
        "| --- | --- | --- |",
        "| a\\|b | **0.25** | 1 |",
        "| c\\* | – | 2.50 |",
        "",
        "![A line.](report_figures/0000-loss-curve.png)",
        "",
        "A line.",
        "",
        "![Again.](report_figures/0001-loss-curve.png)",
        "",
        "Again.",
    ]
    folder = tmp_path / "out" / "report_figures"
    assert [item.name for item in sorted(folder.iterdir())] == [
        "0000-loss-curve.png",
        "0001-loss-curve.png",
    ]


def test_pictures_of_an_earlier_report_go_and_other_files_stay(
    document: Document, tmp_path: Path
) -> None:
    path = write_markdown(document, tmp_path / "report.md")
    mine = tmp_path / "report_figures" / "mine.png"
    mine.write_text("x")
    write_markdown(Document("c", "h", []), path)
    assert list(mine.parent.iterdir()) == [mine]


def test_a_document_needs_nothing_but_itself(document: Document, tmp_path: Path) -> None:
    html = write_document(document, tmp_path / "report.html").read_text()
    assert "<h1>3 runs, 1 best</h1>" in html
    assert "<strong>0.25</strong>" in html
    assert 'href="#stage' not in html
    assert "src=" not in html


def test_a_strong_cell_of_a_stage_stands_out_too() -> None:
    html = render_block(Table("t", ["x"], [[Cell("1.0", 1.0, strong=True)]], "train"))
    assert '<a href="#stage-train"><strong>1.0</strong></a>' in html
