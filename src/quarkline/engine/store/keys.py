"""Content keys: what a stage's output is named by."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from quarkline.engine.core.results import canonical_json

KEY_BYTES = 16
SHORT = 12


def content_key(content: Any) -> str:
    """blake2b-128 of the canonical JSON of `content`, as 32 hexadecimal digits.

    Raises:
        ValueError: If a number is not finite: NaN and null would share a key.
    """
    _refuse_non_finite(content)
    digest = hashlib.blake2b(canonical_json(content).encode(), digest_size=KEY_BYTES)
    return digest.hexdigest()


def _refuse_non_finite(content: Any) -> None:
    if isinstance(content, float) and not math.isfinite(content):
        msg = "a number in a content key is not finite"
        raise ValueError(msg)
    if isinstance(content, Mapping):
        content = list(content.values())
    if isinstance(content, list | tuple):
        for item in content:
            _refuse_non_finite(item)


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
