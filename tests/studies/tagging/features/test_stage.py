"""Features do not depend on files, order or chunks; events are never separated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.engine.workflow.stage import Context
from quarkline.events.sinks import open_sink
from quarkline.learning.features.preprocess import Preprocess
from quarkline.studies.tagging.columns import STREAMS, Label
from quarkline.studies.tagging.features.choice import Split, choose
from quarkline.studies.tagging.features.config import JetFeaturesConfig
from quarkline.studies.tagging.features.folder import ScaledJets, read_preprocess
from quarkline.studies.tagging.features.results import JetFeatures
from quarkline.studies.tagging.features.sorting import sorted_jets
from quarkline.studies.tagging.features.stage import FeaturesStageConfig, run
from quarkline.studies.tagging.jets import JetSet
from quarkline.studies.tagging.rows import JetRows
from quarkline.studies.tagging.tables import jets_in

POINTS = np.array([[60, 5], [200, 50], [600, 150], [1000, 275]], np.float32)


def table(seed: int, rows: int, labels: tuple[int, ...]) -> dict[str, Any]:
    """Jets of our own layout; two jets an event."""
    draw = np.random.default_rng(seed)
    label = draw.choice(labels, rows)
    mass = np.where((label == 1)[:, None], POINTS[draw.integers(4, size=rows)], 0)
    columns: dict[str, Any] = {
        "label": label,
        "llp_mH": mass[:, 0],
        "llp_mS": mass[:, 1],
        "mcEventWeight": draw.exponential(size=rows),
        "runNumber": np.full(rows, 300000),
        "eventNumber": np.arange(rows) // 2,
        "_source": np.full(rows, seed, np.uint64),
        "_entry": np.arange(rows, dtype=np.uint64),
        "_object": np.zeros(rows, np.uint16),
        "jet_pt": draw.uniform(40, 500, rows).astype(np.float32),
        "jet_eta": draw.uniform(-2.5, 2.5, rows).astype(np.float32),
        "jet_phi": draw.uniform(-3, 3, rows).astype(np.float32),
    }
    for stream in STREAMS:
        counts = draw.integers(0, stream.rows, rows)
        for name in stream.columns:
            values = draw.exponential(10, counts.sum()).astype(np.float32)
            columns[name] = ak.unflatten(values, counts)
    return columns


def write(path: Path, columns: dict[str, Any], rows: Any = slice(None), **told: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_sink(path) as sink:
        sink.write(ak.Array({name: column[rows] for name, column in columns.items()}))
        sink.metadata = told
    return path


MAIN, CONTROL = table(1, 900, (0, 1, 2)), table(2, 400, (0, 2))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("tables")
    return {
        "main": write(folder / "main" / "all.parquet", MAIN).parent,
        "control": (write(folder / "control.parquet", CONTROL),),
    }


def features(given: dict[str, Any], out: Path, /, **keys: Any) -> dict[str, Any]:
    out.mkdir(parents=True)
    config = FeaturesStageConfig(seed=7, **keys)
    return run(Context("features", 1, config, given, out, out / "items"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_neither_files_nor_their_order_nor_parts_change_a_byte(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: dict[str, Any] = {"masses": "low", "mass_inputs": ("mH", "mS"), "scaled_with": 200}
    features(inputs, tmp_path / "once", **keys)
    mixed = np.random.default_rng(5).permutation(900)
    files = [
        write(tmp_path / f"{number}.parquet", MAIN, part)
        for number, part in enumerate(np.split(mixed, [100, 101, 650]))
    ]
    monkeypatch.setattr(sorted_jets, "__kwdefaults__", {"at_once": 50})
    features({"main": files[::-1], "control": inputs["control"]}, tmp_path / "parts", **keys)
    assert contents(tmp_path / "parts") == contents(tmp_path / "once")


def test_jets_are_those_of_the_tables(inputs: dict[str, Any], tmp_path: Path) -> None:
    features(inputs, tmp_path / "out", inputs="as-is")
    given = jets_in(inputs["main"] / "all.parquet")
    found = ScaledJets.load(tmp_path / "out" / "main")
    order = np.argsort(given.row)
    assert np.array_equal(found.jets.row, given.row[order])
    assert np.array_equal(found.jets.weight, given.weight[order])
    assert np.array_equal(found.jets.jet, given.jet[order])
    assert np.array_equal(found.momenta, given.jet[order, 0])
    for stream in STREAMS:
        expected = given[order].streams[stream.name]
        assert np.array_equal(found.jets.streams[stream.name].values, expected.values)
        assert np.array_equal(found.jets.streams[stream.name].offsets, expected.offsets)
    assert isinstance(found.jets.streams["constit"].values, np.memmap)


def test_events_are_never_separated_and_shares_are_kept(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    features(inputs, tmp_path / "out", validation=0.2, test=0.3)
    sets = [ScaledJets.load(tmp_path / "out" / name) for name in ("main", "control")]
    event = np.concatenate([item.jets.event for item in sets])
    split = np.concatenate([item.split for item in sets])
    for part in np.unique(event):
        assert len(np.unique(split[event == part])) == 1
    shares = np.bincount(sets[0].split, minlength=3) / len(sets[0].split)
    assert shares == pytest.approx([0.5, 0.2, 0.3], abs=0.06)
    assert sum(len(sets[0].rows(part)) for part in Split) == 900


def test_a_smaller_fraction_is_part_of_a_larger_one(inputs: dict[str, Any], tmp_path: Path) -> None:
    rows = []
    for fraction in (0.3, 0.6, 1.0):
        features(inputs, tmp_path / f"{fraction}", fraction=fraction)
        rows.append(set(ScaledJets.load(tmp_path / f"{fraction}" / "main").jets.row.tolist()))
    assert rows[0] < rows[1] < rows[2]
    assert len(rows[0]) / 900 == pytest.approx(0.3, abs=0.06)


def test_scales_are_those_of_training_jets(inputs: dict[str, Any], tmp_path: Path) -> None:
    features(inputs, tmp_path / "out")
    given = jets_in(inputs["main"] / "all.parquet")
    found = ScaledJets.load(tmp_path / "out" / "main")
    preprocess = read_preprocess(tmp_path / "out" / "preprocess.json")
    train = np.isin(given.row, found.jets.row[found.rows(Split.TRAIN)])
    assert preprocess == Preprocess.fit(preprocess.spec, given.arrays(train))
    values = found.jets.streams["constit"][found.rows(Split.TRAIN)].values
    assert values.mean(axis=0) == pytest.approx(np.zeros(12), abs=1e-3)
    assert values.std(axis=0) == pytest.approx(np.ones(12), abs=1e-3)


@pytest.mark.parametrize("inputs_as", ["standardised", "as-is"])
def test_rows_are_the_tensors_of_padded_arrays(
    inputs: dict[str, Any], tmp_path: Path, inputs_as: str
) -> None:
    features(inputs, tmp_path / "out", inputs=inputs_as)
    found = ScaledJets.load(tmp_path / "out" / "main")
    preprocess = read_preprocess(tmp_path / "out" / "preprocess.json")
    given = jets_in(inputs["main"] / "all.parquet")
    given = given[np.argsort(given.row)]
    chosen = found.rows(Split.VALIDATION)
    target, weight = found.jets.label[chosen].astype(np.int64), np.ones(len(chosen), np.float32)
    rows = JetRows(found.jets, chosen, target, weight)
    asked = torch.tensor([3, 0, 3, 11])
    expected = preprocess.tensors(given.arrays(chosen[asked.numpy()]))
    taken = rows.take(asked)
    assert len(rows) == len(chosen)
    for one, other in zip(taken, expected, strict=False):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)
    assert taken[-2].tolist() == target[asked.numpy()].tolist()


def test_low_mass_signal_is_learned_and_all_of_it_tested(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    told = features(inputs, tmp_path / "out", masses="low", test=0.3)["features"]
    jets = ScaledJets.load(tmp_path / "out" / "main")
    signal = jets.jets.label == Label.SIGNAL
    for part in (Split.TRAIN, Split.VALIDATION):
        rows = jets.rows(part)
        assert set(jets.jets.mass[rows][signal[rows], 0]) == {60, 200}
        counts = np.bincount(jets.jets.label[rows], minlength=3)
        assert counts[Label.QCD] == counts[Label.SIGNAL] == counts[Label.BIB]
    test = jets.rows(Split.TEST)
    assert set(jets.jets.mass[test][signal[test], 0]) == {60, 200, 600, 1000}
    assert isinstance(told, JetFeatures)
    assert [(point.mH, point.mS) for point in told.masses] == [(60, 5), (200, 50)]
    counted = {(item.set, item.split, item.label): item.jets for item in told.counts}
    assert counted["main", "test", 1] == signal[test].sum()


def test_weights_stay_with_their_jets(inputs: dict[str, Any], tmp_path: Path) -> None:
    """Upstream's selection shuffled jets without their weights."""
    features(inputs, tmp_path / "out", masses="high")
    found = ScaledJets.load(tmp_path / "out" / "main").jets
    given = jets_in(inputs["main"] / "all.parquet")
    by_row = dict(zip(given.row.tolist(), given.weight, strict=True))
    assert [by_row[row] for row in found.row.tolist()] == found.weight.tolist()


