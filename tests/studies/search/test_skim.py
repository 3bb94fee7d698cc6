"""The skim: which rows it keeps, what they weigh, and which fold they are in."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.events.identity import fold_of
from quarkline.events.table import read_table
from quarkline.studies.search.results import Skim
from quarkline.tools.run import RunOutcome, load_analysis, run

from .conftest import CONFIG, write_all

pytestmark = pytest.mark.xdist_group("search")


def skimmed(config: Path, folder: Path, *overrides: str, workers: int = 1) -> RunOutcome:
    analysis = load_analysis(
        config, overrides=[f"roots.runs={folder}", *overrides], compute={"workers": workers}
    )
    return run(analysis, until="skim")


def tables(outcome: RunOutcome) -> Path:
    return outcome.run.record("skim").files["events"]


def rows_of(outcome: RunOutcome, sample: str, shift: str = "") -> dict[str, np.ndarray]:
    record = outcome.run.record("skim").files
    folder = record["shifted"] / shift if shift else record["events"]
    table = read_table(folder / f"{sample}.parquet").array
    flat = [name for name in table.fields if name != "jets_pt"]
    return {name: np.asarray(table[name]) for name in flat}


@pytest.fixture(scope="module")
def outcome(events: Path, tmp_path_factory: pytest.TempPathFactory) -> RunOutcome:
    return skimmed(events / "tiny.yaml", tmp_path_factory.mktemp("runs"))


def selected(columns: dict[str, Any]) -> np.ndarray:
    return np.flatnonzero((columns["pass_"] == 1) & (columns["pt"] > 15))


def test_rows_are_those_of_the_region_with_weights_and_folds(
    outcome: RunOutcome, toys: dict[str, dict[str, Any]]
) -> None:
    found = rows_of(outcome, "other")
    columns = toys["mc/3"]
    kept = selected(columns)
    assert found["event"].tolist() == columns["event"][kept].tolist()
    assert found["_entry"].tolist() == kept.tolist()
    expected = columns["weight_mc"][kept].astype(float) * 2.0 * 10.0
    assert found["_weight"] == pytest.approx(expected, rel=1e-12)
    assert found["_weight_pileup_up"] == pytest.approx(
        expected * columns["wp"][kept].astype(float), rel=1e-12
    )
    key = {"channel": columns["channel"][kept], "generated": columns["generated"][kept]}
    assert found["_fold"].tolist() == fold_of(key, seed=3, folds=2).tolist()
    assert set(found["_label"]) == {1}
    assert found["_selected"].all()


def test_data_have_the_fold_of_their_identity_no_class_and_weigh_one(
    outcome: RunOutcome, toys: dict[str, dict[str, Any]]
) -> None:
    found = rows_of(outcome, "data")
    columns = toys["data/15"]
    kept = selected(columns)
    key = {name: columns[name][kept] for name in ("channel", "event")}
    assert found["_fold"].tolist() == fold_of(key, seed=3, folds=2).tolist()
    assert set(found["_label"]) == {-1}
    assert set(found["_weight"]) == {1.0}
    assert not any(name.startswith("_weight_") for name in found)


def test_yields_have_the_error_of_independent_groups(
    outcome: RunOutcome, toys: dict[str, dict[str, Any]]
) -> None:
    columns = toys["mc/2"]
    sums: dict[int, float] = defaultdict(float)
    for row in selected(columns):
        sums[int(columns["generated"][row])] += 10 * float(columns["weight_mc"][row])
    skim = outcome.run.results()["skim"]
    assert isinstance(skim, Skim)
    top = next(sample for sample in skim.samples if sample.name == "top")
    assert top.yield_.value == pytest.approx(math.fsum(sums.values()))
    assert top.yield_.up == pytest.approx(math.sqrt(math.fsum(v * v for v in sums.values())))
    assert top.groups == len(sums)
    assert top.negative == int((columns["weight_mc"][selected(columns)] < 0).sum())


def test_a_shifted_column_changes_what_is_selected_and_keeps_the_values_of_the_file(
    outcome: RunOutcome, toys: dict[str, dict[str, Any]]
) -> None:
    columns = toys["mc/2"]
    shifted = rows_of(outcome, "top", "scale_up")
    kept = (columns["pass_"] == 1) & (1.2 * columns["pt"].astype(float) > 15)
    assert shifted["event"].tolist() == columns["event"][kept].tolist()
    assert shifted["pt"].tolist() == columns["pt"][kept].tolist()


def test_files_in_another_order_and_more_workers_give_the_same_bytes(
    outcome: RunOutcome, events: Path, tmp_path: Path
) -> None:
    config = events / "other-order.yaml"
    config.write_text(CONFIG.replace("[mc/1a, mc/1b]", "[mc/1b, mc/1a]"))
    other = skimmed(config, tmp_path, workers=2)
    for path in tables(outcome).iterdir():
        assert (tables(other) / path.name).read_bytes() == path.read_bytes()


def test_training_beyond_the_region_marks_its_rows(
    events: Path, tmp_path: Path, toys: dict[str, dict[str, Any]]
) -> None:
    beyond = "train.beyond={selection: pt > 10}"
    found = rows_of(skimmed(events / "tiny.yaml", tmp_path, beyond), "other")
    columns = toys["mc/3"]
    inside = np.zeros(300, bool)
    inside[selected(columns)] = True
    kept = inside | (columns["pt"] > 10)
    assert found["event"].tolist() == columns["event"][kept].tolist()
    assert found["_selected"].tolist() == inside[kept].tolist()


@pytest.mark.slow
def test_a_selection_that_is_a_number_multiplies_the_weight(
    events: Path, tmp_path: Path, toys: dict[str, dict[str, Any]]
) -> None:
    found = rows_of(
        skimmed(events / "tiny.yaml", tmp_path, "regions.SR.selection='3 * (pt > 15)'"), "other"
    )
    columns = toys["mc/3"]
    kept = columns["pt"] > 15
    assert found["event"].tolist() == columns["event"][kept].tolist()
    expected = 3 * 20 * columns["weight_mc"][kept].astype(float)
    assert found["_weight"] == pytest.approx(expected, rel=1e-12)


def test_a_fraction_keeps_whole_groups_and_data_too(
    outcome: RunOutcome, events: Path, tmp_path: Path
) -> None:
    half = skimmed(events / "tiny.yaml", tmp_path, "inputs.fraction=0.5")
    for name in ("top", "data"):
        some, every = (rows_of(item, name) for item in (half, outcome))
        assert 0.3 < len(some["event"]) / len(every["event"]) < 0.7
        chosen = np.isin(every["_group"], some["_group"])
        assert some["event"].tolist() == every["event"][chosen].tolist()


@pytest.mark.slow
def test_fewer_files_and_events_are_those_first_named(events: Path, tmp_path: Path) -> None:
    few = skimmed(events / "tiny.yaml", tmp_path, "inputs.max_files=1", "inputs.max_events=350")
    skim = few.run.results()["skim"]
    assert isinstance(skim, Skim)
    read = {sample.name: sample.flow.events for sample in skim.samples}
    assert read == {"signal": 350, "top": 350, "other": 300, "data": 250}


def test_a_weight_that_is_no_number_is_named_with_its_entry(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    weight = toys["mc/2"]["weight_mc"].copy()
    row = selected(toys["mc/2"])[7]
    weight[row] = np.nan
    toys["mc/2"]["weight_mc"] = weight
    with pytest.raises(WorkError, match=rf"`top`.*the weight of entry {row} is not") as error:
        skimmed(write_all(tmp_path, toys), tmp_path / "runs")
    assert error.value.findings[0].code == "QL-SEARCH-011"


def test_a_class_whose_weights_cancel_is_refused(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for name in ("mc/1a", "mc/1b"):
        toys[name]["weight_mc"] = np.full(len(toys[name]["pt"]), -1, np.float32)
    with pytest.raises(WorkError, match=r"class `signal`: the weights of .* add up to -"):
        skimmed(write_all(tmp_path, toys), tmp_path / "runs")


@pytest.mark.slow
def test_unreadable_files_are_left_out_only_if_allowed(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    config = write_all(tmp_path, toys)
    damaged = tmp_path / "ntuples" / "mc" / "1b.root"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"1b\.root"):
        skimmed(config, tmp_path / "runs")
    allowed = skimmed(config, tmp_path / "runs", "inputs.allow_bad_files=1")
    skim = allowed.run.results()["skim"]
    assert isinstance(skim, Skim)
    assert list(skim.samples[0].bad_files) == ["ntuples/mc/1b.root"]
    assert skim.samples[0].files == 1
