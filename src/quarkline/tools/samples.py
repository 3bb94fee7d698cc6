"""Samples from a command line or a config: which files, with which cuts and weight."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from quarkline.engine.core.findings import InputError
from quarkline.engine.workflow.samples import InputSample
from quarkline.events.files import MISSING_FILE
from quarkline.tools.input_files import input_files

NAMED = re.compile(r"([A-Za-z0-9_][\w.+-]*)=(.+)")
UNNAMED = "events"


def is_config(files: Sequence[str]) -> bool:
    """Whether a command is given a config instead of files of events."""
    return len(files) == 1 and Path(files[0]).suffix in {".yaml", ".yml"}


def named_samples(
    files: Sequence[str],
    *,
    files_from: Path | None = None,
    copy: bool = False,
    tree: str | None = None,
    cuts: Mapping[str, str] | None = None,
    weight: str | None = None,
    identity: Sequence[str] = (),
) -> list[InputSample]:
    """Samples from files such as `ttbar=mc/*.root`; those without a name are one sample.

    Args:
        files: Paths, globs or addresses, each with or without the name of its sample.
        files_from: A text file with further ones, one a line, without names.
        copy: Copy files on other computers into the cache, and read the copies.
        tree: The tree, where a file has several.
        cuts: Expressions by name.
        weight: Weight of an event.
        identity: Columns that identify an event.

    Raises:
        InputError: If no file is named, one does not exist, or one is named twice.
    """
    patterns: dict[str, list[str]] = {}
    for text in files:
        named = None if Path(text).exists() else NAMED.fullmatch(text)
        name, pattern = named.groups() if named else (UNNAMED, text)
        patterns.setdefault(name, []).append(pattern)
    if files_from is not None:
        patterns.setdefault(UNNAMED, [])
    if not patterns:
        hint = "give files or globs, a config, or a list as --files-from LIST"
        raise InputError(MISSING_FILE.finding("no file is named", suggestion=hint))
    return [
        InputSample(
            name,
            tuple(
                input_files(texts, files_from=files_from if name == UNNAMED else None, copy=copy)
            ),
            tree=tree,
            cuts=cuts or {},
            weight=weight,
            identity=tuple(identity),
        )
        for name, texts in patterns.items()
    ]
