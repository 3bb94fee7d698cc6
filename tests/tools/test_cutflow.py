"""`quarkline cutflow`: cut-flows and N-1 of samples, as numbers, tables and figures."""

from __future__ import annotations

import csv
import json
import sys

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.cli.main import main
from quarkline.engine.core.findings import InputError
from quarkline.engine.core.results import result_from_json
from quarkline.engine.workflow.samples import InputSample
from quarkline.tools.cutflow import cut_flows, table_rows, write_report
from quarkline.tools.draw import draw
from quarkline.tools.samples import named_samples
from quarkline.tools.skim import load_skim, skim
from tests.events.skim.farm import Here

CUTS = {"two": "n >= 2", "high": "pt > 12", "central": "abs(eta) < 1.5", "late": "a > 2 || a < -5"}


def write(path, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, rows)
    total = counts.sum()
    with uproot.recreate(path) as file:
        tree = file.mktree(
            "T",
            {
                "n": "int32",
                "a": "float64",
                "w": "float64",
                "pt": "var * float32",
                "eta": "var * float32",
            },
        )
        tree.extend(
            {
                "n": counts.astype(np.int32),
                "a": rng.normal(2, 3, rows),
                "w": rng.choice([1.0, -0.5, 2.0], rows),
                "pt": ak.unflatten(rng.exponential(20, total).astype(np.float32), counts),
                "eta": ak.unflatten(rng.normal(0, 1.5, total).astype(np.float32), counts),
            }
        )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Three files of one tree."""
    folder = tmp_path_factory.mktemp("cutflow")
    for number in range(3):
        write(folder / f"f{number}.root", 400, number)
    return folder


def sample(files, *numbers: int, **changed) -> InputSample:
    paths = tuple(files / f"f{number}.root" for number in numbers)
    return InputSample(**{"name": "all", "files": paths, "cuts": CUTS, "weight": "w"} | changed)


def test_a_step_holds_what_draw_counts(files):
    (found,) = cut_flows([sample(files, 0, 1)]).samples
    texts = list(CUTS.values())
    for place, step in enumerate(found.flow.steps):
        for chosen, counted in (
            (texts[: place + 1], step.sum_weights),
            (texts[:place] + texts[place + 1 :], step.sum_weights_without),
        ):
            once = f"Iteration$ == 0 && Sum$({' && '.join(f'({text})' for text in chosen)}) > 0"
            if not any("pt" in text or "eta" in text for text in chosen):
                once = " && ".join(f"({text})" for text in chosen)
            drawn = draw(sample(files, 0, 1).files, "1", select=once, weight="w")
            assert counted == pytest.approx(drawn.sum_weights, rel=1e-12)


@pytest.mark.parametrize("step", [7, 50_000])
def test_entry_numbers_count_over_all_files_as_in_draw(files, step):
    cuts = {"even": "Entry$ % 2 == 0", "late": "Entry$ > 500", "early": "LocalEntry$ < 300"}
    (found,) = cut_flows([sample(files, 0, 1, 2, cuts=cuts)], step=step).samples
    drawn = draw(sample(files, 0, 1, 2).files, "1", select=" && ".join(cuts.values()), weight="w")
    last = found.flow.steps[-1]
    assert (last.events, last.events) == (drawn.n, 99 + 150)
    assert last.sum_weights == pytest.approx(drawn.sum_weights, rel=1e-12)


def test_the_distribution_of_a_cut_is_what_draw_draws(files):
    report = cut_flows([sample(files, 0, 1)])
    drawn = {item.cut: item for item in report.samples[0].distributions}
    assert list(drawn) == ["two", "high", "central"]
    high = drawn["high"]
    others = "n >= 2 && abs(eta) < 1.5 && (a > 2 || a < -5)"
    direct = draw(sample(files, 0, 1).files, "pt", select=others, weight="w")
    inside = sum(high.contents) + high.underflow + high.overflow
    assert inside == pytest.approx(direct.sum_weights)
    assert (high.bounds, high.kept, high.weight) == ((12.0,), (">",), "w")
    assert high.edges[0] <= 12.0 <= high.edges[-1]


def test_samples_have_equal_bins_and_their_sum_is_that_of_all(files):
    one, two = (sample(files, *numbers, name=str(numbers)) for numbers in ((0,), (1, 2)))
    first, second = cut_flows([one, two]).samples
    (whole,) = cut_flows([sample(files, 0, 1, 2)]).samples
    for mine, theirs, both in zip(
        first.distributions, second.distributions, whole.distributions, strict=True
    ):
        assert mine.edges == theirs.edges == both.edges
        assert (mine + theirs).contents == pytest.approx(both.contents)
    joined = first.flow + second.flow
    assert [step.events for step in joined.steps] == [step.events for step in whole.flow.steps]


@pytest.mark.parametrize("step", [13, 37, 1000])
def test_nothing_depends_on_the_chunks(files, step):
    unweighted = sample(files, 0, weight=None)
    assert cut_flows([unweighted], step=step) == cut_flows([unweighted])


def test_a_report_survives_json_and_is_written(files, tmp_path):
    report = cut_flows([sample(files, 0), sample(files, 1, name="more")])
    assert result_from_json(json.loads(json.dumps(report.as_json()))) == report
    written = {path.name for path in write_report(report, tmp_path / "out")}
    stems = {"cut_flow", "n_minus_1_01_two", "n_minus_1_02_high", "n_minus_1_03_central"}
    figures = {f"{stem}.{kind}" for stem in stems for kind in ("pdf", "png", "json")}
    assert written == figures | {"cutflow.csv", "cutflow.json"}
    with (tmp_path / "out" / "cutflow.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["all events", *CUTS] * 2
    assert float(rows[2]["sum_weights"]) == report.samples[0].flow.steps[1].sum_weights
    table = json.loads((tmp_path / "out" / "n_minus_1_02_high.json").read_text())["tables"][0]
    drawn = [cell["value"] for cell in table["data"]["dependent_variables"][0]["values"]]
    assert drawn == list(report.samples[0].distributions[1].contents)


ROOTS = {
    "l2SS_1tau": (
        *(784, 165.07895766513195, 85.66332687788857),
        *(4869, 665.4681378014996, 297.0556533025922),
    ),
    "tau_Pt_0 > 25000": (
        *(784, 165.07895766513195, 85.66332687788857),
        *(754, 158.08476102391873, 82.4392400672031),
    ),
    "abs(tau_Eta_0) < 2.3": (
        *(780, 163.96815808418387, 85.16709631944751),
        *(758, 159.1955606048668, 82.93547062564417),
    ),
    "nJets_OR >= 2": (
        *(767, 161.2357045578783, 84.026098956223),
        *(754, 158.08476102391873, 82.4392400672031),
    ),
    "Sum$(jets_pt > 40000) >= 2": (
        *(755, 158.0965708769384, 82.43937953983145),
        *(766, 161.22389470485868, 84.02595948359465),
    ),
    "lep_Pt_0 > 20e3": (
        *(754, 158.08476102391873, 82.4392400672031),
        *(755, 158.0965708769384, 82.43937953983145),
    ),
}
"""By cut: events, sum of weights and of squares so far, then the same without the cut, as ROOT's
`TChain::Draw("1", "(cuts)*(weight)")` of 6.40 gives them."""


def test_yields_with_and_without_each_cut_are_roots(data_folder):
    paths = [str(data_folder / "lq_ntuples" / "mc20a" / "p6266" / "5458*.root")]
    weight = "140068.94*weight_pileup*weight_mc*xs/totalEventsWeighted"
    (sample,) = named_samples(paths, cuts={cut: cut for cut in ROOTS}, weight=weight)
    (found,) = cut_flows([sample]).samples
    for step, expected in zip(found.flow.steps, ROOTS.values(), strict=True):
        so_far = (step.events, step.sum_weights, step.sum_weights2)
        without = (step.events_without, step.sum_weights_without, step.sum_weights2_without)
        assert (*so_far, *without) == pytest.approx(expected, rel=1e-12)


def test_no_events_are_no_trouble(tmp_path):
    np.savez(tmp_path / "none.npz", a=np.zeros(0))
    report = cut_flows([InputSample("none", (tmp_path / "none.npz",), cuts={"a": "a > 1"})])
    rows = list(table_rows(report))
    assert (rows[1]["events"], rows[1]["efficiency"]) == (0, "")
    write_report(report, tmp_path / "out")


def test_without_cuts_there_is_nothing_to_count(files):
    with pytest.raises(InputError, match=r"QL-CHECK-016.*no cut"):
        cut_flows([sample(files, 0, cuts={})])


def test_samples_are_named_beside_their_files(files, monkeypatch):
    monkeypatch.chdir(files)
    found = named_samples(["sig=f0.root", "bkg=f[12].root", "f0.root"])
    assert [(item.name, len(item.files)) for item in found] == [
        ("sig", 1),
        ("bkg", 2),
        ("events", 1),
    ]
    with pytest.raises(InputError, match=r"QL-EVENTS-001.*no file is named"):
        named_samples([])


def run(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["quarkline", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


def test_the_command_shows_a_table_a_sample(files, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(files)
    selection = ("--select", "n >= 2 && pt > 12", "--select", "late: a > 2")
    code, out, err = run(monkeypatch, capsys, "cutflow", "x=f0.root", "y=f[12].root", *selection)
    assert (code, err) == (0, "")
    for part in ("x: 400 events of 1 file", "y: 800 events of 2 files", "pt > 12", "late", "N-1"):
        assert part in out
    assert max(map(len, out.splitlines())) <= 80
    code, out, _ = run(
        monkeypatch, capsys, "cutflow", "f0.root", *selection[2:], "--weight", "w", "-o", tmp_path
    )
    assert code == 0
    assert "weighted with w" in out
    assert "±" in out
    assert (tmp_path / "cut_flow.pdf").exists()


def test_the_command_writes_json(files, monkeypatch, capsys):
    path = files / "f0.root"
    code, out, err = run(monkeypatch, capsys, "cutflow", path, "--select", "n > 1", "--json")
    assert (code, err) == (0, "")
    cuts = {"n > 1": "n > 1"}
    assert result_from_json(json.loads(out)) == cut_flows(
        [InputSample("events", (path,), cuts=cuts)]
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a.yaml", "--select", "x"], "--select goes with files"),
        (["a.root", "--set", "a=1"], "--set goes with a config"),
        (["nowhere.root", "--select", "x"], "QL-EVENTS-001"),
        (["f0.root", "--select", "m > 1"], "QL-EXPR-001"),
        (["f0.root"], "QL-CHECK-016"),
    ],
)
def test_wrong_usage_is_exit_code_2(files, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(files)
    code, out, err = run(monkeypatch, capsys, "cutflow", *arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(err.replace("│", "").split())


SKIM = """
schema: 1
output: out
samples:
  one: {files: f0.root, select: {late: a > 2}}
  two: {files: "f[12].root", weight: 1}