def test_masses_that_are_told_hide_nothing(inputs: dict[str, Any], tmp_path: Path) -> None:
    features(inputs, tmp_path / "out", mass_inputs=("mS",), inputs="as-is")
    main = ScaledJets.load(tmp_path / "out" / "main").jets
    signal = main.label == Label.SIGNAL
    assert main.jet.shape == (900, 4)
    assert np.array_equal(main.jet[signal, 3], main.mass[signal, 1])
    signal_masses = dict(zip(*np.unique(main.jet[signal, 3], return_counts=True), strict=True))
    for jets in (main[~signal], ScaledJets.load(tmp_path / "out" / "control").jets):
        assert (jets.mass == 0).all()
        told = dict(zip(*np.unique(jets.jet[:, 3], return_counts=True), strict=True))
        assert told.keys() == signal_masses.keys()
        for mass, number in told.items():
            share = signal_masses[mass] / signal.sum()
            assert number / len(jets) == pytest.approx(share, abs=0.08)


def test_the_choice_of_a_jet_does_not_depend_on_the_others_read_with_it() -> None:
    config = JetFeaturesConfig(fraction=0.5, masses="low", balance=False)
    draw = np.random.default_rng(3)
    jets = jets_without_constituents(draw, 500)
    whole = choose(jets, config, seed=1, control=False)
    parts = [
        choose(jets[rows], config, seed=1, control=False) for rows in (slice(0, 9), slice(9, 500))
    ]
    assert np.array_equal(whole.kept, np.concatenate([part.kept for part in parts]))
    assert np.array_equal(whole.split, np.concatenate([part.split for part in parts]))


