"""HDF5 files, read by h5py.

A table is all datasets of one length in a group, or one dataset of compound type, whose members
are the columns. Datasets of variable length are lists. Values that lie in other files (external
storage, virtual datasets, links to other files) are not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import awkward as ak
import h5py
import numpy as np
import pyarrow as pa

from quarkline.events.schema import LABEL, NOTES, Column, Schema, own_notes
from quarkline.events.sources.arrow import from_arrow
from quarkline.events.sources.base import BlockSource, record_array
from quarkline.events.sources.hdf5_heap import check_heaps, check_lengths
from quarkline.events.sources.layout import Member, UnreadableError, columns_of, without_missing
from quarkline.events.sources.problems import TreeInfo, choose_tree, opening, reading

NAME = "HDF5"
SUFFIXES = (".h5", ".hdf5", ".hdf")
MAGIC = b"\x89HDF\r\n\x1a\n"
USER_BLOCKS = (0, 512, 1024, 2048)  # where the file proper may begin
UNIT = "units"
TITLES = ("title", "TITLE", "description")


@dataclass
class _Table:
    """Datasets that make one table: by the column's or, if compound, the dataset's name."""

    entries: int
    datasets: dict[str, Any] = field(default_factory=dict)
    compound: bool = False
    group: Any = None


class Hdf5Source(BlockSource):
    """One table of an HDF5 file."""

    def __init__(self, path: Path, tree: str | None = None) -> None:
        self.path = path
        self._members: dict[str, Member] = {}
        self._fields: dict[str, list[str]] = {}
        self._heaps_checked: set[str] = set()
        with opening(path):
            self._file = h5py.File(path, "r")
        try:
            with opening(path):
                tables = _tables(self._file)
                name = choose_tree(path, tree, _listing(tables))
                self._datasets = tables[name].datasets
                self.schema = self._describe(name, tables[name])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read_unit(self, unit: str, start: int, stop: int) -> ak.Array:
        """Read rows [start, stop) of one dataset."""
        dataset = self._datasets[unit]
        with reading(self.path, unit, self.schema.tree):
            _check_storage(dataset)
            if _in_heap(dataset.dtype) and unit not in self._heaps_checked:
                if not self._heaps_checked:
                    check_heaps(self.path)
                check_lengths(dataset, self.path)
                self._heaps_checked.add(unit)
            fields = self._fields.get(unit)
            if fields is None:
                return _array(dataset[start:stop], dataset.dtype)
            values = dataset.fields(fields)[start:stop]
            return record_array(
                {name: _array(values[name], dataset.dtype[name].base) for name in fields},
                stop - start,
            )

    def block_end(self, unit: str, entry: int) -> int:
        """The first end of a chunk at or after `entry`; unchunked datasets end anywhere."""
        chunks = self._datasets[unit].chunks
        rows = chunks[0] if chunks else 1
        return int(min(-(-entry // rows) * rows, self.schema.entries))

    def _describe(self, name: str, table: _Table) -> Schema:
        columns: dict[str, Column] = {}
        unreadable: dict[str, str] = {}
        texts = {key: _text(table.group, (key,)) for key in (LABEL, *NOTES)}
        told = own_notes({key: text for key, text in texts.items() if text})
        units = told[LABEL].get("units", {})
        for label, dataset in table.datasets.items():
            for spelt, dtype in _parts(label, dataset, table.compound):
                unit = units.get(spelt) or _text(dataset, (UNIT,))
                try:
                    found = _columns(spelt, dtype, dataset, unit)
                except UnreadableError as reason:
                    unreadable[spelt] = str(reason)
                    continue
                if table.compound:
                    self._fields.setdefault(label, []).append(spelt)
                for column, member in found:
                    at = (spelt, *member.path) if table.compound else member.path
                    columns[column.name], self._members[column.name] = column, Member(label, at)
        facts = {"unreadable": unreadable, **told}
        return Schema(columns, table.entries, name, facts)


def trees(path: Path) -> list[TreeInfo]:
    """The tables of an HDF5 file."""
    with opening(path), h5py.File(path, "r") as file:
        return _listing(_tables(file))


def matches(path: Path, head: bytes) -> bool:  # noqa: ARG001
    """Whether a file's first bytes are those of an HDF5 file."""
    return any(head.startswith(MAGIC, offset) for offset in USER_BLOCKS)


def _tables(file: Any) -> dict[str, _Table]:
    """The tables of a file by name.

    That of a group has the group's path, the outermost group being `/`. Where datasets of a group
    differ in length, each length is a table `<path>/entries<length>`.
    """
    tables: dict[str, _Table] = {}
    for path, group in _groups(file, "", set()):
        lengths: dict[int, _Table] = {}
        for name, dataset in _members_of(group, h5py.Dataset):
            if not dataset.shape:
                continue  # a single value, or nothing
            if dataset.dtype.names:
                spelt = f"{path}/{name}".lstrip("/")
                tables[spelt] = _Table(dataset.shape[0], {name: dataset}, True, dataset)
            else:
                table = lengths.setdefault(dataset.shape[0], _Table(dataset.shape[0], group=group))
                table.datasets[name] = dataset
        for length, table in lengths.items():
            spelt = path if len(lengths) == 1 else f"{path}/entries{length}"
            tables[spelt.lstrip("/") or "/"] = table
    return tables


