"""Files on other computers: `https://...`, `s3://...` and `root://...`, carried as paths.

A path drops one of two neighbouring slashes, so `https://host/a.root` is carried as the path
`https:/host/a.root`. Nothing is lost by that: XRootD's paths are absolute, and addresses with an
empty part are refused where they are named.
"""

from __future__ import annotations

import re
from pathlib import Path

SCHEMES = ("http", "https", "root", "s3")
_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)}):/+([^/]+)/*(.*)", re.DOTALL)


def address_of(path: str | Path) -> str | None:
    """The address that a path carries, None for a file of this computer.

    Args:
        path: A path, or an address as it was typed.
    """
    match = _ADDRESS.fullmatch(str(path))
    if match is None:
        return None
    scheme, host, rest = match.groups()
    slash = "//" if scheme == "root" else "/"
    return f"{scheme}://{host}{slash}{rest}"


def scheme_of(address: str) -> str:
    """What stands before the colon of an address."""
    return address.partition(":")[0]


def spelt(path: str | Path) -> str:
    """A path as a person would type it."""
    return address_of(path) or str(path)
