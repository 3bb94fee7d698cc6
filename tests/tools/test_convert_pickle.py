"""`quarkline convert pickle`: pickles give the pairs of the ROOT files they were made from."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.compute.job import perform
from quarkline.engine.compute.outcome import Done, Item
from quarkline.engine.core.findings import InputError, QuarklineError, WorkError
from quarkline.events.sources import open_source
from quarkline.events.table import read_table
from quarkline.tools import convert_pickle
from quarkline.tools.convert_pickle import convert_pickles
from quarkline.tools.run import load_analysis, run
from quarkline.tools.simulate import simulate
from tests.farm.here import here

pytestmark = pytest.mark.xdist_group("pickles")  # one process makes what they share

CONFIG = """\
schema: 1
study: resonance
name: tiny
inputs:
  files: "*.root"
  identity: [file, entry]
  trigger: HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx
pair:
  cuts: "mu0_pt >= 17 && mu1_pt >= 8 && mu0_iso04 >= 0.55 && mu1_iso04 >= 0.55"
resonance: Upsilon
features: [dimu_pt, mu0_ip3d, mu1_ip3d, hardest_jet_btag]
"""
GUID = "127C2975-1B1C-A046-AABF-62B77E757A86"
MUONS, JETS = ("Muon_", "HLT_"), ("Jet_", "MET_", "PV_")


def branches(path: str, prefixes: tuple[str, ...]) -> dict[str, ak.Array]:
    """Branches of a ROOT file one by one, as the scripts that wrote the pickles read them."""
    tree = uproot.open(path)["Events"]
    return {name: tree[name].array() for name in tree.keys() if name.startswith(prefixes)}  # noqa: SIM118


def write_pickle(path: Path, value: object) -> Path:
    path.write_bytes(pickle.dumps(value))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two ROOT files, and the four pickles made from them."""
    folder = tmp_path_factory.mktemp("old")
    files = simulate("upsilon", folder, events=6000, signal=100, seed=5, files=2).files
    for index, path in zip(("7", GUID), files, strict=True):
        write_pickle(folder / f"all_mu_{index}", branches(path, MUONS))
        write_pickle(folder / f"all_jet_{index}", branches(path, JETS))
    return folder


class InThisProcess:
    """Stands for worker processes where a test is about something else: starting one takes 1 s."""

    def __init__(self, workers: int, device: str) -> None:
        pass

    def map(self, task: str, items: list[tuple[Item, Path]]) -> Iterator[Done]:
        for item, folder in items:
            yield perform(task, item, folder)


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert_pickle, "LocalWorkers", InThisProcess)


@pytest.fixture(scope="module")
def converted(made: Path) -> Path:
    """The same as files of events, by two processes."""
    convert_pickles([str(made / "all_*")], made / "events", workers=2)
    return made / "events"


def selected(folder: Path, *overrides: str) -> ak.Array:
    config = folder / "tiny.yaml"
    config.write_text(CONFIG)
    roots = f"roots.runs={folder / 'runs'}"
    analysis = load_analysis(config, overrides=[roots, *overrides], compute={"workers": 1})
    with here():
        finished = run(analysis, until="select")
    return read_table(finished.run.record("select").files["pairs"]).array


def test_a_run_selects_the_pairs_of_the_root_files(
    made: Path, converted: Path, tmp_path: Path
) -> None:
    root = selected(
        tmp_path, f"inputs.files={made}/*.root", "inputs.tree=Events", "inputs.identity=[run,event]"
    )
    ours = selected(tmp_path, f"inputs.files={converted}/events_*.parquet")
    variables = [name for name in root.fields if name not in {"run", "event", "_source", "_group"}]
    assert len(ours) == len(root) > 1000
    assert {"hardest_jet_pt", "mu1_jetiso", "dimu_mass"} < set(variables)
    for name in variables:
        assert ak.array_equal(ours[name], root[name], equal_nan=True), name
    assert len(np.unique(ak.to_numpy(ours["_group"]))) == len(ours)


