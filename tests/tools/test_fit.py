"""`quarkline fit`: likelihoods from files and archives, patches by name, and what is said."""

from __future__ import annotations

import csv
import json
import re
import tarfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyhf import writexml
from typer.testing import CliRunner, Result

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError, QuarklineError
from quarkline.engine.core.results import canonical_json
from quarkline.engine.workflow.runs import read_results
from quarkline.statistics.likelihood.fit import fit
from quarkline.statistics.likelihood.limits import asymptotic_limit
from quarkline.statistics.likelihood.model import Model
from quarkline.statistics.likelihood.scans import surface
from quarkline.statistics.likelihood.spec import Gaussian, Poisson
from quarkline.statistics.likelihood.spec_json import spec_as_json
from quarkline.statistics.likelihood.workspace import spec_from_workspace
from quarkline.tools.fit import Wanted, fit_workspace
from quarkline.tools.workspaces import read_likelihood
from tests.farm.here import here

NORM = {"name": "mu", "type": "normfactor", "data": None}


def background_only() -> dict[str, Any]:
    """A workspace with a control region, an error of simulation and a systematic."""
    background = {
        "name": "background",
        "data": [50.0, 52.0],
        "modifiers": [
            {"name": "norm", "type": "normfactor", "data": None},
            {"name": "staterror_SR", "type": "staterror", "data": [3.0, 0.2]},
            {"name": "scale", "type": "normsys", "data": {"hi": 1.1, "lo": 0.92}},
        ],
    }
    control = {
        "name": "background",
        "data": [200.0],
        "modifiers": [{"name": "norm", "type": "normfactor", "data": None}],
    }
    config = {"poi": "mu", "parameters": []}
    return {
        "channels": [
            {"name": "SR", "samples": [background]},
            {"name": "CR", "samples": [control]},
        ],
        "observations": [{"name": "SR", "data": [55.0, 50.0]}, {"name": "CR", "data": [205.0]}],
        "measurements": [
            {"name": "Measurement", "config": config},
            {"name": "Other", "config": {**config, "poi": "norm"}},
        ],
        "version": "1.0.0",
    }


def patch(strength: float) -> list[dict[str, Any]]:
    signal = {"name": "signal", "data": [12.0 * strength, 11.0 * strength], "modifiers": [NORM]}
    return [{"op": "add", "path": "/channels/0/samples/0", "value": signal}]


def patch_set() -> dict[str, Any]:
    entries = [{"metadata": {"name": f"set_{n}", "values": [n]}, "patch": patch(n)} for n in (1, 3)]
    return {"metadata": {}, "patches": entries, "version": "1.0.0"}


