"""The report page: self-contained, linked, downloadable, and alive in a browser."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

from quarkline.engine.core.results import Quantity
from quarkline.report import Cell, Figure, Page, Section, Table, Text, number, write_page
from quarkline.report.blocks import significant
from quarkline.report.page import prose, render_block, table_csv
from quarkline.tools.run import RunOutcome, load_analysis, run

TOY = "schema: 1\nstudy: toy\nname: page\ninputs: [numbers.txt]\ncomment: a <b> & c\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0L9 9"/></svg>'


@pytest.fixture
def outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunOutcome:
    """A finished run of the toy study."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "engine" / "workflow"))
    import_module("toy")

    (tmp_path / "numbers.txt").write_text("1 2 3")
    (tmp_path / "page.yaml").write_text(TOY)
    return run(load_analysis(tmp_path / "page.yaml", overrides=[f"roots.runs={tmp_path / 'runs'}"]))


@pytest.fixture
def page(tmp_path: Path) -> Page:
    stem = tmp_path / "picture"
    for suffix, content in {"svg": SVG, "pdf": "%PDF", "png": "PNG", "json": "{}"}.items():
        stem.with_name(f"picture.{suffix}").write_text(content)
    rows = [["b", 2, Quantity(1.5, 0.25)], ["a", 10, None], ["c", 1, Quantity(-3.0)]]
    table = Table(
        "yields",
        ["name", "events", "signal"],
        [[row[0], row[1], number(row[2])] for row in rows],
        "squares",
        "Yields of `selections` with <angles>.",
    )
    blocks = [Text("See `code` & <tags>.", "numbers"), table, Figure(stem, "A line.", "total")]
    return Page("Z = 3 <σ>", None, [Section("First section", blocks)], ["QL-X  a warning"])


class Links(HTMLParser):
    """Collects ids, links and what a page would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in {"src", "srcset", "data", "action"} or (name == "href" and tag == "link"):
                self.loads.append(value or "")


def test_a_page_needs_nothing_but_itself(page: Page, outcome: RunOutcome) -> None:
    html = write_page(page, outcome.run).read_text()
    links = Links(html)
    assert links.loads == []
    assert "@import" not in html
    outside = [link for link in links.links if not link.startswith(("#", "data:", "../stages/"))]
    assert outside == []


def test_every_link_leads_somewhere(page: Page, outcome: RunOutcome) -> None:
    links = Links(write_page(page, outcome.run).read_text())
    assert len(links.ids) == len(set(links.ids))
    targets = {link[1:] for link in links.links if link.startswith("#")}
    assert {"stage-numbers", "stage-squares", "stage-total"} <= targets
    assert targets <= set(links.ids)
    for link in links.links:
        if link.startswith("../stages/"):
            assert (outcome.run.folder / link).is_dir()


def test_texts_are_escaped(page: Page, outcome: RunOutcome) -> None:
    html = write_page(page, outcome.run).read_text()
    assert "Z = 3 &lt;σ&gt;" in html
    assert "<code>code</code> &amp; &lt;tags&gt;." in html
    assert "comment: a &lt;b&gt; &amp; c" in html


def test_a_table_downloads_with_full_precision() -> None:
    table = Table("t", ["x", "y"], [["a, b", number(1 / 3)], [Cell("–"), 7]])
    rows = list(csv.reader(io.StringIO(table_csv(table))))
    assert rows == [["x", "y"], ["a, b", repr(1 / 3)], ["–", "7"]]
    link = re.search(r'href="data:text/csv;base64,([^"]*)"', render_block(table))
    assert link is not None
    assert base64.b64decode(link[1]).decode() == table_csv(table)


def test_a_figure_downloads_its_values_and_wide_ones_have_the_page(tmp_path: Path) -> None:
    values = {"schema": "quarkline.figure/1", "tables": [{"name": "µ & <b>", "n": [1 / 3]}]}
    for width, broad in ((518.4, False), (900, True)):
        stem = tmp_path / f"picture-{width:g}"
        contents = {"svg": SVG.replace("10 10", f"{width} 10"), "pdf": "%PDF", "png": "PNG"}
        contents["json"] = json.dumps(values, indent=1)
        for suffix, content in contents.items():
            stem.with_name(f"{stem.name}.{suffix}").write_text(content)
        html = render_block(Figure(stem, "A line."))
        assert ('class="broad picture"' in html) == broad
        link = re.search(r'href="data:application/json;base64,([^"]*)"', html)
        assert link is not None
        assert json.loads(base64.b64decode(link[1])) == values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12332, "12,332"),
        (0.0, "0.00"),
        (8.3246, "8.32"),
        (1594.839, "1,595"),
        (4.4e-17, "4.40e-17"),
        (float("nan"), "–"),
        (None, "–"),
        (Quantity(97.161, 70.2, 70.2, "events"), "97.2 ± 70 events"),
    ],
)
def test_numbers_are_shown_with_sense(value: object, expected: str) -> None:
    assert number(value).text == expected  # type: ignore[arg-type]


def test_significant_digits_round_once() -> None:
    assert significant(0.0009996, 3) == "1.00e-03"
    assert significant(999_999.6, 3) == "1,000,000"


def test_prose_sets_code_and_nothing_else() -> None:
    assert prose("a `b` <c>") == "a <code>b</code> &lt;c&gt;"


@pytest.fixture
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this computer")
    return found


def browse(chromium: str, path: Path, folder: Path, *options: str) -> str:
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={folder / 'browser'}",
        *options,
        path.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def test_tables_sort_in_a_browser(
    chromium: str, page: Page, outcome: RunOutcome, tmp_path: Path
) -> None:
    html = write_page(page, outcome.run).read_text()
    click = "<script>document.querySelectorAll('th button')[1].click()</script></body>"
    path = tmp_path / "sorted.html"
    path.write_text(html.replace("</body>", click))
    body = browse(chromium, path, tmp_path, "--dump-dom").partition("<tbody>")[2]
    names = re.findall(r"<tr><td>(\w)</td>", body)
    assert names == ["c", "b", "a"]


def test_the_page_prints(chromium: str, page: Page, outcome: RunOutcome, tmp_path: Path) -> None:
    path = write_page(page, outcome.run)
    browse(chromium, path, tmp_path, f"--print-to-pdf={tmp_path / 'page.pdf'}")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
