"""What every command shares: help, versions, exit codes, findings, pipes and completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import quarkline as package

from .conftest import Answer

Call = Callable[..., Answer]
COMMANDS = {"new", "plan", "run", "list"}


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell line in which `quarkline` is this interpreter's."""
    function = f'quarkline() {{ "{sys.executable}" -m quarkline "$@"; }}; '
    return subprocess.run(
        ["bash", "-c", "set -o pipefail; " + function + command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_lists_the_commands(quarkline: Call, option: str) -> None:
    answer = quarkline(option)
    assert (answer.code, answer.err) == (0, "")
    assert all(f" {command} " in answer.out for command in COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(quarkline: Call, command: str) -> None:
    answer = quarkline(command, "--help")
    assert answer.code == 0
    assert "Usage: quarkline " + command in answer.out


def test_version(quarkline: Call) -> None:
    assert quarkline("--version").out == f"quarkline {package.__version__}\n"


def test_it_is_a_module_too(tmp_path: Path) -> None:
    done = shell("quarkline --version", tmp_path)
    assert (done.returncode, done.stdout) == (0, f"quarkline {package.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?"),
        (["run"], "Missing argument 'CONFIG'"),
        (["run", "a.yaml", "--wrokers", "2"], "No such option: --wrokers"),
        (["run", "a.yaml", "--workers", "0"], "should be greater than or equal to 1"),
        (["run", "a.yaml", "--device", "gpu"], "'gpu' is not one of"),
        (["run", "a.yaml", "--only", "x", "--until", "y"], "--only and --until cannot be used"),
        (["plan", "a.yaml", "--only", "x", "--until", "y"], "--only and --until cannot be used"),
    ],
)
def test_wrong_usage_is_exit_code_2(quarkline: Call, arguments: list[str], words: str) -> None:
    answer = quarkline(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert words in " ".join(answer.err.replace("│", "").split())


def test_findings_go_to_standard_error(quarkline: Call, config: Path) -> None:
    config.write_text(config.read_text() + "powr: 3\nscale: x\n")
    answer = quarkline("plan", "bench.yaml")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "QL-CONFIG-002  bench.yaml:7:1  unknown key `powr`\n"
        "    7 | powr: 3\n"
        "      | ^^^^\n"
        "   did you mean `power`?\n"
        "\n"
        "QL-CONFIG-004  bench.yaml:8:1  `scale` = 'x': input should be a valid number, "
        "unable to parse string as a number\n"
        "    8 | scale: x\n"
        "      | ^^^^^\n"
    )


def test_findings_as_json(quarkline: Call, config: Path) -> None:
    config.write_text(config.read_text() + "powr: 3\n")
    answer = quarkline("plan", "bench.yaml", "--json")
    assert (answer.code, answer.out) == (2, "")
    (finding,) = json.loads(answer.err)
    assert finding["code"] == "QL-CONFIG-002"
    assert finding["place"] == "bench.yaml:7:1"
    assert finding["suggestion"] == "did you mean `power`?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("schema: 1\nname: x\n", "QL-CONFIG-010  bench.yaml  the config names no study"),
        ("schema: 1\nstudy: tov\nname: x\n", "QL-CONFIG-010  bench.yaml:2:1  unknown study `tov`"),
    ],
)
def test_an_unknown_study(quarkline: Call, config: Path, text: str, message: str) -> None:
    config.write_text(text)
    answer = quarkline("run", "bench.yaml")
    assert answer.code == 2
    assert message in answer.err
    assert "toy" in answer.err


def test_a_missing_config(quarkline: Call, config: Path) -> None:
    answer = quarkline("run", "bensh.yaml")
    assert answer.code == 2
    assert answer.err == (
        "QL-CONFIG-003  there is no config file `bensh.yaml`\n   did you mean `bench.yaml`?\n"
    )


@pytest.mark.parametrize("command", ["quarkline --help", "quarkline list", "quarkline list --json"])
def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path, command: str) -> None:
    runs = tmp_path / "runs" / "many"
    for number in range(1, 400):
        folder = runs / f"{number:05d}"
        folder.mkdir(parents=True)
        run = {"study": "toy", "identity": "x", "stages": [], "complete": False}
        (folder / "run.json").write_text(json.dumps(run))
    done = shell(f"{command} | head -c 1 > first", tmp_path)
    assert (tmp_path / "first").stat().st_size == 1
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_shell_completion_knows_commands_and_options(tmp_path: Path) -> None:
    def complete(line: str, position: int) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(position)}
        return shell(
            "quarkline", tmp_path, _QUARKLINE_COMPLETE="complete_bash", **words
        ).stdout.split()

    assert complete("quarkline pla", 1) == ["plan"]
    assert "--until" in complete("quarkline run a.yaml --un", 3)
    assert set(complete("quarkline run a.yaml --device ", 4)) == {"auto", "cpu", "cuda"}


def test_a_locale_without_greek_letters_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "σ").mkdir()
    done = shell("quarkline list σ", tmp_path, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("no runs in \\u03c3;")
