"""`quarkline score`: friends that belong to their files, whatever happens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

pytest.importorskip("torch")

from quarkline.cli.main import main
from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.runs import stage_store, write_run
from quarkline.events.friends import With, with_friends
from quarkline.events.sinks import open_sink
from quarkline.events.sources import open_source
from quarkline.learning.models.artifact import model_key, save_model
from quarkline.learning.models.folded import FoldedModel
from quarkline.tools.export import export
from quarkline.tools.models import find_model
from quarkline.tools.score import score
from quarkline.tools.skim import load_skim, skim
from tests.events.skim.farm import Here
from tests.farm.here import here
from tests.learning.models.conftest import CLASSES, GROUP, IDENTITY, event_model, folded_model
from tests.learning.scoring.farm import as_data, events, expected, without, write

SIZES = {"mc20a/p6266/545824": 90, "mc20d/p6266/545824": 70, "data/data15": 40}


@pytest.fixture(scope="module")
def model() -> FoldedModel:
    return folded_model("resnet")


@pytest.fixture
def farm(tmp_path: Path, model: FoldedModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three files in the layout of ntuples, one of data, and a model."""
    monkeypatch.chdir(tmp_path)
    for seed, (name, count) in enumerate(SIZES.items()):
        write(tmp_path / "ntuples" / f"{name}.root", columns_of(name, count, seed))
    save_model(model, tmp_path / "model")
    return tmp_path


def columns_of(name: str, count: int, seed: int) -> dict:
    columns = events(count, seed + 1)
    return as_data(columns) if name.startswith("data") else columns


def scored(farm: Path, *names: str, files: list[str] | None = None, **options):
    files = files or [f"ntuples/{name}.root" for name in names] or ["ntuples/**/*.root"]
    given = {"output": farm / "friends", "base": farm / "ntuples", "executor": Here()} | options
    return score("model", files, **given)


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["quarkline", "score", *map(str, arguments)])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_each_file_has_a_friend_at_its_place(farm: Path, model: FoldedModel) -> None:
    done = scored(farm)
    assert (done.made, done.failures) == (3, ())
    for seed, (name, count) in enumerate(SIZES.items()):
        host, friend = (farm / top / f"{name}.root" for top in ("ntuples", "friends"))
        wanted = expected(columns_of(name, count, seed), model)[:, 0]
        with with_friends(open_source(host), [friend]) as joined:
            found = ak.to_numpy(joined.read(["probs_lq"])["probs_lq"])
            assert joined.schema["probs_lq"].dtype == "float32"
            assert joined.schema.tree == "nominal"
        assert found == pytest.approx(wanted, abs=1e-6)
    assert [item.origin for item in done.friends] == ["data", "simulation", "simulation"]
    assert [item.key for item in done.friends] == [IDENTITY, GROUP, GROUP]


def test_every_class_has_a_branch_if_asked_for(farm: Path) -> None:
    scored(farm, "mc20a/p6266/545824", classes="all", column="p")
    with uproot.open(farm / "friends/mc20a/p6266/545824.root") as file:
        table = file["nominal"].arrays([f"p_{name}" for name in CLASSES], library="np")
    assert sum(table.values()) == pytest.approx(np.ones(90), abs=1e-6)


def test_what_is_finished_and_unchanged_is_kept(farm: Path) -> None:
    scored(farm)
    friends = sorted((farm / "friends").rglob("*.root"))
    before = {path: path.stat().st_ino for path in friends}
    assert scored(farm).made == 0
    assert {path: path.stat().st_ino for path in friends} == before
    friends[0].unlink()
    friends[1].write_bytes(friends[1].read_bytes()[:-1])
    assert scored(farm).made == 2
    write(farm / "ntuples/data/data15.root", as_data(events(41, 9)))
    assert scored(farm).made == 1
    assert scored(farm, classes="VV").made == 3
    save_model(folded_model("resnet", members=2), farm / "model")
    assert scored(farm, classes="VV").made == 3


