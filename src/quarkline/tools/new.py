"""Start an analysis from one of the shipped examples."""

from __future__ import annotations

import importlib.resources
import re
from pathlib import Path

from quarkline.engine.core.findings import InputError, Rule, did_you_mean
from quarkline.engine.workflow.study import NAME_PATTERN

UNKNOWN_EXAMPLE = Rule(
    "QL-RUN-005",
    "an example has a known name",
    "Examples are commented configs shipped with Quarkline; `quarkline new` copies one.",
)
FILE_EXISTS = Rule(
    "QL-RUN-006",
    "`new` never overwrites a file",
    "The config that would be written is already there, and it may hold somebody's work.",
)
BAD_NAME = Rule(
    "QL-RUN-011",
    "the name of an analysis can be a folder's name",
    "An analysis's name is the name of its file and of its folder below `runs`: letters, digits, "
    "`.`, `_` and `-`, the first one a letter or digit, 80 at most.",
)


def examples() -> dict[str, str]:
    """The shipped configs by name."""
    folder = importlib.resources.files("quarkline.examples")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(".yaml")
    }


def studies() -> list[str]:
    """The names of those that are configs of a study; the others are skims."""
    return [name for name, text in examples().items() if re.search(r"(?m)^study:", text)]


def new(example: str, name: str | None = None, *, folder: Path = Path()) -> Path:
    """Write an example's config as `NAME.yaml`.

    Args:
        example: Name of the example.
        name: Name of the new analysis; default: the example's.
        folder: Where to write.

    Raises:
        InputError: If there is no such example, the name is not one, or the file exists.
    """
    known = examples()
    if example not in known:
        raise InputError(
            UNKNOWN_EXAMPLE.finding(
                f"there is no example `{example}`",
                suggestion=did_you_mean(example, known, what="examples"),
            )
        )
    name = name or example
    if not re.fullmatch(NAME_PATTERN, name):
        raise InputError(BAD_NAME.finding(f"`{name}` cannot be the name of an analysis"))
    path = folder / f"{name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(re.sub(r"^name: \S+", f"name: {name}", known[example], flags=re.MULTILINE))
    except FileExistsError as error:
        raise InputError(
            FILE_EXISTS.finding(
                f"`{path}` exists", suggestion=f"choose a name: quarkline new {example} NAME"
            )
        ) from error
    return path
