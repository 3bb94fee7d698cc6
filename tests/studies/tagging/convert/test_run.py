"""Conversions: upstream's acceptance rows, bad input, and commands beside each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot

from quarkline.engine.core.findings import InputError
from quarkline.engine.store.locks import lock
from quarkline.events.sources import open_source
from quarkline.studies.tagging.columns import STREAMS
from quarkline.studies.tagging.convert import task
from quarkline.studies.tagging.convert.config import ConversionConfig, NtuplesConfig
from quarkline.studies.tagging.convert.ntuple import BRANCHES, TREE, Kind
from quarkline.studies.tagging.convert.results import Conversion, ConvertedNtuple
from quarkline.studies.tagging.convert.run import refusals, run_conversion
from quarkline.studies.tagging.convert.share import lock_of
from quarkline.studies.tagging.tables import jets_in, open_jets
from tests.studies.tagging.convert.conftest import Here

Convert = Callable[..., Conversion]

REAL: list[tuple[str, Kind]] = [
    ("sig_311314_bad_object_small", "sig"),
    ("sig_311314_bad_object_small", "qcd"),
    ("bib", "bib"),
]


@pytest.fixture
def convert(tmp_path: Path, here: Any) -> Convert:
    def converted(files: Any, kind: Kind = "sig", output: str = "out", **keys: Any) -> Conversion:
        entry = {"files": [str(file) for file in files], "kind": kind}
        entry |= {name: keys.pop(name) for name in ("llp_mH", "llp_mS", "folder") if name in keys}
        config = ConversionConfig(ntuples=[entry], output=tmp_path / output, **keys)
        return run_conversion(config, here, lambda *_: None)

    return converted


@pytest.fixture(scope="module")
def flat(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Conversion]:
    """The real ntuples, each as upstream's table."""
    found: dict[Kind, Conversion] = {}
    for file, kind in REAL:
        entry = NtuplesConfig(
            files=[data_folder / "calratio" / "root" / f"{file}.root"],
            kind=kind,
            llp_mH=600,
            llp_mS=275,
        )
        folder = tmp_path_factory.mktemp(kind)
        config = ConversionConfig(ntuples=[entry], output=folder, compatibility="upstream")
        found[kind] = run_conversion(config, Here(), lambda *_: None)
    return found


@pytest.fixture(scope="module")
def ntuples(data_folder: Path) -> Path:
    return data_folder / "calratio" / "root"


def table(found: Conversion) -> pq.Table:
    (file,) = found.files
    return pq.read_table(file.table)


def column(found: Conversion, name: str) -> np.ndarray:
    values: np.ndarray = table(found)[name].to_numpy()
    return values


def only(found: Conversion) -> ConvertedNtuple:
    (file,) = found.files
    return file


# Upstream's acceptance rows, by their number in the fact sheet.


@pytest.mark.parametrize("kind", ["sig", "qcd", "bib"])
def test_1_an_empty_tree_has_no_table(
    convert: Convert, ntuples: Path, tmp_path: Path, kind: Kind
) -> None:
    found = only(convert([ntuples / "empty_divert_analysis_file.root"], kind))
    assert (found.state, found.rows, found.table) == ("no events", 0, "")
    assert not list((tmp_path / "out").glob("*.parquet"))


@pytest.mark.parametrize(("kind", "missing"), [("qcd", "mcEventWeight"), ("sig", "llp_pT")])
def test_2_missing_branches_are_named(
    convert: Convert, ntuples: Path, kind: Kind, missing: str
) -> None:
    found = only(convert([ntuples / "bib.root"], kind))
    assert (found.state, found.table) == ("left out", "")
    assert "does not contain the required branches" in found.why
    assert missing in found.why


def test_3_a_table_that_is_there_is_untouched(convert: Convert, ntuples: Path) -> None:
    files = [ntuples / "sig_311314_bad_object_small.root"]
    first = only(convert(files))
    before = Path(first.table).stat()
    again = only(convert(files))
    assert (first.state, again.state) == ("converted", "kept")
    assert (again.rows, again.events) == (first.rows, first.events)
    assert Path(first.table).stat().st_mtime_ns == before.st_mtime_ns


