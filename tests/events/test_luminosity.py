"""Certified luminosity sections, against membership written out plainly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarkline.engine.core.findings import InputError
from quarkline.events.luminosity import CertifiedSections

RANGE = st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda p: [p[0], p[0] + p[1]])
LISTS = st.dictionaries(
    st.integers(1, 5).map(str), st.lists(RANGE, min_size=1, max_size=5), min_size=1, max_size=4
)


@given(LISTS)
def test_an_event_is_kept_if_its_section_is_in_a_range_of_its_run(tmp_path_factory, given_list):
    path = tmp_path_factory.mktemp("list") / "good.json"
    path.write_text(json.dumps(given_list))
    run, section = (x.ravel() for x in np.meshgrid(np.arange(7), np.arange(90), indexing="ij"))
    plain = [
        any(low <= s <= high for low, high in given_list.get(str(r), []))
        for r, s in zip(run, section, strict=True)
    ]
    assert list(CertifiedSections.read(path).contains(run, section)) == plain


def test_numbers_as_large_as_the_columns_hold_them(tmp_path: Path) -> None:
    top = 2**32 - 1
    path = tmp_path / "good.json"
    path.write_text(json.dumps({str(top): [[top, top]], "1": [[0, 0]]}))
    found = CertifiedSections.read(path).contains(
        np.array([top, top, 1, 1, 2], np.uint32), np.array([top, 0, 0, 1, 0], np.uint32)
    )
    assert list(found) == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no runs"),
        ("{}", "holds no runs"),
        ('{"1": []}', "holds no sections"),
        ('{"x": [[1, 2]]}', "has `x` where a run's number belongs"),
        ('{"1": 5}', "gives run 1 no list of ranges but 5"),
        ('{"1": [[5, 2]]}', "gives run 1 the range [5, 2]"),
        ('{"1": [[1, 2, 3]]}', "gives run 1 the range [1, 2, 3]"),
        ('{"1": [[1.5, 2]]}', "gives run 1 the range [1.5, 2]"),
        ('{"1": [[true, 2]]}', "gives run 1 the range [True, 2]"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        CertifiedSections.read(path)
    finding = refused.value.findings[0]
    assert what in finding.message
    assert finding.place.file == path


def test_a_missing_list_is_one_finding(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        CertifiedSections.read(tmp_path / "none.json")
