"""The places that name a dependency agree with `pyproject.toml`."""

from __future__ import annotations

import re
import tomllib

import pytest

from quarkline.engine.core.yaml_file import read_yaml
from tests.docs.pages import DOCS, PROJECT

CONSTRAINTS = PROJECT / "constraints"
HASHED = ("run.txt", "develop.txt", "oracle.txt")
CONDA_NAMES = {
    "isal": "python-isal",
    "matplotlib": "matplotlib-base",
    "torch": "pytorch",
    "xxhash": "python-xxhash",
}

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def requirements(*parts: str) -> dict[str, str]:
    """Version specifier by name, of the named parts of `pyproject.toml`."""
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    known = {
        "base": project["dependencies"],
        "build": PYPROJECT["build-system"]["requires"],
        **project["optional-dependencies"],
        **groups,
    }
    lines = [line for part in parts for line in known[part]]
    found = [re.fullmatch(r"([\w.-]+)([^;]*).*", line) for line in lines]
    return {match[1]: match[2].strip() for match in found}


RUN = requirements("base", "cluster", "fit", "remote", "train")
ALL = RUN | requirements("tracking", "oracle", "build", "test", "lint", "docs")
BUILT = requirements("xrootd")
"""What pip may have to build from source: no part of `all`, and not pinned."""


def pins(file: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", (CONSTRAINTS / file).read_text()))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_has_its_sentence():
    page = (DOCS / "dependencies.md").read_text()
    sentences = dict(re.findall(r"(?m)^(\S+)\n: (.*)$", page))
    assert set(sentences) == set(ALL) | set(BUILT) | {"editables"}
    assert all(re.fullmatch(r"[A-Z].*[^.]\.", sentence) for sentence in sentences.values())


def test_all_names_every_extra_a_user_may_want():
    extras = set(PYPROJECT["project"]["optional-dependencies"])
    (everything,) = PYPROJECT["project"]["optional-dependencies"]["all"]
    assert set(re.findall(r"\w+", everything)[1:]) == extras - {
        "all",
        "oracle",
        "tracking",
        "xrootd",
    }


def test_every_dependency_is_pinned():
    assert not {normalised(name) for name in ALL} - set(pins("versions.txt"))


@pytest.mark.parametrize("file", HASHED)
def test_every_pin_but_torch_has_hashes(file):
    blocks = re.split(r"(?m)^(?=[\w.-]+==)", (CONSTRAINTS / file).read_text())[1:]
    assert blocks
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", block) for block in blocks)
    assert "torch" not in pins(file)
    assert pins(file).items() <= pins("versions.txt").items()


def test_every_version_stands_in_exactly_one_hashed_file():
    hashed = [name for file in HASHED for name in pins(file)]
    assert sorted([*hashed, "torch"]) == sorted(pins("versions.txt"))


@pytest.mark.parametrize("file", sorted(path.name for path in CONSTRAINTS.glob("*.txt")))
def test_pins_name_no_place(file):
    text = (CONSTRAINTS / file).read_text()
    assert not re.search(r"://|^-|@|/\w+/", text, flags=re.MULTILINE)


def test_conda_gets_the_same_dependencies():
    data = read_yaml(PROJECT / "environment.yml").data["dependencies"]
    listed = dict(line.split() for line in data if isinstance(line, str) and " " in line)
    assert listed.pop("python") == PYPROJECT["project"]["requires-python"]
    assert listed == {CONDA_NAMES.get(name, name): version for name, version in RUN.items()}
