"""The inputs of a search as samples: their cut-flow is the one of the stage `select`."""

from __future__ import annotations

import pytest

from quarkline.studies.resonance.spectrum import SPECTRUM, SpectrumConfig
from quarkline.tools.cutflow import cut_flows
from quarkline.tools.run import load_analysis

from .conftest import write_config

pytestmark = pytest.mark.xdist_group("finished")


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
