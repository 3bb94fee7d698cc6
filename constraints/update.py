"""Pin every dependency anew: `python constraints/update.py`, or `make lock`.

pip resolves what `pyproject.toml` asks for (a dry run: nothing is installed), then tells the
SHA-256 of every pin's wheel for each platform below. Only names, versions and hashes are kept, so
the pins hold wherever the wheels come from: PyPI, a mirror, or a folder.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
HELD = HERE / "held.txt"
PYTHONS = ("3.11.2", "3.12.3", "3.13.0")
"""The lowest patch releases in use; the first is Debian 12's and decides the versions."""
GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
PLATFORMS = (
    tuple(f"manylinux_{version}_x86_64" for version in GLIBC),
    tuple(f"manylinux_{version}_aarch64" for version in GLIBC),
    ("macosx_14_0_arm64",),
)
WITHOUT_HASH = ("torch",)
"""Packages whose files differ by platform, build and index for one version."""

Pins = dict[str, str]


def main() -> None:
    """Write `versions.txt` and the three files with hashes."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    run = resolve([*run_requirements(project), *project["build-system"]["requires"], "editables"])
    tracking = extra(project, "tracking")  # tests use them, `[all]` goes without
    groups_of_developers = sum((groups[name] for name in ("test", "lint", "docs")), tracking)
    develop = resolve([*as_requirements(run), *groups_of_developers])
    oracle = resolve([*as_requirements(run), *extra(project, "oracle")])

    pins = dict(sorted((run | develop | oracle).items()))
    head = "# Every version Quarkline is tested with: pip install -c constraints/versions.txt ...\n"
    write("versions.txt", head + "".join(f"{line}\n" for line in as_requirements(pins)))
    write_hashes("run.txt", run, PLATFORMS)
    write_hashes("develop.txt", without(develop, run), PLATFORMS)
    write_hashes("oracle.txt", without(oracle, run), PLATFORMS[:1])


def run_requirements(project: Mapping[str, Any]) -> list[str]:
    """What `quarkline[all]` needs, the extras it names included."""
    named = re.findall(r"\w+", extra(project, "all")[0].removeprefix("quarkline"))
    return sum((extra(project, name) for name in named), project["project"]["dependencies"])


def extra(project: Mapping[str, Any], name: str) -> list[str]:
    """The requirements of one extra."""
    requirements: list[str] = project["project"]["optional-dependencies"][name]
    return requirements


def resolve(requirements: Iterable[str]) -> Pins:
    """The newest versions that fit together, by name."""
    items = pip_report([*requirements, "--constraint", str(HELD), *for_python(PYTHONS[0])])
    found = {name_of(item): item["metadata"]["version"].partition("+")[0] for item in items}
    return dict(sorted(found.items()))


def hashes(pins: Pins, platforms: Iterable[tuple[str, ...]]) -> dict[str, set[str]]:
    """SHA-256 of the wheels of each pin on every platform and Python."""
    found: dict[str, set[str]] = {name: set() for name in pins}
    for platform in platforms:
        for python in PYTHONS:
            tags = [f"--platform={tag}" for tag in platform]
            options = ["--no-deps", *tags, *for_python(python)]
            for item in pip_report([*as_requirements(pins), *options]):
                found[name_of(item)].add(item["download_info"]["archive_info"]["hashes"]["sha256"])
    return found


def write_hashes(name: str, pins: Pins, platforms: Iterable[tuple[str, ...]]) -> None:
    """Write one requirements file for `pip install --require-hashes --no-deps`."""
    hashed = {pin: version for pin, version in pins.items() if pin not in WITHOUT_HASH}
    lines = ["# Made by constraints/update.py; install with --require-hashes --no-deps."]
    for pin, digests in hashes(hashed, platforms).items():
        parts = [f"{pin}=={hashed[pin]}", *(f"    --hash=sha256:{one}" for one in sorted(digests))]
        lines.append(" \\\n".join(parts))
    write(name, "\n".join(lines) + "\n")


def for_python(version: str) -> list[str]:
    """Options to look for another Python than the running one."""
    return [
        f"--python-version={version}",
        "--only-binary=:all:",
        f"--target={tempfile.gettempdir()}",
    ]


def pip_report(arguments: list[str]) -> list[dict[str, Any]]:
    """What pip would install, in its own words."""
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
    command = [sys.executable, "-m", "pip", "install", *options, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    report: list[dict[str, Any]] = json.loads(done.stdout)["install"]
    return report


def name_of(item: Mapping[str, Any]) -> str:
    """The distribution's normalised name."""
    return re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()


def as_requirements(pins: Pins) -> list[str]:
    """`name==version` texts."""
    return [f"{name}=={version}" for name, version in pins.items()]


def without(pins: Pins, others: Pins) -> Pins:
    """The pins that `others` lacks."""
    return {name: version for name, version in pins.items() if name not in others}


def write(name: str, text: str) -> None:
    """Write one file of this folder and say so."""
    (HERE / name).write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote constraints/{name}\n")


if __name__ == "__main__":
    main()