def test_workers_and_interruptions_change_no_byte(farm: Path, monkeypatch) -> None:
    scored(farm)
    friends = sorted((farm / "friends").rglob("*.root"))
    once = {path: path.read_bytes() for path in friends}
    for path in friends:
        path.unlink()
    from quarkline.learning.scoring import run as module

    publish, calls = module.publish, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        publish(*arguments)

    monkeypatch.setattr(module, "publish", killed)
    with pytest.raises(KeyboardInterrupt):
        scored(farm)
    monkeypatch.setattr(module, "publish", publish)
    assert scored(farm).made == 2
    assert {path: path.read_bytes() for path in friends} == once
    assert not list((farm / "friends/.quarkline").glob("items/*"))


def test_a_bad_file_is_told_and_the_others_are_scored(farm: Path, monkeypatch, capsys) -> None:
    lacking = events(30, 7) | {"met_mt": events(30, 7)["met_met"]}
    write(farm / "ntuples/mc20a/branch.root", without(lacking, "met_met"))
    write(farm / "ntuples/mc20a/tree.root", events(30, 8), tree="other")
    (farm / "ntuples/mc20a/cut.root").write_bytes(b"root" + bytes(100))
    with uproot.recreate(farm / "ntuples/mc20a/empty.root"):
        pass
    arguments = ("model", "ntuples/**/*.root", "-o", "friends", "--tree", "nominal", "--workers", 1)
    with here():
        code, out, err = run(monkeypatch, capsys, *arguments)
    assert code == 1
    assert "3 friends made" in out
    assert "160 events of 2 files as simulation" in out
    assert "40 events of 1 file as data, the model of each event chosen by `mcChannelNumber`" in out
    assert err.count("QL-SCORE-005") == 4
    assert "no column `met_met`: did you mean `met_mt`" in err
    assert "mc20a/branch.root" in err
    assert not (farm / "friends/mc20a/branch.root").exists()
    write(farm / "ntuples/mc20a/branch.root", events(30, 7))
    for name in ("tree", "cut", "empty"):
        (farm / f"ntuples/mc20a/{name}.root").unlink()
    with here():
        code, out, err = run(monkeypatch, capsys, *arguments)
    assert code == 0
    assert "QL-" not in err
    assert "1 friend made, 3 complete already" in out


def test_simulation_that_lost_its_truth_is_not_taken_for_data(farm: Path, monkeypatch, capsys):
    write(farm / "ntuples/mc20a/lost.root", without(events(30, 7), "genEventID"))
    write(farm / "ntuples/data/data16.root", without(as_data(events(20, 8)), "mcChannelNumber"))
    arguments = ("model", "ntuples/**/*.root", "-o", "friends", "--workers", 1)
    with here():
        code, out, err = run(monkeypatch, capsys, *arguments)
    assert code == 1
    assert "3 friends made" in out
    assert "without the columns" not in out
    assert err.count("so it holds data, or simulation that lost it") == 2
    assert err.count("score files of data by themselves, with `--as data`") == 2
    with here():
        arguments = ("model", "ntuples/data/*.root", "-o", "of_data", "--as", "data")
        code, out, err = run(monkeypatch, capsys, *arguments, "--workers", 1)
    assert (code, err) == (0, "")
    assert "20 events of 1 file as data, the model of each event chosen by `_source`, `_ent" in out
    assert out.count("files without the columns that identify an event") == 1


