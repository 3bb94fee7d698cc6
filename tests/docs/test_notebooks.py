"""The notebooks are kept without outputs, and every cell of them runs."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from tests.docs.pages import DOCS, command_lines
from tests.docs.test_commands import options

pytest.importorskip("torch")

from quarkline.tools.new import new
from quarkline.tools.run import load_analysis, run
from quarkline.tools.simulate import simulate

NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
SMALL = (
    "train.folds=2",
    "train.fit.epochs=2",
    "evaluate={replicas: 10, repetitions: 2, importance_events: 300}",
    "friends.systematics=false",
    "fit=null",
)
FEW = (
    "simulate.jets={signal: 800, qcd: 800, bib: 800, control_simulation: 800, control_data: 800}",
    "features={validation: 0.2, test: 0.3}",
    "train={fit: {epochs: 2}, epoch_weights: all}",
    "export.formats=[cpp]",
)
MODELS = ("{kind: resnet, blocks: 1, width: 8}", "{kind: bdt, trees: 5}")


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in found if cell["cell_type"] == kind]


@pytest.fixture
def _figures() -> Iterator[None]:
    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_what_it_once_printed(path: Path) -> None:
    for cell in cells(path, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        compile("".join(cell["source"]), f"{path.name}:{cell['id']}", "exec")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_page_and_its_commands_are_understood(made, path: Path) -> None:
    page = made.notebook_page(path)
    assert f"generated/notebooks/{path.stem}\n" in (DOCS / "index.md").read_text()
    assert page.startswith("# ")
    assert f"</notebooks/{path.name}>" in page
    for cell in cells(path, "code"):
        assert f"```python\n{''.join(cell['source'])}\n```" in page
    for line in command_lines(page):
        words = shlex.split(line)[1:]
        assert {word for word in words[1:] if re.match(r"--?[a-z]", word)} <= options(words)


@pytest.mark.slow
@pytest.mark.usefixtures("_figures")
def test_the_notebook_of_a_search_runs_on_toy_ntuples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    simulate("leptoquark", "lq_ntuples", events=20_000)
    config = new("leptoquark", folder=tmp_path)
    for model in MODELS:
        overrides = [*SMALL, f"train.model={model}"]
        run(load_analysis(config, overrides=overrides, compute={"workers": 1}), until="friends")
    code = ["".join(cell["source"]) for cell in cells(DOCS / "notebooks" / "search.ipynb", "code")]
    (tmp_path / "search.py").write_text("\n".join(code), encoding="utf-8")
    names = runpy.run_path("search.py")
    assert len(plt.get_fignums()) == 2
    assert names["largest"] < 1e-6
    assert "Z = " in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("_figures")
def test_the_notebook_of_the_tagging_study_runs_on_simulated_jets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    config = new("calratio", folder=tmp_path)
    run(load_analysis(config, overrides=FEW, compute={"workers": 1}))
    code = ["".join(cell["source"]) for cell in cells(DOCS / "notebooks" / "tagging.ipynb", "code")]
    (tmp_path / "tagging.py").write_text("\n".join(code), encoding="utf-8")
    names = runpy.run_path("tagging.py")
    assert len(plt.get_fignums()) == 2
    assert names["largest"] < 1e-5
    assert "signal efficiency" in capsys.readouterr().out
