"""Loads a config in layers and validates it, answering every mistake with its line.

The layers, later ones winning: a model's defaults, the parent named by `extends:`, the file, the
site file (compute, storage roots and tracking only), `--set key=value`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, TypeGuard, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_core.core_schema import ValidationInfo

from quarkline.engine.core.addresses import address_of, spelt
from quarkline.engine.core.findings import Finding, InputError, Place, Rule, did_you_mean
from quarkline.engine.core.mistakes import LACKS_KIND, find_mistakes, shown, with_kinds
from quarkline.engine.core.readers import read_config_file
from quarkline.engine.core.yaml_file import KeyPath, ParsedFile, Text, parse_value, read_yaml

BAD_EXTENDS = Rule(
    "QL-CONFIG-006",
    "`extends:` names one parent file, without a circle",
    "A config may extend one other config file, which may extend another, as long as no file "
    "extends itself on the way.",
)
SITE_PHYSICS = Rule(
    "QL-CONFIG-007",
    "a site file sets compute, storage and tracking only",
    "A site file describes a computer, not an analysis: it may set `compute`, `roots` and "
    "`tracking`, so that physics never depends on where it runs.",
)
BAD_SET = Rule(
    "QL-CONFIG-008",
    "`--set` takes key=value with a YAML value",
    "Write the path of the key with dots and the value as YAML, for example "
    "`--set fit.degree=3` or `--set features=[dimu_pt]`.",
)
UNKNOWN_ROOT = Rule(
    "QL-CONFIG-009",
    "`${roots.NAME}` names a storage root",
    "`${roots.NAME}` is replaced by the entry of that name under `roots:`; it is the only "
    "substitution a config knows, and a root itself is written out.",
)

NO_FILE = ParsedFile(Path("command line"), "", {"schema": 1}, {})
"""Stands for the file of a config that is made of options alone."""
SITE_KEYS = frozenset({"compute", "roots", "tracking"})
ROOT_REFERENCE = re.compile(r"\$\{([^}]*)\}?")

M = TypeVar("M", bound=BaseModel)


class Config(BaseModel):
    """Base of all configs: frozen, and strict about unknown keys.

    When validated by `load_config`, unknown keys are collected with their places, so that one
    message reports all of them.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _collect_unknown_keys(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, Mapping) or not isinstance(info.context, _Unknown):
            return data
        allowed = {field.alias or name for name, field in cls.model_fields.items()}
        info.context.add(data, allowed)
        return {key: value for key, value in data.items() if key in allowed}


class _Unknown:
    """The unknown keys met while validating, by the identity of the mapping they stand in."""

    def __init__(self, paths: Mapping[int, KeyPath]) -> None:
        self.paths = paths
        self.found: dict[KeyPath, frozenset[str]] = {}

    def add(self, data: Mapping[str, Any], allowed: Iterable[str]) -> None:
        for key in data:
            if key not in set(allowed):
                self.found[(*self.paths.get(id(data), ()), key)] = frozenset(allowed)


def resolve_path(value: Any) -> Any:
    """Resolve a relative path against the file that states it; `~` is the home folder.

    The address of a file on another computer stays as it is.
    """
    if not isinstance(value, str):
        return value
    if address_of(value):
        return Path(value)
    path = Path(value).expanduser()
    return value.file.parent / path if isinstance(value, Text) else path


ConfigPath = Annotated[Path, BeforeValidator(resolve_path)]
"""A path in a config; it may hold wildcards."""


