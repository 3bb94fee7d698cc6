"""The second half of a search: templates of the score, a fit, and what is blind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from quarkline.catalog.looks import looks
from quarkline.engine.core.findings import InputError
from quarkline.events.sources import open_source
from quarkline.figures.fits.contents import fills_of
from quarkline.report import Figures, Table, Text
from quarkline.statistics.likelihood.results import GroupedImpacts, LikelihoodFit
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.search.drawings import colours
from quarkline.studies.search.fits.results import Expected, MadeTemplates, Measurement
from quarkline.studies.search.sections.fit import fit_sections
from quarkline.studies.search.stages import stages
from quarkline.templates.restore import read_templates
from quarkline.templates.sets import RegionTemplates
from quarkline.tools.run import RunOutcome, load_analysis, plan, run

from .conftest import CONFIG, toy, write_ntuple
from .test_run import files_below

pytestmark = pytest.mark.xdist_group("search")

EDGES = np.array([0.0, 0.45, 0.5, 0.55, 1.0])
FITTED = (
    CONFIG.replace("  SR: {variable: score,", "  SR: {variable: score, binning: {BINS},").replace(
        "systematics:\n",
        """\
  CR: {role: control, variable: pt, binning: {kind: edges, edges: [5, 8, 11, 15]},
       selection: "pass_ == 1 && pt <= 15"}
  VR: {role: validation, variable: eta, binning: {kind: uniform, bins: 4, low: -3, high: 3},
       selection: "pass_ == 0 && score > 0.4"}
systematics:
  generator:
    kind: varied
    samples: top
    regions: VR
    up: {files: {names: mc/2other, trees: shifted}}
""",
    )
    + """\
norm_factors:
  mu: {samples: signal, min: -5, max: 5}
  background: {samples: [top, other], max: 5}
poi: mu
fit: {minos: mu}
ranking: {}
limit: {}
significance: {}
"""
).replace("{BINS}", f"{{kind: edges, edges: {EDGES.tolist()}}}")


OTHER = toy(2, 25.0, 300, seed=9)
"""Events of another generator."""


@pytest.fixture(scope="module")
def config(events: Path) -> Path:
    path = events / "fitted.yaml"
    path.write_text(FITTED)
    write_ntuple(events / "ntuples" / "mc/2other.root", OTHER, tree="shifted")
    return path


@pytest.fixture(scope="module")
def runs(finished: RunOutcome) -> Path:
    """The folder of the runs, where the trainings are done already."""
    return finished.run.folder.parents[1]


def fitted_run(config: Path, runs: Path, *overrides: str, workers: int = 1) -> RunOutcome:
    asked = [f"roots.runs={runs}", *overrides]
    return run(load_analysis(config, overrides=asked, compute={"workers": workers}), until="fit")


@pytest.fixture(scope="module")
def fitted(config: Path, runs: Path) -> RunOutcome:
    return fitted_run(config, runs)


def result(outcome: RunOutcome, name: str, kind: type[Any]) -> Any:
    found = outcome.run.results()[name]
    assert isinstance(found, kind)
    return found


def templates_of(outcome: RunOutcome, config: Path, region: str) -> RegionTemplates:
    whole = load_analysis(config).config
    catalog = whole.model_copy(update={"regions": {region: whole.regions[region]}})
    folder = outcome.run.record("templates").files["templates"]
    return read_templates(catalog, folder, "tiny").regions[region]


def scores(outcome: RunOutcome, name: str, column: str) -> np.ndarray:
    friend = outcome.run.record("friends").files["friends"] / f"{name}.root"
    with open_source(friend) as source:
        return ak.to_numpy(source.read([column])[column])


def counted(values: np.ndarray, weights: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sums of weights in bins, what lies outside in the first and last one."""
    inside = np.clip(values, edges[0], np.nextafter(edges[-1], edges[0]))
    return np.histogram(inside, edges, weights=weights)[0]


