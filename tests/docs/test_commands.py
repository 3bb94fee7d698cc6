"""What the pages tell people to type exists: commands, options, config keys, files."""

from __future__ import annotations

import re
import shlex
import typing
from collections.abc import Iterator

import pytest
import typer
from pydantic import BaseModel
from typer.main import get_command

from quarkline.cli.main import app
from quarkline.events.skim.config import SkimConfig
from quarkline.studies.resonance.config import ResonanceConfig
from quarkline.studies.resonance.spectrum.config import SpectrumConfig
from quarkline.studies.search.config import SearchConfig
from quarkline.studies.tagging.config import TaggingConfig
from tests.docs.pages import DOCS, PROJECT, code_spans, command_lines, pages

COMMANDS = get_command(app).commands


def found(words: list[str]) -> object:
    """The command that words begin with; of a group, the one of its own that is meant."""
    command, rest = COMMANDS[words[0]], words[1:]
    while hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    return command


def options(words: list[str]) -> set[str]:
    command = found(words)
    context = typer.Context(command, info_name=words[0])
    return {name for item in command.get_params(context) for name in item.opts}


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield key
        for inner in models(field.annotation):
            yield from keys(inner, f"{key}.")


def models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in an annotation, of unions and optional ones each."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) not in {dict, list}:
        for part in typing.get_args(annotation):
            yield from models(part)


CONFIGS = (ResonanceConfig, SpectrumConfig, SearchConfig, TaggingConfig, SkimConfig)
KEYS = {key for config in CONFIGS for key in keys(config)}
SECTIONS = {key.partition(".")[0] for key in KEYS if "." in key}

LINES = sorted({(line, page.name) for page in pages() for line in command_lines(page.read_text())})


@pytest.mark.parametrize(("line", "page"), LINES)
def test_a_command_line_in_the_pages_would_be_understood(line, page):
    words = shlex.split(line)[1:]
    if words[0].startswith("-"):
        assert words[0] in {"--version", "--help", "--install-completion"}
        return
    assert words[0] in COMMANDS
    given = {word for word in words[1:] if re.match(r"--?[a-z]", word)}
    assert not given - options(words)


def test_a_config_key_in_the_pages_exists():
    for page in set(pages()) - set(DOCS.glob("develop/*")):
        text = page.read_text(encoding="utf-8")
        set_keys = re.findall(r"--set ([\w.]+)=", text)
        spans = [span.partition(":")[0].partition("=")[0] for span in code_spans(text)]
        dotted = [span for span in spans if re.fullmatch(r"[a-z]+(\.[a-z_]+)+", span)]
        asked = {key for key in dotted if key.partition(".")[0] in SECTIONS} | set(set_keys)
        files = {span for span in asked if span.endswith((".json", ".parquet", ".yaml"))}
        unknown = asked - KEYS - files - {"clasifier.folds", "key"}
        assert not unknown, page.name


def test_a_link_to_a_file_leads_somewhere():
    for page in pages():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), target


def test_the_readme_names_the_two_commands_of_the_makefile():
    makefile = (PROJECT / "Makefile").read_text()
    readme = (PROJECT / "README.md").read_text()
    for command in re.findall(r"(?m)^make (\S+)", readme):
        assert re.search(rf"(?m)^{command}:", makefile)
