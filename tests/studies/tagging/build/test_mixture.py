"""Mixtures of tables of jets: upstream's numbers, limits, filters, and where every jet goes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from quarkline.engine.core.findings import InputError, WorkError
from quarkline.studies.tagging.build.config import BuildConfig
from quarkline.studies.tagging.build.files import split_at_wildcard
from quarkline.studies.tagging.build.mixture import build
from quarkline.studies.tagging.build.results import Build
from quarkline.studies.tagging.tables import jets_in, open_jets

SIGNAL = "pickled_as_parquet/sig_311424_600_275.parquet"
BIB = "pickled_as_parquet/bib.parquet"
CONTROL = "pickled_as_parquet/felix_control_region_835.parquet"


@pytest.fixture
def calratio(data_folder: Path) -> Path:
    return data_folder / "calratio"


def built(base: Path, out: Path, **keys: Any) -> Build:
    out.mkdir(exist_ok=True)
    config = BuildConfig.model_validate({"control": None} | keys)
    return build(config, base, out, seed=1)


def column(path: Path, name: str) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = pq.read_table(path, columns=[name])[name].to_numpy()
    return values


def kept(found: Build) -> int:
    return sum(one.counts["kept"] for one in found.inputs)


def test_upstreams_values_to_the_last_digits(calratio: Path, tmp_path: Path) -> None:
    keys = {"min_jet_pt": 30, "max_jet_pt": 400, "scaling": "upstream"}
    found = built(calratio, tmp_path, main=[SIGNAL], **keys)
    made = pq.read_table(tmp_path / "main.parquet")
    golden = pq.read_table(calratio / "expected/build_sig_311424__pt30_400.parquet")
    assert made.schema.names == golden.schema.names
    for name in golden.schema.names:
        ours, theirs = (table[name].to_numpy().astype(np.float64) for table in (made, golden))
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12, err_msg=name)
    assert "an old input file?" in found.warnings[0]
    assert (column(tmp_path / "main.parquet", "clus_pt_0") > 0.1).sum() == 26


def test_a_file_given_twice_counts_twice(calratio: Path, tmp_path: Path) -> None:
    assert kept(built(calratio, tmp_path, main=[SIGNAL, SIGNAL])) == 152


@pytest.mark.parametrize("pattern", ["*.parquet", "below/*/*.parquet", "*/*/deep_*"])
def test_patterns_name_tables_and_nothing_else(
    calratio: Path, tmp_path: Path, pattern: str
) -> None:
    source = tmp_path / "source"
    nested = source / "below" / "one"
    nested.mkdir(parents=True)
    folder = source if pattern.startswith("*.") else nested
    for number in range(10):
        shutil.copy(calratio / SIGNAL, folder / f"deep_{number}.parquet")
    (folder / "deep_0.pkl.lock").write_text("")
    (folder / "deep_0.parquet.lock").write_text("")
    shutil.copy(calratio / SIGNAL, source / "other.txt")
    assert kept(built(source, tmp_path / "out", main=[pattern])) == 760


@pytest.mark.parametrize(("limit", "expected"), [(2, 2), (76, 76), (500, 76)])
def test_a_limit_is_exact(calratio: Path, tmp_path: Path, limit: int, expected: int) -> None:
    found = built(calratio, tmp_path, main=[{"files": SIGNAL, "jets": limit}])
    assert kept(found) == expected
    told = any("Requested 500 events, but only 76 available" in text for text in found.warnings)
    assert told == (limit > 76)


def test_a_limit_is_over_all_files_and_does_not_depend_on_their_order(
    calratio: Path, tmp_path: Path
) -> None:
    files = [SIGNAL, "expected/convert_sig_311314__as_sig_mH600_mS275.parquet"]
    made = []
    for name, order in (("one", files), ("other", files[::-1])):
        built(calratio, tmp_path / name, main=[{"files": order, "jets": 30}], scaling="none")
        made.append(np.sort(column(tmp_path / name / "main.parquet", "jet_pt")))
    assert len(made[0]) == 30
    np.testing.assert_array_equal(made[0], made[1])


@pytest.mark.parametrize("spelling", ["eventNumber % 2 == 1", "eventNumber%2==1 && jet_pt > 0"])
def test_filters(calratio: Path, tmp_path: Path, spelling: str) -> None:
    assert kept(built(calratio, tmp_path, main=[{"files": SIGNAL, "where": spelling}])) == 40


def test_a_filter_that_nothing_passes_writes_an_empty_table(calratio: Path, tmp_path: Path) -> None:
    one = "pickled_as_parquet/one_length_file.parquet"
    found = built(calratio, tmp_path, main=[{"files": one, "where": "eventNumber % 2 == 0"}])
    assert kept(found) == 0
    assert len(jets_in(tmp_path / "main.parquet")) == 0


def test_tables_that_are_scaled_go_into_upstreams_mixture_as_they_are(
    calratio: Path, tmp_path: Path
) -> None:
    keys = {"scaling": "upstream", "min_jet_pt": 40, "max_jet_pt": 500}
    found = built(calratio, tmp_path, main=[BIB], **keys)
    assert kept(found) == 558
    assert "scaled already" in found.warnings[0]
    np.testing.assert_allclose(
        column(tmp_path / "main.parquet", "jet_pt"), column(calratio / BIB, "jet_pt")
    )
    with pytest.raises(InputError, match="scaled already"):
        built(calratio, tmp_path, main=[BIB])


@pytest.mark.parametrize("scaling", ["quarkline", "upstream"])
def test_a_table_is_mixed_with_those_of_its_scaling_only(
    calratio: Path, tmp_path: Path, scaling: str
) -> None:
    own = {"scaling": scaling, "min_jet_pt": 30, "max_jet_pt": 400}
    built(calratio, tmp_path / "first", main=[SIGNAL], **own)
    first = tmp_path / "first"
    built(first, tmp_path / "again", main=["main.parquet"], **own)
    once, twice = (jets_in(tmp_path / name / "main.parquet") for name in ("first", "again"))
    np.testing.assert_array_equal(np.sort(once.jet, axis=0), np.sort(twice.jet, axis=0))
    for other in ({"scaling": "none"}, own | {"max_jet_pt": 500}):
        with pytest.raises(InputError, match=f"{scaling}, 30 to 400 GeV"):
            built(first, tmp_path / "wrong", main=["main.parquet"], **other)


def test_values_of_the_trainer_do_not_pass_for_unscaled_ones(
    calratio: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="scaled already"):
        built(calratio, tmp_path, main=[BIB], scaling="none")


def test_the_real_mixture(calratio: Path, tmp_path: Path) -> None:
    signal = [SIGNAL, "expected/convert_sig_311314__as_sig_mH600_mS275.parquet"]
    main = [*signal, {"files": CONTROL, "where": "label == 0"}, BIB]
    control = {"simulation": [{"files": CONTROL, "where": "label == 0"}]}
    control["data"] = [{"files": CONTROL, "where": "label == 2"}]
    found = built(calratio, tmp_path, main=main, control=control, scaling="upstream")
    jets = {(one.part, one.label): one.jets for one in found.classes}
    expected = {("main", 0): 402, ("main", 1): 97, ("main", 2): 558}
    assert jets == expected | {("control", 0): 402, ("control", 2): 433}
    told = {name: open_jets(tmp_path / f"{name}.parquet").columns for name in ("main", "control")}
    assert "llp_Lxy" in told["main"]
    assert not any(name.startswith("llp_") for name in told["control"])
    weights = {one.label: one.weight for one in found.classes if one.part == "control"}
    assert weights[0] == pytest.approx(433, rel=1e-12) == weights[2]


def test_warnings_name_tables_and_no_folders(calratio: Path, tmp_path: Path) -> None:
    for number in range(3):
        shutil.copy(calratio / SIGNAL, tmp_path / f"old_{number}.parquet")
    found = built(tmp_path, tmp_path / "out", main=["old_*"], max_jet_pt=30)
    assert [text.partition("  ")[0] for text in found.warnings] == ["QL-TAG-032", "QL-TAG-036"]
    assert "old_0.parquet and 2 more: " in found.warnings[0]
    assert "no jet is taken of old_*" in found.warnings[1]
    assert not any(str(tmp_path) in text for text in found.warnings)


def outcomes(found: Build) -> list[Mapping[str, int]]:
    return [one.counts for one in found.inputs]


def test_every_jet_is_in_one_category(calratio: Path, tmp_path: Path) -> None:
    main = [{"files": SIGNAL, "where": "eventNumber % 2 == 1", "jets": 10}]
    found = built(calratio, tmp_path, main=main, min_jet_pt=50, max_jet_pt=100)
    raw = column(calratio / SIGNAL, "jet_pt")
    odd = column(calratio / SIGNAL, "eventNumber") % 2 == 1
    inside = (raw >= 50) & (raw < 100)
    counts = outcomes(found)[0]
    assert sum(counts.values()) == 76
    assert counts["momentum"] == (~inside).sum()
    assert counts["filtered"] == (inside & ~odd).sum()
    assert counts["kept"] == 10
    assert counts["limit"] == (inside & odd).sum() - 10


def test_a_path_without_tables_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no_such_\*"):
        built(tmp_path, tmp_path / "out", main=["no_such_*"])


def test_a_control_region_without_data_is_refused(calratio: Path, tmp_path: Path) -> None:
    control = {"simulation": [SIGNAL], "data": [{"files": SIGNAL, "where": "jet_pt < 0"}]}
    with pytest.raises(WorkError, match="weights of data"):
        built(calratio, tmp_path, main=[SIGNAL], control=control)


def test_an_unknown_column_in_a_filter_has_a_near_miss(calratio: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="eventNumber"):
        built(calratio, tmp_path, main=[{"files": SIGNAL, "where": "eventNumbr % 2"}])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("foo/bar/*baz*/*.parquet", ("foo/bar", "*baz*/*.parquet")),
        ("foo/bar.parquet", ("foo/bar.parquet", None)),
        ("*.parquet", (".", "*.parquet")),
    ],
)
def test_paths_end_at_the_first_wildcard(text: str, parts: tuple[str, str | None]) -> None:
    assert split_at_wildcard(text) == parts


def test_our_scaling_keeps_momenta_and_says_so(calratio: Path, tmp_path: Path) -> None:
    built(calratio, tmp_path, main=[SIGNAL], min_jet_pt=20, max_jet_pt=420)
    table = open_jets(tmp_path / "main.parquet")
    assert table.layout == "lists"
    momenta = table.momenta(jets_in(table).jet[:, 0])
    np.testing.assert_allclose(momenta, column(calratio / SIGNAL, "jet_pt"), rtol=1e-5)
