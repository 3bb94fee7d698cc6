"""A run's results as one self-contained HTML page, and the comparison of runs."""

from quarkline.report.blocks import Block, Cell, Figure, Section, Table, Text, number
from quarkline.report.page import Page, write_page

__all__ = [
    "Block",
    "Cell",
    "Figure",
    "Page",
    "Section",
    "Table",
    "Text",
    "number",
    "write_page",
]