def test_the_events_are_those_of_the_pickles(made: Path, converted: Path) -> None:
    with open_source(converted / "events_7.parquet") as source:
        events = source.read(list(source.schema.columns))
        assert source.schema["Muon_pt"].unit == "GeV"
    for name in ("all_mu_7", "all_jet_7"):
        for branch, array in pickle.loads((made / name).read_bytes()).items():
            assert ak.array_equal(events[branch], array), branch
    assert list(np.unique(events["file"])) == [7]
    assert ak.array_equal(events["entry"], np.arange(3000, dtype=np.uint64))


def test_the_index_in_the_name_identifies_the_file(converted: Path) -> None:
    """A name that is no number gives the first 8 bytes of what `b2sum --length=64` prints."""
    with open_source(converted / f"events_{GUID}.parquet") as source:
        (number,) = np.unique(source.read(["file"])["file"])
    assert int(number).to_bytes(8, "little").hex() == "b6e9da8197aa66f4"


@pytest.mark.usefixtures("in_this_process")
def test_workers_and_order_change_no_byte(made: Path, converted: Path, tmp_path: Path) -> None:
    names = [f"all_jet_{GUID}", "all_mu_7", "all_jet_7", f"all_mu_{GUID}"]
    convert_pickles([str(made / name) for name in names], tmp_path / "again", workers=1)
    for path in converted.iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


@pytest.mark.usefixtures("in_this_process")
def test_what_is_there_is_kept_and_what_changed_is_made_again(made: Path, tmp_path: Path) -> None:
    pickles = tmp_path / "pickles"
    pickles.mkdir()
    for name in ("all_mu_7", f"all_mu_{GUID}"):
        (pickles / name).write_bytes((made / name).read_bytes())
    first = convert_pickles([str(pickles / "all_mu_*")], tmp_path / "out", workers=1)
    before = {file.path: Path(file.path).stat().st_mtime_ns for file in first.files}
    write_pickle(pickles / "all_mu_7", {"Muon_pt": ak.Array([[1.0], []])})
    again = convert_pickles([str(pickles / "all_mu_*")], tmp_path / "out", workers=1)
    assert [(file.index, file.state) for file in again.files] == [
        ("7", "converted"),
        (GUID, "kept"),
    ]
    assert again.files[0].events == 2
    assert Path(again.files[1].path).stat().st_mtime_ns == before[again.files[1].path]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "events_127C2975-1B1C-A046-AABF-62B77E757A86.parquet",
        "events_7.parquet",
    ]


@pytest.mark.usefixtures("in_this_process")
def test_a_missing_flag_is_told_and_never_invented(tmp_path: Path) -> None:
    pt, fired = ak.Array([[1.0, 2.0], []]), np.array([True, False])
    write_pickle(tmp_path / "all_mu_0", {"Muon_pt": pt, "HLT_a": fired, "HLT_b": fired})
    write_pickle(tmp_path / "all_mu_1", {"Muon_pt": pt, "HLT_a": fired})
    result = convert_pickles([str(tmp_path / "all_mu_*")], tmp_path / "out", workers=1)
    assert result.missing == {"HLT_b": ("1",)}
    with open_source(tmp_path / "out" / "events_1.parquet") as source:
        assert "HLT_b" not in source.schema
    called = CliRunner().invoke(
        app, ["convert", "pickle", f"{tmp_path}/all_mu_*", "-o", f"{tmp_path}/out"]
    )
    assert called.exit_code == 0, called.output
    assert "`HLT_b` is missing in 1 of 2 files: 1" in called.stdout
    assert f'files: "{tmp_path}/out/events_*.parquet"' in called.stdout
    assert "identity: [file, entry]" in called.stdout


@pytest.mark.usefixtures("in_this_process")
def test_run_and_event_numbers_are_used_where_there_are_any(tmp_path: Path) -> None:
    identity = {"run": np.array([1, 1]), "event": np.array([5, 9])}
    write_pickle(tmp_path / "all_mu_0", identity | {"Muon_pt": ak.Array([[1.0], []])})
    write_pickle(tmp_path / "all_jet_0", identity | {"Jet_pt": ak.Array([[], [2.0]])})
    result = convert_pickles([str(tmp_path / "all_*")], tmp_path / "out", workers=1)
    assert result.identity == ("run", "event")


PT = {"Muon_pt": ak.Array([[1.0], []]), "run": np.array([1, 2])}


