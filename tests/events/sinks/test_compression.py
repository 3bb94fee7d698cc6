"""Compressions: one spelling, what each format has, and files that are really smaller."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.events.sinks import open_sink
from quarkline.events.sinks.compression import parse_compression

ZEROS = ak.Array({"x": np.zeros(5000)})


def size(path, compression):
    with open_sink(path, compression=compression) as sink:
        sink.write(ZEROS)
    return path.stat().st_size


@pytest.mark.parametrize("text", ["zstd:5", "lz4:4", "zlib:1", "none"])
def test_it_is_written_as_it_is_read(text):
    assert str(parse_compression(text)) == text


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("zst:5", "`zst` is no compression", "did you mean `zstd`?"),
        ("zstd:99", "`99` is no level of `zstd`", "levels are 1 to 19"),
        ("zlib:", "`` is no level of `zlib`", "levels are 1 to 9"),
        ("none:1", "`1` is no level of `none`", "write `none` alone"),
    ],
)
def test_mistakes(text, message, hint):
    with pytest.raises(InputError) as error:
        parse_compression(text)
    finding = error.value.findings[0]
    assert (finding.message, finding.suggestion) == (message, hint)


@pytest.mark.parametrize("ending", [".root", ".parquet", ".h5"])
def test_files_are_smaller_by_it(tmp_path, ending):
    plain = size(tmp_path / f"plain{ending}", "none")
    assert plain > 40_000
    assert size(tmp_path / f"small{ending}", "zlib:1") < plain - 35_000


@pytest.mark.parametrize(
    ("text", "mark", "codec"),
    [("zstd:5", b"ZS\x01", "ZSTD"), ("lz4:4", b"L4\x01", "LZ4"), ("zlib:1", b"ZL\x08", "GZIP")],
)
def test_the_algorithm_is_the_one_that_was_asked_for(tmp_path, text, mark, codec):
    """ROOT's blocks begin with the mark of their algorithm."""
    size(tmp_path / "a.root", text)
    size(tmp_path / "a.parquet", text)
    with uproot.open(tmp_path / "a.root") as file:
        first = file["Events"]["x"].basket_key(0)
        start = first.data_cursor.index - first.fKeylen
    content = (tmp_path / "a.root").read_bytes()
    assert mark in content[start : start + 200]
    stored = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0).compression
    assert stored == codec


@pytest.mark.parametrize(("ending", "text"), [(".h5", "lz4:4"), (".csv", "zlib:1")])
def test_a_format_that_lacks_it(tmp_path, ending, text):
    with pytest.raises(InputError, match=f"`{text}` is no compression of {ending} files"):
        open_sink(tmp_path / f"a{ending}", compression=text)
