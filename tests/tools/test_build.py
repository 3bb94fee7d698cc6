"""A build of its own: upstream's config, tables that are there, and names of outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import InputError
from quarkline.tools.build import Built, build_file, load_build

SIGNAL = "calratio/pickled_as_parquet/sig_311424_600_275.parquet"


@pytest.fixture
def signal(data_folder: Path) -> Path:
    return data_folder / SIGNAL


def made(folder: Path, *, replace: bool = False, **keys: Any) -> Built:
    config = load_build(None, keys={"output": str(folder / "main.parquet")} | keys)
    return build_file(config, base=folder, replace=replace)


def written(folder: Path, text: str) -> Path:
    path = folder / "build.yaml"
    path.write_text(text)
    return path


def test_upstreams_config_is_read_as_it_is(signal: Path, tmp_path: Path) -> None:
    config = written(
        tmp_path,
        f"""
input_files:
  - input_file: {signal}
    num_events: 30
    event_filter: "eventNumber % 2 == 1 and jet_pt > 0"
output_file: main_training_file.pkl
min_jet_pt: 30
max_jet_pt: 400
remove_branches: [HLT_jet_eta, llp_Lz]
""",
    )
    found = build_file(load_build(config, keys={"scaling": "upstream"}), base=tmp_path)
    assert found.files == {"main": tmp_path / "main_training_file.parquet"}
    table = pq.read_table(found.files["main"])
    assert (table["eventNumber"].to_numpy() % 2 == 1).all()
    assert table.num_rows == 30
    assert "llp_Lz" not in table.schema.names
    assert "llp_Lxy" in table.schema.names


def test_a_key_given_wins_over_upstreams_name_of_it(signal: Path, tmp_path: Path) -> None:
    config = written(tmp_path, f"input_files: [{{input_file: {signal}}}]\noutput_file: a.pkl\n")
    settings = load_build(config, keys={"output": str(tmp_path / "b.parquet"), "main": ["x"]})
    assert settings.output == tmp_path / "b.parquet"
    assert settings.main[0].files == ["x"]


def test_a_misspelt_key_is_refused(signal: Path, tmp_path: Path) -> None:
    config = written(tmp_path, f"input_files: [{{input_file: {signal}, num_event: 3}}]\n")
    with pytest.raises(InputError, match="unknown key `num_event`"):
        load_build(config, keys={})
    with pytest.raises(InputError, match="did you mean `min_jet_pt`"):
        load_build(written(tmp_path, f"main: [{signal}]\nmin_jet_pT: 30\n"), keys={})


def test_a_table_is_replaced_only_if_asked(signal: Path, tmp_path: Path) -> None:
    (tmp_path / "main.parquet").write_text("somebody's")
    with pytest.raises(InputError, match="--replace"):
        made(tmp_path, main=[str(signal)])
    assert (tmp_path / "main.parquet").read_text() == "somebody's"
    made(tmp_path, main=[str(signal)], replace=True)
    assert pq.read_metadata(tmp_path / "main.parquet").num_rows == 76


def test_a_build_that_fails_leaves_nothing(signal: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing_"):
        made(tmp_path, main=[str(signal), "nothing_*"])
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize(
    ("output", "control", "why"),
    [("main.pkl", None, "does not end in `.parquet`"), ("control.parquet", {}, "is the control")],
)
def test_outputs_that_could_not_be_read_are_refused(
    tmp_path: Path, output: str, control: Any, why: str
) -> None:
    with pytest.raises(InputError, match=re.escape(why)):
        made(tmp_path, output=str(tmp_path / output), control=control)


def test_what_pandas_reads_in_another_way_is_refused_or_told(signal: Path, tmp_path: Path) -> None:
    def where(text: str) -> Built:
        return made(tmp_path, main=[{"files": str(signal), "where": text}], replace=True)

    with pytest.raises(InputError, match="40 < jet_pt && jet_pt < 50"):
        where("40 < jet_pt < 50")
    with pytest.raises(InputError, match="`in` stands after"):
        where("eventNumber in [1, 2]")
    assert any("Python would read" in text for text in where("not label == 1").result.warnings)


def test_a_limit_over_ten_files_is_a_fair_and_repeatable_choice(
    signal: Path, tmp_path: Path
) -> None:
    """100 of 760 jets of ten files that differ, exactly, whatever the order of the files."""
    table = pq.read_table(signal)
    place = table.schema.get_field_index("mcEventWeight")
    for number in range(10):
        own = np.full(76, float(number))
        pq.write_table(
            table.set_column(place, "mcEventWeight", [own]), tmp_path / f"in_{number}.parquet"
        )
    patterns = ["in_[0-4].parquet", "in_[5-9].parquet"]
    chosen = []
    for files in (patterns, patterns[::-1], patterns):
        main = [{"files": files, "jets": 100}]
        made(tmp_path, main=main, scaling="none", replace=True, seed=1)
        rows = pq.read_table(tmp_path / "main.parquet", columns=["mcEventWeight", "eventNumber"])
        pairs = zip(*(column.to_pylist() for column in rows.columns), strict=True)
        chosen.append(sorted(pairs))
    assert len(chosen[0]) == 100
    assert chosen[0] == chosen[1] == chosen[2]
    by_file = np.bincount([int(weight) for weight, _ in chosen[0]], minlength=10)
    assert ((by_file > 0) & (by_file < 25)).all()  # 10 each expected, errors 3
    made(tmp_path, main=[{"files": patterns, "jets": 100}], scaling="none", replace=True, seed=2)
    other = pq.read_table(tmp_path / "main.parquet", columns=["eventNumber"])
    assert sorted(other["eventNumber"].to_pylist()) != sorted(number for _, number in chosen[0])
