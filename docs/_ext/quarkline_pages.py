"""Writes the pages that come from the code: commands, findings, modules."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sphinx.application import Sphinx
from typer.main import get_command

import quarkline
from quarkline.catalog import (
    Automatic,
    Catalog,
    Edges,
    Files,
    Hide,
    Independent,
    Luminosity,
    Normalisation,
    NormFactor,
    Region,
    Sample,
    ShapeFactor,
    Templates,
    Uniform,
    Variation,
    Varied,
)
from quarkline.catalog.samples import Arithmetic
from quarkline.catalog.systematics import Combined
from quarkline.catalog.templates import Pruning
from quarkline.cli.main import app as command_line
from quarkline.engine.core.findings import Rule, rules
from quarkline.engine.workflow.study import find_study, study_names
from quarkline.studies.resonance.particles import RESONANCES, Resonance

FLOORS = (
    "cli", "tools", "studies", "report", "trexfitter", "figures", "learning", "templates",
    "catalog", "events", "statistics", "engine",
)  # fmt: skip

CATALOG = {
    "The analysis": [Catalog],
    "Files": [Files],
    "`luminosity`": [Luminosity],
    "A sample": [Sample, Arithmetic],
    "A region": [Region, Uniform, Edges, Automatic],
    "A systematic": [Normalisation, Varied, Variation, Combined, Independent],
    "Factors": [NormFactor, ShapeFactor],
    "`hide`": [Hide],
    "`templates`": [Templates, Pruning],
}

KINDS = (
    (r"quarkline\.[\w.]+\.Written", "expression"),
    (r"quarkline\.catalog\.[\w.]*\.(\w+)", r"\1"),
    (r", FieldInfo\((?:[^()]|\([^)]*\))*\)", ""),
    (r"Annotated\[([^]]*)\]", r"\1"),
    (r"\b(typing|pathlib|collections\.abc)\.", ""),
    (r", BeforeValidator\([^)]*\)", ""),
    (r"Annotated\[(\w+)\]", r"\1"),
    (r" \| None", ""),
    (r"Literal\[(.*?)\]", r"\1"),
    (r"'([^']+)'", r"`\1`"),
    (r"Optional\[([^][]*)\]", r"\1"),
    (r"tuple\[float, float\]", "[number, number]"),
    (r"list\[(\w+)\]", r"list of \1"),
    (r"list\[(`[^]]*)\]", r"list of \1"),
    (r"dict\[str, ([\w |]+)\]", r"map of \1"),
    (r"\bfloat\b", "number"),
    (r"\bint\b", "integer"),
    (r"\bstr\b", "text"),
    (r"\bbool\b", "true or false"),
    (r"\bPath\b", "path"),
)
LIMITS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "min_length": "at least {}"}


def write_pages(app: Sphinx) -> None:
    """Write every generated page below `docs/generated`, and remove pages of what is gone."""
    folder = Path(app.srcdir) / "generated"
    made = {folder / name: text for name, text in generated_pages().items()}
    for notebook in sorted(Path(app.srcdir).glob("notebooks/*.ipynb")):
        made[folder / "notebooks" / f"{notebook.stem}.md"] = notebook_page(notebook)
    for old in {*folder.rglob("*.md"), *folder.rglob("*.rst")} - made.keys():
        old.unlink()
    for path, text in made.items():
        write(path, text)


def generated_pages() -> dict[str, str]:
    """Every generated page by its name."""
    modules = list(all_modules())
    made = {
        "catalog.include.md": catalog_page(),
        "commands.include.md": commands_page(),
        "config.include.md": config_page(),
        "findings.include.md": findings_page(rules()),
        "resonances.include.md": resonances_table(),
    }
    for floor in FLOORS:
        rooms = [module for module in modules if in_floor(module, floor)]
        made[f"api/{floor}.md"] = floor_page(floor, rooms)
        made |= {f"api/{module.__name__}.rst": module_page(module) for module in rooms}
    return made


def notebook_page(path: Path) -> str:
    """A notebook as a page, with the file itself to download."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts = ["".join(cell["source"]) for cell in cells]
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            parts[number] = f"```python\n{parts[number]}\n```"
    link = f"{{download}}`Download this notebook </notebooks/{path.name}>`."
    return "\n\n".join([parts[0], link, *parts[1:], ""])


