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

ENDINGS = {"parquet": "parquet", "root": "root", "rntuple": "root", "hdf5": "h5", "csv": "csv"}
FORMATS = tuple(ENDINGS)
WITH_LISTS = tuple(name for name in FORMATS if name != "csv")
FIXTURE = [HealthCheck.function_scoped_fixture]


def read(path: Path) -> ak.Array:
    with open_source(path) as source:
        return source.read(list(source.schema.columns))


@pytest.fixture
def save(write):
    """Write events in a format, under the name `stem` and the format's ending."""

    def save(form: str, array: ak.Array, stem: str = "a", **options: object) -> Path:
        kept = array[[name for name in array.fields if holds(form, array, name)]]
        return write(f"{stem}.{ENDINGS[form]}", kept, format=form, **options)

    return save


def holds(form: str, array: ak.Array, name: str) -> bool:
    """Whether a format holds a column: CSV only flat ones."""
    return form != "csv" or array[name].ndim == 1


def test_formats_under_test_are_those_registered():
    assert set(FORMATS) == set(SINKS)


@pytest.mark.parametrize("form", WITH_LISTS)
@pytest.mark.parametrize("entries", [0, 1, 1000])
def test_every_type_comes_back_bit_by_bit(save, events, equal, form, entries):
    path = save(form, events[:entries])
    with open_source(path) as source:
        assert source.schema.entries == entries
        assert equal(source.read(events.fields), events[:entries])


@pytest.mark.parametrize("form", FORMATS)
def test_bytes_do_not_depend_on_chunks_time_or_place(save, events, form, monkeypatch):
    sink = SINKS[form].open
    monkeypatch.setattr(sink, "block_rows", 64)
    whole = save(form, events[:300]).read_bytes()
    time.sleep(1.1)  # ROOT's time stamps count seconds
    for step in (17, 100, 128, 299):
        assert save(form, events[:300], "other-name", step=step).read_bytes() == whole


@pytest.mark.parametrize("form", FORMATS)
def test_other_events_give_other_bytes(save, events, form):
    one = save(form, events[:10]).read_bytes()
    assert one != save(form, events[1:11], "b").read_bytes()


@pytest.mark.parametrize("form", WITH_LISTS)
@settings(max_examples=15, deadline=None, suppress_health_check=FIXTURE)
@given(
    values=hnp.arrays(
        st.sampled_from(["float32", "float64", "uint64", "int8", "bool"]), st.integers(1, 30)
    ),
    lengths=st.lists(st.integers(0, 3), max_size=30),
)
def test_any_values_and_lengths_come_back(save, equal, form, values, lengths):
    counts = np.array(lengths, int)
    lists = ak.unflatten(ak.from_numpy(np.resize(values, counts.sum())), counts)
    events = record_array({"x_y": lists, "x": lists}, len(lengths))
    with open_source(save(form, events)) as source:
        assert equal(source.read(["x_y", "x"]), events)