def jets_without_constituents(draw: np.random.Generator, rows: int) -> JetSet:
    label = draw.integers(0, 3, rows).astype(np.int8)
    mass = np.where((label == 1)[:, None], POINTS[draw.integers(4, size=rows)], 0)
    ids = draw.integers(0, 2**63, rows).astype(np.uint64)
    return JetSet(np.zeros((rows, 3), np.float32), {}, label, np.ones(rows), mass, ids, ids)


def test_tables_of_different_scaling_are_refused(inputs: dict[str, Any], tmp_path: Path) -> None:
    scaled = write(
        tmp_path / "scaled.parquet",
        CONTROL,
        scaling={"kind": "quarkline", "min_pt": 0.0, "max_pt": 500.0},
    )
    with pytest.raises(InputError, match="kind: quarkline"):
        features({**inputs, "control": (scaled,)}, tmp_path / "out")


def test_signal_in_a_control_region_is_refused(inputs: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`control` has jets of label 1"):
        features({**inputs, "control": inputs["main"]}, tmp_path / "out")


def test_nothing_to_learn_is_told(inputs: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(WorkError, match="0 jets of signal"):
        features({**inputs, "main": inputs["control"]}, tmp_path / "out")


def test_without_control_region_there_is_an_empty_one(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    features({"main": inputs["main"]}, tmp_path / "out")
    assert len(ScaledJets.load(tmp_path / "out" / "control").jets) == 0
