"""Content keys: what a stage's output is named by."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from quarkline.engine.core.results import canonical_json

KEY_BYTES = 16
SHORT = 12


def content_key(content: Any) -> str:
    """blake2b-128 of the canonical JSON of `content`, as 32 hexadecimal digits.

    Raises:
        ValueError: If a number is not finite (NaN and null would share a key), or a value has no
            JSON form. Paths have none: a key never depends on where something is.
    """
    _check(content, "")
    digest = hashlib.blake2b(canonical_json(content).encode(), digest_size=KEY_BYTES)
    return digest.hexdigest()


def _check(content: Any, at: str) -> None:
    if hasattr(content, "tolist"):
        content = content.tolist()
    if isinstance(content, Mapping):
        for name, item in content.items():
            _check(item, f"{at}.{name}".lstrip("."))
    elif isinstance(content, list | tuple):
        for index, item in enumerate(content):
            _check(item, f"{at}[{index}]")
    elif isinstance(content, PurePath) or (
        isinstance(content, float) and not math.isfinite(content)
    ):
        msg = f"`{at}` = {content} cannot be part of a content key"
        raise ValueError(msg)


def stage_key(
    stage: str, version: int, config: Mapping[str, Any], inputs: Mapping[str, Any]
) -> str:
    """The key of a stage's output: equal for equal code version, config and inputs.

    Args:
        stage: Name of the stage.
        version: Its version, bumped when the output changes for equal input.
        config: The config keys the stage reads, as JSON values; no paths, workers or devices.
        inputs: Key of each input.
    """
    return content_key({"stage": stage, "version": version, "config": config, "inputs": inputs})
