"""Writing a figure: PDF, PNG and its drawn values as JSON; the same bytes every time."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib import rcParams
from matplotlib.figure import Figure
from PIL import Image

from quarkline.engine.core.results import pretty_json
from quarkline.engine.store.atomic import write_atomic
from quarkline.figures.style import StyledFigure, styled
from quarkline.figures.svg import compact
from quarkline.figures.tables import Table, drawn

_SILENT: dict[str, dict[str, None]] = {
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None, "Format": None, "Type": None},
}
"""Metadata that would tell versions and dates; None leaves it out."""


FORMATS = ("pdf", "png", "json")


def save(
    fig: Figure,
    stem: Path,
    data: Sequence[Table] | None = None,
    *,
    formats: Sequence[str] = FORMATS,
    dpi: float | None = None,
) -> list[Path]:
    """Write `<stem>.pdf`, `<stem>.png` and `<stem>.json`; each is absent or complete.

    Args:
        fig: The figure.
        stem: Path without extension.
        data: The drawn values; by default what the functions of this package drew on the figure.
        formats: What is written of "pdf", "png", "svg" and "json"; the last are the drawn values.
            An SVG is the element of `to_svg`, which stands alone and inside a page.
        dpi: Dots per inch of the PNG; by default those of the style.

    Returns:
        The paths.
    """
    tables = drawn(fig) if data is None else data
    return [
        write_atomic(
            stem.with_name(f"{stem.name}.{suffix}"),
            figure_json(tables) if suffix == "json" else _rendered(fig, suffix, dpi),
        )
        for suffix in formats
    ]


def figure_json(tables: Sequence[Table]) -> str:
    """The drawn values as JSON text; each table's `data` is valid for HEPData as it stands."""
    content: dict[str, Any] = {
        "schema": "quarkline.figure/1",
        "tables": [table.as_json() for table in tables],
    }
    return pretty_json(content)


def to_svg(fig: Figure) -> str:
    """The figure as an `<svg>` element to stand inside an HTML page.

    Text becomes outlines, which look and print the same without the fonts. Every id begins with a
    hash of the drawing and the style rule is kept to it, so that several figures share a page.
    """
    text = _rendered(fig, "svg").decode()
    element = text[text.index("<svg") :]
    mark = "q" + hashlib.blake2b(element.encode(), digest_size=4).hexdigest()
    return compact(element, mark).replace(">*{", f">#{mark} *{{", 1)


def _rendered(fig: Figure, kind: str, dpi: float | None = None) -> bytes:
    buffer = io.BytesIO()
    with styled(fig.style if isinstance(fig, StyledFigure) else "quarkline"):
        if kind == "png":
            dots = float(dpi or rcParams["savefig.dpi"])
            fig.savefig(buffer, format="rgba", dpi=dots)
            return _with_palette(buffer.getvalue(), fig, dots)
        fig.savefig(buffer, format=kind, metadata=_SILENT[kind])
    return buffer.getvalue()


def _with_palette(picture: bytes, fig: Figure, dpi: float) -> bytes:
    """A PNG of at most 256 colours, which these figures hardly exceed, in a third of the bytes."""
    width, height = (int(inches * dpi) for inches in fig.get_size_inches())
    image = Image.frombuffer("RGBA", (width, height), picture, "raw", "RGBA", 0, 1)
    small = io.BytesIO()
    colours = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    colours.save(small, "PNG", dpi=(dpi, dpi))
    return small.getvalue()
