"""The stage `convert` makes the tables that the command makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import WorkError
from quarkline.engine.workflow.stage import Conditions, Context
from quarkline.studies.tagging.convert.config import ConversionConfig, NtuplesConfig
from quarkline.studies.tagging.convert.run import ntuples_of, run_conversion, sources_of
from quarkline.studies.tagging.convert.stage import ConvertStageConfig, run


@pytest.fixture
def context(tmp_path: Path, here: Any, invent: Any, write: Any) -> Context:
    entries = [
        NtuplesConfig(files=[write(tmp_path / "a.parquet", invent(1))], kind="sig", llp_mH=125),
        NtuplesConfig(files=[write(tmp_path / "b.parquet", invent(2))], kind="qcd", folder="x"),
    ]
    config = ConversionConfig(ntuples=entries, output=tmp_path / "command")
    run_conversion(config, here, lambda *_: None)
    listed = ntuples_of(entries, config, by_kind=True)
    settings = ConvertStageConfig(sources=sources_of(listed))
    inputs = {"ntuples": tuple(item.path for item in listed)}
    out = tmp_path / "stage"
    out.mkdir()
    items, conditions = tmp_path / "items", Conditions(executor=here)
    return Context("convert", 1, settings, inputs, out, items, conditions)


def test_tables_are_those_of_the_command(context: Context, tmp_path: Path) -> None:
    found = run(context)
    for name, other in (("sig/a", "a"), ("x/b", "x/b")):
        table = pq.read_table(found["tables"] / f"{name}.parquet")
        expected = pq.read_table(tmp_path / "command" / f"{other}.parquet")
        assert table.num_rows > 0
        assert table.equals(expected)
    assert [file.table for file in found["conversion"].files] == ["sig/a.parquet", "x/b.parquet"]
    assert context.summaries[0].endswith("jets of 2 ntuples")


def test_bad_ntuples_end_it_unless_they_are_allowed(
    context: Context, tmp_path: Path, invent: Any, write: Any
) -> None:
    path = write(tmp_path / "c.parquet", invent(3), drop=["jet_phi"])
    broken = replace(context, inputs={"ntuples": (path, context.inputs["ntuples"][1])})
    with pytest.raises(WorkError, match="required branches: jet_phi"):
        run(broken)
    (tmp_path / "again").mkdir()
    config = context.config.model_copy(update={"allow_bad_files": 1})
    found = run(replace(broken, config=config, out=tmp_path / "again"))
    assert [file.state for file in found["conversion"].files] == ["left out", "converted"]