select:
  - two: n >= 2
  - pt > 12 && abs(eta) < 1.5
weight: w
"""


class TestOfASkim:
    """`cutflow skim.yaml` counts what the skim will keep."""

    def test_the_flows_are_those_of_the_skim(self, files, monkeypatch, capsys):
        monkeypatch.chdir(files)
        (files / "skim.yaml").write_text(SKIM)
        code, out, err = run(monkeypatch, capsys, "cutflow", "skim.yaml", "--json")
        assert (code, err) == (0, "")
        found = {sample.name: sample.flow for sample in result_from_json(json.loads(out)).samples}
        skimmed = skim(load_skim(files / "skim.yaml"), executor=Here()).result.samples
        assert found.keys() == skimmed.keys() == {"one", "two"}
        for name, flow in found.items():
            other = skimmed[name].trees["T"].flow
            for step, cut in zip(flow.steps, other.steps, strict=True):
                assert (step.name, step.events) == (cut.name, cut.events)
                assert step.sum_weights == pytest.approx(cut.sum_weights, rel=1e-12)
        assert [step.name for step in found["one"].steps] == [
            *("late", "two", "pt > 12", "abs(eta) < 1.5")
        ]

    def test_cuts_that_exclude_each_other_are_told(self, files, monkeypatch, capsys):
        monkeypatch.chdir(files)
        select = "a>=364283 && a<=363360"
        for command in (("cutflow",), ("skim", "-o", "none", "--workers", "1", "--tree", "T")):
            _, _, err = run(monkeypatch, capsys, *command, "f0.root", "--select", select)
            assert "QL-EXPR-007" in err
            assert "`a >= 364283 && a <= 363360` can never be true" in err

    def test_a_config_of_neither(self, files, monkeypatch, capsys):
        monkeypatch.chdir(files)
        (files / "none.yaml").write_text("schema: 1\nfiles: f0.root\n")
        code, _, err = run(monkeypatch, capsys, "cutflow", "none.yaml")
        assert code == 2
        assert "a skim has `output`" in err
