"""A folder with a toy analysis, to be run in this process or in processes that a test may kill."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toy import Toy

from quarkline.engine.workflow.plan import PlannedStage
from quarkline.tools import run as tool

HERE = Path(__file__).parent
NOT_REPRODUCIBLE = {"provenance.json", "log.txt"}


@dataclass
class Bench:
    """A folder with a toy analysis, and two ways to run it."""

    folder: Path
    config: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def runs(self) -> Path:
        return self.folder / "runs" / "bench"

    @property
    def file(self) -> Path:
        return self.folder / "bench.yaml"

    @property
    def trace(self) -> Path:
        return self.folder / "trace.txt"

    def write(self, **keys: Any) -> Path:
        """Write the config; JSON is YAML."""
        self.config |= keys
        lines = [f"{key}: {json.dumps(value)}" for key, value in self.config.items()]
        self.file.write_text("\n".join(lines) + "\n")
        return self.file

    def plan(self, *overrides: str, **options: Any) -> Mapping[str, PlannedStage]:
        """The plan's stages by name."""
        with contextlib.chdir(self.folder):
            analysis = tool.load_analysis(Path(self.file.name), overrides=overrides)
            return tool.plan(analysis, **options)[0].by_name

    def run(
        self, *overrides: str, compute: Mapping[str, Any] | None = None, **options: Any
    ) -> tool.RunOutcome:
        """Run in this process."""
        with contextlib.chdir(self.folder):
            path = Path(self.file.name)
            analysis = tool.load_analysis(path, overrides=overrides, compute=compute)
            return tool.run(analysis, **options)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Run the command line in a process group of its own."""
        process = subprocess.Popen(
            [sys.executable, str(HERE / "toy_main.py"), *(arguments or ("run", self.file.name))],
            cwd=self.folder,
            env=os.environ | self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def done(self) -> list[str]:
        """The steps that were worked on since this was last asked, sorted."""
        if not self.trace.exists():
            return []
        steps = self.trace.read_text().split()
        self.trace.unlink()
        return sorted(steps)

    def contents(self) -> dict[str, bytes | None]:
        """Every file (None: folder) below the runs, without what may differ between equal runs."""
        return {
            path.relative_to(self.runs).as_posix(): path.read_bytes() if path.is_file() else None
            for path in sorted(self.runs.rglob("*"))
            if path.name not in NOT_REPRODUCIBLE
        }


def make_bench(folder: Path) -> Bench:
    folder.mkdir(exist_ok=True)
    (folder / "a.txt").write_text("1 2\n")
    (folder / "b.txt").write_text("3\n")
    bench = Bench(folder, {"schema": 1, "study": Toy.name, "name": "bench"})
    bench.write(inputs=["a.txt", "b.txt"], seed=5, compute={"workers": 1})
    return bench
