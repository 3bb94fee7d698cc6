"""Tables for HEPData: numbers worked out by hand, and files that read again as HEPData's."""

from __future__ import annotations

import numpy as np
import pytest
from ruamel.yaml import YAML

from quarkline.statistics.likelihood.results import FitQuality, FittedParameter, LikelihoodFit
from quarkline.templates.predictions import PredictedSample, RegionPrediction
from quarkline.trexfitter.outputs.hepdata import (
    Conditions,
    correlation_table,
    measured,
    plain,
    ranking_table,
    region_table,
    write_hepdata,
    write_submission,
    yields_table,
)
from quarkline.trexfitter.outputs.rankings import RankingLine
from quarkline.trexfitter.outputs.tables import YieldRow, YieldTable

TAKEN = Conditions("13 TeV", "36.1 fb^{-1}")


def values(column):
    return [cell["value"] for cell in column["values"]]


@pytest.mark.parametrize(
    ("energy", "luminosity", "expected"),
    [
        ("13 TeV", "36.1 fb^{-1}", [("SQRT(s)", "GeV", 13000), ("LUMINOSITY", "fb$^{-1}$", 36.1)]),
        ("#sqrt{s} = 13.6 TeV", "", [("SQRT(s)", "GeV", 13600)]),
        ("", "85 pb^{-1}", []),
    ],
)
def test_what_was_taken_is_read_from_the_labels(energy, luminosity, expected):
    found = Conditions(energy, luminosity).qualifiers
    assert [(one["name"], one["units"], one["value"]) for one in found] == expected


def test_numbers_have_the_digits_of_their_errors():
    assert measured(10.1234, 0.5678, 0.5678) == {"value": 10.1, "errors": [{"symerror": 0.6}]}
    assert measured(123.4, 23.4, 23.4) == {"value": 123, "errors": [{"symerror": 23}]}
    sides = {"asymerror": {"plus": 0.46, "minus": -0.15}}
    assert measured(0.6111, 0.4612, 0.1534) == {"value": 0.61, "errors": [sides]}
    assert plain(1234567.8) == 1234570.0
    assert plain(3.0) == 3


def region(hidden=(1,)):
    samples = (
        PredictedSample("bkg", "background", (20.0, 30.123456), (2.0, 3.0), 50.1, 4.0),
        PredictedSample("sig", "signal", (1.0, 2.5), (0.1, 0.2), 3.5, 0.3),
    )
    return RegionPrediction(
        "SR", True, (0.0, 1.0, 3.0), samples, (21.0, 32.623456), (2.1, 3.6),
        53.6, 4.1, (22.0, 1777.0), hidden,
    )  # fmt: skip


def test_a_region_has_signals_first_then_backgrounds_the_total_and_data():
    table = region_table(region(), "H_{T} [GeV]", {"bkg": "Background"}, TAKEN)
    (bins,) = table["independent_variables"]
    assert bins["header"] == {"name": "H_{T}", "units": "GeV"}
    assert bins["values"][1] == {"low": 1.0, "high": 3.0, "value": 2.0}
    columns = {one["header"]["name"]: one for one in table["dependent_variables"]}
    assert list(columns) == ["sig", "Background", "Total", "Data"]
    assert values(columns["Background"]) == [20, 30.1235]
    assert values(columns["Total"]) == [21.0, 33]
    assert values(columns["Data"]) == [22, "blinded"]
    assert all(one["qualifiers"] == TAKEN.qualifiers for one in columns.values())


def test_no_hidden_count_is_in_a_file(tmp_path):
    text = write_hepdata(tmp_path / "SR.yaml", region_table(region(), "x", {}, TAKEN)).read_text()
    assert "1777" not in text
    open_ = region_table(region(hidden=()), "x", {}, TAKEN)
    assert "1777" in write_hepdata(tmp_path / "SR.yaml", open_).read_text()


def test_yields_rankings_and_correlations():
    table = YieldTable(
        ("A", "B"),
        (YieldRow("top", (10.0, 20.0), (1.0, 2.0)), YieldRow("Data", (11.0, 19.0), None)),
    )
    first, second = yields_table(table, TAKEN)["dependent_variables"]
    assert (values(first), values(second)) == ([10, 11], [20, 19])
    assert first["values"][0]["errors"] == [{"symerror": 1.0}]

    line = RankingLine("JES", 0.123456, 0.9, 0.9, (0.1, -0.2, 0.3, -1e-7))
    ranking = ranking_table([line], TAKEN)
    names = [one["header"]["name"] for one in ranking["dependent_variables"]]
    assert names[0] == "NP value, error"
    assert [values(one)[0] for one in ranking["dependent_variables"][1:]] == [0.1, -0.2, 0.3, -1e-7]

    free = [FittedParameter(name, "systematic", 0, 1, 1, 1, 0, 1) for name in "ab"]
    fit = LikelihoodFit(
        None,
        tuple(free),
        ("a", "b"),
        ((1.0, -0.456), (-0.456, 1.0)),
        0.0,
        FitQuality(True, 0.0, 1, ()),
    )
    matrix = correlation_table(fit, TAKEN)
    rows, columns = (values(one) for one in matrix["independent_variables"])
    cells = values(*matrix["dependent_variables"])
    found = {(row, column): cell for row, column, cell in zip(rows, columns, cells, strict=True)}
    assert found == {("a", "a"): 1, ("a", "b"): -0.46, ("b", "a"): -0.46, ("b", "b"): 1}


def test_files_read_again_as_they_were_written(tmp_path):
    line = RankingLine("JES", 0.1, 1, 1, (1e-5, -2e-7, 0.3, 123456789.0))
    table = ranking_table([line], TAKEN)
    path = write_hepdata(tmp_path / "Ranking_mu.yaml", table)
    assert YAML(typ="safe", pure=True).load(path) == table
    old = YAML(typ="safe", pure=True)
    old.version = (1, 1)
    numbers = [values(one)[0] for one in old.load(path)["dependent_variables"]]
    assert all(isinstance(number, int | float) for number in numbers)
    np.testing.assert_allclose(numbers[1:3], [1e-5, -2e-7])


def test_the_submission_names_what_is_there(tmp_path):
    (tmp_path / "a.yaml").write_text("")
    path = write_submission(tmp_path, [("a.yaml", "first"), ("b.yaml", "second")], TAKEN)
    (part,) = YAML(typ="safe", pure=True).load_all(path)
    assert (part["name"], part["data_file"]) == ("first", "a.yaml")
    assert {"name": "cmenergies", "values": [13000]} in part["keywords"]
