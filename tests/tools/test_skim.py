"""`quarkline skim`: its options, its config, and the mistakes that are not made again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.main import get_command

from quarkline.cli.main import app, main
from quarkline.engine.core.findings import InputError
from quarkline.events.friends import FriendSink, With, with_friends
from quarkline.events.skim import loop, survey
from quarkline.events.skim.config import SkimConfig
from quarkline.events.sources import open_source
from quarkline.tools.draw import draw
from quarkline.tools.new import new
from quarkline.tools.simulate import simulate
from quarkline.tools.skim import load_skim, skim
from tests.events.skim.farm import Here, config_of, contents, write_ntuple


@pytest.fixture
def farm(tmp_path, monkeypatch):
    """Two files in a working folder."""
    monkeypatch.chdir(tmp_path)
    write_ntuple(tmp_path / "ntuples" / "mc20a" / "1.root", 60, 1)
    write_ntuple(tmp_path / "ntuples" / "mc20d" / "1.root", 40, 2)
    return tmp_path / "ntuples"


def command(monkeypatch, capsys, *arguments):
    monkeypatch.setattr(sys, "argv", ["quarkline", "skim", *arguments])
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


class TestOptions:
    """Every option is a key, and the other way round."""

    NOT_KEYS = frozenset({"overrides", "site", "plan", "prune", "as_json"})
    COMPUTE = frozenset({"workers", "cluster", "batch", "submit_dir"})
    NOT_OPTIONS = frozenset({"schema_version", "roots", "samples", "compute"})

    def test_they_have_the_same_names(self):
        skim_command = get_command(app).commands["skim"]
        context = typer.Context(skim_command, info_name="skim")
        options = {item.name for item in skim_command.get_params(context)} - {"help"}
        keys = set(SkimConfig.model_fields) - self.NOT_OPTIONS
        assert options - self.NOT_KEYS - self.COMPUTE == keys

    def test_they_give_the_same_config(self, farm):
        Path("skim.yaml").write_text(
            """