@pytest.mark.parametrize(("side", "factor"), [("", 1.0), ("up", 1.2), ("down", 0.8)])
def test_shifted_columns_move_a_template_by_their_own_scores(
    fitted: RunOutcome,
    config: Path,
    toys: Mapping[str, Mapping[str, Any]],
    side: str,
    factor: float,
) -> None:
    top = toys["mc/2"]
    own = scores(fitted, "mc/2", f"score_scale_{side}" if side else "score")
    passed = (top["pass_"] == 1) & (factor * top["pt"].astype(np.float64) > 15)
    expected = counted(own[passed], 10.0 * top["weight_mc"][passed].astype(np.float64), EDGES)
    template = templates_of(fitted, config, "SR").templates["top"]
    shift = template.shifts["scale"]
    found = {"": template.filled, "up": shift.filled_up, "down": shift.filled_down}[side]
    assert found is not None
    np.testing.assert_allclose(found.contents, expected, rtol=1e-9)


def test_weights_reweigh_and_leave_the_score(
    fitted: RunOutcome, config: Path, toys: Mapping[str, Mapping[str, Any]]
) -> None:
    top = toys["mc/2"]
    passed = (top["pass_"] == 1) & (top["pt"] > 15)
    weights = 10.0 * top["weight_mc"].astype(np.float64) * top["wp"]
    expected = counted(scores(fitted, "mc/2", "score")[passed], weights[passed], EDGES)
    up = templates_of(fitted, config, "SR").templates["top"].shifts["pileup"].filled_up
    assert up is not None
    np.testing.assert_allclose(up.contents, expected, rtol=1e-6)


def test_files_of_a_systematic_have_scores_of_their_own(fitted: RunOutcome, config: Path) -> None:
    score = scores(fitted, "mc/2other", "score")
    passed = (OTHER["pass_"] == 0) & (score > 0.4)
    weights = 10.0 * OTHER["weight_mc"][passed].astype(np.float64)
    template = templates_of(fitted, config, "VR").templates["top"]
    up = template.shifts["generator"].filled_up
    assert up is not None
    expected = counted(OTHER["eta"][passed], weights, np.linspace(-3, 3, 5))
    np.testing.assert_allclose(up.contents, expected, rtol=1e-6)
    assert not np.allclose(up.contents, template.filled.contents)


def test_other_regions_cut_on_the_same_scores(
    fitted: RunOutcome, config: Path, toys: Mapping[str, Mapping[str, Any]]
) -> None:
    data = toys["data/15"]
    passed = (data["pass_"] == 0) & (scores(fitted, "data/15", "score") > 0.4)
    region = templates_of(fitted, config, "VR")
    assert region.data is not None
    assert region.data.contents.sum() == passed.sum() > 0
    control = templates_of(fitted, config, "CR")
    assert control.data is not None
    inside = data["pt"][(data["pass_"] == 1) & (data["pt"] <= 15)]
    expected = counted(inside, np.ones(len(inside)), np.array([5, 8, 11, 15]))
    np.testing.assert_array_equal(control.data.contents, expected)


def test_the_measurement_is_told_with_its_causes(fitted: RunOutcome) -> None:
    fit = result(fitted, "fit", LikelihoodFit)
    assert fit.quality.converged
    measured = result(fitted, "measurement", Measurement)
    assert measured.fitted == ("SR", "CR")
    assert measured.poi.name == "mu"
    assert set(measured.parts) == {"statistics", "simulation", "systematics", "norm factors"}
    total = result(fitted, "impacts", GroupedImpacts).total.error
    assert all(0 <= part < total for part in measured.parts.values())
    assert "(statistics " in measured.text
    assert " σ expected) · mu < " in measured.text
    expected = result(fitted, "expected", Expected)
    for region in expected.after:
        assert region.data is not None
        if region.region in measured.fitted:
            assert abs(region.total - sum(region.data)) < 3 * np.sqrt(sum(region.data))


def test_the_workspace_is_the_likelihood_that_was_fitted(fitted: RunOutcome) -> None:
    import json

    from quarkline.statistics.likelihood.fit import fit
    from quarkline.statistics.likelihood.model import Model
    from quarkline.statistics.likelihood.workspace import spec_from_workspace

    folder = fitted.run.record("fit").files["workspace"]
    again = Model(spec_from_workspace(json.loads((folder / "workspace.json").read_text())))
    best = fit(again).by_name["mu"]
    mine = result(fitted, "fit", LikelihoodFit).by_name["mu"]
    assert best.value == pytest.approx(mine.value, abs=1e-3 * mine.error)
    assert best.error == pytest.approx(mine.error, rel=1e-3)
    assert (folder / "histfactory" / "tiny.xml").is_file()


