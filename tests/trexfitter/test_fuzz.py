"""Whatever a file holds, reading it ends with a config and findings, or with an input error."""

from __future__ import annotations

import contextlib
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarkline.catalog import Catalog
from quarkline.engine.core.config import load_config
from quarkline.engine.core.findings import InputError
from quarkline.tools.trexfitter import check, convert, load_job
from quarkline.trexfitter import read_trexfitter
from quarkline.trexfitter.checks import check_config
from quarkline.trexfitter.command_line import KNOWN, read_options
from quarkline.trexfitter.plan import plan_of, plan_text
from quarkline.trexfitter.schema import JOB_BLOCKS, MULTI_FIT_BLOCKS
from tests.trexfitter.test_translate import FULL

ANY = st.text(max_size=200)
WORDS = st.sampled_from(
    [
        *('"', ",", ";", ":", "%", "#", "XXX", "XXX_A", "{x}", "NONE", "TRUE", "1e3", "-", "*"),
        *("/", "../a.config", "INCLUDE", "ReplacementFile", "\n", "\n\n", "  ", "\t", "\0"),
        *("AutoBin", "x" * 300, "Job", "Sample", "all", "(", "a>b", "[0]", "?"),
    ]
)
KEYS = st.sampled_from([(kind, name) for kind, known in JOB_BLOCKS.items() for name in known])
LINES = st.tuples(KEYS, st.lists(WORDS, min_size=1, max_size=5)).map(
    lambda item: f"{item[0][0]}: n\n  {item[0][1]}: {''.join(item[1])}\n\n"
)
SPOILT = st.tuples(st.integers(0, len(FULL)), st.lists(WORDS, max_size=4)).map(
    lambda item: FULL[: item[0]] + "".join(item[1]) + FULL[item[0] :]
)
JOB = 'Job: "x"\n  ReadFrom: NTUP\n  ReplacementFile: r.txt\n\n'


@pytest.mark.parametrize(
    "texts",
    [ANY, st.lists(WORDS).map("".join), st.lists(LINES, max_size=5).map("".join), SPOILT],
    ids=["any", "words", "options", "spoilt"],
)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(data=st.data())
def test_reading_ends_with_findings(tmp_path: Path, texts, data):
    text = data.draw(texts)
    (tmp_path / "r.txt").write_text(data.draw(ANY), encoding="utf-8", errors="replace")
    path = tmp_path / "a.config"
    path.write_text(JOB * data.draw(st.booleans()) + text, encoding="utf-8", errors="replace")
    with contextlib.suppress(InputError):
        config = read_trexfitter(path)
        assert all(str(finding) for finding in check_config(config))


NAMES = st.sampled_from([*KNOWN, "Regions", "", "x", "=", "Fit Blind"])
STRINGS = st.lists(
    st.tuples(NAMES, st.sampled_from(["=", "", "=="]), st.lists(WORDS, max_size=3)).map(
        lambda part: part[0] + part[1] + "".join(part[2])
    ),
    max_size=5,
).map(":".join)


@pytest.mark.slow
@pytest.mark.parametrize("texts", [ANY, STRINGS], ids=["any", "options"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_reading_an_option_string_ends_with_options_or_findings(texts, data):
    with contextlib.suppress(InputError):
        assert isinstance(read_options(data.draw(texts)).given, dict)


OF_FITS = st.sampled_from(
    [
        (kind, name)
        for kind in ("Job", "Fit", "Limit", "Significance", "Region", "Sample")
        for name in JOB_BLOCKS[kind]
    ]
)
VALUES = st.one_of(
    st.lists(WORDS, min_size=1, max_size=5).map("".join),
    st.sampled_from(
        ["1", "-1", "0", "1e400", "9" * 30, "a:1,b:2", "a,b:c,d", "0.5,x", "mu", "100"]
    ),
)


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@given(
    changes=st.lists(st.tuples(OF_FITS, VALUES), min_size=1, max_size=4),
    options=STRINGS,
    letters=st.text("nhbwfdprlsixam", max_size=4),
)
def test_a_changed_config_ends_with_a_job_or_findings(tmp_path: Path, changes, options, letters):
    """Whatever is written, opening, planning and converting raise nothing but input errors."""
    text = FULL
    for (kind, name), value in changes:
        at = text.find(f"{kind}:")
        end = text.find("\n", at) if at >= 0 else -1
        line = f"\n  {name}: {value}" if at >= 0 else f"{kind}: new\n  {name}: {value}\n\n"
        text = text[:end] + line + text[end:] if at >= 0 else line + text
    path = tmp_path / "a.config"
    path.write_text(text, encoding="utf-8", errors="replace")
    found = check(path, options, schema_of=None)
    assert isinstance(found.errors, int)
    with contextlib.suppress(InputError):
        job = load_job(path, options)
        assert plan_text(plan_of(job, letters))
        own = tmp_path / "own.yaml"
        convert(path, options, output=own)
        load_config(own).validate(Catalog)


BASE = """\
Job: j
  ReadFrom: NTUP

Fit: f
  FitType: SPLUSB

Sample: s
  Type: SIGNAL

Region: r
  Variable: x,1,0,1

Limit: l
  LimitBlind: TRUE

Significance: s
  SignificanceBlind: TRUE

NormFactor: mu
  Samples: s

Systematic: y
  WeightUp: a

"""
MANY = "MultiFit: m\n  Combine: TRUE\n\nFit: f\n  ConfigFile: base.config\n\n"
NASTY = ("x", "-1", "1e400", "a:1,b:2", "0.5,x", "none", ",", '""', "*")


@pytest.mark.slow
@pytest.mark.parametrize("base", [BASE, MANY], ids=["job", "multi-fit"])
def test_every_option_with_values_that_are_none_of_its(tmp_path: Path, base: str):
    (tmp_path / "base.config").write_text(BASE)
    path = tmp_path / "a.config"
    schema = JOB_BLOCKS if base is BASE else MULTI_FIT_BLOCKS
    for kind, options in schema.items():
        end = base.find("\n", base.find(f"{kind}:")) if f"{kind}:" in base else 0
        for name, value in product(options, NASTY if end else ()):
            path.write_text(f"{base[:end]}\n  {name}: {value}{base[end:]}")
            with contextlib.suppress(InputError):
                load_job(path)
