"""Stage `friends`: the scores of all events of all files, each beside its file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from quarkline.engine.compute.outcome import Item
from quarkline.engine.core.config import Config
from quarkline.engine.store.filekeys import file_key
from quarkline.engine.workflow.stage import Context
from quarkline.learning.scoring.branches import Branches
from quarkline.learning.scoring.fold_key import Origin
from quarkline.learning.scoring.run import ScoreRequest
from quarkline.learning.scoring.tasks import score_file
from quarkline.studies.search.results import Friend, Friends

FORMAT = "root"


class FriendFile(Config):
    """A file that is scored.

    Attributes:
        sample: Name of the sample.
        simulated: Whether the fold that scores an event is that of its group, not its identity.
        place: Where its friend goes, below the folder of friends.
        trees: The trees in it that are scored.
        shifts: Shifted columns by the end of the names of their scores.
        hidden: Selections of events that nobody is to see, and that get no score.
    """

    sample: str
    simulated: bool
    place: str
    trees: list[str]
    shifts: dict[str, dict[str, str]]
    hidden: list[str]


class FriendsStageConfig(Config):
    """What the friends depend on.

    Attributes:
        files: What is scored, in the order of the stage's files.
        columns: Name of the score of each class that is written, by the class's number.
        identity: Columns that identify an event.
    """

    files: list[FriendFile]
    columns: dict[int, str]
    identity: list[str]


def run(context: Context) -> dict[str, Any]:
    """One item a file; a file that cannot be scored ends the stage when the others are done."""
    config: FriendsStageConfig = context.config
    done = context.map("friend", score_file, _items(context, config))
    folder = context.out / "friends"
    friends = []
    for file, item in zip(config.files, done, strict=True):
        target = folder / friend_place(file.place)
        context.place(item.folder / item.value["name"], target)
        entries = sum(item.value["entries"].values())
        friends.append(Friend(file.sample, file.place, entries, item.value["infinities"]))
    columns = tuple(config.columns.values())
    shifts = dict.fromkeys(suffix for file in config.files for suffix in file.shifts)
    events = sum(friend.entries for friend in friends)
    context.summary(f"{len(friends)} friends · {events:,} events · {', '.join(columns)}")
    return {
        "friends": folder,
        "scored": Friends(tuple(friends), columns, tuple(shifts)),
    }


def friend_place(place: str) -> Path:
    """Where a friend lies, given where its file lies."""
    return Path(place).with_suffix(f".{FORMAT}")


def _items(context: Context, config: FriendsStageConfig) -> list[Item]:
    """The work on each file."""
    from quarkline.learning.models.artifact import model_key

    model = context.path("model")
    key, items = model_key(model), []
    for file, path in zip(config.files, context.inputs["files"], strict=True):
        request = ScoreRequest(
            model=model,
            key=key,
            branches=Branches(tuple(config.columns.values()), tuple(config.columns)),
            trees=tuple(file.trees),
            origin=Origin.SIMULATION if file.simulated else Origin.DATA,
            identity=tuple(config.identity),
            format=FORMAT,
            variations={"": {}} | _suffixed(file.shifts),
            hidden=tuple(file.hidden),
        )
        items.append(request.item(file.place, path, file_key(path).digest))
    return items


def _suffixed(shifts: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    return {f"_{name}": columns for name, columns in shifts.items()}


def layout(paths: Sequence[Path], folders: Sequence[str]) -> list[str]:
    """Where files are below the folders of the analysis, or below what they have in common.

    Args:
        paths: The files.
        folders: Folders that the catalog names.
    """
    common = Path(os.path.commonpath([path.parent for path in paths])) if paths else Path()
    return [_below(path, [Path(folder) for folder in folders], common) for path in paths]


def _below(path: Path, folders: Sequence[Path], common: Path) -> str:
    inside = [folder for folder in folders if path.is_relative_to(folder)]
    base = max(inside, key=lambda folder: len(folder.parts), default=common)
    return path.relative_to(base).as_posix()