def all_modules() -> Iterator[ModuleType]:
    """Every public module of the package, imported."""
    for found in pkgutil.walk_packages(quarkline.__path__, "quarkline."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def commands_page() -> str:
    """Every command with its arguments and options."""
    group = get_command(command_line)
    parts = [_command(name, command) for name, command in sorted(group.commands.items())]
    return "\n".join(parts)


def _command(name: str, command: Any) -> str:
    """A command's part of the page; a group's is its own and those of its commands."""
    inner = getattr(command, "commands", {})
    parts = [_command(f"{name} {word}", inner[word]) for word in sorted(inner)]
    return "\n".join([_one_command(name, command), *parts])


def _one_command(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=f"quarkline {name}")
    records = [
        (parameter.param_type_name, _plain(parameter.get_help_record(context)))
        for parameter in command.get_params(context)
        if parameter.name != "help"
    ]
    arguments = [record for kind, record in records if kind == "argument"]
    words = (
        ["COMMAND"] if hasattr(command, "commands") else [left.split()[0] for left, _ in arguments]
    )
    usage = " ".join(["quarkline", name, *words, "[options]"])
    rows = [f"| `{escaped(left)}` | {escaped(right)} |" for _, (left, right) in records]
    table = ["| | |", "| --- | --- |", *rows] if rows else []
    heading = f"({anchor(name)})=\n{'#' * (2 + name.count(' '))} {name}"
    return "\n\n".join(
        [heading, f"```text\n{usage}\n```", command.help or "", "\n".join(table), ""]
    )


def _plain(record: tuple[str, str]) -> tuple[str, str]:
    """A help record without Python's type names; choices stay."""
    return re.sub(r" <[\w\[\]]+>", "", record[0]), record[1]


def config_page() -> str:
    """Every key of every study's config, with type, default and meaning."""
    parts = []
    for name in study_names():
        parts.append(f"## Study `{name}`\n")
        head = ["| key | value | default | |", "| --- | --- | --- | --- |"]
        parts += [*head, *config_rows(find_study(name).Config), ""]
    return "\n".join(parts)


def catalog_page() -> str:
    """Every key of a catalog, a table for each of its parts."""
    parts = []
    for heading, models in CATALOG.items():
        parts.append(f"### {heading}\n")
        for model in models:
            kind = model.model_fields.get("kind")
            chosen = f" `kind: {kind.default}`." if kind and isinstance(kind.default, str) else ""
            head = ["| key | value | default | |", "| --- | --- | --- | --- |"]
            rows = [own_row(name, field) for name, field in model.model_fields.items()]
            parts += [f"**{model.__name__}.**{chosen} {summary(model)}\n", *head, *rows, ""]
    return "\n".join(parts)


def own_row(name: str, field: FieldInfo) -> str:
    """The table row of one key; parts are named, not described."""
    part = inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel)
    default = "" if part or default_of(field) in {"`[]`", "`{}`"} else default_of(field)
    cells = [f"`{name}`", kind_of(field), default, field.description or ""]
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def config_rows(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """One table row a key; a section's own keys follow it."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        sections = sections_of(field.annotation)
        if not sections:
            cells = [f"`{key}`", kind_of(field), default_of(field), field.description or ""]
            yield "| " + " | ".join(escaped(cell) for cell in cells) + " |"
        for section in sections:
            chosen = f" with `kind: {_kind(section)}`" if len(sections) > 1 else ""
            yield f"| **`{key}`**{chosen} | | | {summary(section)} |"
            yield from config_rows(section, f"{key}.")


def _kind(section: type[BaseModel]) -> str:
    """The word after `kind:` that chooses a section."""
    return str(get_args(section.model_fields["kind"].annotation)[0])


def sections_of(annotation: Any) -> list[Any]:
    """The models of a key that has keys of its own: several where `kind:` chooses one."""
    if inspect.isclass(annotation):
        return [annotation] if issubclass(annotation, BaseModel) else []
    found = [model for part in get_args(annotation) for model in sections_of(part)]
    return list(dict.fromkeys(found))


def kind_of(field: FieldInfo) -> str:
    """What a value must be, in words: type and limits."""
    text = re.sub(r"<class '([\w.]+)'>", r"\1", str(field.annotation))
    for pattern, words in KINDS:
        text = re.sub(pattern, words, text)
    limits = [LIMITS[name].format(value) for name, value in all_limits(field)]
    return ", ".join([text, *limits])


def all_limits(field: FieldInfo) -> list[tuple[str, Any]]:
    """The limits of a value, such as ("ge", 1)."""
    found = [vars_of(limit) for limit in field.metadata]
    return [(name, value) for part in found for name, value in part.items() if name in LIMITS]


def vars_of(thing: Any) -> dict[str, Any]:
    """The fields of a small dataclass."""
    return {name: getattr(thing, name) for name in getattr(thing, "__dataclass_fields__", {})}


def default_of(field: FieldInfo) -> str:
    """A key's default."""
    if field.is_required():
        return "*required*"
    default = field.get_default(call_default_factory=True)
    return f"`{default}`" if default not in (None, "") else ""


def summary(thing: Any) -> str:
    """The first sentence of a docstring."""
    return (inspect.getdoc(thing) or "").partition("\n")[0]


def resonances_table() -> str:
    """The known resonances with their windows."""
    rows = [
        f"| `{item.name}` | {mass_list(item)} | {low_high(item.window)} | {low_high(item.range)} |"
        for item in RESONANCES.values()
    ]
    return "\n".join(["| name | mass | window | range |", "| --- | --- | --- | --- |", *rows, ""])


def mass_list(resonance: Resonance) -> str:
    """The masses of the states."""
    return ", ".join(f"{mass:.4f}" for mass in resonance.masses.values())


def low_high(interval: tuple[float, float]) -> str:
    """An interval as text."""
    return f"{interval[0]:g} to {interval[1]:g}"


def findings_page(known: list[Rule]) -> str:
    """Every finding code, by area, with its own anchor."""
    parts = []
    for area in dict.fromkeys(rule.code.rsplit("-", 1)[0] for rule in known):
        parts.append(f"## {area}\n")
        parts += [_rule(rule) for rule in known if rule.code.rsplit("-", 1)[0] == area]
    return "\n".join(parts)


def _rule(rule: Rule) -> str:
    title = rule.title[0].upper() + rule.title[1:] if rule.title[0] != "`" else rule.title
    heading = f"({rule.code.lower()})=\n### {rule.code}: {title}"
    return f"{heading}\n\n*{rule.severity}*\n\n{rule.explanation}\n"


def floor_page(floor: str, rooms: list[ModuleType]) -> str:
    """A floor: its sentence, and its modules with theirs.

    The modules are linked and in no table of contents: every page shows that in full, and hundreds
    of entries on hundreds of pages are most of what building the website would cost.
    """
    package = importlib.import_module(f"quarkline.{floor}")
    rows = [
        f"{{doc}}`{module.__name__.removeprefix(package.__name__ + '.')} <{module.__name__}>`\n"
        f": {(module.__doc__ or '').strip().splitlines()[0]}\n"
        for module in rooms
    ]
    return "\n".join([f"# `{floor}`", "", (package.__doc__ or "").strip(), "", *rows])


def module_page(module: ModuleType) -> str:
    """A module: its docstring and, unless it is a package, its members.

    It is reStructuredText: in Markdown each description would keep a copy of all that Sphinx knows.
    """
    members = [] if hasattr(module, "__path__") else ["   :members:", "   :show-inheritance:"]
    title = f"``{module.__name__}``"
    part = f"Part of :doc:`{module.__name__.split('.')[1]}`."
    directive = [f".. automodule:: {module.__name__}", *members]
    return "\n".join([":orphan:", "", title, "=" * len(title), "", part, "", *directive, ""])


def in_floor(module: ModuleType, floor: str) -> bool:
    """Whether a module belongs to a floor, the floor's own package left out."""
    return module.__name__.startswith(f"quarkline.{floor}.")


def anchor(command: str) -> str:
    """The anchor of a command."""
    return f"command-{command.replace(' ', '-')}"


def escaped(text: str) -> str:
    """Text for a table cell."""
    return text.replace("|", "\\|")


def write(path: Path, text: str) -> None:
    """Write a page unless it already says the same, so that Sphinx reads only what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
