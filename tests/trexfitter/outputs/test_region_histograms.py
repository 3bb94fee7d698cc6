"""Histograms of figures in ROOT files, figures in the formats of a job."""

from __future__ import annotations

import uproot
from matplotlib.figure import Figure

from quarkline.figures.save import save
from quarkline.templates.predictions import PredictedSample, RegionPrediction
from quarkline.trexfitter.outputs.region_histograms import write_region_histograms

SAMPLE = PredictedSample("ttH", "signal", (1.0, 2.5), (0.5, 0.25), 3.5, 0.6)


def region(*, after: bool) -> RegionPrediction:
    return RegionPrediction(
        region="SR",
        after_fit=after,
        edges=(0.0, 1.0, 4.0),
        samples=(SAMPLE,),
        contents=(1.0, 2.5),
        errors=(0.5, 0.25),
        total=3.5,
        total_error=0.6,
        data=(3.0, 0.0),
    )


def test_contents_errors_and_edges_are_those_of_the_figure(tmp_path):
    path = write_region_histograms(tmp_path / "SR_postFit.root", region(after=True))
    with uproot.open(path) as file:
        assert {name.split(";")[0] for name in file} == {
            "h_tot_postFit", "h_ttH_postFit", "h_data"
        }  # fmt: skip
        found = file["h_ttH_postFit"]
        assert found.values().tolist() == [1.0, 2.5]
        assert found.errors().tolist() == [0.5, 0.25]
        assert found.axis().edges().tolist() == [0.0, 1.0, 4.0]
        assert file["h_data"].errors().tolist() == [3.0**0.5, 0.0]


def test_names_before_the_fit_have_no_end(tmp_path):
    path = write_region_histograms(tmp_path / "SR_preFit.root", region(after=False))
    with uproot.open(path) as file:
        assert "h_tot" in file


def test_figures_are_written_in_the_formats_asked_for(tmp_path):
    written = save(Figure(), tmp_path / "a.b", [], formats=["png", "svg"])
    assert [path.name for path in written] == ["a.b.png", "a.b.svg"]
    assert written[1].read_text().startswith("<?xml")
