"""The examples in the documentation are sound."""

from __future__ import annotations

import re

from quarkline.catalog import Catalog
from quarkline.catalog.checks import check_catalog
from tests.docs.pages import DOCS

PAGE = (DOCS / "reference" / "catalog.md").read_text()


def test_the_catalog_of_the_page_has_nothing_wrong(load):
    _, whole = re.findall(r"(?s)```yaml\n(.*?)```", PAGE)
    file = load(whole)
    catalog = file.validate(Catalog)
    assert check_catalog(catalog, file.place, schema_of=None) == []
    assert set(catalog.systematics_of("lq", "SR")) == {"luminosity", "pileup", "met_scale"}


def test_every_code_of_the_page_is_one_of_a_check():
    import quarkline.catalog.checks  # noqa: F401
    from quarkline.engine.core.findings import rules

    known = {rule.code for rule in rules()}
    named = set(re.findall(r"QL-[A-Z]+-\d{3}", PAGE))
    assert named <= known
    assert {code for code in known if code.startswith("QL-CATALOG")} <= named
