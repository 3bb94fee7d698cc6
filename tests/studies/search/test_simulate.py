"""The toy of leptoquark ntuples: its layout, its yields, and what its events have in common."""

from __future__ import annotations

import math
from collections.abc import Container
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.studies.search.simulate import example
from quarkline.tools.simulate import simulate

pytestmark = pytest.mark.xdist_group("leptoquark-toy")  # one process makes what they share

EVENTS = 24_000
SAMPLES = {
    "lq": ("p6266", (545824, 545825, 545826)),
    "ttH": ("p5855", (346343, 346344, 346345)),
    "ttbar": ("p5855", (410470,)),
    "VV": ("p5855", (364250, 364253, 364254, 363358)),
    "Zjets": ("p5855", (364100, 364114, 364128, 364198, 364204, 364211)),
}
YIELDS = {  # preselected, with `l2SS_1tau`, and in the signal region, from the PYTHIA ntuples
    "lq": (879.1, 163.7, 132.4),
    "ttH": (1591.0, 144.6, 117.6),
    "ttbar": (359059.8, 1272.1, 824.5),
    "VV": (52193.1, 1184.0, 933.0),
    "Zjets": (2539463.6, 1136.0, 220.5),
}


@pytest.fixture(scope="module")
def called(tmp_path_factory) -> tuple[Path, str]:
    """A small folder, and what the command says."""
    path = tmp_path_factory.mktemp("toy")
    options = ["--events", "300", "--seed", "7"]
    result = CliRunner().invoke(app, ["simulate", "leptoquark", "-o", str(path), *options])
    assert result.exit_code == 0, result.output
    return path, result.stdout


@pytest.fixture(scope="module")
def folder(called) -> Path:
    return called[0]


def drawn(events: int, seed: int = 1, *, only: Container[str] = (), **options):
    """The events of every file, or of some, by its name."""
    return {
        file.name: ak.concatenate(list(file.blocks()))
        for file in example.files(events, seed, **options)
        if file.name in only or not only
    }


@pytest.fixture(scope="module")
def files() -> dict[str, ak.Array]:
    return drawn(EVENTS)


@pytest.fixture(scope="module")
def samples(files) -> dict[str, ak.Array]:
    """All events of each sample."""
    listed = example.files(EVENTS, 1)
    names = dict.fromkeys(file.sample for file in listed)
    return {
        name: ak.concatenate([files[file.name] for file in listed if file.sample == name])
        for name in names
    }


def weights(events: ak.Array) -> np.ndarray:
    """Expected events of 140 / fb, with the weight expression of the original configuration."""
    year = events["RunYear"]
    first = (year == 2015) | (year == 2016)
    luminosity = 36207.66 * first + 44307.4 * (year == 2017) + 58450.1 * (year == 2018)
    generator = events["weight_mc"] * events["xs"] / events["totalEventsWeighted"]
    whole = luminosity / 138965.16 * events["weight_pileup"] * generator
    return ak.to_numpy(whole) * 140068.94


def in_region(events: ak.Array) -> np.ndarray:
    """The signal region of the original configuration."""
    good = (events["l2SS_1tau"] == 1) & (abs(events["Mll01"] - 91.2e3) > 10e3)
    for number in (0, 1):
        code = abs(events[f"lep_ID_{number}"])
        electron = (code == 11) & (events[f"lep_isTightLH_{number}"] == 1)
        muon = (code == 13) & (events[f"lep_isMedium_{number}"] == 1)
        good = good & (electron | muon) & (events[f"lep_Pt_{number}"] >= 10e3)
    return ak.to_numpy(good)


def test_the_layout_is_that_of_the_analysis(folder):
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.root")}
    simulated = {
        f"{campaign}/{tag}/{number}.root"
        for tag, numbers in SAMPLES.values()
        for number in numbers
        for campaign in ("mc20a", "mc20d", "mc20e")
    }
    assert there == simulated | {f"data/data{year}.root" for year in (15, 16, 17, 18)}


def test_the_command_says_what_to_type_next(called):
    folder, said = called
    assert f"wrote {folder}/mc20a/p6266/545824.root ... {folder}/data/data18.root" in said
    assert f"quarkline run leptoquark.yaml --set roots.ntuples={folder}" in said


