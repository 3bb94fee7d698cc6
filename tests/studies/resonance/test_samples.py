"""The inputs of a search as samples: their cut-flow is the one of the stage `select`."""

from __future__ import annotations

import pytest

from quarkline.studies.resonance.spectrum import SPECTRUM, SpectrumConfig
from quarkline.tools.cutflow import cut_flows
from quarkline.tools.doctor import doctor_config
from quarkline.tools.run import load_analysis

from .conftest import write_config

pytestmark = pytest.mark.xdist_group("resonance-run")


def test_event_steps_count_what_the_selection_counted(events, finished):
    analysis = load_analysis(write_config(events))
    (sample,) = analysis.study.samples(analysis.config)
    assert (sample.name, len(sample.files), sample.identity) == ("data", 2, ("run", "event"))
    assert {"run", "event", "Muon_pt", "Muon_tightId", "Muon_ip3d", "Jet_pt"} <= {*sample.columns}
    (found,) = cut_flows([sample]).samples
    steps = finished.run.results()["selection"].steps
    assert found.flow.events == steps[0].searched
    assert [(step.name, step.events) for step in found.flow.steps] == [
        (step.name, step.searched) for step in steps[1:3]
    ]


SPECTRUM_YAML = """\
schema: 1
study: spectrum
name: all
inputs: {files: "*.root", tree: Events, trigger: HLT_TrkMu15_DoubleTrkMu5NoFiltersNoVtx}
"""


def test_the_inputs_of_a_config_are_looked_over(events, tmp_path):
    for path in sorted((events / "events").glob("*.root")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = tmp_path / "all.yaml"
    config.write_text(SPECTRUM_YAML)
    report = doctor_config(load_analysis(config))
    assert (report.errors, report.warnings, report.files) == (0, 0, 2)
    every = doctor_config(load_analysis(config), every=True)
    assert len(every.findings) >= len(report.findings)
    whole = sorted(tmp_path.glob("*.root"))[1]
    whole.write_bytes(whole.read_bytes()[:20_000])
    report = doctor_config(load_analysis(config))
    assert [item["place"] for item in report.findings if item["severity"] == "error"] == [
        str(whole)
    ]
    config.write_text(SPECTRUM_YAML.replace("*.root", "nowhere/*.root"))
    report = doctor_config(load_analysis(config))
    assert [item["code"] for item in report.findings] == ["QL-EVENTS-001"]


@pytest.mark.parametrize(
    ("require", "cut"),
    [
        (None, "Length$(Muon_pt) >= 2"),
        ("tightId && pt > 5", "Sum$((Muon_tightId && Muon_pt > 5) != 0) >= 2"),
        ("abs(eta) < pi/2", "Sum$((abs(Muon_eta) < pi/2) != 0) >= 2"),
    ],
)
def test_the_requirement_is_spelt_in_the_files_columns(events, require, cut):
    config = SpectrumConfig.model_validate(
        {
            "schema": 1,
            "study": "spectrum",
            "name": "all",
            "inputs": {"files": [events / "events" / "*.root"], "tree": "Events"},
            "pair": {"require": require},
        }
    )
    (sample,) = SPECTRUM.samples(config)
    assert list(sample.cuts.values()) == [cut]
    cut_flows([sample])
