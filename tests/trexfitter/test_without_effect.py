"""No option and no key is passed over in silence: something reads it, or a finding tells."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import quarkline
from quarkline.catalog import drawing, inference
from quarkline.engine.core.findings import Severity
from quarkline.tools.trexfitter import check
from quarkline.trexfitter.command_line import CommandOptions
from quarkline.trexfitter.multifit import ComparedJob, MultiFit
from quarkline.trexfitter.schema import JOB_BLOCKS, MULTI_FIT_BLOCKS
from quarkline.trexfitter.translate import REFUSED_OPTIONS
from quarkline.trexfitter.validate import NOT_READ
from quarkline.trexfitter.without_effect import OF_COMMAND, reason_of

SOURCE = Path(quarkline.__file__).parent
READERS = [
    path
    for path in (SOURCE / "trexfitter").rglob("*.py")
    if path.name not in {"schema.py", "without_effect.py", "command_line.py"}
]
DEFINITIONS = {"drawing.py", "inference.py", "multifit.py", "read_multifit.py"}
FAMILIES = re.compile(
    r"(Histo|Ntuple)(Path|File|Name|FolderName)s?(Suff?s?)?(Up|Down)?(RefSample)?|FriendPaths?(Up|Down)?|"
    r"RatioY(min|max)(PostFit)?|(Sample|Weight|WeightSuf|Scale)(Up|Down)|(Fill|Line)ColorRGB|"
    r"LHscan(Min|Max)Y|(Overall)(Up|Down)"
)
"""Options whose names are put together where they are read."""


def texts(path: Path) -> Iterator[str]:
    """Words of all texts but docstrings."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield from re.findall(r"\w+", node.value)


def read_names() -> set[str]:
    return {text for path in READERS for text in texts(path)}


@pytest.mark.parametrize("blocks", [JOB_BLOCKS, MULTI_FIT_BLOCKS], ids=["job", "multi-fit"])
def test_every_option_is_read_refused_or_told_to_have_no_effect(blocks):
    known = read_names()
    silent = [
        f"{kind}: {name}"
        for kind, options in blocks.items()
        if kind not in NOT_READ
        for name in options
        if name not in known
        and not FAMILIES.fullmatch(name)
        and name not in REFUSED_OPTIONS.get(kind, ())
        and reason_of(kind, name) is None
    ]
    assert silent == []


@functools.cache
def attributes() -> set[str]:
    """Names of all attributes that code outside of definitions takes."""
    paths = (path for path in SOURCE.rglob("*.py") if path.name not in DEFINITIONS)
    trees = (ast.parse(path.read_text()) for path in paths)
    return {
        node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def test_every_key_of_figures_and_fits_is_read():
    models = [
        drawing.Drawing,
        drawing.RegionDrawing,
        drawing.SampleDrawing,
        drawing.TableDrawing,
        inference.FitSettings,
        inference.ScanSettings,
        inference.RankingSettings,
        inference.LimitSettings,
        inference.SignificanceSettings,
    ]
    taken = attributes()
    unread = [
        f"{one.__name__}.{key}" for one in models for key in one.model_fields if key not in taken
    ]
    assert unread == []


def test_every_value_of_a_multi_fit_and_of_the_option_string_is_read():
    taken = attributes() | set(OF_COMMAND)
    for one in (MultiFit, ComparedJob, CommandOptions):
        assert [key for key in one.__dataclass_fields__ if key not in taken] == []


def found(path: Path, options: str = ""):
    result = check(path, options, schema_of=None)
    return [one for one in result.findings if one["code"] == "QL-TREX-071"]


def test_check_tells_what_has_no_effect(write):
    path = write(
        "a.config",
        "Job: j\n  ReadFrom: HIST\n  DebugLevel: 2\n  Logo: TRUE\n  LabelX: 0.2\n\n"
        "Options: o\n  FourTopStyle: 1\n",
    )
    told = found(path, "Parallel2Dscan=TRUE")
    assert {one["severity"] for one in told} == {str(Severity.NOTE)}
    messages = [one["message"] for one in told]
    assert messages == [
        "without effect here: `DebugLevel`, `Logo` (how the program runs)",
        "without effect here: `LabelX`, `FourTopStyle` (how ROOT lays out pictures)",
        "without effect here: `Parallel2Dscan` (scans are spread over the workers as they are)",
    ]
    assert ":3" in str(told[0]["place"])


def test_what_trexfitter_would_write_is_a_warning(write):
    path = write("m.config", "MultiFit: m\n  PlotSoverB: TRUE\n  FastFit: TRUE\n\nFit: f\n")
    assert {one["severity"] for one in found(path)} == {"warning", "note"}
    path = write("m.config", "MultiFit: m\n  PlotSoverB: FALSE\n\nFit: f\n")
    assert found(path) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("PlotOptions: YEILDS,CHI2", "did you mean `YIELDS`"),
        ("TableOptions: STANDALON", "did you mean `STANDALONE`"),
    ],
)
def test_words_that_are_none_are_told(write, line, told):
    path = write("a.config", f"Job: j\n  ReadFrom: HIST\n  {line}\n")
    result = check(path, schema_of=None)
    (one,) = (one for one in result.findings if "is no word of" in one["message"])
    assert told in one["suggestion"]
    assert one["severity"] == "warning"