def test_the_branches_are_those_of_the_pythia_ntuples(folder, data_folder):
    for name in ("mc20a/p5855/410470.root", "data/data17.root"):
        with (
            uproot.open(folder / name) as toy,
            uproot.open(data_folder / "lq_ntuples" / name) as it,
        ):
            assert toy["nominal"].typenames() == it["nominal"].typenames()


def test_a_file_holds_what_was_drawn_with_a_counter_for_the_jets(folder):
    events = drawn(300, 7, only=("mc20a/p5855/410470.root", "data/data15.root"))
    for name in events:
        with uproot.open(folder / name) as file:
            written = file["nominal"].arrays()
        assert set(written.fields) == {*events[name].fields, "njets"}
        assert ak.almost_equal(written[events[name].fields], events[name], rtol=0, atol=0)
        assert ak.all(written["njets"] == ak.num(written["jets_pt"]))


def test_the_simulated_events_are_as_many_as_asked_for(samples):
    simulated = [events for name, events in samples.items() if name != "data"]
    assert sum(map(len, simulated)) == EVENTS
    numbers = np.concatenate([ak.to_numpy(events["eventNumber"]) for events in simulated])
    assert len(np.unique(numbers)) == EVENTS


@pytest.mark.parametrize("sample", YIELDS)
def test_yields_are_within_a_factor_of_two(samples, sample):
    events = samples[sample]
    weight = weights(events)
    cuts = np.ones(len(events), bool), ak.to_numpy(events["l2SS_1tau"] == 1), in_region(events)
    for cut, expected in zip(cuts, YIELDS[sample], strict=True):
        found, error = weight[cut].sum(), math.sqrt((weight[cut] ** 2).sum())
        assert expected / 2 - 2 * error < found < expected * 2 + 2 * error


def test_data_are_what_is_expected_with_0_8_of_the_signal(samples):
    expected = variance = 0.0
    for name in SAMPLES:
        strength = 0.8 if name == "lq" else 1.0
        chosen = strength * weights(samples[name])[in_region(samples[name])]
        expected += chosen.sum()
        variance += (chosen**2).sum()
    counted = int(in_region(samples["data"]).sum())
    assert abs(counted - expected) < 5 * math.sqrt(expected + 2 * variance)


def test_the_signal_is_told_by_the_sum_of_momenta(samples):
    chosen = {name: events[in_region(events)] for name, events in samples.items()}
    names = list(SAMPLES)
    values = np.concatenate([ak.to_numpy(chosen[name]["HT"]) for name in names])
    weight = np.concatenate([weights(chosen[name]) for name in names])
    truth = np.concatenate([np.full(len(chosen[name]), name == "lq") for name in names])
    assert 0.95 < roc_auc_score(truth, values, sample_weight=weight) < 0.9999


def test_sums_and_flags_follow_from_the_objects(samples):
    for events in samples.values():
        few = events[:300]
        leptons = few["HT"] - few["HT_jets"] - few["HT_taus"]
        assert np.allclose(leptons, few["HT_lep"], rtol=5e-3)
        assert np.allclose(ak.sum(few["jets_pt"], axis=1), few["HT_jets"], rtol=5e-3)
        assert ak.all(few["jets_pt"][:, 1:] <= few["jets_pt"][:, :-1])
        assert ak.all(ak.num(few["jets_pt"]) == few["nJets_OR"])
        for row in few:
            assert row["l2SS_1tau"] == selected(row)
            assert mass(row) == pytest.approx(row["Mll01"], rel=0.02, abs=500)


def selected(row) -> bool:
    """Two leptons of one sign and one tau of more than 25 GeV that passes Loose."""
    same = (row["lep_ID_0"] > 0) == (row["lep_ID_1"] > 0)
    tau = row["taus_JetRNNSigLoose_0"] == 1 and row["tau_Pt_0"] > 25e3
    return row["total_leptons"] == 2 and same and row["nTaus_OR_Pt25"] == 1 and tau


def mass(row) -> float:
    """Of two massless leptons: m^2 = 2 pT1 pT2 (cosh(d eta) - cos(d phi))."""
    eta = row["lep_Eta_0"] - row["lep_Eta_1"]
    phi = row["lep_Phi_0"] - row["lep_Phi_1"]
    square = 2 * row["lep_Pt_0"] * row["lep_Pt_1"] * (math.cosh(eta) - math.cos(phi))
    return math.sqrt(max(square, 0))