@dataclass(frozen=True)
class ConfigFile:
    """A config as written: layers merged, not yet validated.

    Attributes:
        path: The file named by the user.
        text: Its text, unchanged.
        data: The merged data.
        places: Where each key stands, over all files.
        findings: What is suspicious about the files as such.
    """

    path: Path
    text: str
    data: Mapping[str, Any]
    places: Mapping[KeyPath, Place]
    findings: tuple[Finding, ...] = ()

    def place(self, *at: str | int) -> Place:
        """Where a key stands; of a key that is absent, where its nearest parent stands."""
        for length in range(len(at), 0, -1):
            if at[:length] in self.places:
                return self.places[at[:length]]
        return Place(self.path)

    def overridden(self, texts: Sequence[str]) -> ConfigFile:
        """The same with further `key=value` texts, as given to `--set`.

        Raises:
            InputError: If a text cannot be read.
        """
        data, places = dict(self.data), self.places
        for text in texts:
            data, places = _override(data, places, text)
        data = _substitute(data, _roots(data.get("roots"), places), (), places)
        return replace(self, data=data, places=places)

    def validate(self, model: type[M]) -> M:
        """The config as a value of `model`.

        Raises:
            InputError: With one finding for each mistake.
        """
        data = self.data
        value, errors, unknown = _try(model, data)
        if any(error["type"] == LACKS_KIND for error in errors):
            data = with_kinds(data, errors)
            value, errors, unknown = _try(model, data)
        if value is None or unknown:
            raise InputError(*find_mistakes(data, errors, unknown, self.place))
        return value


def _try(
    model: type[M], data: Mapping[str, Any]
) -> tuple[M | None, list[ErrorDetails], dict[KeyPath, frozenset[str]]]:
    """The validated value or the errors, and the unknown keys."""
    unknown = _Unknown(dict(_mapping_paths(data, ())))
    try:
        return model.model_validate(data, context=unknown), [], unknown.found
    except ValidationError as error:
        return None, error.errors(), unknown.found


def load_config(
    path: Path | None,
    *,
    site: Path | None = None,
    keys: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
) -> ConfigFile:
    """Read a config file with its parents, site file and overrides.

    Args:
        path: The file: YAML, or a language registered for its suffix (`readers`); None if the keys
            say it all.
        keys: Values by key that win over the files, as options of a command give them.
        site: A file with `compute`, `roots` and `tracking` for this computer.
        overrides: `key=value` texts, as given to `--set`.

    Raises:
        InputError: If a file cannot be read or a layer is not allowed to say what it says.
    """
    file = NO_FILE if path is None else read_config_file(path)
    data, places, found = _with_parents(file, (file.path.resolve(),))
    for key, value in (keys or {}).items():
        option = Place(label=f"--{key.replace('_', '-')}")
        data, places = _merge(data, places, {key: value}, {(key,): option})
    if site is not None:
        site_file = read_yaml(site)
        _check_site(site_file)
        data, places = _merge(data, places, site_file.data, site_file.places)
    for text in overrides:
        data, places = _override(data, places, text)
    data = _substitute(data, _roots(data.get("roots"), places), (), places)
    return ConfigFile(file.path, file.text, data, places, found)


Places = Mapping[KeyPath, Place]


def _with_parents(
    file: ParsedFile, seen: tuple[Path, ...]
) -> tuple[dict[str, Any], Places, tuple[Finding, ...]]:
    """Data, places and findings of a file with those of its parents."""
    data = dict(file.data)
    parent_name = data.pop("extends", None)
    if parent_name is None:
        return data, file.places, file.findings
    place = file.places[("extends",)]
    if not isinstance(parent_name, str):
        raise InputError(BAD_EXTENDS.finding("`extends` takes the name of one file", place=place))
    parent = resolve_path(parent_name)
    if parent.resolve() in seen:
        chain = " -> ".join(item.name for item in (*seen, parent))
        raise InputError(BAD_EXTENDS.finding(f"circle of `extends`: {chain}", place=place))
    try:
        parent_file = read_config_file(parent)
    except InputError as error:
        raise InputError(
            *(item if item.place else item.at(place) for item in error.findings)
        ) from error
    base, base_places, found = _with_parents(parent_file, (*seen, parent.resolve()))
    return *_merge(base, base_places, data, file.places), (*found, *file.findings)


def _merge(
    base: Mapping[str, Any], base_places: Places, top: Mapping[str, Any], top_places: Places
) -> tuple[dict[str, Any], Places]:
    """Lay `top` over `base`: maps merge, lists and scalars replace."""
    replaced: set[KeyPath] = set()
    data = _merge_data(base, top, (), replaced)
    kept = {
        at: place
        for at, place in base_places.items()
        if not any(at[:length] in replaced for length in range(1, len(at) + 1))
    }
    return data, {**kept, **top_places}


