"""Renders reports: one HTML file that needs nothing else, on screen and on paper."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.runs import CONFIG, RESOLVED, Run
from quarkline.engine.workflow.store import StageRecord
from quarkline.report.blocks import Block, Cell, Figure, Section, Table, Text, number

BROAD = 600
"""Points from which on a figure has the whole width of the page."""


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        headline: The result in one sentence.
        figure: The figure beside it.
        sections: The study's sections.
        warnings: Findings that did not stop the run.
    """

    headline: str
    figure: Figure | None
    sections: Sequence[Section]
    warnings: Sequence[str] = ()


def write_page(page: Page, run: Run) -> Path:
    """Write `report.html` into a run's folder."""
    template = _environment().get_template("page.html")
    html = template.render(
        page=page,
        run=run,
        sections=page.sections,
        config=(run.folder / CONFIG).read_text(encoding="utf-8"),
        resolved=(run.folder / RESOLVED).read_text(encoding="utf-8"),
        stages=[_stage(record) for record in run.records().values()],
        attempts=run.provenance().get("attempts", []),
    )
    return write_atomic(run.folder / "report.html", html)


@dataclass(frozen=True)
class Document:
    """A report that is of no one run, such as a comparison.

    Attributes:
        title: What it is, in the corner.
        headline: What it says in one sentence.
        sections: Its sections.
    """

    title: str
    headline: str
    sections: Sequence[Section]


def write_document(document: Document, path: Path) -> Path:
    """Write a report that is of no one run as one HTML file."""
    template = _environment().get_template("document.html")
    return write_atomic(path, template.render(document=document))


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("quarkline.report"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["block"] = render_block
    environment.filters["prose"] = prose
    environment.filters["json"] = lambda value: json.dumps(value, indent=1, sort_keys=True)
    return environment


def render_block(block: Block) -> Markup:
    """One block as HTML."""
    if isinstance(block, Text):
        return Markup("<p>{}</p>").format(_linked(prose(block.text), block.stage))
    return _table(block) if isinstance(block, Table) else _figure(block)


def prose(text: str) -> Markup:
    """Plain text with `words` in backticks set as code."""
    parts = text.split("`")
    pieces = [
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    ]
    return Markup("").join(pieces)


def _linked(content: Markup, stage: str) -> Markup:
    """Content followed by a link to the stage it came from."""
    if not stage:
        return content
    return Markup('{} <a class="from" href="#stage-{}">{}</a>').format(content, stage, stage)


def _table(table: Table) -> Markup:
    head = Markup("").join(
        Markup('<th scope="col"><button type="button">{}</button></th>').format(prose(column))
        for column in table.columns
    )
    rows = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(_cell(cell, table.stage) for cell in row))
        for row in table.rows
    )
    caption = _linked(prose(table.caption), table.stage)
    download = data_uri("text/csv", table_csv(table).encode())
    body = Markup(
        '<div class="wide"><table class="sortable"><thead><tr>{}</tr></thead>'
        "<tbody>{}</tbody></table></div>"
    ).format(head, rows)
    if table.folded:
        words = f"Show the {len(table.rows)} rows"
        body = Markup("<details><summary>{}</summary>{}</details>").format(words, body)
    return Markup(
        '<figure class="table"><figcaption>{} <a class="get" download="{}.csv" href="{}">CSV</a>'
        "</figcaption>{}</figure>"
    ).format(caption, table.name, download, body)


def _cell(cell: Cell | str | float | None, stage: str) -> Markup:
    shown = (
        cell if isinstance(cell, Cell) else Cell(cell) if isinstance(cell, str) else number(cell)
    )
    origin = shown.stage or stage
    words = Markup("<strong>{}</strong>") if shown.strong else Markup("{}")
    if shown.value is None:
        return Markup("<td>{}</td>").format(words.format(prose(shown.text)))
    text = words.format(shown.text)
    if origin:
        text = Markup('<a href="#stage-{}">{}</a>').format(origin, text)
    return Markup('<td class="number" data-value="{}">{}</td>').format(repr(shown.value), text)


def table_csv(table: Table) -> str:
    """A table as CSV text, with full precision."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([_raw(cell) for cell in row])
    return buffer.getvalue()


def _raw(cell: Cell | str | float | None) -> Any:
    if isinstance(cell, Cell):
        return cell.text if cell.value is None else cell.value
    return "" if cell is None else cell


def _figure(figure: Figure) -> Markup:
    svg = figure.stem.with_name(figure.stem.name + ".svg").read_text(encoding="utf-8")
    values = figure.stem.with_name(f"{figure.stem.name}.json").read_text(encoding="utf-8")
    uris = {
        "pdf": _file_uri(figure.stem, "pdf", "application/pdf"),
        "png": _file_uri(figure.stem, "png", "image/png"),
        "json": data_uri("application/json", _short_json(values).encode()),
    }
    links = Markup(" ").join(
        Markup('<a class="get" download="{0}.{1}" href="{2}">{3}</a>').format(
            figure.stem.name, suffix, uri, suffix.upper()
        )
        for suffix, uri in uris.items()
    )
    return Markup(
        '<figure id="figure-{}"><div class="{}" role="img" aria-label="{}">{}</div>'
        "<figcaption>{} {}</figcaption></figure>"
    ).format(
        figure.stem.name,
        "broad picture" if _width(svg) > BROAD else "picture",
        figure.caption,
        Markup(svg),  # noqa: S704  # written by our own figures, not by a user
        _linked(prose(figure.caption), figure.stage),
        links,
    )


def _file_uri(stem: Path, suffix: str, kind: str) -> str:
    return data_uri(kind, stem.with_name(f"{stem.name}.{suffix}").read_bytes())


def _width(svg: str) -> float:
    """Width of a drawing in points."""
    found = re.search(r'viewBox="\S+ \S+ (\S+) ', svg)
    return float(found[1]) if found else 0.0


def _short_json(text: str) -> str:
    """The same values without spaces and lines, which are half of it."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))


def data_uri(kind: str, content: bytes) -> str:
    """Content as a link that needs no file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _stage(record: StageRecord) -> Mapping[str, Any]:
    return {
        "name": record.stage,
        "key": record.key,
        "version": record.version,
        "folder": f"../stages/{record.folder.name}",
        "seconds": record.seconds,
        "summary": " · ".join(record.summary),
        "config": record.config,
        "inputs": record.inputs,
    }
