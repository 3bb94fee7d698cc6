"""CSV files: types over the whole file, comments, delimiters, and lines named in findings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.events.sources import lines as line_source
from quarkline.events.sources import open_source


@pytest.fixture
def small_blocks(monkeypatch):
    """Cut files into blocks of two or three lines."""
    monkeypatch.setattr(line_source, "BLOCK_BYTES", 10)


def write_csv(folder: Path, text: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read(path: Path) -> dict[str, list[object]]:
    with open_source(path) as source:
        array = source.read(list(source.schema.columns))
        return {name: array[name].to_list() for name in array.fields}


def types(path: Path) -> dict[str, str]:
    with open_source(path) as source:
        return {name: column.dtype for name, column in source.schema.columns.items()}


def finding_of(path: Path):
    with pytest.raises(InputError) as raised:
        open_source(path)
    (finding,) = raised.value.findings
    return finding


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "2", "3"], "int64", [1, 2, 3]),
        (["1", "2", "2.5"], "float64", [1.0, 2.0, 2.5]),
        (["1", "", "3"], "float64", [1.0, np.nan, 3.0]),
        (["nan", "inf", "-inf"], "float64", [np.nan, np.inf, -np.inf]),
        (["true", "false", "true"], "bool", [True, False, True]),
        (["1", "2", "x"], "string", ["1", "2", "x"]),
        (["true", "2", "3"], "string", ["true", "2", "3"]),
        (["1", "18446744073709551615", "7"], "uint64", [1, 2**64 - 1, 7]),
        (["9007199254740993", "-1", "2"], "int64", [2**53 + 1, -1, 2]),
        (["2020-01-01", "2020-01-02", "x"], "string", ["2020-01-01", "2020-01-02", "x"]),
        (["1e400", "1e3", "0"], "float64", [np.inf, 1000.0, 0.0]),
        (["", "", ""], "float64", [np.nan] * 3),
    ],
)
def test_a_column_has_the_narrowest_type_that_fits_every_row(tmp_path, cells, dtype, values):
    path = write_csv(tmp_path, "x,y\n" + "".join(f"{cell},0\n" for cell in cells))
    assert types(path)["x"] == dtype
    assert np.array_equal(read(path)["x"], values, equal_nan=dtype == "float64")


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["9007199254740993", "", "1"], "integers beyond"),
        (["true", "", "false"], "booleans with empty cells"),
        (["-1", "1", "18446744073709551615"], "neither int64 nor uint64"),
    ],
)
def test_what_no_type_keeps_exactly_is_unreadable(tmp_path, cells, reason):
    path = write_csv(tmp_path, "x,y\n" + "".join(f"{cell},0\n" for cell in cells))
    with open_source(path) as source:
        assert list(source.schema.columns) == ["y"]
        with pytest.raises(InputError, match=reason):
            source.read(["x"])


def test_a_float_behind_many_blocks_of_integers_does_not_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(line_source, "BLOCK_BYTES", 1000)
    path = write_csv(tmp_path, "x\n" + "1\n" * 5000 + "1.5\n")
    assert read(path)["x"][-2:] == [1.0, 1.5]


@pytest.mark.usefixtures("small_blocks")
def test_comments_blank_lines_and_carriage_returns_are_no_rows(tmp_path):
    text = '# made by hand\r\n\r\n a , b \r\n# units\r\n1,x\r\n\r\n#1,y\r\n2,"p, q"\r\n3,z'
    assert read(write_csv(tmp_path, text)) == {"a": [1, 2, 3], "b": ["x", "p, q", "z"]}


def test_a_byte_order_mark_is_not_part_of_a_name(tmp_path):
    assert list(read(write_csv(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n"))) == ["a", "b"]


@pytest.mark.parametrize("shift", range(4))
def test_a_character_cut_by_the_end_of_the_first_bytes_is_text(tmp_path, shift):
    text = "x,y\n" + "a" * shift + "\U0001f600" * 3000 + ",1\n"
    assert read(write_csv(tmp_path, text))["y"] == [1]


def test_tabs_separate_in_tsv_files(tmp_path):
    assert read(write_csv(tmp_path, "a\tb\n1,5\t2\n", "a.tsv")) == {"a": ["1,5"], "b": [2]}


def test_a_header_alone_is_an_empty_table(tmp_path):
    path = write_csv(tmp_path, "a,b\n")
    assert read(path) == {"a": [], "b": []}
    with open_source(path) as source:
        (chunk,) = source.chunks(["a"])
        assert len(chunk.array) == 0


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(("row", "cells"), [("5,6,7", 3), ("5", 1)])
def test_a_ragged_row_is_named_by_its_line(tmp_path, row, cells):
    path = write_csv(tmp_path, f"# one\na,b\n1,2\n# four\n\n3,4\n{row}\n8,9\n")
    finding = finding_of(path)
    assert finding.code == "QL-EVENTS-011"
    assert (finding.place.line, finding.place.text) == (7, row)
    assert f"{cells} cells where the header has 2" in finding.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,4\n", "all numbers"),
        ("a,a\n1,2\n", "`a` more than once"),
        ("a,,c\n1,2,3\n", "no name for column 2"),
        ("# only a comment\n", "no header line"),
    ],
)
def test_the_first_line_names_every_column_once(tmp_path, text, message):
    finding = finding_of(write_csv(tmp_path, text))
    assert finding.code == "QL-EVENTS-014"
    assert message in finding.message


def test_real_events_read_as_numpy_reads_them(data_folder):
    path = data_folder / "root_samples" / "cms_Zmumu_Run2011A.csv"
    expected = np.genfromtxt(path, delimiter=",", names=True)
    found = read(path)
    assert types(path)["Event"] == "int64"
    assert set(found) == set(expected.dtype.names)
    assert all(np.array_equal(found[name], expected[name]) for name in found)


def test_truncated_at_any_offset_is_a_finding_or_a_prefix(tmp_path):
    text = "a,b\n" + "".join(f"{i},{i / 7}\n" for i in range(50))
    whole = read(write_csv(tmp_path, text))
    for size in range(0, len(text), 5):
        path = write_csv(tmp_path, text[:size])
        try:
            rows = read(path)
        except InputError:
            continue
        if set(rows) == {"a", "b"} and len(rows["a"]) > 1:
            assert rows["a"][:-1] == whole["a"][: len(rows["a"]) - 1]