def test_entries_of_a_generated_event_are_passes_of_it(samples):
    events = samples["ttbar"]
    number = ak.to_numpy(events["genEventID"])
    known, counts = np.unique(number, return_counts=True)
    assert 1.3 < counts.mean() < 2.5
    for value in known[counts > 1][:50]:
        passes = events[number == value]
        assert len(set(ak.to_list(passes["lep_Eta_0"]))) == 1
        assert len(set(ak.to_list(passes["lep_Pt_0"]))) == len(passes)
    campaigns = [set(number[ak.to_numpy(events["RunYear"] == year)]) for year in (2017, 2018)]
    assert campaigns[0] & campaigns[1]
    assert "genEventID" not in samples["data"].fields


def test_negative_weights_keep_the_yields(files):
    positive = ("mc20a/p6266/545824.root", "mc20e/p5855/364114.root", "data/data15.root")
    name = "mc20e/p5855/410470.root"
    signed = drawn(EVENTS, negative=0.2, only=(name, *positive))
    assert all(ak.all(signed[other]["weight_mc"] >= 0) for other in positive)
    weight, before = weights(signed[name]), weights(files[name])
    assert (weight < 0).mean() == pytest.approx(0.2, abs=0.03)
    assert abs(weight.sum() - before.sum()) < 4 * math.sqrt((weight**2).sum())
    others = [field for field in files[name].fields if field != "weight_mc"]
    assert ak.almost_equal(signed[name][others], files[name][others], rtol=0, atol=0)


def test_equal_seeds_give_equal_events_and_others_do_not():
    names = ("mc20a/p5855/410470.root", "mc20e/p6266/545825.root", "data/data15.root")
    one, again, other = (drawn(2000, seed, only=names) for seed in (3, 3, 4))
    for name, events in one.items():
        assert ak.almost_equal(events, again[name], rtol=0, atol=0)
        assert not ak.array_equal(events["lep_Pt_0"], other[name]["lep_Pt_0"])


def test_many_events_are_drawn_in_blocks_with_generated_events_of_their_own(monkeypatch):
    monkeypatch.setattr(example, "BLOCK", 1000)
    file = next(
        item for item in example.files(12_000, 1) if item.name.endswith("a/p5855/410470.root")
    )
    blocks = list(file.blocks())
    assert len(blocks) > 3
    assert sum(map(len, blocks)) == file.events
    groups = [set(ak.to_list(block["genEventID"])) for block in blocks]
    assert not groups[0] & groups[1]


def test_without_simulated_events_all_files_are_there_and_empty():
    listed = [file for file in example.files(0, 1) if file.sample != "data"]
    assert len(listed) == 51
    for file in listed[::10]:
        (block,) = file.blocks()
        assert len(block) == 0
        assert "jets_pt" in block.fields


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"signal": 3}, "QL-RUN-020", "leave `--signal` out"),
        ({"files": 3}, "QL-RUN-020", "leave `--files` out"),
        ({"negative": 0.5}, "QL-RUN-020", "their sum would vanish"),
        ({"events": -1}, "QL-RUN-020", "-1 events"),
        ({"example": "upsilon", "negative": 0.1}, "QL-RUN-020", "leave `--negative` out"),
        ({"output": "old"}, "QL-RUN-021", "`strange.root`"),
        ({"output": "toy.root"}, "QL-RUN-020", "is a folder of samples"),
    ],
)
def test_wrong_usage_is_one_finding_and_writes_nothing(tmp_path, arguments, code, words):
    (tmp_path / "old" / "mc20a").mkdir(parents=True)
    (tmp_path / "old" / "mc20a" / "strange.root").touch()
    before = sorted(tmp_path.rglob("*"))
    given = {"example": "leptoquark", "output": "new", "events": 5, **arguments}
    given["output"] = tmp_path / given["output"]
    with pytest.raises(InputError) as raised:
        simulate(given.pop("example"), given.pop("output"), **given)
    (finding,) = raised.value.findings
    assert finding.code == code
    assert words in str(finding)
    assert sorted(tmp_path.rglob("*")) == before
