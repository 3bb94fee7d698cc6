"""What holds for every sink: what was written comes back, and equal events give equal bytes."""

from __future__ import annotations

import time
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quarkline.engine.core.findings import InputError
from quarkline.events.sinks import SINKS, open_sink
from quarkline.events.sources import open_source
from quarkline.events.sources.base import record_array

SUFFIXES = ("parquet", "root")
FIXTURE = [HealthCheck.function_scoped_fixture]


def read(path: Path) -> ak.Array:
    with open_source(path) as source:
        return source.read(list(source.schema.columns))


def test_formats_under_test_are_those_registered():
    assert set(SUFFIXES) == set(SINKS)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("entries", [0, 1, 1000])
def test_every_type_comes_back_bit_by_bit(write, events, equal, suffix, entries):
    path = write(f"events.{suffix}", events[:entries])
    with open_source(path) as source:
        assert source.schema.entries == entries
        assert equal(source.read(events.fields), events[:entries])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_bytes_do_not_depend_on_chunks_time_or_place(write, events, suffix, monkeypatch):
    sink = SINKS[suffix].open
    monkeypatch.setattr(sink, "block_rows", 64)
    whole = write(f"a.{suffix}", events[:300]).read_bytes()
    time.sleep(1.1)  # ROOT's time stamps count seconds
    for step in (17, 100, 128, 299):
        assert write(f"other-name.{suffix}", events[:300], step=step).read_bytes() == whole


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_events_give_other_bytes(write, events, suffix):
    one = write(f"a.{suffix}", events[:10]).read_bytes()
    assert one != write(f"b.{suffix}", events[1:11]).read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=15, deadline=None, suppress_health_check=FIXTURE)
@given(
    values=hnp.arrays(
        st.sampled_from(["float32", "float64", "uint64", "int8", "bool"]), st.integers(1, 30)
    ),
    lengths=st.lists(st.integers(0, 3), max_size=30),
)
def test_any_values_and_lengths_come_back(write, equal, suffix, values, lengths):
    counts = np.array(lengths, int)
    lists = ak.unflatten(ak.from_numpy(np.resize(values, counts.sum())), counts)
    events = record_array({"x_y": lists, "x": lists}, len(lengths))
    with open_source(write(f"any.{suffix}", events)) as source:
        assert equal(source.read(["x_y", "x"]), events)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=10, deadline=None, suppress_health_check=FIXTURE)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=9))
def test_any_text_comes_back(write, suffix, texts):
    events = record_array({"t": ak.Array([*texts, "x"])[: len(texts)]}, len(texts))
    assert read(write(f"any.{suffix}", events))["t"].to_list() == texts


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_appears_when_the_writer_fails(tmp_path, events, suffix):
    class StopError(Exception):
        pass

    def fail() -> None:
        with open_sink(tmp_path / f"a.{suffix}") as sink:
            sink.write(events)
            raise StopError

    with pytest.raises(StopError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_older_file_stays_until_the_new_one_is_whole(write, events, suffix):
    path = write(f"a.{suffix}", events[:3])
    with open_sink(path) as sink:
        sink.write(events[:5])
        assert len(read(path)) == 3
    assert len(read(path)) == 5


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_without_columns_is_a_mistake_of_the_caller(tmp_path, suffix):
    with pytest.raises(ValueError, match="no columns"), open_sink(tmp_path / f"a.{suffix}"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_columns_in_a_later_chunk_are_a_mistake_of_the_caller(tmp_path, events, suffix):
    with open_sink(tmp_path / f"a.{suffix}") as sink:
        sink.write(events[["odd"]])
        with pytest.raises(ValueError, match="odd"):
            sink.write(events[["text"]])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_metadata_and_units_come_back(write, events, suffix):
    metadata = {"units": {"odd": "GeV"}, "sample": "tt̄"}
    path = write(f"a.{suffix}", events, metadata=metadata)
    with open_source(path) as source:
        assert source.schema["odd"].unit == "GeV"
        assert source.schema["text"].unit == ""
        assert source.schema.metadata["quarkline"] == metadata


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_objects_are_written_member_by_member_only(tmp_path, suffix):
    with (
        pytest.raises(InputError) as raised,
        open_sink(tmp_path / f"a.{suffix}") as sink,
    ):
        sink.write(ak.Array([{"jet": {"pt": 1.0, "eta": 2.0}}]))
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-041"
    assert "`jet`" in finding.message


def test_an_unknown_ending_lists_those_that_are_written(tmp_path):
    with pytest.raises(InputError) as raised:
        open_sink(tmp_path / "a.feather")
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-040"
    assert "`.parquet`" in finding.suggestion
    assert "`.root`" in finding.suggestion


def test_parquet_holds_lists_of_lists_and_half_floats(write, equal):
    nested = ak.Array([[[1.0, 2.0], []], []])
    columns = {"n": nested, "h": ak.from_numpy(np.array([0.5, 2.0], "float16"))}
    columns["s"] = ak.Array([["a", "bc"], []])
    events = record_array(columns, 2)
    assert equal(read(write("a.parquet", events)), events)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (ak.Array([[[1.0]]]), "lists of lists"),
        (ak.Array([["a"]]), "lists of strings"),
        (ak.from_numpy(np.array([0.5], "float16")), "16-bit floats"),
    ],
)
def test_a_tree_says_what_it_cannot_hold(tmp_path, values, reason):
    with pytest.raises(InputError, match=reason), open_sink(tmp_path / "a.root") as sink:
        sink.write(record_array({"x": values}, 1))
    assert list(tmp_path.iterdir()) == []
