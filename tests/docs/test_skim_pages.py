"""The pages about skims name every key, and their configs are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quarkline.events.skim.config import SkimConfig
from quarkline.tools.skim import load_skim
from tests.docs.pages import DOCS, code_spans, table_rows

REFERENCE = DOCS / "reference" / "skim.md"
MIGRATION = DOCS / "migration-leptoquark.md"
PAGES = [MIGRATION, DOCS / "how-to" / "skim.md"]

PRODUCE_SMALL = """
    get_names.py names.txt condor_submit.sub --config --restart --source-base-dir --target-base-dir
    --include-original --file source_base_dir target_base_dir files trex_config region branch_name
    model model_path batch_size <file>.processed <file>.lock"""


def test_the_reference_has_a_row_for_every_key():
    rows = {row[0].strip("`") for row in table_rows(REFERENCE.read_text(encoding="utf-8"))}
    assert set(SkimConfig.model_fields) - {"schema_version", "roots", "compute"} <= rows


def test_the_migration_page_has_a_row_for_every_name():
    rows = list(table_rows(MIGRATION.read_text(encoding="utf-8")))
    named = {word for row in rows for span in code_spans(row[0]) for word in span.split()}
    assert set(PRODUCE_SMALL.split()) - named == set()


@pytest.mark.parametrize(
    "page", [MIGRATION, DOCS / "how-to" / "skim.md"], ids=lambda page: page.stem
)
def test_the_configs_of_the_pages_are_read(page: Path, tmp_path: Path):
    found = re.findall(r"(?s)```yaml\n(.*?)```", page.read_text(encoding="utf-8"))
    assert found
    for text in found:
        (tmp_path / "skim.yaml").write_text(text)
        assert load_skim(tmp_path / "skim.yaml").select