def write(folder: Path, **content: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in content.items():
        (folder / f"{name.replace('__', '.')}.json").write_text(json.dumps(value))
    return folder


@pytest.fixture
def record(tmp_path, monkeypatch) -> Path:
    """A folder as published: workspaces of two regions, patches, and a patch set."""
    monkeypatch.chdir(tmp_path)
    files = {"BkgOnly": background_only(), "patch__signal_1_60": patch(1.0)}
    write(tmp_path / "likelihoods" / "RegionA", **files, patch__signal_2_60=patch(2.0))
    write(tmp_path / "likelihoods" / "RegionB", **files, patchset=patch_set())
    return tmp_path / "likelihoods"


@pytest.fixture
def archive(record) -> Path:
    path = record.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as packed:
        packed.add(record, ".")
    return path


def command(*words: object) -> Result:
    return CliRunner().invoke(app, ["fit", *map(str, words)])


def refused(*words: object) -> str:
    """What is said of a command that is refused before any work."""
    called = command(*words)
    assert isinstance(called.exception, InputError), called.output
    assert called.exception.exit_code == 2
    return str(called.exception)


def read_table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def expected(strength: float = 1.0):
    return spec_from_workspace(background_only(), patch=patch(strength))


@pytest.fixture
def drawn(monkeypatch) -> list[str]:
    """Figures are drawn and not rendered, which takes most of the time; the formats asked for."""
    kinds: list[str] = []
    module = import_module("quarkline.figures.save")  # beside the function of that name
    monkeypatch.setattr(module, "_rendered", lambda _, kind, __: kinds.append(kind) or b"rendered")
    return kinds


@pytest.mark.parametrize(
    ("workspace", "name", "strength"),
    [
        ("likelihoods/RegionA/BkgOnly.json", "signal_2_60", 2.0),
        ("likelihoods/RegionB", "set_3", 3.0),
        ("likelihoods/RegionB/BkgOnly.json", "set_1", 1.0),
        ("likelihoods/RegionA/BkgOnly.json", "likelihoods/RegionB/patchset.json:set_3", 3.0),
        ("likelihoods/RegionB", "likelihoods/RegionA/patch.signal_2_60.json", 2.0),
    ],
)
def test_patches_are_found_by_name_and_in_files(record, workspace, name, strength):
    assert read_likelihood(workspace, patch=name).spec == expected(strength)


@pytest.mark.parametrize("member", ["./RegionA/BkgOnly.json", "./RegionA", "./RegionA/"])
def test_a_member_of_an_archive_is_read_with_its_patches(archive, member):
    source = read_likelihood(f"{archive}:{member}", patch="signal_2_60")
    assert source.spec == expected(2.0)
    assert source.patches == ("signal_1_60", "signal_2_60")
    assert source.name == f"{archive}:./RegionA/BkgOnly.json"


def test_nothing_of_an_archive_is_unpacked(archive, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    read_likelihood(f"{archive}:./RegionA", patch="signal_2_60")
    assert sorted(tmp_path.rglob("*")) == before


def test_our_own_specification_is_a_workspace(tmp_path):
    path = tmp_path / "own.json"
    path.write_text(canonical_json(spec_as_json(expected())))
    assert read_likelihood(str(path)).spec == expected()


def test_measurements_and_parameters_are_chosen_by_name(record):
    where = "likelihoods/RegionA/BkgOnly.json"
    spec = read_likelihood(where, patch="signal_1_60", measurement="Other").spec
    assert (spec.name, spec.poi) == ("Other", "norm")
    assert read_likelihood(where, patch="signal_1_60", poi="scale").spec.poi == "scale"


def test_more_parameters_than_fit_into_memory_are_refused(record, monkeypatch):
    monkeypatch.setattr("quarkline.tools.fit.MOST_PARAMETERS", 3)
    said = refused("likelihoods/RegionA", "--patch", "signal_1_60")
    assert "has 5 free parameters, more than 3" in said


def test_a_measurement_of_no_parameter_is_told(record, tmp_path):
    (unpatched,) = read_likelihood("likelihoods/RegionA/BkgOnly.json").findings
    assert "no parameter `mu`, which" in unpatched.message
    assert "one of its 2 signals, such as --patch signal_1_60" in unpatched.suggestion
    slip = background_only()
    slip["measurements"][0]["config"]["poi"] = "nor"
    (found,) = read_likelihood(str(write(tmp_path / "alone", slip=slip) / "slip.json")).findings
    assert (found.code, found.suggestion) == ("QL-FIT-058", "did you mean `norm`?")
    where = "likelihoods/RegionA/BkgOnly.json"
    assert read_likelihood(where, measurement="Other").findings == ()
    assert read_likelihood(where, patch="signal_1_60").findings == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nope.json"], "`nope.json` does not exist"),
        (["likelihoods/RegionA/BkgOnly.jso"], "did you mean `BkgOnly.json`?"),
        (["likelihoods.tar.gz"], "it has 2 workspaces"),
        (["likelihoods.tar.gz:./RegionC"], "did you mean `RegionB` or `RegionA`?"),
        (["likelihoods/RegionA/patch.signal_1_60.json"], "a patch, not a workspace"),
        (["likelihoods/RegionB/patchset.json"], "a patch set, not a workspace"),
        (["other.json"], "no workspace: its keys are a, b"),
        (["broken.json"], "not JSON"),
        (["old.json"], "a damaged specification: `name` is missing"),
        (["likelihoods/RegionA", "--patch", "signal_1_6"], "did you mean `signal_1_60`"),
        (
            ["likelihoods/RegionA", "--patch", "likelihoods/RegionB/patchset.json"],
            "it holds 2 patches",
        ),
        (
            ["likelihoods/RegionA", "--limit"],
            "choose one of its 2 signals, such as --patch signal_",
        ),
        (["likelihoods/RegionA", "--measurement", "Othe"], "did you mean `Other`?"),
        (["likelihoods/RegionA", "--poi", "norms"], "did you mean `norm`?"),
        (["likelihoods/RegionA", "--scan", "norms"], "did you mean `norm`?"),
        (["likelihoods/RegionA", "--scan", "norm,scal"], "did you mean `scale`?"),
        (["cut.tar.gz"], "a damaged archive"),
        (["empty"], "there is no workspace in it"),
        (["notes.xml"], "the XML of a `notes`, not of a measurement"),
        (["broken.xml"], "QL-FIT-054"),
        (["notes.xml", "--patch", "x"], "which has no patches"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(archive, tmp_path, words, said):
    (tmp_path / "other.json").write_text('{"a": 1, "b": 2}')
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "old.json").write_text('{"schema": "quarkline.likelihood/1"}')
    (tmp_path / "cut.tar.gz").write_bytes(archive.read_bytes()[:400])
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.xml").write_text("<notes/>")
    (tmp_path / "broken.xml").write_text("<Combination>")
    assert said in refused(*words, "-o", "out")
    assert not Path("out").exists()


def test_data_that_are_missing_are_said(tmp_path):
    spec = spec_as_json(expected())
    spec["channels"][0]["data"] = None
    path = tmp_path / "blind.json"
    path.write_text(json.dumps(spec))
    assert "no data in channel SR" in refused(path)


def test_a_scan_of_three_parameters_is_wrong_usage(record):
    called = command("likelihoods/RegionA", "--scan", "a,b,c")
    assert called.exit_code == 2
    assert "is not one parameter" in called.output


def test_the_fit_is_shown(record):
    called = command("likelihoods/RegionA", "--patch", "signal_1_60")
    assert called.exit_code == 0, called.output
    model = Model(expected())
    row = fit(model, model.data).by_name["mu"]
    assert "fit converged: -ln L = " in called.stdout
    assert f"mu = {row.value:.4g} ± {row.error:.4g} (+" in called.stdout
    assert "2 channels, 3 bins, 2 samples, 5 free parameters of 5" in called.stdout
    assert "pull" in called.stdout


def test_background_alone_is_fitted_without_a_measured_parameter(record):
    called = command("likelihoods/RegionA")
    assert called.exit_code == 0, called.output
    assert "norm = 1.0" in called.stdout


def test_everything_is_found_and_written(record, drawn):
    options = ["--ranking", "--impacts", "--limit", "--significance", "--goodness"]
    scans = ["--scan", "mu", "--toys", 5, "--workers", 1, "-o", "out"]
    with here():
        called = command("likelihoods/RegionA", "--patch", "signal_1_60", *options, *scans)
    assert called.exit_code == 0, called.output
    results = read_results(Path("out/results.json"))
    assert set(results) == {
        *("fit", "ranking", "impacts", "limit", "significance", "goodness", "toys", "scan-mu"),
        "doctor",
    }
    model = Model(expected())
    limit = asymptotic_limit(model, model.data)
    assert results["limit"] == limit
    assert f"mu < {limit.observed:.4g} at 95 % confidence" in called.stdout
    tables = {path.stem: read_table(path) for path in Path("out/tables").iterdir()}
    assert [row["name"] for row in tables["parameters"]] == list(model.names)
    assert {row["name"] for row in tables["ranking"]} == set(model.names) - {"mu"}
    assert len(tables["scan-mu"]) == 30
    stems = ["correlations", "gammas", "impacts", "limit", "limit-cls", "norm-factors", "pulls"]
    stems += ["ranking", "scan-mu", "toys"]
    formats = [f"{stem}.{kind}" for stem in stems for kind in ("json", "pdf", "png")]
    assert sorted(path.name for path in Path("out/figures").iterdir()) == sorted(formats)
    assert sorted(drawn) == ["pdf"] * len(stems) + ["png"] * len(stems)
    assert float(tables["limit"][0]["observed"]) == limit.points[0].observed


def test_json_is_one_object_of_results(record):
    called = command("likelihoods/RegionA", "--patch", "signal_1_60", "--limit", "--json")
    told = json.loads(called.stdout)
    assert {name: value["kind"] for name, value in told.items()} == {
        "fit": "likelihood-fit",
        "limit": "cls-limit",
        "doctor": "fit-diagnosis",
    }


def test_the_doctor_speaks_shortly_in_the_terminal_and_fully_in_json(record):
    """The error of simulation of 0.2 in 52 and of 3 in 50 is sound; a norm of 200 % is not."""
    likelihood = background_only()
    likelihood["channels"][0]["samples"][0]["modifiers"][2]["data"]["hi"] = 3.0
    write(record, ill=likelihood)
    text = command("likelihoods/ill.json").stdout
    assert "QL-FITDOCTOR-040  `scale` changes a yield by +200%" in text
    results = json.loads(command("likelihoods/ill.json", "--json").stdout)
    findings = results["doctor"]["findings"]
    (told,) = [one for one in findings if one["code"] == "QL-FITDOCTOR-040"]
    assert told["evidence"]["all"] == [{"region": "SR", "sample": "background", "size": 2.0}]
    assert "QL-FITDOCTOR-040" not in command("likelihoods/RegionA").stdout


@pytest.mark.slow
def test_a_surface_of_two_parameters_is_a_table_of_its_grid(record, drawn, monkeypatch):
    grid = partial(surface, x=np.linspace(0, 2, 6), y=np.linspace(0.8, 1.2, 5))
    monkeypatch.setattr("quarkline.tools.fit.surface", grid)
    called = command(
        "likelihoods/RegionA", "--patch", "signal_1_60", "--scan", "mu,norm", "-o", "o"
    )
    assert called.exit_code == 0, called.output
    rows = read_table(Path("o/tables/scan-mu-norm.csv"))
    assert len(rows) == 6 * 5
    assert "pdf" in drawn
    assert min(float(row["height"]) for row in rows) >= -1e-6


@pytest.mark.slow
def test_workers_change_nothing(record, monkeypatch):
    monkeypatch.setattr("quarkline.tools.fit.START_SECONDS", 0.0)
    wanted = Wanted(ranking=True, impacts=True, toys=20, goodness=True, scans=(("mu",),))
    one, two = (
        fit_workspace("likelihoods/RegionA", wanted, patch="signal_1_60", workers=workers)
        for workers in (1, 2)
    )
    assert one.results == two.results


@pytest.fixture
def xml(tmp_path, monkeypatch) -> Path:
    """A measurement in XML with its ROOT files, whose paths count from its folder."""
    folder = tmp_path / "histfactory"
    (folder / "config").mkdir(parents=True)
    (folder / "data").mkdir()
    monkeypatch.chdir(folder)
    workspace = background_only()
    workspace["channels"][0]["samples"].insert(0, patch(1.0)[0]["value"])
    text = writexml.writexml(workspace, "config", "data", "model")
    (folder / "model.xml").write_bytes(text)
    monkeypatch.chdir(tmp_path)
    return folder / "model.xml"


def test_xml_is_the_same_likelihood(xml):
    found, plain = Model(read_likelihood(str(xml)).spec), Model(expected())
    assert fit(found, found.data).nll == pytest.approx(fit(plain, plain.data).nll, rel=1e-6)


def test_xml_says_how_simulation_is_constrained(xml):
    channel = xml.parent / "config" / "model_SR.xml"
    config = '<StatErrorConfig RelErrorThreshold="0.01" ConstraintType="Poisson"/>'
    text = channel.read_text()
    head, sign, rest = text.partition("<Sample")
    channel.write_text(f"{head}{config}{sign}{rest}")
    by_name = {row.name: row for row in read_likelihood(str(xml)).spec.parameters}
    first, second = by_name["staterror_SR[0]"], by_name["staterror_SR[1]"]
    assert isinstance(first.constraint, Poisson)
    assert first.constraint.tau == pytest.approx((50.0 / 3.0) ** 2)
    assert (second.fixed, second.constraint) == (True, None)
    plain = {row.name: row for row in expected().parameters}
    assert isinstance(plain["staterror_SR[0]"].constraint, Gaussian)


def test_xml_without_its_files_is_refused(xml):
    for file in (xml.parent / "data").iterdir():
        file.unlink()
    assert "name the folder from which its paths count as --root-dir DIR" in refused(xml)


def test_json_that_is_too_deep_is_refused(tmp_path):
    (tmp_path / "deep.json").write_text("[" * 100_000)
    assert "QL-FIT-050" in refused(tmp_path / "deep.json")


def test_files_of_xml_that_was_moved_are_found_by_their_names(xml, tmp_path):
    before = read_likelihood(str(xml))
    for file in (xml.parent / "config").iterdir():
        text = re.sub('InputFile="[^"]*/', 'InputFile="/afs/run/data/', file.read_text())
        file.write_text(text)
    moved = read_likelihood(str(xml))
    assert moved.spec == before.spec
    assert (before.findings, {item.code for item in moved.findings}) == ((), {"QL-FIT-057"})
    (xml.parent / "data").rename(tmp_path / "elsewhere")
    assert "QL-FIT-054" in refused(xml)


def test_the_folder_of_xml_may_be_named(xml, tmp_path):
    moved = tmp_path / "elsewhere" / "model.xml"
    moved.parent.mkdir()
    xml.rename(moved)
    with pytest.raises(QuarklineError, match="cannot be read"):
        read_likelihood(str(moved))
    assert read_likelihood(str(moved), root_dir=xml.parent).spec.poi == "mu"
