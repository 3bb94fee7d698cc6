"""The selection on events made by hand, and on simulated ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import InputError, QuarklineError
from quarkline.events.sinks import open_sink
from quarkline.events.table import read_table
from quarkline.studies.resonance.results import Selection
from quarkline.tools.run import load_analysis, plan, run

from .conftest import CONFIG, write_config

TRIGGER = "HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx"

# (pt, eta, phi, charge, tight) of each muon; two muons of 20 and 12 GeV at a distance that gives
# the mass 2 * sqrt(20 * 12) * sinh(deta / 2), for equal phi and without muon masses.
GOOD = [(20.0, 0.0, 0.1, 1, True), (12.0, 0.6, 0.1, -1, True)]


def event(muons: list, fired: bool = True) -> dict[str, Any]:
    return {"muons": muons, "fired": fired}


def write_events(path: Path, events: list[dict[str, Any]], *, iso: float = 1.0) -> Path:
    """Write hand-made events in the NanoAOD layout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("pt", "eta", "phi", "charge", "tightId")
    columns = {
        name: ak.Array([[muon[i] for muon in item["muons"]] for item in events])
        for i, name in enumerate(names)
    }
    columns = {
        name: ak.values_astype(values, {"charge": "int32", "tightId": "bool"}.get(name, "float32"))
        for name, values in columns.items()
    }
    columns |= {
        name: ak.values_astype(ak.ones_like(columns["pt"]) * value, "float32")
        for name, value in {"pfRelIso04_all": iso, "ip3d": 0.01}.items()
    }
    count = len(events)
    flat = {
        "run": np.ones(count, np.uint32),
        "event": np.arange(count, dtype=np.uint64),
        "luminosityBlock": np.arange(count, dtype=np.uint32),
        TRIGGER: np.array([item["fired"] for item in events]),
    }
    muons = {f"Muon_{name}": values for name, values in columns.items()}
    with open_sink(path, tree="Events") as sink:
        sink.write(ak.zip(flat | muons, depth_limit=1))
    return path


def analyse(folder: Path, *overrides: str) -> tuple[Selection, ak.Array]:
    analysis = load_analysis(
        write_config(folder), overrides=[f"roots.runs={folder / 'runs'}", *overrides]
    )
    record = run(analysis, until="select").run.record("select")
    selection = record.results["selection"]
    assert isinstance(selection, Selection)
    return selection, read_table(record.files["pairs"]).array


def many(*special: dict[str, Any]) -> list[dict[str, Any]]:
    """Enough ordinary events on both sides of the window, then special ones."""
    below = [event([(20.0, 0.0, 0.1, 1, True), (12.0, 0.45, 0.1, -1, True)])] * 3
    above = [event([(20.0, 0.0, 0.1, 1, True), (12.0, 0.8, 0.1, -1, True)])] * 3
    return [*below, *above, *special]


def test_each_cut_removes_what_it_should(tmp_path: Path) -> None:
    loose = [(20.0, 0.0, 0.1, 1, False), *GOOD]
    rows = many(
        event(GOOD),
        event(GOOD, fired=False),
        event(GOOD[:1]),
        event([]),
        event([GOOD[0], (12.0, 0.6, 0.1, 1, True)]),
        event([(16.0, 0.0, 0.1, 1, True), GOOD[1]]),
        event(loose),
    )
    write_events(tmp_path / "events" / "a.root", rows)
    selection, pairs = analyse(tmp_path)
    counts = {step.name: (step.searched, step.control) for step in selection.steps}
    assert counts["events read"] == (13, None)
    assert counts[TRIGGER] == (12, None)
    assert counts["two Muon with tightId"] == (10, None)
    assert counts["a pair with mass and momentum"] == (9, 1)
    assert counts["mu0_pt >= 17"] == (8, 1)
    assert selection.regions == (3, 2, 3)
    assert selection.regions_control == (0, 1, 0)
    assert list(pairs["_entry"]) == [0, 1, 2, 3, 4, 5, 6, 10, 12]


