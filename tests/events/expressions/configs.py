"""The expressions in TRExFitter configs and their replacement files, as plain text."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

from quarkline.trexfitter import read_trexfitter
from quarkline.trexfitter.lines import unquoted
from quarkline.trexfitter.replacements import Replacements, read_replacements

FOLDERS = ("trexfitter_configs", "lq")
SCHEMAS = {"jobSchema.config", "multiFitSchema.config"}  # lists of options, not configs
OPTION = re.compile(r"Selection|MCweight|Variable|Expression|Weight(?:Suf)?(?:Up|Down)")
# Which a script replaces; and definitions that are no expressions but lists and names.
TEMPLATE = re.compile(r"\{(\w+)\}")
OTHER = re.compile(r"_samples|Paths$|^XXX_(JES\d|EGMETMU|MUTAU|EXCLUDE_DATA_DRIVEN)")


@functools.cache
def expressions(data: Path) -> frozenset[str]:
    """All distinct expressions below the two folders, placeholders replaced."""
    found: set[str] = set()
    for folder in FOLDERS:
        for config in sorted((data / folder).rglob("*.config")):
            if config.name not in SCHEMAS:
                for definitions in definitions_for(data / folder, config):
                    found.update(options(config, definitions))
    for path in replacement_files(data):
        known = read_replacements(path)
        found |= {
            known.expand(text) for name, text in known.values.items() if not OTHER.search(name)
        }
    return frozenset(TEMPLATE.sub(r"\1", str(text)) for text in found if text)


def replacement_files(data: Path) -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (data / folder).rglob("replacement*.txt"))


def definitions_for(folder: Path, config: Path) -> Iterator[Replacements]:
    """The definitions of each replacement file that a config may be used with."""
    near = [path for path in folder.rglob("replacement*.txt") if path.parents[1] in config.parents]
    yield from (map(read_replacements, sorted(near)) if near else [Replacements()])


def options(config: Path, definitions: Replacements, name: str = "") -> Iterator[str]:
    """Expressions that the options of a config have, or those of one name."""
    for block in read_trexfitter(config, replace=definitions.values).blocks:
        for option in block.options.values():
            if OPTION.fullmatch(option.name) and name in {"", option.name}:
                text = option.raw
                commas = unquoted(text, ",")
                if option.name == "Variable":
                    text = text.part(0, commas[-3 if len(commas) >= 3 else 0])
                elif option.name == "Expression":  # formula:PARAMETER[value,low,high]
                    text = text.part(0, text.find(":"))
                yield str(text.trimmed())
