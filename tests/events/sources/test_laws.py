"""What holds for every source: chunking changes nothing, names are checked, values come back."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.events.sources import SOURCES, Chunk, open_source
from quarkline.events.sources import lines as line_source

FORMATS = ("root", "parquet", "hdf5", "npz", "csv", "phenoml", "lhe")
ENDINGS = {"root": "root", "parquet": "parquet", "hdf5": "h5"}


@pytest.fixture(params=FORMATS)
def path(request, tmp_path: Path, events: ak.Array, write, text_of, monkeypatch) -> Path:
    """One table of 1000 events in each format."""
    monkeypatch.setattr(line_source, "BLOCK_BYTES", 20_000)
    if request.param in ENDINGS:
        return write(f"events.{ENDINGS[request.param]}", events)
    if request.param in text_of:
        path = tmp_path / f"events.{request.param}"
        path.write_text(text_of[request.param](1000))
        return path
    flat = {name: np.asarray(events[name]) for name in ("flat_int64", "flat_float64", "odd")}
    path = tmp_path / f"events.{request.param}"
    if request.param == "npz":
        np.savez_compressed(path, **flat, text=np.array(events["text"].to_list()))
        return path
    rows = zip(*(column.tolist() for column in flat.values()), strict=True)
    lines = [",".join(flat), *(",".join(map(repr, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_formats_under_test_are_those_registered():
    assert set(FORMATS) == set(SOURCES)


@pytest.mark.parametrize("step", [9, 333, 999, 1000, 5000])
def test_chunks_of_any_size_are_the_rows_in_order(path, step, equal):
    with open_source(path) as source:
        columns = list(source.schema.columns)
        whole = source.read(columns)
        chunks = list(source.chunks(columns, step=step))
        assert equal(ak.concatenate([chunk.array for chunk in chunks]), whole)
        assert [chunk.start for chunk in chunks] == list(range(0, 1000, step))
        assert {len(chunk.array) for chunk in chunks[:-1]} <= {step}
        assert {chunk.source_id for chunk in chunks} == {source.source_id}


FIXTURE = [HealthCheck.function_scoped_fixture]


@settings(max_examples=15, deadline=None, suppress_health_check=FIXTURE)
@given(ends=st.tuples(st.integers(0, 1000), st.integers(0, 1000)))
def test_a_range_is_the_slice_of_the_whole(path, ends, equal):
    start, stop = sorted(ends)
    with open_source(path) as source:
        columns = list(source.schema.columns)
        assert equal(source.read(columns, start, stop), source.read(columns)[start:stop])


@settings(max_examples=5, deadline=None, suppress_health_check=FIXTURE)
@given(step=st.integers(90, 1200), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_a_sweep_takes_what_reading_and_choosing_gives(path, equal, step, share, seed):
    chosen = np.random.default_rng(seed).random(1000) < share
    read, taken = [], []
    with open_source(path) as source:
        columns = list(source.schema.columns)
        sweep = source.sweep()
        for start in range(0, 1000, step):
            stop = min(start + step, 1000)
            read.append(sweep.read(columns[:2], start, stop))
            taken.append(sweep.take(columns, start + np.flatnonzero(chosen[start:stop])))
        whole = source.read(columns)
    assert equal(ak.concatenate(read), whole[columns[:2]])
    assert equal(ak.concatenate(taken), whole[chosen])


def test_every_column_has_the_type_the_schema_says(path):
    with open_source(path) as source:
        array = source.read(list(source.schema.columns))
        for column in source.schema.columns.values():
            inner = [*("var" for _ in range(column.depth)), *map(str, column.shape), column.dtype]
            assert str(array[column.name].type.content) == " * ".join(inner)


def test_reading_no_column_gives_the_number_of_rows(path):
    with open_source(path) as source:
        assert len(source.read([])) == 1000
        assert [len(chunk.array) for chunk in source.chunks([], step=600)] == [600, 400]


def test_a_column_asked_for_twice_is_read_once(path):
    with open_source(path) as source:
        name = list(source.schema.columns)[-1]
        assert source.read([name, name]).fields == [name]


ASK = {"read": lambda s, name: s.read([name]), "chunks": lambda s, name: next(s.chunks([name]))}


@pytest.mark.parametrize("ask", ASK)
def test_an_unknown_column_names_the_nearest(path, ask):
    with open_source(path) as source:
        known = max(source.schema.columns, key=len)
        with pytest.raises(InputError) as raised:
            ASK[ask](source, known[:-1])
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-007"
    assert f"`{known[:-1]}`" in finding.message
    assert f"`{known}`" in str(finding.suggestion)
    assert finding.place.file == path


def test_rows_outside_the_file_are_a_mistake_of_the_caller(path):
    with open_source(path) as source, pytest.raises(ValueError, match="1000"):
        source.read([], 0, 1001)


def test_the_source_id_is_that_of_the_content(path, tmp_path):
    copy = tmp_path / "elsewhere" / f"copy{path.suffix}"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    with open_source(path) as first, open_source(copy) as second:
        assert first.source_id == second.source_id


@pytest.mark.parametrize("suffix", ["root", "parquet", "h5"])
def test_an_empty_table_gives_one_empty_chunk_of_the_right_type(write, events, equal, suffix):
    path = write(f"empty.{suffix}", events[:0])
    with open_source(path) as source:
        assert source.schema.entries == 0
        (chunk,) = source.chunks(events.fields)
        assert isinstance(chunk, Chunk)
        assert equal(chunk.array, events[:0])