@pytest.mark.parametrize(
    ("pickles", "code", "words"),
    [
        ({"all_mu_0": PT, "muons": PT}, "QL-RUN-040", "neither `all_mu_<index>` nor"),
        ({"all_mu_0": PT, "all_mu_1": PT, "all_jet_1": PT}, "QL-RUN-040", "no `all_jet_0`"),
        ({"all_mu_0": PT, "all_jet_0": PT, "all_jet_1": PT}, "QL-RUN-040", "no `all_mu_1`"),
        ({"all_jet_0": PT}, "QL-RUN-040", "no `all_mu_0`"),
        ({"all_mu_0": PT, "a/all_mu_0": PT}, "QL-RUN-040", "has the same index"),
        ({}, "QL-EVENTS-001", "no file matches"),
    ],
)
def test_names_that_do_not_pair_are_refused_before_anything_is_written(
    tmp_path: Path, pickles: dict[str, object], code: str, words: str
) -> None:
    source = tmp_path / "in"
    (source / "a").mkdir(parents=True)
    for name, value in pickles.items():
        write_pickle(source / name, value)
    with pytest.raises(InputError) as caught:
        convert_pickles([str(source / "**")], tmp_path / "out", workers=1)
    (finding,) = caught.value.findings
    assert finding.code == code
    assert words in finding.message
    assert not (tmp_path / "out").exists()


def test_a_pickle_that_fails_stops_no_other(tmp_path: Path) -> None:
    """In worker processes, as a user would have it."""
    fine = {"Jet_pt": PT["Muon_pt"]}
    pickles = {
        "0": (PT, {"Jet_pt": ak.Array([[1.0], [], []])}, "QL-RUN-041", "2 entries, JETS has 3"),
        "1": (PT, {"run": np.array([1, 3])}, "QL-RUN-041", "`run` is not that of JETS"),
        "2": (PT | {"entry": np.array([1, 3])}, fine, "QL-RUN-042", "a branch `entry` already"),
        "3": ({"Muon_pt": print}, fine, "QL-EVENTS-050", "it names `builtins.print`"),
        "4": ([1], fine, "QL-EVENTS-052", "a list, not a dictionary"),
        "5": (PT, fine, "", ""),
    }
    for index, (muons, jets, _, _) in pickles.items():
        write_pickle(tmp_path / f"all_mu_{index}", muons)
        write_pickle(tmp_path / f"all_jet_{index}", jets)
    with pytest.raises(WorkError) as caught:
        convert_pickles([str(tmp_path / "all_*")], tmp_path / "out", workers=2)
    findings = iter(caught.value.findings)
    for index, (_, _, code, words) in list(pickles.items())[:5]:
        finding = next(findings)
        assert finding.code == code
        assert words.replace("JETS", str(tmp_path / f"all_jet_{index}")) in finding.message
        assert finding.place is not None
        assert finding.place.file == tmp_path / f"all_mu_{index}"
    assert not list(findings)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["events_5.parquet"]


@pytest.mark.usefixtures("in_this_process")
def test_a_folder_that_nothing_came_into_is_not_left(tmp_path: Path) -> None:
    write_pickle(tmp_path / "all_mu_0", {"Muon_pt": print})
    with pytest.raises(WorkError):
        convert_pickles([str(tmp_path / "all_mu_0")], tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("in_this_process")
def test_a_damaged_file_of_events_is_made_again(tmp_path: Path) -> None:
    write_pickle(tmp_path / "all_mu_0", PT)
    convert_pickles([str(tmp_path / "all_mu_0")], tmp_path / "out", workers=1)
    target = tmp_path / "out" / "events_0.parquet"
    whole = target.read_bytes()
    target.write_bytes(whole[:-20])
    convert_pickles([str(tmp_path / "all_mu_0")], tmp_path / "out", workers=1)
    assert target.read_bytes() == whole


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    from quarkline.engine.store.locks import lock

    write_pickle(tmp_path / "all_mu_0", PT)
    (tmp_path / "out").mkdir()
    with lock(tmp_path / "out" / ".convert.lock"), pytest.raises(QuarklineError, match="in use by"):
        convert_pickles([str(tmp_path / "all_mu_0")], tmp_path / "out", workers=1)