@pytest.mark.parametrize("lost", [(), ("eventNumber",)], ids=["identity", "rows"])
def test_a_skim_of_data_has_the_scores_of_its_file(farm: Path, lost: tuple[str, ...]) -> None:
    write(farm / "ntuples/data/data15.root", without(as_data(events(200)), *lost))
    keys = {"schema": 1, "files": ["ntuples/data/data15.root"], "select": ["total_charge == 2"]}
    assert not skim(load_skim(keys=keys | {"output": "small"}), executor=Here()).failures
    found = []
    for base in ("ntuples/data", "small"):
        done = score(
            "model", [f"{base}/data15.root"], farm / f"of_{base}", origin="data", executor=Here()
        )
        assert done.friends[0].by_row is bool(lost)
        with uproot.open(done.friends[0].friend) as file:
            found.append(file["nominal"]["probs_lq"].array(library="np"))
    kept = events(200)["total_charge"] == 2
    assert found[1] == pytest.approx(found[0][kept], abs=1e-6)


def test_a_tree_without_entries_has_a_friend_without_entries(farm: Path) -> None:
    write(farm / "ntuples/mc20a/none.root", events(30) | {"HT": np.zeros(0, np.float32)})
    assert scored(farm, "mc20a/none").failures == ()
    with with_friends(
        open_source(farm / "ntuples/mc20a/none.root"), [farm / "friends/mc20a/none.root"]
    ) as joined:
        assert joined.schema["probs_lq"].dtype == "float32"
        assert len(joined.read(["probs_lq"])) == 0


def test_a_friend_has_the_trees_of_its_file(farm: Path, model: FoldedModel) -> None:
    path = farm / "ntuples/mc20a/two.root"
    first, second = events(30, 5), events(20, 6)
    with open_sink(path, tree="nominal") as sink:
        sink.write(ak.Array(first))
        with sink.beside("TES_up") as other:
            other.write(ak.Array(second))
    (friend,) = scored(farm, "mc20a/two", trees=["nominal", "TES_up"]).friends
    assert friend.entries == 50
    for tree, columns in (("nominal", first), ("TES_up", second)):
        with with_friends(open_source(path, tree=tree), [friend.friend]) as joined:
            found = ak.to_numpy(joined.read(["probs_lq"])["probs_lq"])
        assert found == pytest.approx(expected(columns, model)[:, 0], abs=1e-6)
    done = scored(farm, "mc20a/two", trees=["nominal", "TES_up"], format="parquet")
    assert "hold the friend of one tree" in done.failures[0].message
    done = scored(farm, "mc20a/two", output=farm / "one")
    assert "TES_up" in done.failures[0].message


def test_full_files_and_skims_have_friends_of_their_own(farm: Path, model: FoldedModel) -> None:
    """The seed's silent mistake: scores of a skim beside the full ntuple, entry by entry."""
    name = "mc20a/p6266/545824"
    cut = load_skim(
        keys={
            "schema": 1,
            "files": [str(farm / f"ntuples/{name}.root")],
            "output": str(farm / "small"),
            "base": str(farm / "ntuples"),
            "select": ["total_charge == 2"],
        }
    )
    assert not skim(cut, executor=Here()).failures
    of_full = scored(farm, name).friends[0].friend
    files, small = [f"small/{name}.root"], farm / "small"
    of_skim = scored(farm, files=files, base=small, output=farm / "of_skim").friends[0].friend
    columns = events(90, 1)
    kept = columns["total_charge"] == 2
    wanted = expected(columns, model)[:, 0]
    with with_friends(open_source(farm / files[0]), [of_skim]) as joined:
        found = ak.to_numpy(joined.read(["probs_lq"])["probs_lq"])
    assert found == pytest.approx(wanted[kept], abs=1e-6)
    with pytest.raises(InputError, match=f"it has {kept.sum()} entries, .* has 90"):
        with_friends(open_source(farm / f"ntuples/{name}.root"), [of_skim])
    with with_friends(open_source(farm / files[0]), [of_full], by=With.KEY) as joined:
        by_key = ak.to_numpy(joined.read(["probs_lq"])["probs_lq"])
    assert by_key == pytest.approx(wanted[kept], abs=1e-6)


def test_infinities_are_counted(farm: Path) -> None:
    columns = events(20)
    columns["HT"][[3, 4]] = np.inf
    write(farm / "ntuples/mc20a/inf.root", columns)
    (friend,) = scored(farm, "mc20a/inf").friends
    assert friend.infinities == {"ht": 2}