schema: 1
files: [ntuples/*/*.root]
output: out
tree: nominal
select:
  - hard jet: jets_pt > 60
  - flag == 1
keep: ["jets_*", "flag"]
max_size: 2GB
sums: {w: weight}
"""
        )
        keys = {
            "files": ["ntuples/*/*.root"],
            "output": "out",
            "tree": ["nominal"],
            "select": ["hard jet: jets_pt > 60", "flag == 1"],
            "keep": ["jets_*", "flag"],
            "max_size": "2GB",
            "sums": {"w": "weight"},
        }
        assert load_skim(Path("skim.yaml")) == load_skim(keys=keys)

    def test_an_option_wins_over_the_file(self, farm):
        Path("skim.yaml").write_text("schema: 1\nfiles: a.root\noutput: out\nmerge: all\n")
        found = load_skim(Path("skim.yaml"), keys={"merge": "none"}, overrides=["retries=7"])
        assert (found.merge, found.retries) == ("none", 7)

    def test_mistakes_name_the_option(self, farm, monkeypatch, capsys):
        code, out, err = command(
            monkeypatch, capsys, "a.root", "-o", "out", "--compression", "zst:5"
        )
        assert (code, out) == (2, "")
        assert err.startswith("QL-CONFIG-004  --compression  `compression` = 'zst:5': ")
        assert "did you mean `zstd`?" in err

    def test_a_list_of_files(self, farm):
        """The seed's `names.txt`: paths relative to the list."""
        (farm / "names.txt").write_text("# two files\nmc20a/1.root\nmc20d/1.root\n")
        keys = {"files_from": "ntuples/names.txt", "tree": "nominal", "output": "out"}
        assert skim(load_skim(keys=keys), executor=Here()).complete == 0
        assert sorted(path.name for path in Path("out").rglob("*.root")) == ["1.root", "1.root"]

    def test_a_weight_may_be_a_number(self, farm):
        Path("skim.yaml").write_text("schema: 1\nfiles: a.root\noutput: out\nweight: 1\n")
        assert load_skim(Path("skim.yaml")).weight == "1"

    def test_a_cut_that_can_never_match_is_told(self, farm):
        keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "output": "out"}
        found = skim(load_skim(keys=keys | {"select": ["flag >= 3 && flag <= 1"]}), executor=Here())
        assert [finding.code for finding in found.warnings] == ["QL-EXPR-007"]
        assert found.result.samples["skim"].trees["nominal"].flow.steps[-1].events == 0

    def test_entry_numbers_over_all_files_are_refused(self, farm):
        keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "output": "out"}
        with pytest.raises(InputError, match=r"`Entry\$` counts over all[\s\S]*`LocalEntry\$`"):
            skim(load_skim(keys=keys | {"select": ["Entry$ < 10"]}), executor=Here())

    @pytest.mark.parametrize("step", [200_000, 7])
    @pytest.mark.parametrize("weight", [None, "LocalEntry$ + 1"])
    def test_entry_numbers_of_a_file_are_those_of_draw(self, farm, monkeypatch, step, weight):
        monkeypatch.setattr(loop, "STEP_ROWS", step)
        monkeypatch.setattr(survey, "FEWEST_ROWS", 9)
        cut = "LocalEntry$ % 2 == 0 && LocalEntry$ < LocalEntries$ - 10"
        keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "output": "out", "weight": weight}
        asked = {"select": [cut], "task_size": 1000}
        found = skim(load_skim(keys=keys | asked), executor=Here())
        last = found.result.samples["skim"].trees["nominal"].flow.steps[-1]
        weighted = draw(keys["files"], "1", tree="nominal", select=cut, weight=weight)
        assert (last.events, last.sum_weights) == (weighted.n, weighted.sum_weights)
        assert last.events == 25 + 15  # of 60 and 40 events
        written = sorted(Path("out").rglob("*.root"))
        kept = draw(written, "eventNumber", tree="nominal")
        drawn = draw(keys["files"], "eventNumber", tree="nominal", select=cut)
        assert (kept.n, kept.sum) == (drawn.n, drawn.sum)

    def test_a_cut_on_elements_keeps_the_same_events_written_as_one_or_as_two(self, farm):
        keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "keep": ["eventNumber"]}
        together = "jets_pt > 60 && abs(jets_eta) < 1"
        ways = {"one": [f"jet: {together}"], "split": [together], "two": together.split(" && ")}
        seen = {}
        for name, select in ways.items():
            config = load_skim(keys=keys | {"select": select, "output": name})
            flow = skim(config, executor=Here()).result.samples["skim"].trees["nominal"].flow
            drawn = draw(sorted(Path(name).rglob("*.root")), "eventNumber", tree="nominal")
            seen[name] = (len(flow.steps), flow.steps[-1].events, drawn.n, drawn.sum)
        assert [found[0] for found in seen.values()] == [1, 2, 2]
        assert len({found[1:] for found in seen.values()}) == 1
        each = draw(keys["files"], "eventNumber", tree="nominal", select=f"Sum$({together}) > 0")
        assert seen["one"][2:] == (each.n, each.sum)

    @pytest.mark.parametrize(
        ("select", "cuts"),
        [
            ("flag == 1 && weight > 0", {"flag == 1": "flag == 1", "weight > 0": "weight > 0"}),
            ("good: flag == 1 && weight > 0", {"good": "flag == 1 && weight > 0"}),
            ({"good": "flag == 1 && weight > 0"}, {"good": "flag == 1 && weight > 0"}),
            ([{"good": "flag"}, "weight > 0"], {"good": "flag", "weight > 0": "weight > 0"}),
        ],
    )
    def test_cuts_are_named_as_in_a_cut_flow(self, select, cuts):
        keys = {"files": ["a.root"], "output": "out", "select": select}
        assert load_skim(keys=keys).select == cuts

    @pytest.mark.parametrize(
        ("select", "words"),
        [
            (["a: flag", "a: weight"], "there are two cuts `a`: name one of them"),
            ([5], "a cut is a text such as"),
            ({"a": ["flag"]}, "a text is needed here"),
        ],
    )
    def test_what_is_no_cut(self, select, words):
        with pytest.raises(InputError, match=words):
            load_skim(keys={"files": ["a.root"], "output": "out", "select": select})

    def test_a_cut_that_is_no_expression_is_shown(self, farm):
        keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "output": "out"}
        with pytest.raises(InputError, match=r"cut `flag > && weight`"):
            skim(load_skim(keys=keys | {"select": ["flag > && weight"]}), executor=Here())

    def test_an_output_that_is_a_file(self, farm, monkeypatch, capsys):
        Path("taken").write_text("not a folder")
        asked = ("ntuples/*/*.root", "--tree", "nominal", "--workers", "1")
        code, out, err = command(monkeypatch, capsys, *asked, "-o", "taken")
        assert (code, out) == (2, "")
        assert "cannot write taken/.quarkline: Not a directory" in err

    def test_no_output_and_no_config(self, farm, monkeypatch, capsys):
        code, _, err = command(monkeypatch, capsys, "skim.yml.old")
        assert code == 2
        assert "name the folder of the skim as -o OUT" in " ".join(err.replace("│", "").split())

    def test_no_files(self, farm, monkeypatch, capsys):
        code, _, err = command(monkeypatch, capsys, "-o", "out")
        assert code == 2
        assert "no files are named" in err


