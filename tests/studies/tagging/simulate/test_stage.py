"""The stage `simulate`: one item a file, the same tables however it is run, nothing done twice."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from quarkline.engine.workflow.stage import Conditions, Context
from quarkline.studies.tagging.simulate import stage
from quarkline.studies.tagging.simulate.config import JetNumbers, MassPoint, ShiftConfig
from quarkline.studies.tagging.tables import open_jets

NUMBERS = JetNumbers(signal=60, qcd=90, bib=40, control_simulation=40, control_data=40)
MASSES = [MassPoint(mH=125, mS=16, lifetime=0.6), MassPoint(mH=600, mS=150, lifetime=1.7)]


def configured(**keys) -> stage.SimulateStageConfig:
    settings = {"jets": NUMBERS, "masses": MASSES, "file_jets": 40, "seed": 4, **keys}
    return stage.SimulateStageConfig(**settings)


def ran(folder: Path, config: stage.SimulateStageConfig, items: Path) -> dict:
    (folder / "out").mkdir(parents=True)
    context = Context("simulate", 1, config, {}, folder / "out", items, Conditions())
    return stage.run(context)


def test_tables_and_ntuples_of_every_file(tmp_path: Path) -> None:
    found = ran(tmp_path, configured(write="both"), tmp_path / "items")
    assert set(found) == {*stage.outputs(configured(write="both"))}
    names = {
        *("bib/bib_000", "control-data/control-data_000", "qcd/qcd_000", "qcd/qcd_001"),
        *("qcd/qcd_002", "control-simulation/control-simulation_000"),
        *("signal/mH125_mS16_000", "signal/mH600_mS150_000"),
    }
    for kind, suffix in (("tables", "*.parquet"), ("ntuples", "*.root")):
        files = found[kind].rglob(suffix)
        assert {str(file.relative_to(found[kind]).with_suffix("")) for file in files} == names
    simulated = found["simulated"]
    assert simulated.files == len(names)
    assert 60 <= simulated.jets["signal"] <= 64
    assert sum(simulated.jets.values()) == sum(
        pq.read_metadata(file).num_rows for file in found["tables"].rglob("*.parquet")
    )
    table = open_jets(found["tables"] / "qcd" / "qcd_001.parquet")
    assert table.layout == "lists"
    assert table.scaling == {"kind": "none"}
    assert table.told["units"]["clus_pt"] == "GeV"
    assert sum(table.told["events"].values()) >= 20
    jets = next(table.jets())
    assert len(jets) == table.rows


def test_only_what_changes_is_drawn_again(tmp_path: Path, monkeypatch) -> None:
    items = tmp_path / "items"
    first = ran(tmp_path / "one", configured(), items)
    drawn: list[str] = []
    once = stage.draw_events
    monkeypatch.setattr(
        stage,
        "draw_events",
        lambda file, *args: drawn.append(file.name) or once(file, *args),
    )
    again = ran(tmp_path / "two", configured(), items)
    assert drawn == []
    other = ran(tmp_path / "three", configured(shift=ShiftConfig(strength=0)), items)
    assert sorted(drawn) == ["bib/bib_000", "control-data/control-data_000"]
    for found, same in ((again, True), (other, False)):
        name = "bib/bib_000.parquet"
        equal = (first["tables"] / name).read_bytes() == (found["tables"] / name).read_bytes()
        assert equal == same


@pytest.mark.parametrize("write", ["tables", "ntuples"])
def test_only_what_is_wanted_is_written(tmp_path: Path, write: str) -> None:
    config = configured(write=write, jets=JetNumbers(**dict.fromkeys(JetNumbers.model_fields, 5)))
    found = ran(tmp_path, config, tmp_path / "items")
    assert set(found) == {write, "simulated"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {write}


def test_nothing_may_be_wanted(tmp_path: Path) -> None:
    nothing = JetNumbers(**dict.fromkeys(JetNumbers.model_fields, 0))
    found = ran(tmp_path, configured(jets=nothing), tmp_path / "items")
    assert found["simulated"].files == 0
    assert found["tables"].is_dir()
