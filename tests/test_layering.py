"""Imports run downwards only, and the command line starts without the heavy libraries."""

from __future__ import annotations

import json
import logging
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

PROJECT = Path(__file__).parents[1]
HEAVY = {
    "awkward", "captum", "dask", "distributed", "lightgbm", "lightning", "matplotlib", "mlflow",
    "mplhep", "numpy", "onnx", "onnxruntime", "optuna", "pandas", "particle", "pyarrow", "pydantic",
    "ruamel", "scipy", "sklearn", "tensorboard", "torch", "uproot", "wandb", "zuko",
}  # fmt: skip


@pytest.fixture(autouse=True)
def other_tests_keep_their_loggers() -> Iterator[None]:
    """import-linter disables every logger that exists."""
    yield
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.disabled = False


def test_imports_keep_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    code = lint_imports(config_filename=str(PROJECT / "pyproject.toml"), no_cache=True)
    assert code == 0, capsys.readouterr().out


def test_the_check_sees_a_broken_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upside_down = tmp_path / "importlinter.ini"
    upside_down.write_text(
        "[importlinter]\nroot_package = quarkline\n"
        "[importlinter:contract:1]\nname = upside down\ntype = layers\n"
        "layers =\n    quarkline.engine\n    quarkline.cli\n"
    )
    assert lint_imports(config_filename=str(upside_down), no_cache=True) == 1
    assert "upside down BROKEN" in capsys.readouterr().out


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


HELP = """
from typer.testing import CliRunner
from quarkline.cli.main import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
"""


@pytest.mark.parametrize("statement", ["import quarkline.cli.main", HELP], ids=["import", "help"])
def test_the_command_line_starts_light(statement: str) -> None:
    assert loaded_by(statement) & HEAVY == set()


def test_the_core_of_the_engine_needs_no_event_library() -> None:
    loaded = loaded_by("import quarkline.tools.run")
    assert loaded & (HEAVY - {"numpy", "pydantic", "ruamel"}) == set()


@pytest.mark.slow
def test_help_answers_in_half_a_second() -> None:
    """In processor time, which other work on the machine does not stretch much."""
    times = []
    for _ in range(9):
        process = subprocess.Popen(
            [sys.executable, "-m", "quarkline", "--help"], stdout=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        times.append(usage.ru_utime + usage.ru_stime)
    assert statistics.median(times) < 0.5, sorted(times)