def test_the_command_line(farm, monkeypatch, capsys):
    asked = ("ntuples/*/*.root", "-o", "out", "--tree", "nominal", "--select", "flag: flag == 1")
    code, out, _ = command(monkeypatch, capsys, *asked, "--plan")
    assert (code, out) == (0, "mc20a/1: new\nmc20d/1: new\n2 of 2 outputs to make\n")
    code, out, _ = command(monkeypatch, capsys, *asked, "--workers", "1")
    assert code == 0
    assert "made 2 outputs: new" in out
    assert "2 files in out" in out
    code, out, _ = command(monkeypatch, capsys, *asked, "--json")
    told = json.loads(out)
    assert (code, told["made"], told["complete"]) == (0, {}, 2)
    (Path("ntuples/mc20a/2.root")).write_text("no ROOT file")
    code, out, err = command(monkeypatch, capsys, *asked)
    assert code == 1
    assert "2 outputs complete already" in out
    assert "QL-SKIM-020  ntuples/mc20a/2.root  is not a ROOT file" in err


@pytest.mark.parametrize("source", ["ntuples", "ntuples/", "./ntuples//", "ntuples/mc20a/.."])
@pytest.mark.parametrize("target", ["small", "small/", "./small//"])
def test_issue_seed_001_trailing_slashes_change_nothing(farm, source, target):
    """Upstream cut the source folder off by its length, and broke with a slash at its end; the
    target folder broke without one, and its name was searched for in the path.
    """
    keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "base": source, "output": target}
    skim(load_skim(keys=keys), executor=Here())
    found = sorted(path.relative_to(farm.parent) for path in farm.parent.glob("small/**/*.root"))
    assert found == [Path("small/mc20a/1.root"), Path("small/mc20d/1.root")]


def test_issue_seed_001_a_folder_called_like_the_target(tmp_path, here_in):
    """Upstream split the target path at the literal folder name `small`."""
    source = tmp_path / "small" / "full"
    write_ntuple(source / "mc20a" / "small" / "1.root", 20, 1)
    skim(config_of(source, tmp_path / "small" / "small", base=f"{source}/"), executor=Here())
    found = [path.relative_to(tmp_path) for path in (tmp_path / "small/small").rglob("*.root")]
    assert found == [Path("small/small/mc20a/small/1.root")]