def _merge_data(
    base: Mapping[str, Any], top: Mapping[str, Any], at: KeyPath, replaced: set[KeyPath]
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if _mergeable(below, value):
            merged[key] = _merge_data(below, value, (*at, key), replaced)
        else:
            merged[key] = value
            replaced.add((*at, key))
    return merged


def _mergeable(below: Any, above: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether two values are maps of the same kind; another `kind:` replaces the whole map."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return False
    return "kind" not in above or above["kind"] == below.get("kind")


def _check_site(site: ParsedFile) -> None:
    findings = [
        SITE_PHYSICS.finding(
            f"a site file may not set `{key}`",
            suggestion="move it into the analysis config; a site file holds `compute`, `roots` and "
            "`tracking`",
            place=site.places[(key,)],
        )
        for key in site.data
        if key not in SITE_KEYS
    ]
    if findings:
        raise InputError(*findings)


def _override(data: Mapping[str, Any], places: Places, text: str) -> tuple[dict[str, Any], Places]:
    key, equals, value = text.partition("=")
    keys = key.strip().split(".")
    if not equals or not all(keys):
        raise InputError(
            BAD_SET.finding(f"cannot read `--set {text}`", suggestion="write --set key=value")
        )
    place = Place(label=f"--set {text}")
    try:
        nested = _labelled(parse_value(value, Path.cwd() / "--set"), f"--set {text}")
    except InputError as error:
        problem = error.findings[0].message
        raise InputError(
            BAD_SET.finding(f"cannot read the value: {problem}", place=place)
        ) from error
    for part in reversed(keys):
        nested = {part: nested}
    parents: Places = {tuple(keys[:length]): place for length in range(1, len(keys))}
    data, merged = _merge(data, places, nested, {tuple(keys): place})
    return data, {**parents, **merged}


def _labelled(value: Any, label: str) -> Any:
    """A value whose texts say which option they stand in, instead of a file and line."""
    if isinstance(value, Mapping):
        return {key: _labelled(item, label) for key, item in value.items()}
    if isinstance(value, list):
        return [_labelled(item, label) for item in value]
    if not isinstance(value, Text):
        return value
    return Text(value, value.file, replace(value.place, file=None, line=None, label=label))


def _roots(written: Any, places: Places) -> dict[str, str]:
    """The storage roots as absolute paths; what is no map of texts is left to validation."""
    texts = written.items() if isinstance(written, Mapping) else ()
    for name, text in texts:
        if "${" in str(text):
            raise InputError(
                UNKNOWN_ROOT.finding(
                    f"root `{name}` = {shown(text)} refers to another root",
                    suggestion="write the whole path",
                    place=places.get(("roots", name)),
                )
            )
    return {
        name: spelt(text) if address_of(text) else str(resolve_path(text).absolute())
        for name, text in texts
        if isinstance(text, str)
    }


def _substitute(value: Any, roots: Mapping[str, str], at: KeyPath, places: Places) -> Any:
    if isinstance(value, Mapping):
        return {key: _substitute(item, roots, (*at, key), places) for key, item in value.items()}
    if isinstance(value, list):
        return [_substitute(item, roots, (*at, i), places) for i, item in enumerate(value)]
    if not isinstance(value, Text) or "${" not in value:
        return value

    def root(match: re.Match[str]) -> str:
        prefix, _, name = match[1].partition(".")
        if prefix != "roots" or name not in roots or not match[0].endswith("}"):
            known = [f"roots.{known}" for known in roots]
            raise InputError(
                UNKNOWN_ROOT.finding(
                    f"`{match[0]}` names no storage root",
                    suggestion=did_you_mean(match[1], known, what="roots"),
                    place=places.get(at),
                )
            )
        return roots[name]

    return Text(ROOT_REFERENCE.sub(root, value), value.file, value.place)


def _mapping_paths(value: Any, at: KeyPath) -> Iterable[tuple[int, KeyPath]]:
    if isinstance(value, Mapping):
        yield id(value), at
    items = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in items:
        if isinstance(item, Mapping | list):
            yield from _mapping_paths(item, (*at, key))
