"""Every known defect of the public configs that can be seen in them is found, at its place."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest

from quarkline.catalog.checks import file_schema
from quarkline.engine.core.findings import Finding, Severity
from quarkline.trexfitter import read_trexfitter
from quarkline.trexfitter.checks import check_config

pytestmark = pytest.mark.xdist_group("real-defects")  # one process makes what they share

schema_of = functools.cache(file_schema)


@pytest.fixture(scope="module")
def folder(data_folder: Path) -> Path:
    return data_folder / "lq" / "trex-fitter"


@pytest.fixture(scope="module")
def found(data_folder: Path, folder: Path) -> dict[str, list[Finding]]:
    """What is said about each config on the simulated ntuples."""
    here = {"XXX_NtuplePaths": str(data_folder / "lq_ntuples")}
    found = {}
    for name in ("pre-fit", "probs", "raw-events"):
        config = read_trexfitter(folder / "configs" / f"{name}.config", replace=here)
        found[name] = check_config(config, schema_of=schema_of)
    return found


def the(findings: list[Finding], code: str, *words: str) -> Finding:
    """The one finding of a code that says these words."""
    chosen = [f for f in findings if f.code == code and all(word in str(f) for word in words)]
    assert len(chosen) == 1, [str(item) for item in chosen]
    return chosen[0]


def at(finding: Finding, file: str, line: int) -> bool:
    place = finding.place
    return place.file.as_posix().endswith(file) and place.line == line


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        ("raw-events", "QL-TREX-013", "`Label` stands twice"),
        ("probs", "QL-CATALOG-002", "`mu_lq` is the parameter of interest and is held constant"),
        ("probs", "QL-CATALOG-003", "asks for observed data, and no sample is data"),
        ("probs", "QL-CATALOG-004", "takes Asimov data: `mu_lq` comes out as it is put in"),
        ("probs", "QL-CATALOG-011", "add up to 138,965.16, and the analysis is scaled to 140,068"),
        ("pre-fit", "QL-CATALOG-013", "region `N-events` draws 1"),
        ("probs", "QL-CATALOG-020", "sample `ggVV` reads no friends, and 13 others"),
        ("probs", "QL-CATALOG-020", "sample `VVV` reads no friends, and 13 others"),
        ("probs", "QL-CATALOG-021", "ends in `nominal`, the name of the tree"),
        ("pre-fit", "QL-CATALOG-030", "249 of 304 files are not there"),
        ("pre-fit", "QL-CATALOG-031", "10 samples have no file"),
        ("probs", "QL-CATALOG-033", "51 files have no friend"),
        ("probs", "QL-CATALOG-070", "comes from 2 productions: p5855"),
        ("probs", "QL-EXPR-007", "placeholder `XXX_VV_NJET`, which nothing uses"),
        ("probs", "QL-EXPR-007", "placeholder `XXX_VV_UP`, which nothing uses"),
        ("probs", "QL-EXPR-007", "placeholder `XXX_VV_DOWN`, which nothing uses"),
    ],
)
def test_a_known_defect_has_one_finding_that_names_it(found, config, code, words):
    """Those that need other configs, files or texts follow one by one."""
    the(found[config], code, words)


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ("samples/all.config", {"ghost.configs", "no-ghost.config"}),
        ("samples-friend/all.config", {"ghost.config", "fakes.config"}),
    ],
)
def test_includes_of_files_that_do_not_exist(folder: Path, part: str, missing: set[str]):
    findings = [item for item in read_trexfitter(folder / part).errors if item.code.endswith("001")]
    assert {item.message.split("`")[1].rpartition("/")[2] for item in findings} == missing
    assert all(item.suggestion.startswith("did you mean") for item in findings)


def test_the_label_that_stands_twice(found):
    assert at(the(found["raw-events"], "QL-TREX-013", "`Label`"), "configs/raw-events.config", 10)


def test_two_samples_lack_the_friends_that_the_variable_needs(found):
    assert at(the(found["probs"], "QL-CATALOG-020", "`ggVV`"), "background.config", 115)
    assert at(the(found["probs"], "QL-CATALOG-020", "`VVV`"), "background.config", 125)


def test_the_parameter_of_interest_is_constant(found):
    for findings in found.values():
        assert at(the(findings, "QL-CATALOG-002", "constant at 1"), "norm-factors/mu.config", 6)


def test_the_folder_of_friends_ends_in_the_name_of_the_tree(found):
    assert at(the(found["probs"], "QL-CATALOG-021", "resnet-6"), "configs/probs.config", 7)


def test_the_years_do_not_add_up_to_the_luminosity(found):
    finding = the(found["probs"], "QL-CATALOG-011", "138,965.16", "140,068.94", "1.00794")
    assert at(finding, "replacement.txt", 21)


def test_damaged_weights_that_nothing_uses_are_found(found):
    for name, line in (("XXX_VV_NJET", 22), ("XXX_VV_UP", 62), ("XXX_VV_DOWN", 63)):
        finding = the(found["probs"], "QL-EXPR-007", f"`{name}`")
        assert at(finding, "replacement.txt", line)
        text = finding.place.text[finding.place.column - 1 :]
        assert text.startswith("(mcChannelNumber>=364283&&mcChannelNumber&&mcChannelNumber<=363360")


def test_every_event_of_a_counting_region_is_in_the_overflow(found):
    regions = [item for item in found["pre-fit"] if item.code == "QL-CATALOG-013"]
    assert {item.message.split("`")[1] for item in regions} == {"N-events", "N-events-sr"}


def test_the_fit_asks_for_data_and_has_none(found):
    the(found["probs"], "QL-CATALOG-003", "region `probs-lq`", "no sample is data")


def test_files_that_are_not_there_are_counted_and_listed(found, data_folder: Path):
    some = the(
        found["pre-fit"], "QL-CATALOG-030", "249 of 304", "`VV` 27 of 39, `Zjets` 156 of 174"
    )
    none = the(found["pre-fit"], "QL-CATALOG-031", "10 samples have no file")
    there = len(list((data_folder / "lq_ntuples").rglob("mc20*/p*/*.root")))
    assert there == 51
    absent = {**some.evidence["absent"], **none.evidence["absent"]}
    assert sum(len(paths) for paths in absent.values()) == 300 - there == 249
    assert (some.severity, none.severity) == (Severity.WARNING, Severity.ERROR)
    assert set(none.evidence["absent"]) == {
        *("ttW", "ttW_EW", "ttZ", "tZ", "WtZ", "tW", "threeTop", "ggVV", "VVV", "WttW"),
    }


def test_signal_and_background_come_from_different_productions(found):
    finding = the(found["pre-fit"], "QL-CATALOG-070", "2 productions", "p6266 (`lq`)")
    assert set(finding.evidence["samples"]) == {"p5855", "p6266"}


def test_the_score_is_not_in_the_ntuples_but_in_friends_that_are_absent(found):
    the(found["probs"], "QL-CATALOG-033", "51 files have no friend below")


def test_branches_are_looked_up_in_the_files(found, folder: Path, data_folder: Path):
    assert not any(item.code == "QL-EXPR-001" for item in found["pre-fit"])
    here = {
        "XXX_NtuplePaths": str(data_folder / "lq_ntuples"),
        "XXX_2LSS_SELECTION": "l2SS_1tauu",
    }
    config = read_trexfitter(folder / "configs/training.config", replace=here)
    finding = the(
        check_config(config, schema_of=schema_of),
        "QL-EXPR-001",
        "no column `l2SS_1tauu`",
        "and 50 more",
    )
    assert "`l2SS_1tau`" in finding.suggestion


def test_the_original_paths_hold_none_of_the_files(folder: Path):
    """Also those of the data sample, `data/data15` and so on, which never existed there."""
    findings = check_config(read_trexfitter(folder / "configs/pre-fit.config"))
    finding = the(findings, "QL-CATALOG-032", "none of 304 files is below")
    assert finding.severity is Severity.ERROR


def test_the_cut_at_another_value_than_the_text_says(folder: Path, tmp_path: Path):
    """The README of the analysis gives 0.5, its config has 0.2."""
    for part in ("configs", "fits", "norm-factors", "regions", "samples-friend", "replacements"):
        shutil.copytree(folder / part, tmp_path / "trex-fitter" / part)
    config = read_trexfitter(tmp_path / "trex-fitter/configs/probs.config")
    assert not [f for f in check_config(config, schema_of=None) if f.code == "QL-CATALOG-014"]
    text = "# Fit\n\nThe first fit leaves out events whose probability of a signal is below 0.5.\n"
    (tmp_path / "README.md").write_text(text)
    finding = the(
        check_config(config, schema_of=None),
        "QL-CATALOG-014",
        "region `probs-lq` cuts `probs_lq` at 0.2",
        "README.md:3:1 says 0.5",
    )
    assert at(finding, "regions/probs-lq.config", 10)
