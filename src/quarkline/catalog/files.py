"""Which files an analysis reads: folders, names and trees at several levels, and what they give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from quarkline.catalog.names import Listed
from quarkline.catalog.written import Written
from quarkline.engine.core.addresses import address_of
from quarkline.engine.core.config import Config, resolve_path


def _resolved(value: Any) -> Any:
    """A folder as text; a slash at its end stays, for suffixes that are appended to it."""
    if not isinstance(value, str) or address_of(value):
        return value if value is None else str(value)
    return str(resolve_path(value)) + ("/" if value.endswith("/") else "")


Folder = Annotated[str, BeforeValidator(_resolved)]


class Files(Config):
    """What one level says about the files: the analysis, a region, a sample or a variation.

    Folders, names and trees of the variation win over those of the sample, the region and the
    analysis, in that order. Suffixes add up: those of the region come first, then the sample's and
    the variation's. Every folder is combined with every name and every tree. Names may be whole
    paths where no folder is given, and hold `*`.
    """

    folders: Listed[Folder] = Field(default_factory=list, description="Folders of the files.")
    folder_suffixes: Listed[str] = Field(default_factory=list, description="After the folder.")
    names: Listed[Written] = Field(
        default_factory=list, description="Files below the folders, without `.root`."
    )
    name_suffixes: Listed[str] = Field(default_factory=list, description="After the name.")
    trees: Listed[str] = Field(
        default_factory=list, description="Trees; histograms if the analysis reads histograms."
    )
    tree_suffixes: Listed[str] = Field(default_factory=list, description="After the tree.")
    tree_folder: str | None = Field(
        None, description="Folder in the file, instead of the one that the tree's name has."
    )
    nominal_suffixes: Listed[str] = Field(
        default_factory=list, description="After the tree's suffixes, where nothing is varied."
    )
    friends: Listed[Folder] = Field(
        default_factory=list, description="Folders of friend trees, with the names of the files."
    )


@dataclass(frozen=True)
class InputFile:
    """One tree or histogram of one file.

    Attributes:
        path: The file.
        tree: Name of the tree or histogram in it.
        friends: Files with further columns of the same tree.
        number: Its number among those that are named, from 0; all that one `*` means have one.
    """

    path: Path
    tree: str
    friends: tuple[Path, ...] = ()
    number: int = field(default=0, compare=False)


def is_there(path: Path) -> bool:
    """Whether a path names a file that is there, or one on another computer."""
    try:
        return bool(address_of(path)) or path.is_file()
    except OSError:  # a name that no file can have
        return False


def input_files(
    levels: Sequence[Files], *, friends: bool = False, varied: bool = False
) -> list[InputFile]:
    """Every file that the levels name together.

    Args:
        levels: What is said about the files, the most general first.
        friends: Whether friend trees are read.
        varied: Whether they are those of a variation.
    """
    nominal = [] if varied else [level.nominal_suffixes for level in levels]
    tree_suffixes = [*(level.tree_suffixes for level in levels), *nominal]
    folder_suffixes = [level.folder_suffixes for level in levels]
    folders = _joined(_last([level.folders for level in levels]), folder_suffixes)
    names = _joined(_last([level.names for level in levels]), [x.name_suffixes for x in levels])
    within = next((x.tree_folder for x in reversed(levels) if x.tree_folder is not None), None)
    plain = _joined(_last([level.trees for level in levels]), tree_suffixes)
    trees = plain if within is None else [_moved(tree, within) for tree in plain]
    friend_folders = [level.friends for level in levels] if friends else []
    others = _joined(_last(friend_folders), folder_suffixes) if any(friend_folders) else []
    return [
        InputFile(_file(folder, name), tree, tuple(_file(other, name) for other in others), number)
        for number, (folder, pattern, tree) in enumerate(product(folders, names, trees))
        if pattern and tree
        for name in _matching(folder, pattern)
    ]


def _matching(folder: str, pattern: str) -> list[str]:
    """The names below a folder that a name with `*` means; itself if there are none."""
    if "*" not in pattern or address_of(folder):
        return [pattern]
    path = _file(folder, pattern)
    start = Path(path.anchor)
    found = sorted(start.glob(str(path.relative_to(start))))
    return [str(item.relative_to(folder) if folder else item) for item in found] or [pattern]


def _last(levels: Sequence[Sequence[str]]) -> Sequence[str]:
    """What the most special level says that says anything; nothing before suffixes else."""
    return next((level for level in reversed(levels) if level), ("",))


def _joined(starts: Iterable[str], suffixes: Iterable[Sequence[str]]) -> list[str]:
    parts = [list(level) for level in suffixes if level]
    return ["".join(chosen) for chosen in product(starts, *parts)]


def _moved(tree: str, folder: str) -> str:
    """A tree or histogram of the same name in another folder of its file."""
    name = tree.rpartition("/")[2]
    return f"{folder.rstrip('/')}/{name}" if folder and name else name


def _file(folder: str, name: str) -> Path:
    return Path(folder) / (name if name.endswith(".root") else f"{name}.root")