def test_lost_stages_come_back_in_the_same_bytes_with_more_workers(
    fitted: RunOutcome, config: Path, runs: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "runs"
    shutil.copytree(runs, copy)
    for folder in [*(copy / "tiny" / "stages").iterdir(), *(copy / "tiny" / "items").iterdir()]:
        if folder.name.startswith(("templates-", "fit-")):
            shutil.rmtree(folder)
    again = fitted_run(config, copy, workers=2)
    assert files_below(again, "templates", "templates") == files_below(
        fitted, "templates", "templates"
    )
    assert files_below(again, "fit", "workspace") == files_below(fitted, "fit", "workspace")
    for stage in ("templates", "fit"):
        known = {name: value.as_json() for name, value in fitted.run.record(stage).results.items()}
        found = {name: value.as_json() for name, value in again.run.record(stage).results.items()}
        assert found == known


def test_only_what_changes_runs_again(
    fitted: RunOutcome, config: Path, runs: Path, tmp_path: Path, events: Path
) -> None:
    def changed(*overrides: str, file: Path = config) -> set[str]:
        asked = [f"roots.runs={runs}", *overrides]
        planned, _ = plan(load_analysis(file, overrides=asked), until="fit")
        return {item.stage.name for item in planned.stages if item.state == "run"} - {"figures"}

    assert fitted.run.stages
    assert changed() == set()
    assert changed("samples.top.title=Top", "regions.SR.label=signal") <= {"evaluate", "fit"}
    assert changed("limit.level=0.9") == {"fit"}
    assert changed("templates.pruning={norm: 0.01}") == {"templates", "fit"}
    moved = tmp_path / "elsewhere"
    shutil.copytree(events / "ntuples", moved / "ntuples")
    (moved / "fitted.yaml").write_text(FITTED)
    assert changed(file=moved / "fitted.yaml") == set()


@pytest.fixture(scope="module")
def blind(config: Path, runs: Path, fitted: RunOutcome) -> RunOutcome:
    assert fitted.run.stages
    return fitted_run(config, runs, "regions.CR.blind=true")


def test_blind_data_have_no_score_no_count_and_no_part_in_the_fit(
    blind: RunOutcome, config: Path, toys: Mapping[str, Mapping[str, Any]]
) -> None:
    data = toys["data/15"]
    hidden = (data["pass_"] == 1) & (data["pt"] <= 15)
    assert 0 < hidden.sum() < len(hidden)
    np.testing.assert_array_equal(np.isnan(scores(blind, "data/15", "score")), hidden)
    with pytest.raises(InputError, match="the data of `data` in `CR` were not filled, or hidden"):
        templates_of(blind, config, "CR")
    assert templates_of(blind, config, "SR").data is not None
    made = result(blind, "made", MadeTemplates)
    assert made.blind == ("data in CR",)
    expected = result(blind, "expected", Expected)
    shown = {region.region: region.data is not None for region in expected.after}
    assert shown == {"SR": True, "CR": False, "VR": True}
    measured = result(blind, "measurement", Measurement)
    assert (measured.fitted, measured.asimov) == (("SR",), ("CR",))
    assert measured.conditional is not None


def test_open_regions_do_without_events_of_blind_ones(
    config: Path, runs: Path, toys: Mapping[str, Mapping[str, Any]], fitted: RunOutcome
) -> None:
    assert fitted.run.stages
    outcome = fitted_run(
        config,
        runs,
        "regions.CR.blind=true",
        "regions.VR.selection=pt < 18",
        "regions.VR.binning={kind: uniform, bins: 1, low: -9, high: 9}",
    )
    data = toys["data/15"]
    hidden = (data["pass_"] == 1) & (data["pt"] <= 15)
    overlap = data["pt"] < 18
    assert (overlap & hidden).any()
    expected = result(outcome, "expected", Expected)
    (region,) = (one for one in expected.before if one.region == "VR")
    assert region.data == ((overlap & ~hidden).sum(),)


def test_a_cut_on_the_score_is_blind_with_the_region_that_is_trained_in(config: Path) -> None:
    overrides = ["regions.VR.blind=true"]
    with pytest.raises(InputError, match="`VR` is blind and cuts on the score, and `SR` is open"):
        plan(load_analysis(config, overrides=overrides))
    _, found = plan(load_analysis(config, overrides=[*overrides, "regions.SR.blind=true"]))
    assert "QL-SEARCH-052" not in {finding.code for finding in found}


def test_a_reason_opens_what_is_blind_and_stays_with_the_run(
    blind: RunOutcome, fitted: RunOutcome, config: Path, runs: Path
) -> None:
    overrides = ["regions.CR.blind=true", 'unblind="approved: today"']
    opened = fitted_run(config, runs, *overrides)
    assert result(opened, "made", MadeTemplates).unblind == "approved: today"
    seen, known = (result(one, "expected", Expected) for one in (opened, fitted))
    assert seen == known
    assert opened.run.record("templates").key != fitted.run.record("templates").key
    assert opened.run.record("templates").key != blind.run.record("templates").key
    texts = list(told(opened))
    assert any("Unblinded: approved: today." in text for text in texts)
    assert any("Blind, so that no data were read: data in CR." in text for text in told(blind))


def told(outcome: RunOutcome) -> Iterator[str]:
    for section in fit_sections(outcome.run.results(), Figures(Path())):
        yield from (block.text for block in section.blocks if isinstance(block, Text))


def test_the_report_has_yields_parameters_and_causes(fitted: RunOutcome) -> None:
    sections = fit_sections(fitted.run.results(), Figures(Path()))
    assert [section.title for section in sections] == ["Result", "Regions", "Fit"]
    tables = {
        block.name: block
        for section in sections
        for block in section.blocks
        if isinstance(block, Table)
    }
    assert list(tables["yields-before"].columns) == ["", "SR", "CR", "VR"]
    assert {"yields-after", "impacts", "limit", "parameters", "ranking"} <= tables.keys()


def test_a_sample_has_one_colour_in_the_score_and_in_the_regions(config: Path) -> None:
    catalog = load_analysis(config, overrides=["samples.top.drawing.fill='#123456'"]).config
    (stage,) = [stage for stage in stages(catalog) if stage.name == "figures"]
    of_score = colours(stage.values["fills"])
    of_regions = fills_of([], looks(catalog), {})
    assert set(of_score) == {"signal", "top", "other", "data"}
    assert of_score.pop("top") == "#123456"
    assert of_score == {name: of_regions[name].color for name in of_score}


def test_plan_says_what_is_blind(config: Path) -> None:
    _, found = plan(load_analysis(config, overrides=["regions.CR.blind=true"]))
    (note,) = (finding for finding in found if finding.code == "QL-SEARCH-051")
    assert note.message == "blind: `data` in `CR`"
    assert "--unblind REASON" in (note.suggestion or "")


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("friends.write=false", "`friends.write` is false"),
        ("friends.systematics=false", "`scale` shifts columns"),
    ],
)
def test_templates_of_the_score_need_the_friends(config: Path, override: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        plan(load_analysis(config, overrides=[override]))


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("regions.CR.bin_of={region: VR, bin: 1}", "`VR` comes later"),
        ("templates.smoothing_rule=MAXIMUM", "is not done"),
        ("drawing.scale_to_data=top", "`top` is scaled to the data of `SR`, which shows none"),
    ],
)
def test_plan_refuses_what_templates_and_figures_would(
    config: Path, override: str, told: str
) -> None:
    blind = "regions.SR.blind=true"
    with pytest.raises(InputError, match=told):
        plan(load_analysis(config, overrides=[blind, override]))


def test_without_fit_there_are_no_templates(events: Path) -> None:
    search = load_analysis(events / "tiny.yaml").config
    assert isinstance(search, SearchConfig)
    assert [stage.name for stage in stages(search)][-2:] == ["friends", "figures"]
