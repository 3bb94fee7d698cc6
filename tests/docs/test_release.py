"""The places that name the version agree."""

from __future__ import annotations

import quarkline
from quarkline.engine.core.yaml_file import read_yaml
from tests.docs.pages import PROJECT


def test_the_citation_names_this_version():
    assert read_yaml(PROJECT / "CITATION.cff").data["version"] == quarkline.__version__


def test_the_changelog_has_a_section_for_this_version():
    assert quarkline.__version__ in (PROJECT / "CHANGELOG.md").read_text()