@pytest.mark.parametrize("form", WITH_LISTS)
@settings(max_examples=10, deadline=None, suppress_health_check=FIXTURE)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), max_size=9))
def test_any_text_comes_back(save, form, texts):
    events = record_array({"t": ak.Array([*texts, "x"])[: len(texts)]}, len(texts))
    assert read(save(form, events))["t"].to_list() == texts


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_appears_when_the_writer_fails(tmp_path, events, form):
    class StopError(Exception):
        pass

    def fail() -> None:
        with open_sink(tmp_path / f"a.{ENDINGS[form]}", format=form) as sink:
            sink.write(events[["odd"]])
            raise StopError

    with pytest.raises(StopError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_an_older_file_stays_until_the_new_one_is_whole(save, events, form):
    path = save(form, events[:3])
    with open_sink(path, format=form) as sink:
        sink.write(events[["odd"]][:5])
        assert len(read(path)) == 3
    assert len(read(path)) == 5


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_without_columns_is_a_mistake_of_the_caller(tmp_path, form):
    path = tmp_path / f"a.{ENDINGS[form]}"
    with pytest.raises(ValueError, match="no columns"), open_sink(path, format=form):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", FORMATS)
def test_other_columns_in_a_later_chunk_are_a_mistake_of_the_caller(tmp_path, events, form):
    with open_sink(tmp_path / f"a.{ENDINGS[form]}", format=form) as sink:
        sink.write(events[["odd"]])
        with pytest.raises(ValueError, match="odd"):
            sink.write(events[["text"]])


@pytest.mark.parametrize("form", WITH_LISTS)
def test_metadata_and_units_come_back(save, events, form):
    metadata = {"units": {"odd": "GeV"}, "sample": "tt̄"}
    path = save(form, events, metadata=metadata)
    with open_source(path) as source:
        assert source.schema["odd"].unit == "GeV"
        assert source.schema["text"].unit == ""
        assert source.schema.metadata["quarkline"] == metadata


@pytest.mark.parametrize("form", FORMATS)
def test_objects_are_written_member_by_member_only(tmp_path, form):
    with (
        pytest.raises(InputError) as raised,
        open_sink(tmp_path / f"a.{ENDINGS[form]}", format=form) as sink,
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


def test_an_unknown_format_names_the_nearest(tmp_path):
    with pytest.raises(InputError) as raised:
        open_sink(tmp_path / "a.root", format="ntuple")
    (finding,) = raised.value.findings
    assert finding.code == "QL-EVENTS-040"
    assert "`rntuple`" in finding.suggestion


def test_a_format_and_an_ending_that_disagree_are_refused(tmp_path):
    with pytest.raises(InputError) as raised:
        open_sink(tmp_path / "a.root", format="hdf5")
    (finding,) = raised.value.findings
    assert "`.root` is not the ending of the format `hdf5`" in finding.message
    assert "`.h5`" in finding.suggestion


NESTED = ak.Array([[[1.0, 2.0], []], []])
TEXTS = ak.Array([["a", "bc"], []])


@pytest.mark.parametrize("form", ["parquet", "rntuple"])
def test_lists_of_lists_and_of_texts_come_back(save, equal, form):
    deeper = ak.Array([[[[1, 2], []], []], [[[3]]]])
    events = record_array({"n": NESTED, "s": TEXTS, "jets.pt": NESTED[:, 0:1], "d": deeper}, 2)
    with open_source(save(form, events)) as source:
        assert equal(source.read(events.fields), events)


@pytest.mark.parametrize("form", ["parquet", "hdf5"])
def test_half_floats_come_back(save, equal, form):
    events = record_array({"h": ak.from_numpy(np.array([0.5, 2.0], "float16"))}, 2)
    assert equal(read(save(form, events)), events)


HALF = ak.from_numpy(np.array([0.5, 2.0], "float16"))


@pytest.mark.parametrize(
    ("form", "values", "reason"),
    [
        ("root", NESTED, "lists of lists"),
        ("root", TEXTS, "lists of strings"),
        ("root", HALF, "16-bit floats"),
        ("rntuple", HALF, "16-bit floats"),
        ("hdf5", NESTED, "lists of lists"),
        ("hdf5", TEXTS, "lists of strings"),
        ("hdf5", ak.Array(["a\0b", "c"]), "NUL character"),
        ("csv", TEXTS, "Parquet and ROOT hold lists"),
        ("csv", ak.from_numpy(np.ones((2, 3))), "one value a column"),
        ("csv", ak.Array(["a", "b\nc"]), "line break"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_format_says_what_it_cannot_hold(tmp_path, form, values, reason):
    path = tmp_path / f"a.{ENDINGS[form]}"
    with pytest.raises(InputError, match=reason), open_sink(path, format=form) as sink:
        sink.write(record_array({"x": values}, 2))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("form", "name"), [("rntuple", "a:b"), ("rntuple", "a."), ("hdf5", "a/b")])
def test_names_that_would_come_back_as_others_are_refused(tmp_path, form, name):
    path = tmp_path / f"a.{ENDINGS[form]}"
    with pytest.raises(InputError, match="a name with"), open_sink(path, format=form) as sink:
        sink.write(record_array({name: ak.Array([1.0])}, 1))


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_numbers_of_a_csv_file_come_back_with_every_bit(write, events, ending):
    """A CSV file holds int64, uint64 and float64: what is narrower comes back as one of them."""
    names = [name for name in events.fields if name.startswith("flat_") or name == "odd"]
    back = read(write(f"a.{ending}", events[names]))
    for name in names:
        expected = np.asarray(events[name])
        assert np.asarray(back[name]).astype(expected.dtype).tobytes() == expected.tobytes()


def test_whole_floats_of_a_csv_file_stay_floats(write):
    values = np.array([1.0, -0.0, 2e300, 3e15])
    back = read(write("a.csv", record_array({"x": ak.from_numpy(values)}, 4)))["x"]
    assert np.asarray(back).tobytes() == values.tobytes()


@settings(max_examples=20, deadline=None, suppress_health_check=FIXTURE)
@given(texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"))))
def test_any_text_of_one_line_comes_back_from_csv(write, texts):
    texts = ["a text", *texts]  # a column of digits alone would be read as numbers
    events = record_array({"t": ak.Array(texts), "#n": ak.Array(range(len(texts)))}, len(texts))
    back = read(write("a.csv", events))
    assert back["t"].to_list() == texts
    assert back["#n"].to_list() == list(range(len(texts)))
