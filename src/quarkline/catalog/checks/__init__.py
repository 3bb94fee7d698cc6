"""Checks of an analysis before any work: names, numbers, expressions, friends and files."""

from __future__ import annotations

from collections.abc import Iterable

from quarkline.catalog.catalog import Catalog
from quarkline.catalog.checks.branches import SchemaOf, file_schema
from quarkline.catalog.checks.files import file_findings
from quarkline.catalog.checks.friends import friend_findings
from quarkline.catalog.checks.names import PlaceOf, name_findings
from quarkline.catalog.checks.notes import Note, note_findings, notes_in
from quarkline.catalog.checks.numbers import number_findings
from quarkline.catalog.checks.texts import text_findings
from quarkline.engine.core.findings import Finding

__all__ = ["Note", "PlaceOf", "SchemaOf", "check_catalog", "file_schema", "notes_in"]


def check_catalog(
    catalog: Catalog,
    place: PlaceOf,
    *,
    notes: Iterable[Note] = (),
    schema_of: SchemaOf | None = file_schema,
    allow_missing: int | None = None,
) -> list[Finding]:
    """Everything that can be said about an analysis without reading its events.

    Args:
        catalog: The analysis.
        place: Where a key stands, such as `ConfigFile.place`.
        notes: Comments and lines of README files about it.
        schema_of: Reads the columns of a tree in a file; None leaves files alone.
        allow_missing: How many files may be absent; None if nobody says, then samples without any
            file are errors, and other absent files warnings.
    """
    found = [
        *name_findings(catalog, place),
        *number_findings(catalog, place),
        *text_findings(catalog),
        *friend_findings(catalog, place),
        *note_findings(catalog, place, notes),
    ]
    if schema_of is None:
        return found
    return [*found, *file_findings(catalog, place, schema_of, allow_missing=allow_missing)]
