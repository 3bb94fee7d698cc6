"""RNTuples of ROOT files, read by uproot.

ATLAS spells `AnalysisJetsAuxDyn:pt` in an RNTuple what is `AnalysisJetsAuxDyn.pt` in a TTree,
because field names hold no dots; columns have the spelling of the TTree.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import xxhash

from quarkline.events.schema import LABEL, Column, Schema
from quarkline.events.sources.base import BlockSource
from quarkline.events.sources.layout import Member, UnreadableError, columns_of, without_missing
from quarkline.events.sources.problems import in_short, opening, reading
from quarkline.events.sources.root_file import own_metadata

CHECKSUM = struct.Struct("<Q")


class NtupleSource(BlockSource):
    """One RNTuple of a ROOT file."""

    def __init__(self, path: Path, file: Any, name: str) -> None:
        self.path = path
        self._file = file
        self._fields: dict[str, Any] = {}
        self._members: dict[str, Member] = {}
        self._checked_pages: set[tuple[str, int]] = set()
        try:
            with opening(path):
                self._ntuple = file[name]
                _know_subfields(self._ntuple)
                self.schema = self._describe(name)
                clusters = [int(item.num_entries) for item in self._ntuple.cluster_summaries]
                self._ends = np.cumsum(clusters or [0])
                self._columns = _columns_of_fields(self._ntuple)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read entries [start, stop) of one top-level field."""
        with reading(self.path, unit, self.schema.tree):
            self._check_pages(unit, start, stop)
            array = self._fields[unit].array(entry_start=start, entry_stop=stop, library="ak")
            if len(array) != stop - start:
                msg = f"entries [{start}, {stop}) hold {len(array)} values"
                raise ValueError(msg)
            if problem := ak.validity_error(array):
                raise ValueError(problem)
            return without_missing(array)

    def block_end(self, unit: str, entry: int) -> int:  # noqa: ARG002
        """The first end of a cluster at or after `entry`."""
        index = int(np.searchsorted(self._ends, entry))
        return int(self._ends[min(index, len(self._ends) - 1)])

    def _check_pages(self, unit: str, start: int, stop: int) -> None:
        """Compare the checksums of the pages that hold these entries, as uproot 5.7 does not."""
        first, last = np.searchsorted(self._ends, [start, stop - 1], side="right")
        for cluster in range(int(first), int(last) + 1) if stop > start else ():
            if (unit, cluster) in self._checked_pages:
                continue
            columns = self._ntuple.page_link_list[cluster]
            for column in self._columns.get(self._fields[unit].field_id, ()):
                for page in columns[column].pages if column < len(columns) else ():
                    if page.has_checksum:
                        _check_page(self._ntuple.file.source, page.locator)
            self._checked_pages.add((unit, cluster))

    def _describe(self, name: str) -> Schema:
        columns: dict[str, Column] = {}
        unreadable: dict[str, str] = {}
        told = own_metadata(self._file)
        units: Mapping[str, str] = told[LABEL].get("units", {})
        forms = _forms(self._ntuple)
        for field in self._ntuple.fields:
            spelt = field.name.replace(":", ".").rstrip(".")
            try:
                form = _readable(field, forms[field.name])
                found = columns_of(spelt, form, unit=units.get(spelt, ""), title=field.description)
            except UnreadableError as reason:
                unreadable[spelt] = str(reason)
                continue
            self._fields[spelt] = field
            for column, member in found:
                columns[column.name], self._members[column.name] = column, member
        facts = {"unreadable": unreadable, **told}
        return Schema(columns, int(self._ntuple.num_entries), name, facts)


def _check_page(source: Any, locator: Any) -> None:
    """Raise if a page is not what its XXH3 checksum, in the 8 bytes behind it, says."""
    end = locator.offset + locator.num_bytes
    data = source.chunk(locator.offset, end + CHECKSUM.size).raw_data.tobytes()
    (stored,) = CHECKSUM.unpack(data[locator.num_bytes :])
    if xxhash.xxh3_64_intdigest(data[: locator.num_bytes]) != stored:
        msg = f"the checksum of the page at byte {locator.offset} does not fit"
        raise ValueError(msg)


def _columns_of_fields(ntuple: Any) -> Mapping[int, list[int]]:
    """The stored columns of each field, by the number of the top-level field they belong to."""
    parents = [record.parent_field_id for record in ntuple.field_records]
    columns: dict[int, list[int]] = {}
    for number, record in enumerate(ntuple.column_records):
        top = record.field_id
        while parents[top] != top:
            top = parents[top]
        columns.setdefault(top, []).append(number)
    return columns


def _know_subfields(ntuple: Any) -> None:
    """Tell each field of its subfields.

    uproot 5.7 finds those of one field by looking at all, so that a file with a thousand of them
    takes ten seconds to describe.
    """
    inside: dict[int, list[int]] = {}
    for number, record in enumerate(ntuple.field_records):
        if record.parent_field_id != number:
            inside.setdefault(record.parent_field_id, []).append(number)

    def named(number: int) -> list[Any]:
        fields = [(child, ntuple.all_fields[child]) for child in inside.get(number, [])]
        nested = [named(child) if field.is_anonymous else [field] for child, field in fields]
        return [field for part in nested for field in part]

    for number, field in enumerate(ntuple.all_fields):
        field._fields = named(number)


def _forms(ntuple: Any) -> Mapping[str, Any]:
    """The awkward form of every field, or the exception that says why it has none."""
    try:
        whole = ntuple.to_akform()[0]
        return {field.name: whole.content(field.name) for field in ntuple.fields}
    except Exception:
        return {field.name: _form(field) for field in ntuple.fields}


def _form(field: Any) -> Any:
    try:
        return field.to_akform()[0].content(field.name)
    except Exception as error:
        return error


def _readable(field: Any, form: Any) -> Any:
    if isinstance(form, Exception):
        msg = f"type {field.typename} ({in_short(form)})"
        raise UnreadableError(msg) from form
    return form
