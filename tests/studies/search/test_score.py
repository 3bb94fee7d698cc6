"""The models of a finished search score files of their own, from the run alone."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest

pytest.importorskip("torch")

from quarkline.events.sources import open_source
from quarkline.tools.run import RunOutcome
from quarkline.tools.score import score
from tests.events.skim.farm import Here

pytestmark = pytest.mark.xdist_group("search")


@pytest.mark.parametrize(("file", "key"), [("mc/2", "generated"), ("data/15", "event")])
def test_scores_of_a_run_are_those_of_its_friends(
    finished: RunOutcome, events: Path, tmp_path: Path, file: str, key: str
) -> None:
    done = score(
        str(finished.run.folder),
        [str(events / "ntuples" / f"{file}.root")],
        tmp_path,
        column="score_again",
        executor=Here(),
    )
    assert done.failures == ()
    assert done.friends[0].key == ("channel", key)
    stage = finished.run.record("friends").files["friends"]
    with open_source(stage / f"{file}.root") as made, open_source(done.friends[0].friend) as again:
        expected = ak.to_numpy(made.read(["score"])["score"])
        found = ak.to_numpy(again.read(["score_again"])["score_again"])
    assert np.array_equal(found, expected)
