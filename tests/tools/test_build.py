"""Configs of a build of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.engine.core.findings import InputError
from quarkline.tools.build import load_build


def test_a_table_of_the_trainers_config_does_not_pass_for_a_pickle(tmp_path: Path) -> None:
    (tmp_path / "build.yaml").write_text("input_files: [{input_file: a}]\noutput_file: a/b.pkl\n")
    config = load_build(tmp_path / "build.yaml", keys={})
    assert config.output.name == "b.parquet"
    assert config.main[0].files == ["a"]


def test_the_control_region_does_not_replace_the_training_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="control region's table"):
        load_build(None, keys={"output": str(tmp_path / "control.parquet"), "control": {}})
