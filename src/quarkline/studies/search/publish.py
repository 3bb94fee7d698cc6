"""Puts the friends of a finished run where `roots.friends` says, for those who read them there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from quarkline.engine.core.findings import Place, QuarklineError, Rule, WorkError
from quarkline.engine.store.atomic import atomic_path
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.workflow.runs import RESOLVED, Run
from quarkline.events.friends.proof import told_proof
from quarkline.events.sources import open_source

NOT_OURS = Rule(
    "QL-SEARCH-020",
    "friends replace friends only",
    "`roots.friends` names the folder where the friends of the newest finished run go. A file that "
    "is there and is no friend of ours is not replaced.",
)


def publish_friends(run: Run) -> Path | None:
    """Copy the friends of a run into the folder `roots.friends`; None without one.

    Friends of an earlier run are replaced, each at once.

    Raises:
        WorkError: If something else is in the way; then nothing has been replaced.
    """
    root = json.loads((run.folder / RESOLVED).read_text())["roots"].get("friends")
    if root is None or "friends" not in run.stages:
        return None
    source, target = run.record("friends").files["friends"], Path(root)
    pairs = [(path, target / path.relative_to(source)) for path in sorted(source.rglob("*.root"))]
    foreign = [place for _, place in pairs if place.exists() and not _is_friend(place)]
    if foreign:
        raise WorkError(
            *(NOT_OURS.finding("the file is no friend", place=Place(path)) for path in foreign)
        )
    for path, place in pairs:
        if not place.exists() or file_key(place).digest != file_key(path).digest:
            with atomic_path(place) as partial:
                shutil.copyfile(path, partial)
    return target


def _is_friend(path: Path) -> bool:
    try:
        with open_source(path) as source:
            told_proof(source)
    except QuarklineError:
        return False
    return True