def _groups(group: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """All groups by path, each once although hard links may make circles."""
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return
    seen.add(address)
    yield path, group
    for name, inner in _members_of(group, h5py.Group):
        yield from _groups(inner, f"{path}/{name}", seen)


def _members_of(group: Any, kind: type) -> Iterator[tuple[str, Any]]:
    """The members of a group that lie in this file."""
    for name in group:
        is_here = isinstance(group.get(name, getlink=True), h5py.HardLink)
        if is_here and group.get(name, getclass=True) is kind:
            yield name, group[name]


def _listing(tables: Mapping[str, _Table]) -> list[TreeInfo]:
    found = []
    for name, table in tables.items():
        (first, *_) = table.datasets.values()
        columns = len(first.dtype.names) if table.compound else len(table.datasets)
        found.append(TreeInfo(name, table.entries, columns))
    return found


def _parts(label: str, dataset: Any, compound: bool) -> list[tuple[str, Any]]:
    """Name and type of each column a dataset stands for."""
    if compound:
        return [(name, dataset.dtype[name]) for name in dataset.dtype.names]
    return [(label, dataset.dtype)]


def _columns(name: str, dtype: Any, dataset: Any, unit: str) -> list[tuple[Column, Member]]:
    """The columns of one part, from the form that no values of it have.

    Raises:
        UnreadableError: If it holds something that no column can.
    """
    if dataset.is_virtual or dataset.external:
        msg = "its values lie in other files"
        raise UnreadableError(msg)
    try:
        nothing = np.empty((0, *dataset.shape[1:]), dtype)
        form = _array(nothing, dtype.base).layout.form
    except TypeError as error:
        msg = f"values of type {dtype.name}"
        raise UnreadableError(msg) from error
    return columns_of(name, form, unit=unit, title=_text(dataset, TITLES))


def _array(values: Any, dtype: Any) -> ak.Array:
    """What h5py reads as an array.

    Raises:
        TypeError: If there is no array of such values.
    """
    is_text, listed = h5py.check_string_dtype(dtype) is not None, h5py.check_vlen_dtype(dtype)
    if is_text or listed is not None:
        if values.ndim > 1:
            msg = "arrays of text or of lists"
            raise TypeError(msg)
        return _strings(values) if is_text else _lists(values, listed)
    if dtype.names:
        fields = {name: _array(values[name], dtype[name].base) for name in dtype.names}
        return record_array(fields, len(values))
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        msg = f"values of type {dtype}"
        raise TypeError(msg)
    return ak.from_numpy(np.ascontiguousarray(values, values.dtype.newbyteorder("=")))


def _strings(values: Any) -> ak.Array:
    texts = [value.decode() if isinstance(value, bytes) else value for value in values.tolist()]
    return without_missing(from_arrow(pa.chunked_array([pa.array(texts, pa.string())])))


def _lists(values: Any, dtype: Any) -> ak.Array:
    if dtype.kind not in "biuf" or h5py.check_string_dtype(dtype):
        msg = f"lists of {dtype}"
        raise TypeError(msg)
    plain = dtype.newbyteorder("=")
    counts = np.fromiter(map(len, values), np.int64, len(values))
    flat = np.concatenate([np.empty(0, plain), *values]).astype(plain, copy=False)
    return ak.unflatten(ak.from_numpy(flat), counts)


def _check_storage(dataset: Any) -> None:
    """Refuse rows that nobody wrote: HDF5 would invent zeros for them."""
    if dataset.chunks:
        sizes = zip(dataset.shape, dataset.chunks, strict=True)
        needed = int(np.prod([-(-size // chunk) for size, chunk in sizes], dtype=object))
        stored = dataset.id.get_num_chunks()
    else:
        needed = int(dataset.size) * dataset.id.get_type().get_size()
        stored = dataset.id.get_storage_size()
    if stored < needed:
        pieces = "chunks" if dataset.chunks else "bytes"
        msg = f"{stored} of {needed} {pieces} were written"
        raise ValueError(msg)


def _in_heap(dtype: Any) -> bool:
    """Whether values of a type, or a part of them, vary in length."""
    if dtype.names:
        return any(_in_heap(dtype[name].base) for name in dtype.names)
    return h5py.check_vlen_dtype(dtype) is not None


def _text(item: Any, names: tuple[str, ...]) -> str:
    """The first attribute of these names, if it is a text."""
    for name in names:
        if name in item.attrs and isinstance(value := item.attrs[name], str | bytes):
            return value if isinstance(value, str) else value.decode(errors="replace")
    return ""
