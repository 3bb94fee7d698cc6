"""What writes the generated pages, imported as Sphinx does."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from tests.docs.pages import DOCS


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """The module that writes the generated pages."""
    sys.path.insert(0, str(DOCS / "_ext"))
    try:
        import quarkline_pages
    finally:
        sys.path.remove(str(DOCS / "_ext"))
    return quarkline_pages
