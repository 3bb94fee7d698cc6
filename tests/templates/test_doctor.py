"""The fit doctor on templates: what only they tell, and which setting mends it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import Finding
from quarkline.templates.build import build_templates
from quarkline.templates.fill import fill, requests_of
from quarkline.templates.fill.filled import Allowed
from quarkline.templates.measure import measure
from quarkline.templates.refusals import placed
from quarkline.templates.sets import TemplateSet
from quarkline.trexfitter import read_trexfitter, translate
from quarkline.trexfitter.job import read_job

from . import made, small
from .official import catalog_of, fit_example

CONTENTS = [400.0, 300.0, 200.0, 100.0, 80.0, 60.0]
ERRORS = [20.0, 17.0, 14.0, 10.0, 9.0, 8.0]
NOISE = [1.03, 0.95, 1.04, 0.93, 1.08, 0.94]
SLOPE = [0.70, 0.85, 1.0, 1.15, 1.3, 1.45]


def findings(*, systematic: dict[str, Any], top: list[float], **keys: Any) -> list[Finding]:
    """What is said of a fit of one background with one systematic."""
    catalog = made.analysis(
        poi="mu",
        samples={"signal": {"role": "signal"}, "top": {}},
        norm_factors={"mu": {"samples": ["signal"], "min": -50, "max": 100}},
        systematics={"JES": {"kind": "varied", "samples": ["top"], **systematic}},
        fit={"data": "asimov"},
        **keys,
    )
    signal = made.histogram([1, 1, 2, 5, 10, 30], np.full(6, 0.1))
    nominal = made.histogram(CONTENTS, ERRORS)
    mirrored = 2 * np.array(CONTENTS) - np.array(top)
    built = made.built(
        catalog,
        signal=signal,
        top=nominal,
        top__JES__up=made.histogram(top, ERRORS),
        top__JES__down=made.histogram(mirrored, ERRORS),
    )
    return list(measure(built.templates, catalog, what=["fit"]).findings)


def codes(**keys: Any) -> set[int]:
    return {int(one.code[-3:]) for one in findings(**keys) if "FITDOCTOR" in one.code}


def times(factors: list[float]) -> list[float]:
    return list(np.array(CONTENTS) * factors)


FILES = {"up": {"files": {"names": ["up"]}}, "down": {"files": {"names": ["down"]}}}
WEIGHTS = {"up": {"weight": "u"}, "down": {"weight": "d"}}


def test_noise_of_other_events_is_found_and_a_slope_is_none() -> None:
    assert 60 in codes(systematic=FILES, top=times(NOISE))
    assert 60 not in codes(systematic=FILES, top=times(SLOPE))


def test_weights_of_the_same_events_have_no_noise_of_their_own() -> None:
    assert 60 not in codes(systematic=WEIGHTS, top=times(NOISE))


def test_what_is_smoothed_is_no_noise_any_more() -> None:
    assert 60 not in codes(systematic={**FILES, "smoothing": 40}, top=times(NOISE))


def test_a_systematic_that_is_the_nominal_histogram_is_found() -> None:
    assert 61 in codes(systematic=WEIGHTS, top=CONTENTS)
    assert 61 not in codes(systematic=WEIGHTS, top=times(SLOPE))


def test_a_constant_signal_is_freed_by_its_setting() -> None:
    catalog = small.catalog(norm_factors__mu__constant=True)
    (found,) = (
        one
        for one in measure(small.templates(), catalog, what=["fit"]).findings
        if one.code == "QL-FITDOCTOR-020"
    )
    assert found.evidence["setting"] == ["norm_factors", "mu", "constant"]
    assert "`constant: false` of `mu` (TRExFitter: `Constant: FALSE`)" in str(found.suggestion)


@pytest.mark.parametrize(
    "settings", [{"fit__hypothesis": "background"}, {"fit__fixed": {"mu": 1.0}}]
)
def test_a_signal_that_settings_hold_is_meant_to_be(settings: dict[str, Any]) -> None:
    found = measure(small.templates(), small.catalog(**settings), what=["fit"]).findings
    assert "QL-FITDOCTOR-020" not in {one.code for one in found}


def test_other_measurements_do_not_repeat_the_diagnosis() -> None:
    catalog = small.catalog(norm_factors__mu__constant=True, fit__free=["mu"])
    assert not measure(small.templates(), catalog, what=["scans"]).findings


def test_what_is_hidden_is_not_told() -> None:
    """Values of hidden parameters, and counts of bins with too much signal."""
    far = small.templates()
    region = far.regions["SR"]
    data = small.histogram([300.0, 10.0])
    far = TemplateSet({**far.regions, "SR": replace(region, data=data)})

    def told(**settings: Any) -> dict[str, Finding]:
        found = measure(far, small.catalog(norm_factors__mu__max=1.5, **settings), what=["fit"])
        return {one.code[-3:]: one for one in found.findings}

    seen, hidden = told(), told(fit__hidden_parameters=["mu"], hide__threshold=0.01)
    assert {"002", "051"} < set(seen)
    assert not {"002", "051"} & set(hidden)
    assert any(one["region"] == "SR" for one in seen["050"].evidence["worst"])
    assert all(one["region"] == "CR" for one in hidden["050"].evidence["worst"])


def test_bounds_are_widened_on_the_side_that_is_met() -> None:
    catalog = small.catalog(norm_factors__k__max=0.9, norm_factors__k__nominal=0.8)
    found = measure(small.templates(), catalog, what=["fit"]).findings
    (one,) = (each for each in found if each.code == "QL-FITDOCTOR-002")
    assert one.evidence["setting"] == ["norm_factors", "k", "max"]


def test_findings_point_at_lines_of_our_yaml(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    text = ["schema: 1", "norm_factors:", "  mu:", "    samples: [signal]", "    constant: true"]
    file.write_text("\n".join(text))
    catalog = small.catalog(norm_factors__mu__constant=True)
    found = measure(small.templates(), catalog, what=["fit"]).findings
    places = {one.code: one.place for one in placed(found, load_config(file))}
    place = places["QL-FITDOCTOR-020"]
    assert place is not None
    assert (place.file, place.line) == (file, 5)


def test_findings_point_at_lines_of_trexfitter_configs(official: Path) -> None:
    path = official / "configs" / "FitExample.config"
    catalog = catalog_of(official, "FitExample")
    built = build_templates(catalog, fit_example(official, catalog))
    found = measure(built.templates, catalog, what=["fit"]).findings
    (one,) = (
        each
        for each in placed(found, translate(read_trexfitter(path)))
        if each.code == "QL-FITDOCTOR-041"
    )
    assert one.evidence["parameter"] == "JES"
    assert one.place is not None
    assert one.place.line is not None
    lines = path.read_text().splitlines()
    block = next(at for at, line in enumerate(lines, 1) if line == 'Systematic: "JES"')
    following = next(at for at in range(block + 1, len(lines)) if not lines[at - 1].strip())
    assert block <= one.place.line < following


def test_the_example_of_histograms_has_three_findings_that_are_true(official: Path) -> None:
    """Its signal ends at 0; its JES changes bins by up to 84 %, and is constrained to a third."""
    catalog = catalog_of(official, "FitExample")
    built = build_templates(catalog, fit_example(official, catalog))
    found = measure(built.templates, catalog, what=["fit"])
    assert {one.code[-3:] for one in found.findings} == {"002", "010", "041"}
    assert found.fit is not None
    assert found.fit.by_name["SigXsecOverSM"].value == 0.0
    jes = built.templates.regions["SR_1"].templates["Bkg1"]
    change = jes.shifts["JES"].shape_down / jes.nominal.contents - 1
    assert np.abs(change).max() > 0.5


def test_the_example_of_ntuples_has_no_findings(official: Path) -> None:
    catalog = catalog_of(official, "FitExampleNtuple")
    folders = {"folders": [str(official / "inputs/Ntuple")]}
    catalog = catalog.model_copy(update={"files": catalog.files.model_copy(update=folders)})
    built = build_templates(catalog, fill(requests_of(catalog), catalog).histograms)
    assert measure(built.templates, catalog, what=["fit"]).findings == ()


@pytest.mark.slow
def test_the_leptoquark_config_is_told_why_it_measures_nothing(data_folder: Path) -> None:
    """Its own config declares the signal constant, in a file of its own."""
    folder = data_folder / "lq" / "trex-fitter"
    replace = {"XXX_NtuplePaths": str(data_folder / "lq_ntuples")}
    job = read_job(folder / "configs" / "raw-events.config", replace=replace)
    filled = fill(requests_of(job.catalog), job.catalog, allowed=Allowed(missing=1000, bad=100))
    built = build_templates(job.catalog, filled.histograms)
    found = measure(built.templates, job.catalog, what=["fit"]).findings
    (one,) = (each for each in placed(found, job.file) if each.code == "QL-FITDOCTOR-020")
    assert one.place is not None
    assert one.place.file == folder / "norm-factors" / "mu.config"
    assert str(one.place.text).strip() == "Constant: TRUE"