@pytest.fixture
def here_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_base_the_deepest_common_folder_is_left_away(farm, tmp_path):
    skim(load_skim(keys={"files": ["ntuples/mc20a/1.root"], "tree": "nominal", "output": "one"}),
         executor=Here())  # fmt: skip
    assert [path.name for path in tmp_path.glob("one/*.root")] == ["1.root"]


def test_a_file_outside_the_base(farm):
    keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "output": "out"}
    with pytest.raises(InputError, match="is not below the base folder"):
        skim(load_skim(keys=keys | {"base": "ntuples/mc20a/"}), executor=Here())


def test_issue_seed_001_a_friend_of_a_skim_is_refused_for_the_full_ntuple(farm, tmp_path):
    """Upstream scored the small ntuples and gave the friends to the full ones: every event
    silently got the score of another.
    """
    keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "output": "small"}
    skim(load_skim(keys=keys | {"select": ["flag == 1"]}), executor=Here())
    small, full = tmp_path / "small" / "mc20a" / "1.root", farm / "mc20a" / "1.root"
    identity = ("runNumber", "eventNumber")
    score = tmp_path / "score.root"
    with open_source(small) as host:
        columns = host.read(["weight"])
        with FriendSink(score, host, identity=identity, producer="test") as sink:
            sink.write({"score": 2 * columns.weight})
    with with_friends(open_source(small), [score]) as joined:
        read = joined.read(["weight", "score"])
        assert np.array_equal(read.score, 2 * read.weight)
    with pytest.raises(InputError, match="QL-EVENTS-071"):
        with_friends(open_source(full, tree="nominal"), [score]).read(["score"])
    smaller = keys | {"output": "smaller", "select": ["flag == 1", "jets_pt > 60"]}
    skim(load_skim(keys=smaller), executor=Here())
    with pytest.raises(InputError, match="QL-EVENTS-071"):
        with_friends(open_source(tmp_path / "smaller" / "mc20a" / "1.root"), [score])
    fewer = open_source(tmp_path / "smaller" / "mc20a" / "1.root")
    with with_friends(fewer, [score], by=With.KEY) as joined:
        read = joined.read(["weight", "score"])
        assert 0 < len(read) < len(columns)
        assert np.array_equal(read.score, 2 * read.weight)


def test_a_site_file_says_where_it_runs(farm):
    Path("site.yaml").write_text("compute: {workers: 3}\n")
    keys = {"files": ["ntuples/*/*.root"], "output": "out"}
    assert load_skim(site=Path("site.yaml"), keys=keys).compute.workers == 3


def test_the_whole_folder_is_equal_however_it_was_reached(farm, tmp_path):
    keys = {"files": ["ntuples/*/*.root"], "tree": "nominal", "select": ["flag == 1"]}
    skim(load_skim(keys=keys | {"output": "one"}), executor=Here())
    skim(load_skim(keys=keys | {"output": "two", "select": ["flag == 0"]}), executor=Here())
    skim(load_skim(keys=keys | {"output": "two"}), executor=Here())
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_shipped_config_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    simulate("upsilon", tmp_path / "nanoaod", events=600, files=2)
    path = new("skim", "mine")
    outcome = skim(load_skim(path), executor=Here())
    assert (outcome.failures, outcome.warnings) == ((), ())
    assert len(outcome.result.outputs) == 2
    flow = outcome.result.samples["dimuon"].trees["Events"].flow
    assert flow.events == 600
    assert 600 > flow.steps[0].events > flow.steps[-1].events > 0
    with open_source(tmp_path / "skim" / "upsilon_00.root") as source:
        assert {"Muon_pt", "event", "_entry"} < set(source.schema.columns)
        assert not {"Muon_tightId", "Jet_pt"} & set(source.schema.columns)
