"""A three-stage study that proves the contracts; `toy_main.py` is its command line.

numbers -> squares (one item a number) -> total. From outside, every step can be slowed down
(`TOY_PAUSE`), written down (`TOY_TRACE`), made to fail (`TOY_FAIL`) and killed (`TOY_KILL`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field
from toy_items import begin, pause, square

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config, ConfigPath
from quarkline.engine.core.findings import Finding, Rule
from quarkline.engine.core.results import Quantity, Result
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.samples import InputSample
from quarkline.engine.workflow.stage import Context, Files, Stage
from quarkline.engine.workflow.study import StudyConfig, register_study

MISSING_INPUT = Rule("QL-TOY-001", "toy inputs exist", "Only for tests.")


@dataclass(frozen=True)
class Total(Result, kind="toy-total"):
    total: Quantity
    noise: float


class NumbersConfig(Config):
    seed: int
    scale: float


class SquaresConfig(Config):
    power: int


class TotalConfig(Config):
    seed: int
    labels: tuple[str, ...]


class ToyConfig(StudyConfig):
    inputs: list[ConfigPath]
    scale: float = 1.0
    power: int = Field(2, ge=1, le=9)
    labels: tuple[str, ...] = ()
    comment: str = ""


def make_numbers(context: Context) -> Mapping[str, Any]:
    begin("numbers")
    lines = [line for path in context.inputs["files"] for line in path.read_text().split()]
    noise = context.rng("noise").normal(size=len(lines))
    values = [float(line) * context.config.scale + n for line, n in zip(lines, noise, strict=True)]
    pause("numbers")
    path = context.out / "numbers.json"
    path.write_text(json.dumps(values))
    pause("numbers")
    context.summary(f"{len(values)} numbers")
    return {"numbers": path}


def make_squares(context: Context) -> Mapping[str, Any]:
    begin("squares")
    numbers = json.loads(context.path("numbers").read_text())
    items = [
        Item(f"number-{i}", {"number": number, "power": context.config.power})
        for i, number in enumerate(numbers)
    ]
    outcomes = context.map("square", square, items)
    path = context.out / "squares.json"
    path.write_text(json.dumps([outcome.value["square"] for outcome in outcomes]))
    return {"squares": path}


def make_total(context: Context) -> Mapping[str, Any]:
    begin("total")
    squares = json.loads(context.path("squares").read_text())
    pause("total")
    noise = float(context.rng("total").normal())
    return {"total": Total(Quantity(sum(squares), unit="GeV"), noise)}


class Toy:
    name = "toy"
    Config = ToyConfig

    def stages(self, config: ToyConfig) -> list[Stage]:
        files = Files(tuple(config.inputs))
        return [
            Stage(
                "numbers",
                1,
                NumbersConfig(seed=config.seed, scale=config.scale),
                {"files": files},
                ("numbers",),
                make_numbers,
            ),
            Stage(
                "squares",
                1,
                SquaresConfig(power=config.power),
                {"numbers": "numbers.numbers"},
                ("squares",),
                make_squares,
            ),
            Stage(
                "total",
                1,
                TotalConfig(seed=config.seed, labels=config.labels),
                {"squares": "squares.squares"},
                ("total",),
                make_total,
            ),
        ]

    def checks(self, config: ToyConfig) -> list[Finding]:
        return [
            MISSING_INPUT.finding(f"there is no input `{path}`")
            for path in config.inputs
            if not path.exists()
        ]

    def samples(self, config: ToyConfig) -> list[InputSample]:
        return [InputSample("inputs", tuple(config.inputs))]

    def headline(self, results: Mapping[str, Result]) -> str:
        return f"total = {results['total'].total.value:.3f}"

    def report(self, run: Any) -> Path:
        return write_atomic(run.folder / "report.html", f"{self.headline(run.results())}\n")


register_study(Toy())
