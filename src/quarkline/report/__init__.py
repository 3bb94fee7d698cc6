"""A run's results as one self-contained HTML page, and the comparison of runs."""

from quarkline.report.blocks import Block, Cell, Figure, Section, Table, Text, number
from quarkline.report.page import Page, write_page
from quarkline.report.parts import Figures, Results, Row, result_of

__all__ = [
    "Block",
    "Cell",
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
    "write_page",
]
