"""What the page of models tells other programs to compute is the fold of an event."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from quarkline.events.identity import fold_of

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "models.md"
SEEDS, FOLDS = (0, 1, -5, 2**40), 7
MAIN = """
#include <iostream>
int main() {
  std::int64_t seed, a, b;
  while (std::cin >> seed >> a >> b) std::cout << fold_of(seed, {a, b}, 7) << "\\n";
}
"""


def section() -> str:
    return PAGE.read_text().split("### The fold of an event, elsewhere")[1].split("\n## ")[0]


def code(language: str) -> str:
    return re.findall(rf"```{language}\n(.*?)```", section(), re.DOTALL)[0]


def keys() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(1)
    return {"run": draw.integers(-(2**62), 2**62, 200), "event": draw.integers(0, 2**62, 200)}


def test_the_python_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fold_recipe.py").write_text(code("python"))
    monkeypatch.syspath_prepend(tmp_path)
    recipe = importlib.import_module("fold_recipe")
    for seed in SEEDS:
        wanted = fold_of(keys(), seed=seed, folds=FOLDS)
        pairs = zip(*keys().values(), strict=True)
        assert [recipe.fold_of_event(seed, pair, FOLDS) for pair in pairs] == wanted.tolist()
    (fold,) = fold_of({"dsid": [545824], "event": [7]}, seed=1, folds=5)
    assert f"Seed 1 and the key (545824, 7) are in fold {fold} of 5." in section()


def test_the_cpp_recipe(tmp_path: Path) -> None:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("there is no g++")
    (tmp_path / "main.cpp").write_text(code("cpp") + MAIN)
    options = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "main.cpp", "-o", "main"]
    subprocess.run([compiler, *options], cwd=tmp_path, check=True)
    rows = [(seed, *pair) for seed in SEEDS for pair in zip(*keys().values(), strict=True)]
    text = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    done = subprocess.run(
        [tmp_path / "main"], input=text, capture_output=True, text=True, check=True
    )
    wanted = [fold_of(keys(), seed=seed, folds=FOLDS) for seed in SEEDS]
    assert list(map(int, done.stdout.split())) == np.concatenate(wanted).tolist()
