"""Les Houches files: momentum conservation, weights, compression, and files that are cut off."""

from __future__ import annotations

import gzip
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.sources import SOURCES, detect, open_source


@pytest.fixture
def sample(data_folder: Path) -> Path:
    return data_folder / "root_samples" / "pylhe-testfile-pythia-6.413-ttbar.lhe"


def read(path: Path) -> ak.Array:
    with open_source(path) as source:
        return source.read(list(source.schema.columns))


def test_what_comes_in_goes_out(sample):
    events = read(sample)
    assert len(events) == 100
    for axis in ("px", "py", "pz", "e"):
        momenta, status = events[f"Particle_{axis}"], events["Particle_status"]
        incoming = ak.sum(momenta[status == -1], axis=1)
        outgoing = ak.sum(momenta[status == 1], axis=1)
        assert np.allclose(incoming, outgoing, atol=1e-3)
    assert ak.all(events["nparticles"] == ak.num(events["Particle_id"]))
    first = events[0]
    assert (first["pid"], first["scale"], first["aqcd"]) == (81, 173.3125, 0.1156692)
    assert first["Particle_id"].to_list() == [2, -2, 6, -6, 24, 5, -24, -5, -1, 2, 13, -14]


def test_the_mass_is_that_of_the_momentum(sample):
    events = read(sample)
    part = {axis: events[f"Particle_{axis}"] for axis in ("px", "py", "pz", "e", "m")}
    squared = part["e"] ** 2 - part["px"] ** 2 - part["py"] ** 2 - part["pz"] ** 2
    heavy = part["m"] > 1
    assert np.allclose(np.sqrt(abs(ak.flatten(squared[heavy]))), ak.flatten(part["m"][heavy]), 1e-3)


def test_momenta_have_units_and_lists_their_counter(sample):
    with open_source(sample) as source:
        assert source.schema["Particle_px"].unit == "GeV"
        assert source.schema.metadata["counters"]["Particle_px"] == "nparticles"


@pytest.mark.parametrize("name", ["a.lhe.gz", "a.gz", "a"])
def test_a_compressed_file_holds_the_same(sample, tmp_path, equal, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(sample.read_bytes(), mtime=0))
    assert detect(path) is SOURCES["lhe"]
    assert equal(read(path), read(sample))


def test_weights_are_columns(tmp_path, text_of):
    path = tmp_path / "a.lhe"
    path.write_text(text_of["lhe"](5, weights=True))
    events = read(path)
    assert events["weight_up"].to_list() == [1.5] * 5
    assert events["weight_down"].to_list() == [0.5] * 5
    assert events["weight"].to_list() == [0.25, 1.25, 2.25, 3.25, 4.25]


def test_a_weight_that_an_event_lacks_is_nan(tmp_path, text_of):
    text = text_of["lhe"](3, weights=True)
    last = text.rindex("<wgt id='up'>1.5</wgt>")
    path = tmp_path / "a.lhe"
    path.write_text(text[:last] + text[last:].replace("<wgt id='up'>1.5</wgt>", ""))
    assert np.isnan(read(path)["weight_up"]).tolist() == [False, False, True]


def test_going_back_reads_the_same_again(sample, equal):
    with open_source(sample) as source:
        columns = list(source.schema.columns)
        later, earlier = source.read(columns, 50, 60), source.read(columns, 5, 10)
    whole = read(sample)
    assert equal(later, whole[50:60])
    assert equal(earlier, whole[5:10])


def written(folder: Path, text: str) -> Path:
    path = folder / "a.lhe"
    path.write_text(text)
    return path


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_file_that_is_cut_off_is_refused_when_opened(tmp_path, text_of, share):
    text = text_of["lhe"](50)
    path = written(tmp_path, text[: int(share * len(text))])
    with pytest.raises(InputError) as raised:
        open_source(path)
    assert raised.value.findings[0].code == "QL-EVENTS-003"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (" 1 81 1.25", " 2 81 1.25", "event 1 announces 2 particles and has 1"),
        (" 1 81 1.25", " 1 81 x", "'x'"),
        ("<wgt id='up'>1.5</wgt>", "<wgt id='far'>1.5</wgt>", "`far`"),
    ],
)
def test_an_event_that_contradicts_itself_is_refused_where_it_is_read(
    tmp_path, text_of, old, new, words
):
    text = text_of["lhe"](4, weights=True)
    after = text.index("</event>")
    path = written(tmp_path, text[:after] + text[after:].replace(old, new, 1))
    with pytest.raises(WorkError, match=words):
        read(path)


def test_a_file_without_events_is_an_empty_table(tmp_path, text_of):
    events = read(written(tmp_path, text_of["lhe"](0)))
    assert len(events) == 0
    assert str(events["Particle_px"].type) == "0 * var * float64"


def test_xml_of_another_kind_is_no_event_file(tmp_path):
    path = tmp_path / "a.lhe"
    path.write_text("<?xml version='1.0'?><svg></svg>")
    with pytest.raises(InputError, match="is not a Les Houches events file"):
        open_source(path)
