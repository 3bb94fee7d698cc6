"""Figures of systematics are the same wherever and with however many workers they are drawn."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from quarkline.engine.compute.local import LocalWorkers
from quarkline.figures.fits import plot_systematic, plot_systematic_on_total
from quarkline.templates.restore import read_templates
from quarkline.tools.trexfitter import load_job
from quarkline.trexfitter.actions import run_actions
from quarkline.trexfitter.steps.work import Work

save = importlib.import_module("quarkline.figures.save").save


@pytest.fixture
def config(official: Path) -> Path:
    """FitExample with both kinds of figures."""
    path = official / "configs" / "FitExample.config"
    text = path.read_text().replace("  DebugLevel: 2\n", "  SystDataPlots: TRUE\n")
    path.write_text(text)
    return path


def pictures(folder: Path) -> dict[str, bytes]:
    found = sorted((folder / "Systematics").rglob("*"))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.is_file()}


def test_figures_are_those_drawn_here_one_by_one(config, run, tmp_path):
    done = run("h", config, "Regions=SR_1:Systematics=JES,Bkg1Xsec")
    found = pictures(done.folder)
    job = load_job(
        config, "Regions=SR_1:Systematics=JES,Bkg1Xsec", output=config.parents[1] / "out"
    )
    label = Work.of(job, LocalWorkers(1)).label
    region = read_templates(job.catalog, done.folder / "Histograms", job.name).regions["SR_1"]
    bkg1 = plot_systematic(
        region.templates["Bkg1"],
        "JES",
        variable="H_{T} [GeV]",
        titles=("Jet Energy Scale", "Background", "Signal Region 1"),
        label=label,
    )
    total = plot_systematic_on_total(
        region,
        "Bkg1Xsec",
        samples=["Bkg1", "Bkg2", "Signal"],
        variable="H_{T} [GeV]",
        titles=("Backgr. 1 Cross-Section", "Signal Region 1"),
        label=label,
    )
    for figure, name in ((bkg1, "JES/SR_1_Bkg1_JES"), (total, "Bkg1Xsec/SR_1_Bkg1Xsec")):
        (picture,) = save(figure, tmp_path / "picture", formats=["png"])
        assert found[f"Systematics/{name}.png"] == picture.read_bytes()
    assert set(found) == {
        f"Systematics/{name}.png"
        for name in (
            "JES/SR_1_Bkg1_JES",
            "JES/SR_1_Signal_JES",
            "JES/SR_1_JES",
            "Bkg1Xsec/SR_1_Bkg1_Bkg1Xsec",
            "Bkg1Xsec/SR_1_Bkg1Xsec",
        )
    }
    assert set(done.files) >= {done.folder / name for name in found}
    assert not list(done.folder.glob(".*"))


@pytest.mark.slow
def test_workers_do_not_change_figures(config, run):
    here = pictures(run("h", config, "Job=here").folder)
    job = load_job(config, "Job=there", output=config.parents[1] / "out")
    done = run_actions(job, "h", executor=LocalWorkers(2))
    assert len(here) == 19
    assert pictures(done.folder) == here


def test_settings_choose_what_is_drawn_on(config, run, drawn):
    text = config.read_text().replace("SystControlPlots: TRUE", "SystControlPlots: FALSE")
    config.write_text(text.replace("  SystDataPlots: TRUE\n", ""))
    run("h", config)
    assert drawn == []