def test_4_a_table_that_another_process_makes_is_left_to_it(
    convert: Convert, ntuples: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "bib.parquet"
    target.parent.mkdir()
    with lock(lock_of(target)):
        found = convert([ntuples / "bib.root"], "bib")
    assert only(found).state == "elsewhere"
    assert not target.exists()
    assert not refusals(found.files, 0)
    assert only(convert([ntuples / "bib.root"], "bib")).state == "converted"


@pytest.mark.parametrize("kind", ["sig", "qcd", "bib"])
def test_5_columns_have_upstreams_types(flat: dict[Kind, Conversion], kind: Kind) -> None:
    found = table(flat[kind])
    assert found.num_columns == 815
    types = {name: str(found[name].type) for name in ("label", "llp_mS", "llp_mH")}
    assert types == {"label": "int64", "llp_mS": "double", "llp_mH": "double"}
    for stream in STREAMS:
        for name in stream.stored:
            assert all(f"{name}_{row}" in found.column_names for row in range(stream.rows))
    assert {"runNumber", "eventNumber", "mcEventWeight"} <= set(found.column_names)


def test_6_momenta_are_in_their_range(convert: Convert, ntuples: Path) -> None:
    files = [ntuples / "sig_311314_bad_object_small.root"]
    momenta = column(convert(files, "qcd", min_jet_pt=25, max_jet_pt=100), "jet_pt")
    assert len(momenta) > 0
    assert (momenta >= 25).all()
    assert (momenta < 100).all()


SUMS = {
    "sig": {
        "jet_pt": 1652.502457, "jet_eta": -3.953461, "clus_pt_0": 738062.089918,
        "clus_eta_1": -0.646052, "clus_phi_1": -0.088396, "track_pt_0": 22.132329,
        "MSeg_etaPos_0": -4.412885, "llp_Lxy": 37416.3806, "llp_Lz": -18457.3615,
        "llp_pt": 1320.6513,
    },
    "qcd": {"jet_pt": 7803.476414, "clus_pt_0": 2233913.392549, "track_pt_0": 1537.628967},
    "bib": {
        "jet_pt": 60.198211, "clus_pt_0": 41087.694634, "clus_eta_1": 0.081336,
        "MSeg_etaPos_0": 2.287712,
    },
}  # fmt: skip
ROWS = {"sig": (21, 21), "qcd": (109, 59), "bib": (1, 1)}
MEANS = {"sig": (9.952, 1.190, 3.238), "qcd": (13.229, 4.780, 1.514), "bib": (4, 0, 11)}


@pytest.mark.parametrize("kind", ["sig", "qcd", "bib"])
def test_7_8_9_real_ntuples_give_upstreams_numbers(
    flat: dict[Kind, Conversion], kind: Kind
) -> None:
    found = flat[kind]
    assert (only(found).state, only(found).why) == ("converted", "")
    held = table(found)
    assert (held.num_rows, len(held["eventNumber"].unique())) == ROWS[kind]
    for name, expected in SUMS[kind].items():
        assert held[name].to_numpy().sum() == pytest.approx(expected, rel=1e-6, abs=1e-6), name
    counts = [jets_in(Path(only(found).table)).streams[stream.name].counts for stream in STREAMS]
    assert [count.mean() for count in counts] == pytest.approx(MEANS[kind], abs=1e-3)
    weight = 2.919e-8 if kind == "qcd" else 1
    assert held["mcEventWeight"].to_numpy() == pytest.approx(weight, rel=1e-3)
    assert "HLT_jet_isBIB" not in held.column_names


def test_10_no_bib_has_no_table(convert: Convert, ntuples: Path, tmp_path: Path) -> None:
    files = [ntuples / "bib_25563461_slice_error.root"]
    found = only(convert(files, "bib"))
    assert (found.state, found.table) == ("no jets", "")
    assert found.events["no trigger jet of beam-induced background"] == 3
    assert not list((tmp_path / "out").glob("*.parquet"))
    assert only(convert(files, "bib")) == found


def test_11_signal_is_near_its_decay(flat: dict[Kind, Conversion]) -> None:
    held = table(flat["sig"])
    values = {name: held[name].to_numpy() for name in held.column_names}
    phi = np.abs(values["jet_phi"] - values["llp_phi"])
    away = np.hypot(values["jet_eta"] - values["llp_eta"], np.minimum(phi, 2 * np.pi - phi))
    assert away.max() <= 0.4
    for name in ("clus_eta_0", "clus_phi_0"):
        assert np.abs(values[name]).max() <= 1e-3
    for name in ("track_eta_0", "track_phi_0", "MSeg_phiPos_0"):
        assert np.abs(values[name]).max() <= 0.4
    angles = [name for name in values if "_phi" in name]
    assert max(np.abs(values[name]).max() for name in angles) <= np.pi


# What is ours.


def test_ours_and_upstreams_tables_are_the_same_jets(
    convert: Convert, ntuples: Path, flat: dict[Kind, Conversion]
) -> None:
    files = [ntuples / "sig_311314_bad_object_small.root"]
    own = open_jets(Path(only(convert(files, "qcd")).table))
    ours, theirs = jets_in(own), jets_in(Path(only(flat["qcd"]).table))
    assert (own.layout, own.scaling["kind"], own.told["units"]["clus_pt"]) == (
        "lists", "none", "GeV",
    )  # fmt: skip
    assert own.told["events"] == {"kept": 59, "no jet": 41}
    for name in ("jet", "label", "weight", "event"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    scale = np.array([1e-3, 1, 1, *[1e-3] * 8, 1])
    assert ours.streams["constit"].values == pytest.approx(
        theirs.streams["constit"].values * scale, rel=1e-6, abs=1e-6
    )
    assert np.array_equal(ours.streams["MSeg"].values, theirs.streams["MSeg"].values)


@pytest.mark.parametrize("kind", ["sig", "qcd", "bib", "data"])
@pytest.mark.parametrize("seed", range(2))
def test_every_event_ends_in_one_category(
    convert: Convert, invent: Any, write: Any, tmp_path: Path, kind: Kind, seed: int
) -> None:
    events = invent(seed, 60)
    short = np.arange(60) % 7 == seed  # in these, a list lost its last value
    column = events["track_d0"]
    events["track_d0"] = ak.where(short, column[:, :-1], column)
    broken = short & (ak.num(column).to_numpy() > 0)
    found = only(convert([write(tmp_path / "a.parquet", events)], kind))
    assert sum(found.events.values()) == 60
    assert found.events["lists of different lengths"] == broken.sum()
    held = pq.read_table(found.table)
    assert found.events["kept"] == len(held["eventNumber"].unique())
    assert not set(held["eventNumber"].to_pylist()) & set(np.flatnonzero(broken).tolist())
    assert held["_entry"].to_pylist() == held["eventNumber"].to_pylist()


@pytest.mark.parametrize("step", [3, 17])
def test_how_many_events_are_read_at_once_changes_nothing(
    convert: Convert,
    invent: Any,
    write: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: int,
) -> None:
    path = write(tmp_path / "a.parquet", invent(3))
    whole = table(convert([path], "qcd"))
    monkeypatch.setattr(task, "EVENTS_AT_ONCE", step)
    assert table(convert([path], "qcd", "parts")).equals(whole)


def test_owners_of_tracks_may_be_plain_numbers(
    convert: Convert, invent: Any, write: Any, tmp_path: Path
) -> None:
    flat = invent(5, flat_owners=True)
    nested = invent(5, flat_owners=True)
    for name in ("track_jetIndex", "MSeg_jetIndex"):
        nested[name] = ak.singletons(ak.mask(flat[name], flat[name] > -9), axis=-1)
    one = table(convert([write(tmp_path / "a.root", flat)], "qcd"))
    other = table(convert([write(tmp_path / "b.parquet", nested)], "qcd"))
    assert one.num_rows > 0
    assert one.drop_columns(["_source"]).equals(other.drop_columns(["_source"]))


def test_a_parquet_file_stands_for_an_ntuple(
    convert: Convert, ntuples: Path, write: Any, tmp_path: Path
) -> None:
    path = ntuples / "sig_311314_bad_object_small.root"
    with open_source(path, tree=TREE) as source:
        cached = write(tmp_path / "sig_311314.parquet", source.read(BRANCHES["sig"]))
    one, other = (table(convert([file])).drop_columns(["_source"]) for file in (path, cached))
    assert one.equals(other)


def test_the_highest_cycle_of_a_tree_is_read(ntuples: Path) -> None:
    with uproot.open(ntuples / "bib.root") as file:
        cycles = [key for key in file.keys(cycle=True) if key.startswith(TREE)]
    assert len(cycles) > 1
    with task.open_ntuple(ntuples / "bib.root") as source:
        assert source.schema.entries == 10


def test_branches_of_a_wrong_type_are_named(
    convert: Convert, invent: Any, write: Any, tmp_path: Path
) -> None:
    events = invent(1, clus_pt=np.ones(40), cluster_jetIndex=ak.Array([[0.5]] * 40))
    found = only(convert([write(tmp_path / "a.parquet", events)], "qcd"))
    assert found.state == "left out"
    assert "branch `clus_pt` holds float64 with 0 levels of lists, not numbers with 1" in found.why
    assert "`cluster_jetIndex` holds float64" in found.why


def test_a_file_without_the_tree_and_a_damaged_one_are_left_out(
    convert: Convert, invent: Any, write: Any, ntuples: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.root"
    with uproot.recreate(other) as file:
        file["another"] = {"x": np.arange(3)}
    cut = tmp_path / "cut.root"
    cut.write_bytes((ntuples / "bib.root").read_bytes()[:100_000])
    text = tmp_path / "text.root"
    text.write_text("no ntuple")
    good = write(tmp_path / "good.parquet", invent(1))
    found = convert([other, cut, text, good], "qcd")
    assert [file.state for file in found.files] == ["left out"] * 3 + ["converted"]
    assert TREE in found.files[0].why
    assert len(refusals(found.files, 2)) == 3
    assert not refusals(found.files, 3)


def test_values_that_are_no_numbers_pass_and_jets_may_be_bare(
    convert: Convert, invent: Any, write: Any, tmp_path: Path
) -> None:
    events = invent(2)
    events["clus_l1ecal"] = ak.full_like(events["clus_l1ecal"], np.nan)
    events["MSeg_t0"] = ak.full_like(events["MSeg_t0"], 1e5)
    for name in (*[n for n in events.fields if n.startswith("clus")],):
        events[name] = events[name][:, :0]
    bare = only(convert([write(tmp_path / "bare.parquet", events)], "qcd"))
    assert bare.state == "converted"
    assert (column(convert([tmp_path / "bare.parquet"], "qcd"), "n_constit") == 0).all()
    events = invent(2)
    events["clus_l1ecal"] = ak.full_like(events["clus_l1ecal"], np.nan)
    events["MSeg_t0"] = ak.full_like(events["MSeg_t0"], 1e5)
    found = convert([write(tmp_path / "nan.parquet", events)], "qcd")
    held = table(found)
    assert np.isnan(ak.flatten(ak.from_arrow(held["clus_l1ecal"])).to_numpy()).all()
    assert (ak.flatten(ak.from_arrow(held["MSeg_t0"])).to_numpy() == 1e5).all()


def test_data_of_a_control_region_have_label_2_and_no_weights(
    convert: Convert, ntuples: Path
) -> None:
    jets = jets_in(Path(only(convert([ntuples / "bib.root"], "data")).table))
    assert len(jets) > 0
    assert (jets.label == 2).all()
    assert (jets.weight == 1).all()


def test_a_pattern_without_match_is_told(convert: Convert, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file matches"):
        convert([tmp_path / "nothing*.root"])
    with pytest.raises(InputError, match=r"nothing\.root"):
        convert([tmp_path / "nothing.root"])


def test_an_output_that_is_a_file_is_refused(
    convert: Convert, ntuples: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="is a file"):
        convert([ntuples / "bib.root"], "bib")


def test_two_ntuples_of_one_name_need_two_folders(
    convert: Convert, invent: Any, write: Any, tmp_path: Path
) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "a.parquet", invent(1))
    with pytest.raises(InputError, match="would be that of"):
        convert([tmp_path / "?" / "a.parquet"], "qcd")


def test_tables_of_other_settings_are_made_anew_and_of_other_files_kept(
    convert: Convert, invent: Any, write: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.parquet", invent(1))
    first = only(convert([path], "qcd"))
    harder = only(convert([path], "qcd", min_jet_pt=60))
    assert (harder.state, harder.rows < first.rows) == ("converted", True)
    assert only(convert([path], "qcd", min_jet_pt=60)).state == "kept"
    assert "was made of it as `qcd`" in only(convert([path], "sig")).why
    write(path, invent(9))
    assert "the table of another ntuple" in only(convert([path], "qcd")).why
    target = Path(first.table)
    target.write_bytes(b"somebody's")
    assert "no table of ours" in only(convert([path], "qcd")).why
    assert target.read_bytes() == b"somebody's"
    target.write_bytes(b"")  # a disk that was full
    assert only(convert([path], "qcd")).state == "converted"


def test_what_a_killed_conversion_left_is_removed(
    convert: Convert, invent: Any, write: Any, tmp_path: Path
) -> None:
    path = write(tmp_path / "a.parquet", invent(1))
    left = tmp_path / "out" / ".a.parquet.12345678.tmp"
    left.parent.mkdir()
    left.write_text("half a table")
    assert only(convert([path], "qcd")).state == "converted"
    assert [item.name for item in (tmp_path / "out").iterdir()] == ["a.parquet"]


def test_the_result_is_json(convert: Convert, ntuples: Path) -> None:
    found = convert([ntuples / "bib.root"], "bib")
    again = Conversion.from_json(json.loads(json.dumps(found.as_json())))
    assert again == found
