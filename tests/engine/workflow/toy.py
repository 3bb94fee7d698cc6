"""A three-stage study that proves the contracts; `python toy.py run CONFIG` is its command line.

numbers -> squares (one item a number) -> total. Each step can be slowed down from outside, so
that a test can kill it at any moment.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config, ConfigPath
from quarkline.engine.core.results import Quantity, Result
from quarkline.engine.core.rng import rng
from quarkline.engine.store.atomic import write_atomic
from quarkline.engine.workflow.stage import Context, Files, Stage
from quarkline.engine.workflow.study import StudyConfig, register_study


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


class ToyConfig(StudyConfig):
    inputs: list[ConfigPath]
    scale: float = 1.0
    power: int = Field(2, ge=1, le=9)
    comment: str = ""


def pause() -> None:
    time.sleep(float(os.environ.get("TOY_PAUSE", "0")))


def make_numbers(context: Context) -> Mapping[str, Any]:
    lines = [line for path in context.inputs["files"] for line in path.read_text().split()]
    noise = context.rng("noise").normal(size=len(lines))
    values = [float(line) * context.config.scale + n for line, n in zip(lines, noise, strict=True)]
    pause()
    path = context.out / "numbers.json"
    path.write_text(json.dumps(values))
    pause()
    context.summary(f"{len(values)} numbers")
    return {"numbers": path}


def square(args: Mapping[str, Any], inputs: Mapping[str, Path], folder: Path) -> Any:
    half = folder / "half.txt"
    if not half.exists():
        write_atomic(half, repr(args["number"]))
    pause()
    return {"square": float(half.read_text()) ** args["power"], "draw": rng(1, "square").random()}


def make_squares(context: Context) -> Mapping[str, Any]:
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
    squares = json.loads(context.path("squares").read_text())
    pause()
    noise = float(context.rng("total").normal())
    return {"total": Total(Quantity(sum(squares), unit="GeV"), noise)}


class Toy:
    name = "toy"
    Config = ToyConfig

    def stages(self, config: ToyConfig) -> list[Stage]:
        seed = config.seed
        numbers = NumbersConfig(seed=seed, scale=config.scale)
        squares = SquaresConfig(power=config.power)
        return [
            Stage(
                "numbers",
                1,
                numbers,
                {"files": Files(tuple(config.inputs))},
                ("numbers",),
                make_numbers,
            ),
            Stage(
                "squares", 1, squares, {"numbers": "numbers.numbers"}, ("squares",), make_squares
            ),
            Stage(
                "total",
                1,
                TotalConfig(seed=seed),
                {"squares": "squares.squares"},
                ("total",),
                make_total,
            ),
        ]

    def checks(self, config: ToyConfig) -> list[Any]:
        return []

    def headline(self, results: Mapping[str, Result]) -> str:
        return f"total = {results['total'].total.value:.3f}"

    def report(self, run: Any) -> Path:
        path = run.folder / "report.html"
        path.write_text("toy")
        return path


register_study(Toy())

if __name__ == "__main__":
    from quarkline.cli.main import main

    main()
