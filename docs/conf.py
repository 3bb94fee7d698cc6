"""Sphinx configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import quarkline

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "Quarkline"
author = "The Quarkline developers"
copyright = author  # noqa: A001  (Sphinx's own name)
version = release = quarkline.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "quarkline_pages",
    "quarkline_docstrings",
]
exclude_patterns = ["_build", "_ext", "generated/*.include.md"]

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"Quarkline {release}"
html_static_path = ["_static"]
html_css_files = ["quarkline.css"]
smartquotes = False  # quotes around code are to be typed
html_theme_options = {"navigation_with_keys": True}
nitpicky = False