def test_shifts_have_branches_of_their_own(farm: Path, model: FoldedModel) -> None:
    from quarkline.learning.scoring.branches import Branches
    from quarkline.learning.scoring.run import ScoreRequest
    from quarkline.learning.scoring.tasks import score_file

    host = farm / "ntuples/mc20a/p6266/545824.root"
    request = ScoreRequest(
        farm / "model",
        model_key(farm / "model"),
        Branches(("probs_lq",), (0,)),
        variations={"": {}, "_met_up": {"met_met": "met_met*1.1"}},
    )
    with open_source(host) as source:
        digest = f"{source.source_id:016x}" + "0" * 16
    item = request.item("one", host, digest)
    told = score_file(item.args, item.inputs, farm)
    with uproot.open(farm / told["name"]) as file:
        table = file["nominal"].arrays(["probs_lq", "probs_lq_met_up"], library="np")
    columns = events(90, 1)
    up = columns | {"met_met": np.where(columns["met_met"] == -99, -99, columns["met_met"] * 1.1)}
    assert table["probs_lq"] == pytest.approx(expected(columns, model)[:, 0], abs=1e-6)
    assert table["probs_lq_met_up"] == pytest.approx(expected(up, model)[:, 0], abs=1e-5)


def test_other_files_are_not_replaced(farm: Path) -> None:
    foreign = farm / "friends/data/data15.root"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("precious")
    with pytest.raises(InputError, match="scoring has not made it"):
        scored(farm)
    assert foreign.read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        ({"classes": "lQ"}, "no class `lQ`", "`lq`"),
        ({"runtime": "onx"}, "runtime `onx`", "`onnx`"),
        ({"format": "csv"}, "format `csv`", "parquet"),
        ({"origin": "mc"}, "origin `mc`", "simulation"),
    ],
)
def test_wrong_options_are_refused_before_any_work(farm: Path, options, what, hint) -> None:
    with pytest.raises(InputError, match=what) as refused:
        scored(farm, **options)
    assert hint in refused.value.findings[0].suggestion
    assert not (farm / "friends").exists()


def test_the_summary_as_json(farm: Path, monkeypatch, capsys) -> None:
    code, out, _ = run(
        monkeypatch, capsys, "model", "ntuples/data/data15.root", "-o", "friends", "--json"
    )
    assert code == 0
    assert json.loads(out)["friends"][0] == {
        "file": "data15.root",
        "friend": "friends/data15.root",
        "entries": 40,
        "origin": "data",
        "key": ["mcChannelNumber", "eventNumber"],
        "infinities": {},
    }


