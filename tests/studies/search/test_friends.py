"""Where friends go, and what they do not replace."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarkline.engine.core.findings import WorkError
from quarkline.studies.search.friends import layout
from quarkline.studies.search.publish import publish_friends
from quarkline.tools.run import RunOutcome, load_analysis, run

pytestmark = pytest.mark.xdist_group("search")


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (["/a/b"], ["mc/1.root", "data/2.root"]),
        (["/a/b", "/a/b/mc"], ["1.root", "data/2.root"]),
        (["/elsewhere"], ["mc/1.root", "data/2.root"]),
    ],
)
def test_friends_lie_where_their_files_do(folders: list[str], expected: list[str]) -> None:
    assert layout([Path("/a/b/mc/1.root"), Path("/a/b/data/2.root")], folders) == expected


def test_friends_are_copied_where_the_config_says_and_replace_friends_only(
    finished: RunOutcome, events: Path, tmp_path: Path
) -> None:
    overrides = [f"roots.runs={finished.run.folder.parents[1]}", f"roots.friends={tmp_path}"]
    again = run(load_analysis(events / "tiny.yaml", overrides=overrides), until="friends").run
    own = again.record("friends").files["friends"]
    assert publish_friends(again) == tmp_path
    names = sorted(path.relative_to(own) for path in own.rglob("*.root"))
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.root"))
    changed = tmp_path / "mc" / "1a.root"
    changed.write_bytes((own / "mc" / "1b.root").read_bytes())
    publish_friends(again)
    assert changed.read_bytes() == (own / "mc" / "1a.root").read_bytes()
    changed.write_text("my thesis")
    with pytest.raises(WorkError, match="the file is no friend"):
        publish_friends(again)
    assert changed.read_text() == "my thesis"
