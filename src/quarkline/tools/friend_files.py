"""Friends on a command line: which friend file belongs to which file of events."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quarkline.engine.core.findings import InputError, Place, Rule
from quarkline.events.files import expand_files
from quarkline.events.friends import With, with_friends
from quarkline.events.friends.read import mirrored
from quarkline.events.sources import Source, open_source

FRIEND_FILES = Rule(
    "QL-CHECK-015",
    "every file of events has its friend",
    "`--friend` names one friend file, a glob of as many as there are files of events and in their "
    "order, or a folder with a friend at each file's own place below it. It may be given several "
    "times, for friends side by side.",
)


@dataclass(frozen=True)
class Friends:
    """Friend files by the file of events that they are read beside.

    Attributes:
        files: The friends of each file; a file that is not there has none.
        by: How rows find their entries.
        names: Name of each friend of a file, "" for none.
    """

    files: Mapping[Path, tuple[Path, ...]] = field(default_factory=dict)
    by: With = With.POSITION
    names: tuple[str, ...] = ()

    def open(self, path: Path, tree: str | None) -> Source:
        """Open a file of events with its friends.

        Raises:
            InputError: If a file is missing or not readable, or a friend is another file's.
        """
        source = open_source(path, tree=tree)
        if path not in self.files:
            return source
        try:
            return with_friends(source, self.files[path], by=self.by, names=self.names)
        except BaseException:
            source.close()
            raise


NO_FRIENDS = Friends()
NAMED = re.compile(r"([A-Za-z_]\w*)=(.+)")


def friends_of(hosts: Sequence[Path], friends: Sequence[str], *, by: str) -> Friends:
    """Find the friends of files of events.

    Args:
        hosts: The files of events.
        friends: Each one file, a glob of as many files as hosts, or a folder that mirrors them;
            with a name in front, as in `NN=scores.root`, its columns are `NN.score`.
        by: How rows find their entries, `position` or `key`.

    Raises:
        InputError: If a friend is missing, or there are more or fewer than hosts.
    """
    named = [_name_and_files(text) for text in friends]
    columns = [_one_each(hosts, text) for _, text in named]
    files = {host: tuple(column[place] for column in columns) for place, host in enumerate(hosts)}
    return Friends(files, With(by), tuple(name for name, _ in named))


def _name_and_files(text: str) -> tuple[str, str]:
    found = None if Path(text).exists() else NAMED.fullmatch(text)
    return (found[1], found[2]) if found else ("", text)


def _one_each(hosts: Sequence[Path], text: str) -> list[Path]:
    if Path(text).is_dir():
        base = Path(os.path.commonpath([host.resolve().parent for host in hosts]))
        found = [mirrored(host, base, Path(text)) for host in hosts]
        return expand_files([str(path) for path in found], base=Path())
    found = expand_files([text], base=Path())
    if len(found) != len(hosts):
        files = f"{len(found)} friend file" + "s" * (len(found) != 1)
        raise InputError(
            FRIEND_FILES.finding(
                f"{files} for {len(hosts)} files of events",
                place=Place(Path(text)),
                suggestion="give as many in the same order, or a folder that mirrors the files'",
            )
        )
    return found
