"""Many histograms to and from ROOT files at once: what uproot and ROOT see in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

from quarkline.events.sinks import root_objects
from quarkline.templates.histograms import Histogram
from quarkline.templates.root_histograms import (
    HistogramFile,
    read_histogram,
    root_histogram,
    write_histograms,
)

NAME = "a_rather_long_name_" * 20  # ROOT writes lengths from 255 on in another way


def histograms() -> dict[str, Histogram]:
    rng = np.random.default_rng(3)
    uneven, regular = np.array([0.0, 1.0, 5.0, 5.5, 100.0]), np.linspace(0, 1, 5)
    found = {
        f"{kind}_{at}": Histogram(edges, rng.normal(size=6), rng.uniform(size=6), entries)
        for at in range(12)
        for kind, edges in (("x", uneven), ("y", regular))
        for entries in [None if at % 3 == 0 else at]
    }
    same = np.array([0.0, 2, 3, 4, 5, 0])
    found["unweighted"] = Histogram(uneven, same, same, 14)
    found["empty"] = Histogram.empty(uneven)
    found["x"] = Histogram.empty(np.linspace(0, 1, 300))
    found[NAME] = Histogram(uneven, same, same, 14)
    return found


def assert_equal(one: Histogram, other: Histogram, *, counted: bool = True) -> None:
    np.testing.assert_array_equal(one.edges, other.edges)
    np.testing.assert_array_equal(one.sums, other.sums)
    np.testing.assert_array_equal(one.squares, other.squares)
    if counted:
        assert one.entries == other.entries


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "many.root"
    write_histograms(path, histograms().items(), [("words", "some text"), ("more", "x" * 500)])
    return path


def test_uproot_reads_what_it_would_have_written_itself(path: Path, tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "uproot.root") as file:
        for name, histogram in histograms().items():
            file[name] = root_histogram(name, histogram)
    with uproot.open(path) as ours, uproot.open(tmp_path / "uproot.root") as theirs:
        assert ours.keys() == [*theirs.keys(), "words;1", "more;1"]
        assert ours.classnames()["x_1;1"] == "TH1D"
        assert (str(ours["words"]), str(ours["more"])) == ("some text", "x" * 500)
        for name in theirs.keys():  # noqa: SIM118
            one, other = ours[name], theirs[name]
            assert_equal(read_histogram(one), read_histogram(other))
            assert one.name == other.name
            for member in ("fEntries", "fTsumw", "fTsumw2", "fTsumwx", "fTsumwx2"):
                assert one.member(member) == other.member(member)


def test_equal_histograms_give_equal_bytes(path: Path) -> None:
    before = path.read_bytes()
    write_histograms(path, histograms().items(), [("words", "some text"), ("more", "x" * 500)])
    assert path.read_bytes() == before


def test_files_may_be_written_further(path: Path) -> None:
    with uproot.update(path) as file:
        file["later"] = root_histogram("later", histograms()["x_1"])
    with uproot.open(path) as file:
        assert len(file.keys()) == len(histograms()) + 3
        assert_equal(read_histogram(file["later"]), histograms()["x_1"])
        assert_equal(read_histogram(file["y_4"]), histograms()["y_4"])


def test_each_is_read_as_uproot_reads_it(path: Path) -> None:
    """In an order in which neighbours have other bins, and with unknown entries."""
    with uproot.open(path) as file:
        stored = HistogramFile(path, file, {})
        assert stored.text("words") == "some text"
        for name, histogram in histograms().items():
            known = histogram.entries is not None
            assert_equal(stored.histogram(name, counted=known), histogram)


@pytest.mark.parametrize(
    "compression", [None, uproot.ZLIB(9), uproot.LZMA(1), uproot.ZSTD(1)], ids=str
)
def test_files_of_others_are_read(tmp_path: Path, compression: uproot.compression.Compression):
    """Whatever their compression, class and titles are, and with cycles."""
    path, expected = tmp_path / "other.root", histograms()
    with uproot.recreate(path, compression=compression) as file:
        for name, histogram in expected.items():
            file[name] = root_histogram(name, expected["x_1"])
            file[name] = root_histogram(f"title of {name}", histogram)
        for at in range(3):
            file[f"single_{at}"] = (np.array([1.0, 2.0, at], np.float32), np.linspace(0, 3, 4))
    with uproot.open(path) as file:
        stored = HistogramFile(path, file, {})
        assert set(stored.names) == {*expected, "single_0", "single_1", "single_2"}
        for name, histogram in expected.items():
            assert_equal(stored.histogram(name), histogram, counted=histogram.entries is not None)
        for at in range(3):
            found = stored.histogram(f"single_{at}")
            assert found.contents.tolist() == [1, 2, at]
            assert found.squares.tolist() == [0, 1, 2, at, 0]


def test_layouts_of_one_file_serve_the_next(path: Path, tmp_path: Path) -> None:
    layouts: dict = {}
    for each in (path, tmp_path / "second.root"):
        write_histograms(each, ((name, h.scaled(2.0)) for name, h in histograms().items()), ())
        with uproot.open(each) as file:
            stored = HistogramFile(each, file, layouts)
            for name, histogram in histograms().items():
                assert_equal(stored.histogram(name), histogram.scaled(2.0), counted=False)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")
def test_root_finds_nothing_to_recover(path: Path) -> None:
    root = pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    file = root.TFile.Open(str(path), "UPDATE")
    assert not file.IsZombie()
    assert not file.TestBit(root.TFile.kRecovered)
    assert file.GetNkeys() == len(histograms()) + 2
    new = root.TH1D("new", "", 3, 0, 1)
    new.Fill(0.5)
    new.Write()
    file.Close()
    file = root.TFile.Open(str(path))
    assert not file.TestBit(root.TFile.kRecovered)
    assert file.Get("new").GetEntries() == 1
    assert file.Get("words").GetString() == "some text"
    for name, histogram in histograms().items():
        found = file.Get(name)
        assert (found.ClassName(), found.GetName()) == ("TH1D", name)
        bins = range(found.GetNbinsX() + 2)
        assert [found.GetBinContent(at) for at in bins] == histogram.sums.tolist()
        assert [found.GetSumw2().At(at) for at in bins] == histogram.squares.tolist()
        edges = [found.GetXaxis().GetBinLowEdge(at) for at in range(1, len(histogram.edges) + 1)]
        assert edges == histogram.edges.tolist()
    file.Close()


def test_a_file_too_large_for_its_pointers_is_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(root_objects, "LARGEST", 10_000)
    with pytest.raises(OverflowError, match="give each region its own file"):
        write_histograms(tmp_path / "many.root", histograms().items(), [])
    assert list(tmp_path.iterdir()) == []
