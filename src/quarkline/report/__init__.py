"""Results as one self-contained HTML page, or as Markdown with pictures beside it."""

from quarkline.report.blocks import Block, Cell, Figure, Section, Table, Text, number
from quarkline.report.markdown import write_markdown
from quarkline.report.page import Document, Page, write_document, write_page
from quarkline.report.parts import Figures, Results, Row, result_of

__all__ = [
    "Block",
    "Cell",
    "Document",
    "Figure",
    "Figures",
    "Page",
    "Results",
    "Row",
    "Section",
    "Table",
    "Text",
    "number",
    "result_of",
    "write_document",
    "write_markdown",
    "write_page",
]
