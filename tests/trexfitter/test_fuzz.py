"""Whatever a file holds, reading it ends with a config and findings, or with an input error."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.trexfitter import read_trexfitter
from quarkline.trexfitter.checks import check_config
from quarkline.trexfitter.schema import JOB_BLOCKS
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
