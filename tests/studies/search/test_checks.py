"""What is refused before anything runs, by its message."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quarkline.engine.core.findings import Finding, InputError, Severity, WorkError
from quarkline.tools.run import load_analysis, plan, run

from .conftest import CONFIG, write_all

pytestmark = pytest.mark.xdist_group("search")


def refused(folder: Path, text: str, *overrides: str) -> tuple[Finding, ...]:
    path = folder / "changed.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        plan(load_analysis(path, overrides=[f"roots.runs={folder / 'none'}", *overrides]))
    assert not (folder / "none").exists()
    return error.value.findings


def changed(old: str, new: str) -> str:
    assert old in CONFIG
    return CONFIG.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "hint"),
    [
        ("region: SR", "region: RS", "QL-SEARCH-003", "there is no region `RS`", "SR"),
        ("[top, other]", "[topp]", "QL-SEARCH-001", "there is no sample `topp`", "`top`"),
        ("[top, other]", "[data]", "QL-SEARCH-001", "sample `data` is data", "no class"),
        ("[top, other]", "[top, signal]", "QL-SEARCH-001", "in class `signal` already", ""),
        ("signal: signal, background", "background", "QL-SEARCH-001", "are 1 classes", "two"),
        ("  folds: 2", "  signal: signl", "QL-SEARCH-002", "there is no class `signl`", "`signal`"),
        (
            "group: [channel, generated]",
            "group: [chanel]",
            "QL-SEARCH-005",
            "`chanel`",
            "`channel`",
        ),
        ("identity: [channel, event]", "identity: [pt]", "QL-SEARCH-005", "float32", "whole"),
        ("variable: score, ", "", "QL-SEARCH-006", "a column `mass` already", "score.column"),
        ("use: [pt, eta", "use: [ptt, eta", "QL-EXPR-001", "no column `ptt`", "`pt`"),
        ("weight_mc}", "weight_mcc}", "QL-EXPR-001", "no column `weight_mcc`", "`weight_mc`"),
        ('{pt: "1.2 * pt"}', "{ptt: pt}", "QL-CATALOG-071", "no column `ptt` to shift", "`pt`"),
        ("blocks: 1", "blokcs: 1", "QL-CONFIG-002", "`blokcs`", "`blocks`"),
    ],
)
def test_a_mistake_is_one_message(
    events: Path, old: str, new: str, code: str, message: str, hint: str
) -> None:
    overrides = ["score.column=mass"] if code == "QL-SEARCH-006" else []
    found = [item for item in refused(events, changed(old, new), *overrides) if item.code == code]
    assert found
    assert message in found[0].message
    assert hint in (found[0].suggestion or "")
    assert found[0].place is not None


def test_findings_point_at_what_was_written(events: Path) -> None:
    (finding,) = refused(events, changed("[top, other]", "[top, othr]"))
    place = finding.place
    assert place is not None
    assert place.text is not None
    assert place.column is not None
    assert place.text[place.column - 1 :].startswith("othr")


def test_a_branch_that_one_of_many_files_lacks_is_named_with_the_file(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    del toys["mc/1b"]["eta"]
    write_all(tmp_path, toys)
    found = refused(tmp_path, CONFIG)
    assert any("`eta`" in item.message and "mc/1b.root" in item.message for item in found)


def test_files_may_be_absent_if_the_config_says_how_many(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    del toys["mc/1b"]
    config = write_all(tmp_path, toys)
    assert {item.code for item in refused(tmp_path, CONFIG)} == {"QL-CATALOG-030"}
    allowed = ["inputs.allow_missing=1", f"roots.runs={tmp_path / 'runs'}"]
    _, warnings = plan(load_analysis(config, overrides=allowed))
    told = [item for item in warnings if item.code == "QL-CATALOG-030"]
    assert told[0].severity is Severity.WARNING
    assert "mc/1b.root" in told[0].message


def test_a_class_without_any_file_is_refused_and_one_with_another_sample_is_not(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    del toys["mc/3"]
    config = write_all(tmp_path, toys)
    split = changed("background: [top, other]", "top: top, other: other")
    found = refused(tmp_path, split, "inputs.allow_missing=1")
    assert [item.code for item in found if item.severity is Severity.ERROR] == ["QL-SEARCH-004"]
    assert "write `train: {classes: [signal, top]}`" in str(found[-1])
    allowed = ["inputs.allow_missing=1", f"roots.runs={tmp_path / 'runs'}"]
    plan(load_analysis(config, overrides=allowed))


def until_features(folder: Path, toys: dict[str, dict[str, Any]]) -> Any:
    config = write_all(folder, toys)
    analysis = load_analysis(
        config, overrides=[f"roots.runs={folder / 'runs'}"], compute={"workers": 1}
    )
    return run(analysis, until="features").run.results()["features"]


def test_odd_features_are_told_and_not_touched(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for columns in toys.values():
        columns["eta"] = np.full(len(columns["eta"]), 2.5, np.float32)
    pt = toys["mc/2"]["pt"].copy()
    pt[:100] = np.inf
    toys["mc/2"]["pt"] = pt
    toys["data/15"]["code"] = np.full(250, 15, np.int32)
    findings = {item["code"]: item["message"] for item in until_features(tmp_path, toys).findings}
    assert "`eta` is 2.5 everywhere" in findings["QL-FEATURES-012"]
    assert "`pt`" in findings["QL-FEATURES-014"]
    assert (
        "sample `data`: feature `code` has values that training does not know"
        in (findings["QL-SEARCH-015"])
    )


def test_a_class_that_is_all_in_one_fold_is_refused(
    toys: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    for name in ("mc/1a", "mc/1b"):
        toys[name]["generated"] = np.zeros_like(toys[name]["generated"])
    with pytest.raises(WorkError, match=r"class `signal`: its [\d,]+ events are all in fold"):
        until_features(tmp_path, toys)


def test_options_are_named_by_what_was_typed(events: Path) -> None:
    (finding,) = refused(events, CONFIG, "train.signal=signl")
    assert str(finding.place) == "--set train.signal=signl"


def test_samples_of_a_wrong_config_are_refused_alike(events: Path) -> None:
    analysis = load_analysis(events / "tiny.yaml", overrides=["train.region=RS"])
    with pytest.raises(InputError, match="there is no region `RS`"):
        analysis.study.samples(analysis.config)


def test_a_problem_of_all_files_counts_each_file_once(events: Path) -> None:
    found = refused(events, CONFIG, "inputs.identity=[nothing]", "inputs.group=[channel]")
    (finding,) = [item for item in found if item.code == "QL-SEARCH-005"]
    assert "and 4 more" in finding.message
