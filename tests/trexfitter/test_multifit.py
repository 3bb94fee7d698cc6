"""Configs that name other configs."""

from __future__ import annotations

import pytest

from quarkline.catalog import LimitSettings, ScanSettings
from quarkline.engine.core.findings import InputError
from quarkline.trexfitter.command_line import read_options
from quarkline.trexfitter.multifit import MultiFit
from quarkline.trexfitter.parser import read_trexfitter
from quarkline.trexfitter.read_multifit import read_multifit

JOB = "Job: {0}\n  ReadFrom: NTUP\n  POI: mu\n\nSample: s\n  Type: SIGNAL\n\n"
MANY = """\
MultiFit: many
  Combine: TRUE
  Compare: TRUE
  POIName: mu,k
  POITitle: "#mu","#kappa"
  POIRange: -1:3,0:2
  DataName: asimovData
  doLHscan: mu
  LHscanSteps: 9
  ComparePulls: FALSE

Limit: limit
  LimitBlind: TRUE

Fit: one
  ConfigFile: configs/one.config
  Label: First
  LoadSuf: _x

Fit: two
  ConfigFile: configs/two.config
  Options: Suffix=_own
  UseInFit: FALSE
  FitResultsFile: other.txt
  Directory: there
  InputName: named

"""


@pytest.fixture
def many(write):
    """The multi-fit of a text whose jobs lie in a folder beside it."""

    def many(text: str = MANY, options: str = "") -> MultiFit:
        for name in ("one", "two"):
            write(f"configs/{name}.config", JOB.format(name))
        config = read_trexfitter(write("many.config", text))
        return read_multifit(config, read_options(options))

    return many


def test_what_it_says(many):
    made = many()
    assert (made.name, str(made.folder)) == ("many", "many")
    assert (made.combine, made.compare, made.compare_pulls, made.compare_pois) == (
        True,
        True,
        False,
        True,
    )
    assert (made.pois, made.poi_title) == (("mu", "k"), ("#mu", "#kappa"))
    assert made.poi_ranges == ((-1.0, 3.0), (0.0, 2.0))
    assert made.scans == (ScanSettings(parameters=["mu"], steps=[9]),)
    assert (made.data, made.limit) == ("asimov", LimitSettings(data="asimov"))


def test_its_jobs(many):
    one, two = many(options="Suffix=_all:StatOnly=TRUE").jobs
    assert (one.name, one.label, one.suffix) == ("one", "First", "_x")
    assert one.job is not None
    assert (one.job.name, one.job.suffix) == ("one", "_all")
    assert two.job is not None
    assert (two.label, two.suffix, two.job.suffix, two.in_fit) == ("two", "_all", "_own", False)
    assert str(two.fit_results) == "other.txt"
    assert str(two.job.fit_file) == "there/Fits/named_own.txt"
    assert two.job.catalog.templates.statistics_only


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "line"),
    [
        ("configs/one", "configs/on", "QL-TREX-001", "no config `configs/on.config`", 16),
        ("-1:3,0:2", "-1,3", "QL-TREX-030", "is not `low:high` for each", 6),
        ("doLHscan: mu", "do2DLHscan: mu", "QL-TREX-030", "is not made of pairs", 8),
        ("Combine: TRUE", "FitType: UNFOLDING", "QL-TREX-030", "is not done", 2),
        ("Suffix=_own", "Sufix=_own", "QL-TREX-033", "no option `Sufix`", None),
    ],
)
def test_mistakes(many, old, new, code, message, line):
    with pytest.raises(InputError) as caught:
        many(MANY.replace(old, new))
    (finding,) = caught.value.findings
    assert finding.code == code
    assert message in finding.message
    assert finding.place.line == line


def test_it_names_at_least_one_job(many):
    with pytest.raises(InputError, match="QL-TREX-040"):
        many("MultiFit: m\n  Combine: TRUE\n")