def test_a_pair_is_the_first_two_passing_muons(tmp_path: Path) -> None:
    third = (9.0, 1.5, 2.0, -1, True)
    write_events(tmp_path / "events" / "a.root", many(event([*GOOD, third])))
    _, pairs = analyse(tmp_path)
    muons = [(20.0, 0.0), (12.0, 0.6)]
    expected = 2 * np.sqrt(muons[0][0] * muons[1][0]) * np.sinh((muons[1][1] - muons[0][1]) / 2)
    assert pairs["dimu_mass"][-1] == pytest.approx(expected, rel=1e-3)
    assert pairs["n_leptons"][-1] == 3


def test_pairs_do_not_depend_on_how_events_are_split_into_files(
    events: Path, tmp_path: Path
) -> None:
    _, together = analyse(events)
    files = sorted((events / "events").glob("*.root"))
    array = ak.concatenate([uproot.open(path)["Events"].arrays() for path in files])
    assert len(array) == 9000
    masses = []
    for index, path in enumerate(files):
        (tmp_path / f"{index}" / "events").mkdir(parents=True)
        (tmp_path / f"{index}" / "events" / path.name).write_bytes(path.read_bytes())
        masses.append(ak.to_numpy(analyse(tmp_path / f"{index}")[1]["dimu_mass"]))
    assert np.array_equal(np.concatenate(masses), ak.to_numpy(together["dimu_mass"]))


def test_limits_keep_the_first_files_and_events(events: Path) -> None:
    everything, _ = analyse(events)
    one_file, _ = analyse(events, "inputs.max_files=1")
    few, _ = analyse(events, "inputs.max_events=5000")
    assert everything.steps[0].searched == 9000
    assert one_file.files == 1
    assert one_file.steps[0].searched < 9000
    assert few.steps[0].searched == 5000


def test_a_fraction_is_chosen_by_seed_and_row(events: Path) -> None:
    first, pairs = analyse(events, "inputs.fraction=0.5")
    again, _ = analyse(events, "inputs.fraction=0.5")
    _, others = analyse(events, "inputs.fraction=0.5", "seed=8")
    assert first == again
    assert abs(first.steps[0].searched - 4500) < 5 * np.sqrt(9000 / 4)
    assert list(pairs["_entry"]) != list(others["_entry"])


def messages(folder: Path, *overrides: str, text: str = CONFIG) -> str:
    """What is said when the analysis is refused, or fails."""

    def selected() -> None:
        roots = f"roots.runs={folder / 'runs'}"
        run(
            load_analysis(write_config(folder, text), overrides=[roots, *overrides]), until="select"
        )

    with pytest.raises(QuarklineError) as caught:
        selected()
    return str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["inputs.files=nowhere/*.root"], ["QL-EVENTS-001", "nowhere"]),
        (["inputs.trigger=HLT_TrkMu15_DoubleTrkMu5"], ["QL-RES-002", "NoFiltersNoVtx"]),
        (["pair.require=tightID"], ["QL-EXPR", "tightID", "did you mean `tightId`"]),
        (["pair.cuts=mu0_pT > 3"], ["mu0_pT", "did you mean"]),
        (["features=[dimu_pt, mu0_ip3D]"], ["QL-RES-008", "mu0_ip3D", "`mu0_ip3d`"]),
        (["inputs.identity=[run, Event]"], ["QL-RES-008", "`event`"]),
        (["pair.cuts=mu0_pt > 1000"], ["QL-RES-004", "mu0_pt > 1000: 0"]),
        (["pair.cuts=dimu_mass > 9.5"], ["QL-RES-005", "below 9 GeV"]),
        (["resonance={window: [9, 10.6], range: [9.5, 16]}"], ["does not lie inside the range"]),
        (["resonance=Upsilom"], ["unknown resonance", "did you mean `Upsilon`"]),
        (["fit.degree=80"], ["QL-STAT-005", "80"]),
        (["features=[dimu_mass]"], ["cannot be a feature"]),
    ],
)
def test_a_wrong_input_is_one_clear_finding(
    events: Path, tmp_path: Path, overrides: list[str], expected: list[str]
) -> None:
    (tmp_path / "events").symlink_to(events / "events")
    found = messages(tmp_path, *overrides)
    for part in expected:
        assert part in found


