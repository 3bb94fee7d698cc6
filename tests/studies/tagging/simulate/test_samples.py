"""Simulated jets: ntuples and tables are the same jets, and the planted difference is as told."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow.parquet as pq
import pytest
import uproot
from pydantic import ValidationError

from quarkline.engine.core.findings import WorkError
from quarkline.events.sinks import open_sink
from quarkline.statistics.ks import ks_two_sample
from quarkline.studies.tagging.columns import STREAMS
from quarkline.studies.tagging.convert import ntuple
from quarkline.studies.tagging.convert.jets import Cuts
from quarkline.studies.tagging.convert.task import Wanted, convert
from quarkline.studies.tagging.simulate.config import (
    JetNumbers,
    MassPoint,
    ShiftConfig,
    SimulateConfig,
    Slice,
)
from quarkline.studies.tagging.simulate.layers import SOFT
from quarkline.studies.tagging.simulate.samples import (
    KINDS,
    SimulatedFile,
    draw_events,
    files,
    table_of,
)
from quarkline.studies.tagging.simulate.stage import write_jets
from quarkline.studies.tagging.tables import open_jets


def sized(jets: int, **keys) -> SimulateConfig:
    """A simulation with so many jets of each source, one signal, and other keys."""
    names = ("signal", "qcd", "bib", "control_simulation", "control_data")
    point = MassPoint(mH=125, mS=55, lifetime=1.1)
    return SimulateConfig(jets=JetNumbers(**dict.fromkeys(names, jets)), masses=[point], **keys)


def drawn(source: str, config: SimulateConfig, seed: int = 3) -> dict[str, ak.Array | np.ndarray]:
    (file,) = (file for file in files(config) if file.source == source)
    return table_of(draw_events(file, config, seed), file, config, seed)[0]


def flat(table, name: str) -> np.ndarray:
    return ak.to_numpy(ak.flatten(table[name]))


@pytest.mark.parametrize("source", KINDS)
def test_an_ntuple_is_converted_into_the_table_that_is_written_without_it(
    source: str, tmp_path: Path
) -> None:
    config = sized(150)
    (file,) = (file for file in files(config) if file.source == source)
    events = draw_events(file, config, 3)
    with open_sink(tmp_path / "events.root", tree=ntuple.TREE) as sink:
        sink.write(events)
    wanted = Wanted(KINDS[file.source], Cuts(), file.masses, "none")
    converted = convert(tmp_path / "events.root", wanted, tmp_path / "converted.parquet")
    table, jets = table_of(events, file, config, 3)
    write_jets(tmp_path / "direct.parquet", table, jets.events, {})
    assert converted.rows == len(jets)
    direct, other = (open_jets(tmp_path / f"{name}.parquet") for name in ("direct", "converted"))
    tables = [pq.read_table(item.path).drop(["_source"]) for item in (direct, other)]
    assert tables[0].equals(tables[1])
    for name in ("events", "units", "scaling", "schema"):
        assert direct.told[name] == other.told[name], name
    labels = {"signal": 1, "bib": 2, "control-data": 2}
    assert set(table["label"]) == {labels.get(source, 0)}


def test_branches_have_the_types_of_real_ntuples(tmp_path: Path, data_folder: Path) -> None:
    config = sized(5)
    for source, name in (("signal", "sig_311314_bad_object_small"), ("bib", "bib")):
        (file,) = (file for file in files(config) if file.source == source)
        with open_sink(tmp_path / f"{source}.root", tree=ntuple.TREE) as sink:
            sink.write(draw_events(file, config, 1))
        kind = KINDS[file.source]
        real = uproot.open(data_folder / "calratio" / "root" / f"{name}.root")[ntuple.TREE]
        own = uproot.open(tmp_path / f"{source}.root")[ntuple.TREE]
        shared = {ntuple.TRACK_JETS, ntuple.SEGMENT_JETS}
        for branch in {*ntuple.BRANCHES[kind], "nn_jet_index"} - shared:
            types = [ak.type(tree[branch].array(entry_stop=3)).content for tree in (real, own)]
            assert types[0] == types[1], branch


def test_as_many_jets_as_wanted_in_files_of_a_size() -> None:
    config = sized(1_050, file_jets=400)
    listed = files(config)
    assert [file.jets for file in listed if file.source == "qcd"] == [400, 400, 250]
    assert len({file.name for file in listed}) == len(listed) == 15
    for file in listed[::4]:
        table = table_of(draw_events(file, config, 1), file, config, 1)[0]
        assert file.jets <= len(table["label"]) < file.jets + 10, file
        assert (table["jet_pt"] >= 40).all()
        assert (table["jet_pt"] < 500).all()
    shares = [file.jets for file in files(SimulateConfig()) if file.source == "signal"]
    assert sum(shares) == SimulateConfig().jets.signal


def test_a_file_depends_on_its_own_settings_and_the_seed_alone() -> None:
    one, other = sized(60), sized(60, shift=ShiftConfig(strength=2), impurity=0.5)
    more = SimulateConfig(jets=one.jets, masses=[*one.masses, MassPoint(mH=60, mS=5, lifetime=1)])
    first = draw_events(SimulatedFile("qcd", "qcd", 0, 60), one, 1)
    for config, seed, equal in ((one, 1, True), (other, 1, True), (more, 1, True), (one, 2, False)):
        (file,) = (file for file in files(config) if file.source == "qcd")
        again = draw_events(file, config, seed)
        assert ak.array_equal(first, again) == equal


def test_events_of_different_files_have_different_numbers() -> None:
    config = sized(40, file_jets=20)
    numbers = [np.asarray(draw_events(file, config, 1).eventNumber) for file in files(config)]
    together = np.concatenate(numbers)
    assert len(set(together.tolist())) == len(together)


@pytest.mark.parametrize("pt", [(40.0, 50.0), (52.0, 60.0), (200.0, 400.0)])
def test_any_range_of_momenta_has_beam_background(pt: tuple[float, float]) -> None:
    found = drawn("bib", sized(50, pt=pt))["jet_pt"]
    assert len(found) >= 50
    assert pt[0] <= found.min() <= found.max() < pt[1]


def test_events_that_hardly_ever_have_a_jet_are_not_drawn_for_ever() -> None:
    point = MassPoint(mH=3, mS=1, lifetime=1000)
    config = SimulateConfig(masses=[point], pt=(480, 481))
    with pytest.raises(WorkError, match=r"mH3_mS1: \d of 5 jets after 300 tries"):
        draw_events(SimulatedFile("signal", "mH3_mS1", 0, 5, point), config, 1)


QUANTITIES = ("clus_pt", "clus_time", "clus_l2ecal", "clus_l2hcal", "track_pt", "MSeg_etaPos")


def test_data_without_a_shift_are_distributed_as_simulation() -> None:
    config = sized(6_000, shift=ShiftConfig(strength=0))
    tables = [drawn(source, config) for source in ("control-simulation", "control-data")]
    weights = [table["mcEventWeight"].astype(float) for table in tables]
    numbers = [f"n_{stream.name}" for stream in STREAMS]
    sides = [
        {"jet_pt": table["jet_pt"], "jet_eta": table["jet_eta"]}
        | {name: table[name] for name in numbers}
        | {name: np.asarray(ak.mean(table[name], axis=1)) for name in QUANTITIES}
        for table in tables
    ]
    for name in sides[0]:
        there = [np.isfinite(np.asarray(side[name], float)) for side in sides]
        values = [
            np.asarray(ak.fill_none(side[name], np.nan), float)[mask]
            for side, mask in zip(sides, there, strict=True)
        ]
        chosen = [weight[mask] for weight, mask in zip(weights, there, strict=True)]
        test = ks_two_sample(*values, first_weight=chosen[0], second_weight=chosen[1])
        assert test.p_value > 1e-4, (name, test)


def test_the_planted_difference_is_as_large_as_told() -> None:
    shift = ShiftConfig(
        time_offset=-0.4, time_smear=0.0, strips=0.1, track_loss=0.2, soft_clusters=-0.2
    )
    with_shift, without = sized(6_000, shift=shift), sized(6_000, shift=ShiftConfig(strength=0))
    data, other = (drawn("control-data", config) for config in (with_shift, without))
    hard = [flat(table, "clus_time")[flat(table, "clus_pt") > 20] for table in (data, other)]
    assert np.median(hard[0]) - np.median(hard[1]) == pytest.approx(-0.4, abs=0.02)
    clusters = [table["n_constit"].mean() for table in (data, other)]
    soft = SOFT * with_shift.pile_up
    assert clusters[0] - clusters[1] == pytest.approx(-0.2 * soft, abs=0.2)
    tracks = [table["n_track"].mean() for table in (data, other)]
    assert tracks[0] / tracks[1] == pytest.approx(0.8, abs=0.02)
    layers = [
        [ak.sum(table[f"clus_{name}"]) for name in ("l1ecal", "l2ecal", "l3ecal")]
        for table in (data, other)
    ]
    strips = [(first + second) / middle for first, second, middle in layers]
    assert strips[0] / strips[1] == pytest.approx(1.1, abs=0.02)


def test_the_strength_multiplies_the_whole_difference() -> None:
    twice = ShiftConfig(strength=2, time_offset=-0.1, time_smear=0.05)
    once = ShiftConfig(strength=1, time_offset=-0.2, time_smear=0.1)
    keys = {"strips": 0.0, "hadronic": 0.0, "track_loss": 0.0, "soft_clusters": 0.0}
    keys |= {"segments": 0.0}
    tables = [
        drawn("bib", sized(200, shift=config.model_copy(update=keys))) for config in (twice, once)
    ]
    for name in tables[0]:
        assert ak.array_equal(tables[0][name], tables[1][name]), name


def test_simulation_has_no_difference() -> None:
    shifted, plain = sized(80), sized(80, shift=ShiftConfig(strength=0))
    for source, equal in (("qcd", True), ("control-simulation", True), ("control-data", False)):
        times = [drawn(source, config)["clus_time"] for config in (shifted, plain)]
        assert ak.array_equal(*times) == equal, source


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"masses": [{"mH": 60, "mS": 30, "lifetime": 1}]}, "mH = 60 is too light for two S"),
        ({"masses": [{"mH": 60, "mS": 5, "lifetime": 1}] * 2}, "stands there twice"),
        ({"pt": (500, 40)}, "no range of momenta"),
        ({"slices": [Slice(name="JZ1", min_pt=2, max_pt=30, share=1)]}, "none has momenta of 40"),
        (
            {
                "slices": [
                    Slice(name="JZ1", min_pt=30, max_pt=60, share=1),
                    Slice(name="JZ3", min_pt=160, max_pt=400, share=1),
                ]
            },
            "JZ1 ends at 60 GeV, and JZ3 begins at 160 GeV",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(keys: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        SimulateConfig.model_validate(keys)
