"""Our list of options against TRExFitter's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from quarkline.trexfitter import Block, read_trexfitter
from quarkline.trexfitter.schema import (
    JOB_BLOCKS,
    MULTI_FIT_BLOCKS,
    REAL,
    TEXT,
    TRUTH,
    WHOLE,
    Kind,
)

LATER = {
    "Job": {"FriendPath", "FriendPaths", "OVERSIGSCALE", "SeparationPlot", "HistoFolderName"}
    | {"ExperimentLabel", "PlotLabel", "PreFitLabel", "PostFitLabel"}
    | {"CustomFunctionsExecutes", "AddAliases"},
    "Fit": {"UseNLLwithoutOffsetInLHscan", "DataWeighted", "Parallel2Dscan"}
    | {"ToysSeed", "Parallel2DscanStep"},
    "Limit": {"LimitPlot", "LimitFile", "POIAsimov", "SplusBToys", "BonlyToys", "ToysSeed"}
    | {"ScanSteps", "ScanMin", "ScanMax"},
    "Significance": {"SignificancePlot", "SignificanceType"},
    "Options": {"LogXSignalRegionPlot"},
    "Region": {"HistoFolderName"},
    "Sample": {"UseFriend", "HistoFolderName", "UseGaussianShapeSysConstraint"},
    "Systematic": {f"FriendPath{plural}{side}" for plural in ("", "s") for side in ("Up", "Down")}
    | {f"Histo{part}{side}" for part in ("Paths", "Names") for side in ("Up", "Down")}
    | {f"HistoFolderName{side}" for side in ("Up", "Down")},
}
"""Options of later releases, and plurals of those that have a singular."""
FREER = {"FitRegion", "MCstatThreshold", "PlotSoverB"}
"""Options whose official kind is narrower than what the program takes."""


def official(data: Path, name: str) -> Iterator[Block]:
    path = data / "trexfitter_configs" / "official_tests" / name
    return iter(read_trexfitter(path).blocks)


@pytest.mark.parametrize(
    ("name", "ours"),
    [("jobSchema.config", JOB_BLOCKS), ("multiFitSchema.config", MULTI_FIT_BLOCKS)],
    ids=["job", "multi-fit"],
)
class TestOfficial:
    def test_every_block_and_option_is_known_and_no_other(self, data_folder, name, ours):
        theirs = {block.kind: set(block.options) for block in official(data_folder, name)}
        assert set(ours) == set(theirs)
        for kind, options in theirs.items():
            later = LATER.get(kind, set())
            assert set(ours[kind]) - later == options - later
            assert later <= set(JOB_BLOCKS.get(kind, {})) | set(ours[kind])

    def test_every_value_is_of_the_same_kind(self, data_folder, name, ours):
        for block in official(data_folder, name):
            for option in block.options.values():
                if option.name not in FREER:
                    asked = str(option.raw).partition("%")[0].strip()
                    assert same(ours[block.kind][option.name], asked), (block.kind, option.name)


def same(kind: Kind, official_kind: str) -> bool:
    """Whether a kind is what TRExFitter's schema asks for."""
    if "string" in official_kind:
        return kind.free
    plain = {"TRUE/FALSE": TRUTH, "float": REAL, "int": WHOLE}
    if official_kind in plain:
        return kind == plain[official_kind] or kind == TEXT
    parts = official_kind.split(",")
    if len(parts) > 1:
        return kind.count == len(parts) and kind.number == plain[parts[0]].number
    return set(kind.choices or ()) == set(official_kind.split("/"))


@pytest.mark.parametrize(
    ("kind", "taken", "refused"),
    [
        (TRUTH, ["TRUE", "false", "True"], ["1", "yes", ""]),
        (REAL, ["1", "-1.5", ".5", "1e-3", "2."], ["x", "TRUE", "1,2", "nan", "inf"]),
        (WHOLE, ["1", "-2", "3.0"], ["1.5", "one"]),
        (JOB_BLOCKS["Job"]["MCstatThreshold"], ["0.01", "none"], ["some"]),
    ],
)
def test_what_a_kind_takes(kind: Kind, taken: list[str], refused: list[str]):
    assert all(kind.takes([value]) for value in taken)
    assert not any(kind.takes(value.split(",")) for value in refused)
