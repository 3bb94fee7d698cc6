"""The expressions in TRExFitter configs and their replacement files, as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("trexfitter_configs", "lq")
SCHEMAS = {"jobSchema.config", "multiFitSchema.config"}  # lists of options, not configs
NAMES = r"Selection|MCweight|Variable|Expression|Weight(?:Suf)?(?:Up|Down)"
OPTION = re.compile(rf"^\s*({NAMES})\s*:\s*(.+)$")
DEFINITION = re.compile(r"^(XXX_\w+)\s*:\s*(.*)$")
PLACEHOLDER = re.compile(r"XXX_\w+")
# Which a script replaces; and definitions that are no expressions but lists and names.
TEMPLATE = re.compile(r"\{(\w+)\}")
COMMENT = re.compile(r"""^((?:[^"%#]|"[^"]*")*)[%#].*$""")
OTHER = re.compile(r"_samples|Paths$|^XXX_(JES\d|EGMETMU|MUTAU|EXCLUDE_DATA_DRIVEN)")


def expressions(data: Path) -> set[str]:
    """All distinct expressions below the two folders, placeholders replaced."""
    found: set[str] = set()
    for folder in FOLDERS:
        for config in sorted((data / folder).rglob("*.config")):
            if config.name not in SCHEMAS:
                for definitions in definitions_for(data / folder, config):
                    found |= {replaced(text, definitions) for text in options(config)}
    for path in replacement_files(data):
        definitions = read_definitions(path)
        for name, text in definitions.items():
            if not OTHER.search(name):
                found.add(replaced(text, definitions))
    return {TEMPLATE.sub(r"\1", text) for text in found if text}


def replacement_files(data: Path) -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (data / folder).rglob("replacement*.txt"))


def definitions_for(folder: Path, config: Path) -> Iterator[dict[str, str]]:
    """The definitions of each replacement file that a config may be used with."""
    near = [path for path in folder.rglob("replacement*.txt") if path.parents[1] in config.parents]
    yield from (map(read_definitions, sorted(near)) if near else [{}])


def read_definitions(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    matches = filter(None, (DEFINITION.match(line) for line in lines))
    return {match[1]: match[2].strip() for match in matches}


def options(config: Path, name: str = "") -> Iterator[str]:
    """Expressions that the options of a config have, or those of one name."""
    for line in config.read_text(encoding="utf-8").splitlines():
        match = OPTION.match(COMMENT.sub(r"\1", line))
        if match and name in {"", match[1]}:
            for value in match[2].split(";"):
                text = value.strip()
                if match[1] == "Variable":
                    text = text.rsplit(",", 3)[0] if text.count(",") >= 3 else text.split(",")[0]
                elif match[1] == "Expression":  # formula:PARAMETER[value,low,high]
                    text = text.partition(":")[0]
                yield text.strip().strip('"').strip()


def replaced(text: str, definitions: dict[str, str]) -> str:
    """Replace placeholders until none is known any more."""
    for _ in range(20):
        after = PLACEHOLDER.sub(lambda match: definitions.get(match[0], match[0]), text)
        if after == text:
            break
        text = after
    return text
