"""Scores of real tables by the real network, against its reference scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("torch")

from typer.testing import CliRunner

from quarkline.cli.main import app
from quarkline.engine.core.findings import InputError
from quarkline.learning.features.preprocess import Preprocess
from quarkline.learning.models.networks import Network, build_network
from quarkline.report import Figure, Table
from quarkline.studies.tagging.features.scaling import spec_of
from quarkline.studies.tagging.score.report import score_report
from quarkline.studies.tagging.score.scores import (
    NETWORK_OUTPUTS,
    Scored,
    check_inputs,
    write_scores,
)
from quarkline.studies.tagging.tables import open_jets
from quarkline.studies.tagging.upstream import NETWORK
from quarkline.tools.score_report import score_report as run
from quarkline.tools.taggers import load_tagger


@pytest.fixture(scope="session")
def real(data_folder: Path) -> Path:
    return data_folder / "calratio"


@pytest.fixture(scope="session")
def weights(real: Path) -> str:
    return str(real / "model" / "final_model_weights_1.keras")


@pytest.fixture(scope="session")
def scored(real: Path, weights: str, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    table = open_jets(real / "pickled_as_parquet" / "felix_control_region.parquet")
    path = tmp_path_factory.mktemp("scores") / "control.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quarkline.studies.tagging.score.scores.ROWS", 100)
        return write_scores(load_tagger(weights).model, table, path)


def test_shares_are_the_golden_ones(scored: Scored) -> None:
    """Share of QCD simulation whose signal output is the largest: .1327 in upstream's own run."""
    assert scored.jets == {0: 226, 2: 223}
    assert scored.shares[0][0] == pytest.approx(0.1327, abs=5e-5)
    together = (226 * scored.shares[0][1] + 223 * scored.shares[2][1]) / 449
    assert scored.shares[-1][1] == pytest.approx(together)
    assert scored.counts[2].sum(axis=1).tolist() == [223] * 3


def test_scores_stand_beside_their_jets_in_the_order_of_the_table(
    real: Path, scored: Scored
) -> None:
    written = pq.read_table(scored.path)
    golden = np.load(real / "model" / "evaluation_golden_inputs.npz")
    found = np.stack([written[name].to_numpy() for name in NETWORK_OUTPUTS], axis=1)
    simulation_first = np.argsort(written["label"].to_numpy(), kind="stable")
    np.testing.assert_allclose(found[simulation_first], golden["cr_scores"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    source = pq.read_table(scored.table.path)
    assert written["eventNumber"].to_pylist() == source["eventNumber"].to_pylist()
    assert written["jet_pt"].to_pylist() == source["jet_pT"].to_pylist()


def test_the_report_tells_shares_by_label(
    scored: Scored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "quarkline.studies.tagging.score.report._figure", lambda name, *_: Figure(Path(name), "")
    )
    document = score_report("calratio/1", {"control": scored}, tmp_path)
    table = document.sections[0].blocks[1]
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["all", "multijet simulation", "multijet data"]
    assert list(table.rows[1])[2:] == ["0.1327", *(f"{x:.4f}" for x in scored.shares[0][1:])]
    assert document.headline == "449 jets scored by `calratio/1`"


def test_the_command_writes_a_file_for_each_table(real: Path, weights: str, tmp_path: Path) -> None:
    bib = pq.read_table(real / "pickled_as_parquet" / "bib.parquet")
    pq.write_table(bib.slice(0, 20), tmp_path / "bib.parquet")
    file = tmp_path / "bib.parquet"
    words = ["score-report", weights, str(file), f"again={file}", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("bib.scores.parquet", "again.scores.parquet"),
        *("report.md", "report.html", "report_figures"),
    }
    assert "40 jets scored by" in done.output


def test_a_table_in_other_units_is_refused_and_nothing_is_written(
    real: Path, weights: str, tmp_path: Path
) -> None:
    raw = real / "pickled_as_parquet" / "sig_311424_600_275.parquet"
    with pytest.raises(InputError, match="reads scaled values, and those of the table are phys"):
        run(weights, [str(raw)], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("trained", "told"),
    [
        ({"kind": "none"}, "reads physical values, and those of the table are scaled"),
        (
            {"kind": "quarkline", "min_pt": 40, "max_pt": 500},
            r"reads scaled \(quarkline 40-500\) values, and .* are scaled \(upstream 0-500\)",
        ),
        ({"kind": "upstream", "min_pt": 0.0, "max_pt": 400.0}, r"upstream 0-400"),
        ({"kind": "upstream", "min_pt": 0.0, "max_pt": 500.0}, None),
    ],
)
def test_the_scaling_of_the_training_is_the_one_of_the_table(
    real: Path, weights: str, trained: dict[str, object], told: str | None
) -> None:
    table = open_jets(real / "pickled_as_parquet" / "bib.parquet")
    model = load_tagger(weights).model
    if told is None:
        check_inputs(model, table, None, trained)
        return
    with pytest.raises(InputError, match=told):
        check_inputs(model, table, None, trained)


def test_a_network_with_masses_is_asked_about_a_hypothesis(
    real: Path, weights: str, tmp_path: Path
) -> None:
    model = load_tagger(weights).model
    spec = spec_of(("mS",))
    preprocess = Preprocess.none(spec)
    module = build_network(NETWORK, preprocess.geometry, 3, seed=1).eval()
    with_mass = replace(model, preprocess=preprocess, predictor=Network(module))
    table = open_jets(real / "pickled_as_parquet" / "one_length_file.parquet")
    units = dict(table.scaling)
    scores = []
    for masses in ((600.0, 150.0), (125.0, 150.0), (600.0, 5.0)):
        path = tmp_path / f"{masses}.parquet"
        found = write_scores(with_mass, table, path, masses=masses, scaling=units)
        scores.append(pq.read_table(found.path)["jet_nn_sig"].to_pylist())
    assert scores[0] == scores[1] != scores[2]
    with pytest.raises(InputError, match="masses are not given") as error:
        check_inputs(with_mass, table, None, units)
    assert "--masses 600,150" in str(error.value.findings[0].suggestion)


def test_masses_are_only_for_networks_that_take_them(
    real: Path, weights: str, tmp_path: Path
) -> None:
    file = str(real / "pickled_as_parquet" / "bib.parquet")
    with pytest.raises(InputError, match="masses are given"):
        run(weights, [file], tmp_path / "out", masses=(600, 150))
    done = CliRunner().invoke(
        app, ["score-report", weights, file, "-o", str(tmp_path / "o"), "--masses", "600"]
    )
    assert done.exit_code == 2
    assert "not of the form MH,MS" in done.output


def test_a_table_without_jets_has_scores_of_none(real: Path, weights: str, tmp_path: Path) -> None:
    bib = pq.read_table(real / "pickled_as_parquet" / "bib.parquet")
    pq.write_table(bib.slice(0, 0), tmp_path / "empty.parquet")
    table = open_jets(tmp_path / "empty.parquet")
    model = load_tagger(weights).model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "quarkline.studies.tagging.score.scores.reads_scaled",
            lambda _: table.scaling["kind"] != "none",
        )
        found = write_scores(model, table, tmp_path / "scores.parquet")
    assert found.jets == {}
    assert np.isnan(found.shares[-1]).all()
    assert pq.read_table(found.path).num_rows == 0