@pytest.mark.slow
def test_scores_of_an_export_are_those_of_the_model(farm: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(
        sys, "argv", ["quarkline", *["export", "model/fold-1", "--format", "onnx", "-o", "x"]]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "which ONNX Runtime computes as torch does, within 1e-05" in capsys.readouterr().out
    name = "data/data15.root"
    found = []
    for place, model in (("one", "model/fold-1"), ("two", "x"), ("three", "x/fold-0.onnx")):
        done = score(model, [f"ntuples/{name}"], farm / place, executor=Here())
        assert done.failures == ()
        with uproot.open(done.friends[0].friend) as file:
            found.append(file["nominal"]["probs_lq"].array(library="np"))
    assert found[1] == pytest.approx(found[0], abs=1e-5)
    assert np.array_equal(found[1], found[2])
    export("model", "onnx", farm / "whole")
    for name in ("data/data15.root", "mc20a/p6266/545824.root"):
        found = []
        for place, model in (("four", "model"), ("five", "whole")):
            (friend,) = score(model, [f"ntuples/{name}"], farm / place, executor=Here()).friends
            with uproot.open(friend.friend) as file:
                found.append(file["nominal"]["probs_lq"].array(library="np"))
        assert found[1] == pytest.approx(found[0], abs=1e-5)
    with pytest.raises(InputError, match="no export to `onx`"):
        export("model", "onx", farm / "y")


ROOT_PROGRAM = """
import sys, ROOT
file = ROOT.TFile.Open(sys.argv[1])
tree = file.Get("nominal")
tree.AddFriend("nominal", sys.argv[2])
count = tree.Draw("probs_lq:eventNumber", "", "goff")
print(count, sum(tree.GetV1()[i] * (1 + i) for i in range(count)))
"""


@pytest.mark.oracle
def test_root_draws_the_score_beside_the_ntuple(farm: Path, model: FoldedModel) -> None:
    pytest.importorskip("ROOT", reason="pip install ROOT", exc_type=ImportError)
    scored(farm)
    for seed, (name, count) in enumerate(SIZES.items()):
        paths = [str(farm / top / f"{name}.root") for top in ("ntuples", "friends")]
        command = [sys.executable, "-c", ROOT_PROGRAM, *paths]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        wanted = expected(columns_of(name, count, seed), model)[:, 0]
        found, total = done.stdout.split()
        assert int(found) == count
        assert float(total) == pytest.approx(wanted @ np.arange(1, count + 1), rel=1e-5)


class TestFindModel:
    """A model by its run, folder or key."""

    @pytest.fixture
    def runs(self, farm: Path) -> Path:
        """Two runs of one name, of which the second has trained another model."""
        for seed in (1, 2):
            self.add_run(farm / "runs" / "leptoquark", seed)
        return farm / "runs"

    def add_run(self, folder: Path, seed: int) -> None:
        store, key = stage_store(folder), f"{seed}" * 32
        with store.writing("train", key) as partial:
            members = ((event_model("resnet", seed),), (event_model("resnet", seed + 5),))
            save_model(FoldedModel(members, GROUP, IDENTITY, 1, ""), partial / "model")
            record = store.publish(
                partial,
                stage="train",
                version=1,
                key=key,
                config={},
                inputs={},
                outputs={"model": partial / "model"},
                summary=[],
                provenance={},
            )
        place = folder / f"{seed:05d}"
        place.mkdir()
        stages = {"train": record}
        write_run(place, study="search", identity=key, stages=stages, complete=True)

    def test_a_folder(self, farm: Path) -> None:
        assert find_model("model").folder == Path("model")
        assert find_model("model/fold-1").folder == Path("model/fold-1")

    @pytest.mark.parametrize(
        ("text", "number", "end"),
        [
            ("leptoquark", 2, "model"),
            ("leptoquark/00001", 1, "model"),
            ("runs/leptoquark/00001", 1, "model"),
            ("leptoquark/00001:train", 1, "model"),
            ("leptoquark:train/1", 2, "model/fold-1"),
        ],
    )
    def test_a_run(self, runs: Path, text: str, number: int, end: str) -> None:
        found = find_model(text, runs)
        stage = runs / "leptoquark" / "stages" / f"train-{str(number) * 12}"
        assert found.folder.resolve() == (stage / end).resolve()
        assert found.place.startswith(f"leptoquark/{number:05d}:train")

    def test_digits_of_a_key(self, runs: Path) -> None:
        first = find_model("leptoquark/00001", runs).folder
        assert find_model(model_key(first)[:8], runs).folder == first

    @pytest.mark.parametrize(
        ("text", "what", "hint"),
        [
            ("leptoquarks", "no run `leptoquarks`", "`leptoquark`"),
            ("leptoquark:trian", "no finished stage `trian`", "`train`"),
            ("leptoquark:train/2", "no fold `2`", "0, 1"),
            ("abcdef012345", "no run `abcdef012345`", "leptoquark"),
        ],
    )
    def test_what_is_not_there(self, runs: Path, text: str, what: str, hint: str) -> None:
        with pytest.raises(InputError, match=what) as refused:
            find_model(text, runs)
        assert hint in refused.value.findings[0].suggestion