def test_an_unknown_key_names_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    found = messages(tmp_path, text=CONFIG.replace("classifier:", "clasifier:"))
    assert "QL-CONFIG-002" in found
    assert f"tiny.yaml:{CONFIG[: CONFIG.index('classifier')].count(chr(10)) + 1}:1" in found
    assert "did you mean `classifier`" in found


def test_a_mass_that_is_no_number_is_refused(tmp_path: Path) -> None:
    broken = event([(float("nan"), 0.0, 0.1, 1, True), GOOD[1]])
    write_events(tmp_path / "events" / "a.root", many(broken))
    found = messages(tmp_path)
    assert "QL-RES-003" in found
    assert "entry 6" in found


@pytest.mark.parametrize("damage", ["text", "truncated"])
def test_unreadable_files_are_refused_or_counted(events: Path, tmp_path: Path, damage: str) -> None:
    source = min((events / "events").glob("*.root"))
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "good.root").write_bytes(source.read_bytes())
    content = b"no ROOT file" if damage == "text" else source.read_bytes()[:-90_000]
    (tmp_path / "events" / "bad.root").write_bytes(content)
    assert "bad.root" in messages(tmp_path)
    selection, _ = analyse(tmp_path, "inputs.allow_bad_files=1")
    assert selection.files == 1
    assert list(selection.bad_files) == ["bad.root"]


def test_a_wrong_input_writes_nothing(events: Path, tmp_path: Path) -> None:
    analysis = load_analysis(
        write_config(events),
        overrides=[f"roots.runs={tmp_path / 'runs'}", "inputs.trigger=HLT_none"],
    )
    with pytest.raises(InputError):
        plan(analysis)
    assert not (tmp_path / "runs").exists()


def test_config_files_load(events: Path) -> None:
    assert load_config(write_config(events)).data["name"] == "tiny"


def test_searching_the_same_sign_swaps_the_roles(tmp_path: Path) -> None:
    same = [(20.0, 0.0, 0.1, 1, True), (12.0, 0.6, 0.1, 1, True)]
    beside = [[(20.0, 0.0, 0.1, 1, True), (12.0, eta, 0.1, 1, True)] for eta in (0.45, 0.8)]
    rows = many(event(GOOD), event(same), *(event(muons) for muons in beside))
    write_events(tmp_path / "events" / "a.root", rows)
    opposite, pairs = analyse(tmp_path)
    swapped, others = analyse(tmp_path, "pair.sign=same")
    assert (opposite.sign, swapped.sign) == ("opposite", "same")
    assert opposite.regions == swapped.regions_control == (3, 1, 3)
    assert opposite.regions_control == swapped.regions == (1, 1, 1)
    assert list(pairs["same_sign"]) == list(others["same_sign"])
    assert list(pairs["control"]) == list(~others["control"])


def test_events_outside_certified_sections_are_left_out(tmp_path: Path) -> None:
    write_events(tmp_path / "events" / "a.root", many(*[event(GOOD)] * 4))
    (tmp_path / "good.json").write_text(json.dumps({"1": [[0, 6], [8, 8]], "2": [[7, 7]]}))
    certified = f"inputs.certified={tmp_path / 'good.json'}"
    selection, pairs = analyse(tmp_path, certified)
    counts = {step.name: step.searched for step in selection.steps}
    assert counts["events read"] == 10
    assert counts["certified luminosity section"] == 8
    assert list(pairs["_entry"]) == [0, 1, 2, 3, 4, 5, 6, 8]
    (tmp_path / "good.json").write_text(json.dumps({"1": [[0, 9]]}))
    assert len(analyse(tmp_path, certified)[1]) == 10, "the list's content counts, not its name"


def test_a_list_that_is_none_is_refused_before_anything_runs(tmp_path: Path) -> None:
    write_events(tmp_path / "events" / "a.root", many())
    (tmp_path / "good.json").write_text("{}")
    with pytest.raises(InputError, match="list of certified sections holds no runs"):
        analyse(tmp_path, f"inputs.certified={tmp_path / 'good.json'}")
